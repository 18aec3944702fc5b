#include "support/faulty_store.h"

#include "support/simulation/forwarding_store.h"

namespace ensue::testing {
namespace {

using Verb = FaultyVerb;

template <class Work>
auto around(FailPoints& points, Verb verb, const Work& work) -> decltype(work()) {
  if (Status reached = points.reach(verb, false); !reached) return reached.error();
  auto result = work();
  if (!result) return result;
  if (Status reached = points.reach(verb, true); !reached) return reached.error();
  return result;
}

template <class Interface>
class FaultyReader : public ForwardingReader<Interface> {
  using Base = ForwardingReader<Interface>;

 public:
  FaultyReader(Interface& inner, FailPoints& points) : Base(inner), points_(points) {}

  Result<std::optional<RecordRow>> record(std::string_view object, std::string_view id) override {
    return around(points_, Verb::record, [&] { return Base::record(object, id); });
  }
  Result<std::vector<std::string>> linked(std::string_view object, std::string_view field,
                                          std::string_view target, size_t most) override {
    return around(points_, Verb::linked, [&] { return Base::linked(object, field, target, most); });
  }
  Status visit_records(std::string_view object,
                       const std::function<bool(const RecordRow&)>& visit) override {
    return around(points_, Verb::visit_records, [&] { return Base::visit_records(object, visit); });
  }
  Status visit_reminders(std::string_view state,
                         const std::function<bool(const ReminderRow&)>& visit) override {
    return around(points_, Verb::visit_reminders,
                  [&] { return Base::visit_reminders(state, visit); });
  }
  Status visit_activations(const std::function<bool(const ActivationRow&)>& visit) override {
    return around(points_, Verb::visit_activations, [&] { return Base::visit_activations(visit); });
  }
  Result<std::optional<ReminderRow>> reminder(const Key128& id) override {
    return around(points_, Verb::reminder, [&] { return Base::reminder(id); });
  }
  Result<std::vector<ReminderRow>> reminders_about(std::string_view record) override {
    return around(points_, Verb::reminders_about, [&] { return Base::reminders_about(record); });
  }
  Result<std::vector<TimerRow>> due_timers(Instant now, size_t most) override {
    return around(points_, Verb::due_timers, [&] { return Base::due_timers(now, most); });
  }
  Result<std::optional<Instant>> next_timer() override {
    return around(points_, Verb::next_timer, [&] { return Base::next_timer(); });
  }
  Result<std::optional<AttemptRow>> attempt(std::string_view source) override {
    return around(points_, Verb::attempt, [&] { return Base::attempt(source); });
  }
  Status visit_intents(std::string_view state,
                       const std::function<bool(const IntentRow&)>& visit) override {
    return around(points_, Verb::visit_intents, [&] { return Base::visit_intents(state, visit); });
  }
  Result<std::vector<FlowRunRow>> flow_runs_about(std::string_view record, size_t most) override {
    return around(points_, Verb::flow_runs_about,
                  [&] { return Base::flow_runs_about(record, most); });
  }
  Result<std::vector<FlowRunRow>> flow_runs_of(const Key128& rule, std::string_view record,
                                               size_t most) override {
    return around(points_, Verb::flow_runs_of,
                  [&] { return Base::flow_runs_of(rule, record, most); });
  }
  Result<std::optional<FlowRunRow>> flow_run(const Key128& run) override {
    return around(points_, Verb::flow_run, [&] { return Base::flow_run(run); });
  }
  Status visit_flow_runs(std::string_view state,
                         const std::function<bool(const FlowRunRow&)>& visit) override {
    return around(points_, Verb::visit_flow_runs,
                  [&] { return Base::visit_flow_runs(state, visit); });
  }
  Result<int64_t> total(std::string_view name) override {
    return around(points_, Verb::total, [&] { return Base::total(name); });
  }
  Result<std::optional<std::string>> meta(std::string_view name) override {
    return around(points_, Verb::meta, [&] { return Base::meta(name); });
  }

 protected:
  FailPoints& points_;
};

class FaultyTxn final : public ForwardingWriter<FaultyReader<StoreTxn>> {
  using Base = ForwardingWriter<FaultyReader<StoreTxn>>;

 public:
  using Base::Base;

