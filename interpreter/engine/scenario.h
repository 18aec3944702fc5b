// A scenario: the sentences of a test, carried out on a runtime of its own with a clock that only
// moves when told to.
//
// Used by `ensue test` for declared tests and by the REPL for what a person types, so that both
// mean the same.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime.h"

namespace ensue::engine {

// A sentence that did not hold, or could not be carried out.
struct Failure {
  source::Span span;
  std::string message;
};

// The services of a test: each answers as `given service` says, all others with a blank answer, at
// once. E-mails are taken.
class ScenarioServices final : public Sink {
 public:
  SinkClass sink_class() const override { return SinkClass::kKeyed; }
  SinkAnswer call(const SinkCall& call) override;

  struct Behaviour {
    std::string body;     // JSON
    std::string failure;  // empty: it answers
    int64_t times = 0;    // it fails; 0: always
  };
  void set(const std::string& service, Behaviour behaviour) {
    behaviours_[service] = std::move(behaviour);
  }

 private:
  std::map<std::string, Behaviour, base::FoldedLess> behaviours_;
};

class Scenario {
 public:
  // `program` is the one under test; `store` is empty, and the scenario's alone.
  Scenario(ProgramPtr program, std::shared_ptr<Store> store, Coverage* coverage = nullptr);

  // The values of the columns of a table of cases, in their order.
  void set_columns(std::vector<std::string> names, std::vector<Value> values);
  // Puts another program in force, keeping records and clock (REPL).
  Status use(ProgramPtr program);

  // Carries out one sentence of `module`, which is the program's own or a later one with the same
  // schema. A failure of the sentence is a value; an error is the world's.
  Result<std::optional<Failure>> carry_out(const check::CheckedModule& module,
                                           check::NodeRef statement);
  // Faults that no `expect fault` has asked for: a test that ends with one fails.
  std::vector<std::string> unexpected_faults() const;

  // The value of an expression, with the records of the scenario; `it` names the record in hand by
  // object and id.
  Result<Value> evaluate(
      const check::CheckedModule& module, check::NodeRef expr, bool as_condition,
      const std::optional<std::pair<std::string, std::string>>& it = std::nullopt);

  Runtime& runtime() { return *runtime_; }
  const std::vector<Decision>& decisions() const { return decisions_; }
  // Decisions since the last call.
  std::vector<Decision> take_news();

 private:
  struct Fault {
    std::string text;
    bool expected = false;
  };
  using Outcome = Result<std::optional<Failure>>;

  // ---- Doing ----------------------------------------------------------------------------------
  Outcome set_clock(syntax::NodeId id);
  Outcome put_record(syntax::NodeId object, syntax::NodeId record, syntax::NodeId assignments,
                     types::ChangeKind kind);
  Outcome set_fields(syntax::NodeId id);
  Outcome delete_record(syntax::NodeId id);
  Outcome advance(syntax::NodeId id);
  Outcome event_arrives(syntax::NodeId id);
  Outcome use_reminder(syntax::NodeId id);
  Outcome activate(syntax::NodeId id);
  Outcome use_verb(syntax::NodeId id);
  Outcome give_service(syntax::NodeId id);
  Outcome call_flow(syntax::NodeId id);
  Outcome answer_screen(syntax::NodeId id);
  Result<std::vector<std::pair<std::string, Value>>> named_values(syntax::NodeId assignments);
  Outcome submit(types::Event event);
  // Calls what is to be called, and lets the runs that waited for it go on.
  Result<BatchReport> settle(Result<BatchReport> report);
  // Keeps what a batch decided. A refusal (not permitted, over a limit) is a fault that a test may
  // expect.
  Outcome take(Result<BatchReport> report, syntax::NodeId id);
  Status force(ProgramPtr program);
  Result<types::FieldValues> assigned(types::ObjectId object, const std::string& record,
                                                  syntax::NodeId assignments, bool defaults);
  Result<Currency> currency_of(types::ObjectId object, const std::string& record,
                               const types::FieldValues& assigned);
  types::Event new_event(types::ObjectId object, const std::string& record, types::ChangeKind kind);

  // ---- Expecting ------------------------------------------------------------------------------
  Outcome expect(syntax::NodeId id);
  Result<std::string> check_expectation(syntax::NodeId id, bool negated);
  Result<std::string> expect_automation(syntax::NodeId id, bool negated);
  Result<std::string> expect_charged(syntax::NodeId id, bool negated);
  Result<std::string> expect_has(syntax::NodeId id, bool negated);
  Result<std::string> expect_records(syntax::NodeId id, bool negated);
  Result<std::string> expect_in_cadence(syntax::NodeId id, bool negated);
  Result<std::string> expect_left(syntax::NodeId id, bool negated);
  Result<std::string> expect_reminder(syntax::NodeId id, bool negated);
  Result<std::string> expect_fault(syntax::NodeId id, bool negated);
  Result<std::string> expect_email(syntax::NodeId id, bool negated);
  Result<std::string> expect_call(syntax::NodeId id, bool negated);

  struct TrackerSeen {
    std::string cadence, state, track, step, owner, disposition;
    std::optional<Instant> due;
  };
  Result<std::vector<TrackerSeen>> trackers_of(const std::string& target);
  Result<bool> record_fits(const types::Record& record, syntax::NodeId condition);
  std::optional<types::ObjectId> object_of(const std::string& record) const;
  Result<int64_t> count(syntax::NodeId id);
  Result<Instant> instant(syntax::NodeId datetime);

  std::string text(syntax::NodeId id) const {
    return id.valid() ? std::string(tree_->text(id)) : std::string();
  }

  std::shared_ptr<Program> program_;  // a copy, with the zone of this scenario's clock
  std::optional<calendar::Zone> zone_;
  ScenarioServices services_;
  std::unique_ptr<Runtime> runtime_;
  std::map<std::string, types::ObjectId, base::FoldedLess> records_;  // by id
  std::vector<std::string> column_names_;
  std::vector<Value> columns_;
  std::vector<Decision> decisions_;
  size_t news_from_ = 0;
  std::vector<Fault> faults_;
  uint64_t events_ = 0;

  // Of the sentence at hand.
  const check::CheckedModule* module_ = nullptr;
  const syntax::Tree* tree_ = nullptr;
  source::FileId file_;
};

}  // namespace ensue::engine
