// The runtime: one program working on one store. The insides of the public Engine, also used by the
// commands, the tests of the language and the REPL, so that all of them run the same thing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/workers.h"
#include "engine/cascade.h"
#include "engine/directory.h"
#include "engine/matching.h"
#include "engine/outbox.h"
#include "engine/program.h"
#include "engine/record_book.h"
#include "ensue/engine.h"
#include "intake/batch_reader.h"

namespace ensue::engine {

struct RuntimeOptions {
  Clock* clock = nullptr;  // null: the clock of the events
  bool keep_all_verdicts = false;
  Coverage* coverage = nullptr;  // what conditions saw, when somebody counts
  Sink* sink = nullptr;          // where what automations write goes, too
  Sink* services = nullptr;
  Sink* mail = nullptr;
  bool call_again_when_unknown = false;
  size_t threads = 1;  // as in EngineOptions
};

class Runtime {
 public:
  Runtime(std::shared_ptr<Store> store, RuntimeOptions options);

  // Puts a program in force and reads what the store knows. Once at the start, again for every
  // reload.
  Status use(ProgramPtr program);

  // ---- Batches, one commit each ---------------------------------------------------------------
  struct Lines {
    std::string source;
    std::vector<InputLine> lines;
    std::optional<CursorRow> cursor;
    std::optional<int64_t> dead_letter;  // the lines are this one, tried again
    bool snapshots =
        false;  // `--records`: every line fills the copy and fires nothing, whatever its kind
    bool needs_ids = false;  // as in Batch
  };
  // With a cursor the batch counts as begun before it is worked on. One that ended the process
  // twice is worked on line by line, and a line that ended it five times becomes a dead letter.
  Result<BatchReport> submit(const Lines& lines);
  // Several batches in one commit.
  std::vector<Result<BatchReport>> submit_group(const std::vector<Lines>& group);
  Result<BatchReport> submit(const std::vector<types::Event>& events);
  Result<BatchReport> advance(Instant now);
  // Runs `work` in one commit, in a cascade; for reminders, verbs and the like.
  Result<BatchReport> in_cascade(const std::function<Status(Cascade&)>& work);

  Result<BatchReport> reminder(const std::string& id_or_record, const std::string& person,
                               const std::function<Status(Cascade&, const ReminderRow&)>& act);
  Status set_active(const std::string& automation, const std::string& author,
                    const std::string& person, bool active);
  Result<DeliveryReport> deliver();
  // In parts, for a host that calls the sinks on threads of its own (engine/outbox.h).
  Result<std::vector<IntentRow>> begin_delivery(size_t most, DeliveryReport& report);
  Status end_delivery(std::vector<IntentRow> rows, const std::vector<SinkAnswer>& answers,
                      DeliveryReport& report);
  OutboxSinks outbox_sinks() const { return {options_.sink, options_.services, options_.mail}; }

  // ---- Flows ----------------------------------------------------------------------------------
  // Starts a flow that is called, or a screen flow, for `person` (a user's id, name or address; may
  // be empty). Errors: kNotFound, kInvalidArgument.
  Result<BatchReport> start_flow(const std::string& flow, const Cascade::Values& arguments,
                                 const std::string& person);
  // What a person answers to the screen that asks them, or nobody in particular, last.
  Result<BatchReport> answer_screen(const std::string& person, const Cascade::Values& answers);
  // The waiting or failed run whose key begins so, at least 6 digits; the work is done in a
  // cascade.
  Result<BatchReport> with_run(const std::string& key,
                               const std::function<Status(Cascade&, const FlowRunRow&)>& work);
  // Notes that no batch is at work: the process may end.
  Status rest();

  // ---- Looking --------------------------------------------------------------------------------
  const Program& program() const { return *program_; }
  bool has_program() const { return program_ != nullptr; }
  Store& store() { return *store_; }
  Instant now() const { return now_; }
  // The day that a charge would be made to now: the ledger's, or a later one that is open already.
  Date open_day() const {
    limits::OpenDay day = open_day_;
    return day.charge_on(ledger_->day_of(now_));
  }
  // Sets the clock without firing anything; for the start of a test.
  // Schedules begin at it.
  void set_clock(Instant now) {
    now_ = now;
    flows_.armed = false;
    flows_.anew = true;
  }
  const Directory& directory() const { return directory_; }
  // Runs `look` with the records readable.
  Status read(const std::function<Status(RecordBook&, Matcher&, StoreReader&)>& look);
  const limits::Ledger& ledger() const { return *ledger_; }
  const match::RuleIndex& index() const { return index_; }

 private:
  Status make_ready();
  Status load_state(StoreReader& reader);
  Status open_outbox();
  Instant delivery_time() const;
  void read_clock(BatchReport& report);
  Status fill_links();
  void rebuild_index();
  void resolve_authors();
  match::RuleIndex::UserOf user_of() const;
  CascadeContext context(StoreTxn& txn, BatchReport& report);
  Result<BatchReport> commit(const std::function<Status(StoreTxn&, BatchReport&)>& work);
  Result<BatchReport> commit(const std::function<Status(Cascade&, StoreTxn&, BatchReport&)>& work);
  Status count(StoreTxn& txn, const BatchReport& report);
  Status work_on(const Lines& input, std::span<const InputLine> lines, Cascade& cascade,
                 StoreTxn& txn, BatchReport& report);
  Status changes_lost(const Lines& input, const InputLine& line, const intake::LineResult& result,
                      Cascade& cascade, StoreTxn& txn);
  Status add_dead_letter(const Lines& input, const InputLine& line, std::string reason,
                         StoreTxn& txn, BatchReport& report);
  Result<BatchReport> submit_whole(const Lines& input, AttemptRow* attempt);
  Status keep_place(const Lines& input, const AttemptRow* attempt, StoreTxn& txn);
  Result<BatchReport> submit_alone(const Lines& input, AttemptRow& attempt);
  Result<AttemptRow*> begin(const std::string& source);

  std::shared_ptr<Store> store_;
  RuntimeOptions options_;
  base::Workers workers_;
  ProgramPtr program_;
  Directory directory_;
  RecordBook book_;
  Activations activations_;
  match::RuleIndex index_;
  bool users_stale_ = false;    // told of in a commit that failed
  bool ready_ = false;          // users, activations, links and index are those of the store
  uint64_t index_version_ = 0;  // of the directory, when the index was built
  std::unique_ptr<limits::Ledger> ledger_;
  FlowState flows_;
  Instant now_;
  limits::OpenDay open_day_;
  std::map<std::string, AttemptRow> attempts_;  // of the sources worked on, as the store has them
  std::optional<Outbox> outbox_;
};

}  // namespace ensue::engine