  Result<bool> admit(const Key128& event) override {
    return around(points_, Verb::admit, [&] { return Base::admit(event); });
  }
  Status put_record(const RecordRow& row) override {
    return around(points_, Verb::put_record, [&] { return Base::put_record(row); });
  }
  Result<ChargeResult> charge(const Key128& run, const std::vector<Charge>& charges) override {
    return around(points_, Verb::charge, [&] { return Base::charge(run, charges); });
  }
  Result<bool> add_run(RunRow& row) override {
    return around(points_, Verb::add_run, [&] { return Base::add_run(row); });
  }
  Status add_verdict(const VerdictRow& row) override {
    return around(points_, Verb::add_verdict, [&] { return Base::add_verdict(row); });
  }
  Status put_reminder(const ReminderRow& row) override {
    return around(points_, Verb::put_reminder, [&] { return Base::put_reminder(row); });
  }
  Status put_timer(const TimerRow& row) override {
    return around(points_, Verb::put_timer, [&] { return Base::put_timer(row); });
  }
  Status remove_timer(Instant due, const Key128& id) override {
    return around(points_, Verb::remove_timer, [&] { return Base::remove_timer(due, id); });
  }
  Status add_dead_letter(const DeadLetterRow& row) override {
    return around(points_, Verb::add_dead_letter, [&] { return Base::add_dead_letter(row); });
  }
  Status remove_dead_letter(int64_t seq) override {
    return around(points_, Verb::remove_dead_letter, [&] { return Base::remove_dead_letter(seq); });
  }
  Status put_cursor(const CursorRow& row) override {
    return around(points_, Verb::put_cursor, [&] { return Base::put_cursor(row); });
  }
  Status put_activation(const ActivationRow& row) override {
    return around(points_, Verb::put_activation, [&] { return Base::put_activation(row); });
  }
  Status put_attempt(const AttemptRow& row) override {
    return around(points_, Verb::put_attempt, [&] { return Base::put_attempt(row); });
  }
  Result<bool> add_intent(const IntentRow& row) override {
    return around(points_, Verb::add_intent, [&] { return Base::add_intent(row); });
  }
  Result<std::vector<IntentRow>> claim_intents(Instant now, int64_t epoch, size_t most,
                                               std::string_view without) override {
    return around(points_, Verb::claim_intents,
                  [&] { return Base::claim_intents(now, epoch, most, without); });
  }
  Result<bool> finish_intent(const IntentRow& row, int64_t epoch) override {
    return around(points_, Verb::finish_intent, [&] { return Base::finish_intent(row, epoch); });
  }
  Result<bool> settle_intent(const IntentRow& row) override {
    return around(points_, Verb::settle_intent, [&] { return Base::settle_intent(row); });
  }
  Status add_total(std::string_view name, int64_t count) override {
    return around(points_, Verb::add_total, [&] { return Base::add_total(name, count); });
  }
  Status put_meta(std::string_view name, std::string_view value) override {
    return around(points_, Verb::put_meta, [&] { return Base::put_meta(name, value); });
  }
  Status put_flow_run(const FlowRunRow& row) override {
    return around(points_, Verb::put_flow_run, [&] { return Base::put_flow_run(row); });
  }
  Status remove_flow_run(const Key128& run) override {
    return around(points_, Verb::remove_flow_run, [&] { return Base::remove_flow_run(run); });
  }
  Status savepoint() override {
    return around(points_, Verb::savepoint, [&] { return Base::savepoint(); });
  }
  Status rollback_savepoint() override {
    return around(points_, Verb::rollback_savepoint, [&] { return Base::rollback_savepoint(); });
  }
  Status release_savepoint() override {
    return around(points_, Verb::release_savepoint, [&] { return Base::release_savepoint(); });
  }
};

}  // namespace

std::string FailPoint::name() const {
  static constexpr const char* kNames[] = {
#define V(name) #name,
      ENSUE_FAULTY_VERBS(V)
#undef V
  };
  return std::string(kNames[static_cast<size_t>(verb)]) + (after ? ".after" : ".before");
}

const char* fault_action_name(FaultAction action) {
  static constexpr const char* kNames[kFaultActions] = {"none", "die",   "i/o error",
                                                        "full", "delay", "duplicate"};
  return kNames[static_cast<size_t>(action)];
}

FaultAction FailPoints::action_at(FaultyVerb verb, bool after) {
  FailPoint point{verb, after};
  ++hits[point.index()];
  FaultAction action = choose ? choose(point) : FaultAction::kNone;
  if (action == FaultAction::kDie) throw Died();
  if (action == FaultAction::kDelay && delay) delay();
  if (action == FaultAction::kDuplicate && duplicate) duplicate();
  return action;
}

Status FailPoints::reach(FaultyVerb verb, bool after) {
  FaultAction action = action_at(verb, after);
  if (action != FaultAction::kIoError && action != FaultAction::kFull) return {};
  if (after && (verb == Verb::commit || verb == Verb::commit_results)) outcome_unknown = true;
  return {action == FaultAction::kIoError ? ErrorCode::kIo : ErrorCode::kStorageFull,
          "simulated at " + FailPoint{verb, after}.name()};
}

Status FaultyStore::commit(const std::function<Status(StoreTxn&)>& write) {
  return around(points_, Verb::commit, [&] {
    return inner_->commit([&](StoreTxn& txn) {
      FaultyTxn faulty(txn, points_);
      return write(faulty);
    });
  });
}

Status FaultyStore::commit_results(const std::function<Status(StoreTxn&)>& write) {
  return around(points_, Verb::commit_results, [&] {
    return inner_->commit_results([&](StoreTxn& txn) {
      FaultyTxn faulty(txn, points_);
      return write(faulty);
    });
  });
}

Status FaultyStore::reserve_results() {
  return around(points_, Verb::reserve_results, [&] { return inner_->reserve_results(); });
}

Status FaultyStore::read(const std::function<Status(StoreReader&)>& look) {
  return around(points_, Verb::read, [&] {
    return inner_->read([&](StoreReader& reader) {
      FaultyReader<StoreReader> faulty(reader, points_);
      return look(faulty);
    });
  });
}

SinkAnswer FaultySink::call(const SinkCall& call) {
  FaultAction before = points_.action_at(Verb::call, false);
  if (before == FaultAction::kIoError) return {SinkAnswer::Kind::kAgain, "not reached"};
  if (before == FaultAction::kFull) return {SinkAnswer::Kind::kUnknown, "perhaps not reached"};
  SinkAnswer answer = inner_.call(call);
  FaultAction after = points_.action_at(Verb::call, true);
  if (after == FaultAction::kIoError || after == FaultAction::kFull)
    return {SinkAnswer::Kind::kUnknown, "the answer is lost"};
  return answer;
}

SinkAnswer FaultySink::ask(const Key128& key) {
  auto lost = [&](bool after) {
    FaultAction action = points_.action_at(Verb::ask, after);
    return action == FaultAction::kIoError || action == FaultAction::kFull;
  };
  if (lost(false)) return {SinkAnswer::Kind::kUnknown, "it does not answer"};
  SinkAnswer answer = inner_.ask(key);
  if (lost(true)) return {SinkAnswer::Kind::kUnknown, "the answer is lost"};
  return answer;
}

}  // namespace ensue::testing
