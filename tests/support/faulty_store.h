// A store and a sink that fail at named points: before and after each of their verbs.
//
//   FailPoints points;
//   points.choose = [](FailPoint at) { return at.name() == "charge.after" ? … };
//   auto store = std::make_shared<FaultyStore>(inner, points);
//
// `commit.before` lies before the transaction is begun, `commit.after` behind its end: a failure
// there leaves the engine without knowledge of a commit that has happened. All others of the
// transaction's verbs lie inside it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ensue/sink.h"
#include "ensue/store.h"

namespace ensue::testing {

// ENSUE_FAULTY_VERB(name): the verbs that have points. Those that only show a store to people have
// none.
// clang-format off
#define ENSUE_FAULTY_VERBS(V) \
  V(commit) V(commit_results) V(reserve_results) V(read) V(record) V(linked) V(visit_records) \
  V(visit_reminders) V(visit_activations) V(reminder) V(reminders_about) V(due_timers) \
  V(next_timer) V(attempt) V(visit_intents) V(total) V(meta) V(admit) V(put_record) V(charge) \
  V(add_run) V(add_verdict) V(put_reminder) V(put_timer) V(remove_timer) V(add_dead_letter) \
  V(remove_dead_letter) V(put_cursor) V(put_activation) V(put_attempt) V(add_intent) \
  V(claim_intents) V(finish_intent) V(settle_intent) V(add_total) V(put_meta) V(flow_runs_about) V(flow_runs_of) V(flow_run) \
  V(visit_flow_runs) V(put_flow_run) V(remove_flow_run) V(savepoint) V(rollback_savepoint) \
  V(release_savepoint) V(call) V(ask)
// clang-format on

enum class FaultyVerb : uint8_t {
#define V(name) name,
  ENSUE_FAULTY_VERBS(V)
#undef V
      count_,
};

struct FailPoint {
  FaultyVerb verb = FaultyVerb::commit;
  bool after = false;

  static constexpr size_t kCount = 2 * static_cast<size_t>(FaultyVerb::count_);
  static FailPoint at(size_t index) { return {static_cast<FaultyVerb>(index / 2), index % 2 != 0}; }
  size_t index() const { return 2 * static_cast<size_t>(verb) + (after ? 1 : 0); }
  std::string name() const;  // charge.after
};

enum class FaultAction : uint8_t {
  kNone,
  kDie,        // the process ends here: Died is thrown
  kIoError,    // kIo. A call of the sink: it is not reached, or its answer is lost
  kFull,       // kStorageFull. A call of the sink: nobody knows whether it was reached
  kDelay,      // time passes
  kDuplicate,  // the source delivers again what is at work
};
inline constexpr size_t kFaultActions = 6;
const char* fault_action_name(FaultAction action);

struct Died {};

class FailPoints {
 public:
  // What happens at a point; none: nothing. The point counts as hit before it is asked.
  std::function<FaultAction(FailPoint)> choose;
  std::function<void()> delay;      // lets time pass
  std::function<void()> duplicate;  // notes that the delivery at work comes again
  std::array<uint64_t, FailPoint::kCount> hits{};
  // An error was told behind the end of a commit; cleared by who has taken note of it.
  bool outcome_unknown = false;

  // The error of the action; nothing when the work goes on. Throws Died.
  Status reach(FaultyVerb verb, bool after);
  FaultAction action_at(FaultyVerb verb, bool after);
};

class FaultyStore final : public Store {
 public:
  FaultyStore(std::shared_ptr<Store> inner, FailPoints& points)
      : inner_(std::move(inner)), points_(points) {}

  Status commit(const std::function<Status(StoreTxn&)>& write) override;
  Status commit_results(const std::function<Status(StoreTxn&)>& write) override;
  Status reserve_results() override;
  Status when_idle() override { return inner_->when_idle(); }
  Status read(const std::function<Status(StoreReader&)>& look) override;

 private:
  std::shared_ptr<Store> inner_;
  FailPoints& points_;
};

class FaultySink final : public Sink {
 public:
  FaultySink(Sink& inner, FailPoints& points) : inner_(inner), points_(points) {}

  SinkClass sink_class() const override { return inner_.sink_class(); }
  SinkAnswer call(const SinkCall& call) override;
  SinkAnswer ask(const Key128& key) override;

 private:
  Sink& inner_;
  FailPoints& points_;
};

}  // namespace ensue::testing
