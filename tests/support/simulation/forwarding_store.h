// A store that hands every verb to another: what stands between the engine and a store in a test
// overrides the few verbs it is about.
#pragma once

#include <memory>
#include <utility>

#include "ensue/store.h"

namespace ensue::testing {

// `Interface` is StoreReader or StoreTxn.
template <class Interface>
class ForwardingReader : public Interface {
 public:
  explicit ForwardingReader(Interface& inner) : inner_(inner) {}

  Result<std::optional<RecordRow>> record(std::string_view object, std::string_view id) override {
    return inner_.record(object, id);
  }
  Result<std::vector<std::string>> linked(std::string_view object, std::string_view field,
                                          std::string_view target, size_t most) override {
    return inner_.linked(object, field, target, most);
  }
  Status visit_records(std::string_view object,
                       const std::function<bool(const RecordRow&)>& visit) override {
    return inner_.visit_records(object, visit);
  }
  Status visit_runs(const RunFilter& filter,
                    const std::function<bool(const RunRow&)>& visit) override {
    return inner_.visit_runs(filter, visit);
  }
  Status visit_verdicts(std::string_view automation, std::string_view record,
                        const std::function<bool(const VerdictRow&)>& visit) override {
    return inner_.visit_verdicts(automation, record, visit);
  }
  Status visit_counters(const std::function<bool(const CounterRow&)>& visit) override {
    return inner_.visit_counters(visit);
  }
  Status visit_proofs(const std::function<bool(const CounterProof&)>& visit) override {
    return inner_.visit_proofs(visit);
  }
  Status visit_dead_letters(const std::function<bool(const DeadLetterRow&)>& visit) override {
    return inner_.visit_dead_letters(visit);
  }
  Status visit_reminders(std::string_view state,
                         const std::function<bool(const ReminderRow&)>& visit) override {
    return inner_.visit_reminders(state, visit);
  }
  Status visit_activations(const std::function<bool(const ActivationRow&)>& visit) override {
    return inner_.visit_activations(visit);
  }
  Result<std::optional<ReminderRow>> reminder(const Key128& id) override {
    return inner_.reminder(id);
  }
  Result<std::vector<ReminderRow>> reminders_about(std::string_view record) override {
    return inner_.reminders_about(record);
  }
  Result<std::vector<TimerRow>> due_timers(Instant now, size_t most) override {
    return inner_.due_timers(now, most);
  }
  Result<std::optional<Instant>> next_timer() override { return inner_.next_timer(); }
  Result<uint64_t> timer_count() override { return inner_.timer_count(); }
  Result<std::optional<CursorRow>> cursor(std::string_view source) override {
    return inner_.cursor(source);
  }
  Result<std::optional<AttemptRow>> attempt(std::string_view source) override {
    return inner_.attempt(source);
  }
  Status visit_intents(std::string_view state,
                       const std::function<bool(const IntentRow&)>& visit) override {
    return inner_.visit_intents(state, visit);
  }
  Result<std::optional<IntentRow>> intent(const Key128& key) override { return inner_.intent(key); }
  Result<std::vector<FlowRunRow>> flow_runs_about(std::string_view record, size_t most) override {
    return inner_.flow_runs_about(record, most);
  }
  Result<std::vector<FlowRunRow>> flow_runs_of(const Key128& rule, std::string_view record,
                                               size_t most) override {
    return inner_.flow_runs_of(rule, record, most);
  }
  Result<std::optional<FlowRunRow>> flow_run(const Key128& run) override {
    return inner_.flow_run(run);
  }
  Status visit_flow_runs(std::string_view state,
                         const std::function<bool(const FlowRunRow&)>& visit) override {
    return inner_.visit_flow_runs(state, visit);
  }
  Result<int64_t> total(std::string_view name) override { return inner_.total(name); }
  Result<std::optional<std::string>> meta(std::string_view name) override {
    return inner_.meta(name);
  }

 protected:
  Interface& inner_;
};

// `Base` is ForwardingReader<StoreTxn>, or overrides some of its verbs.
template <class Base>
class ForwardingWriter : public Base {
 public:
  using Base::Base;

  Result<bool> admit(const Key128& event) override { return this->inner_.admit(event); }
  Status put_record(const RecordRow& row) override { return this->inner_.put_record(row); }
  Result<ChargeResult> charge(const Key128& run, const std::vector<Charge>& charges) override {
    return this->inner_.charge(run, charges);
  }
  Result<bool> add_run(RunRow& row) override { return this->inner_.add_run(row); }
  Status add_verdict(const VerdictRow& row) override { return this->inner_.add_verdict(row); }
  Status put_reminder(const ReminderRow& row) override { return this->inner_.put_reminder(row); }
  Status put_timer(const TimerRow& row) override { return this->inner_.put_timer(row); }
  Status remove_timer(Instant due, const Key128& id) override {
    return this->inner_.remove_timer(due, id);
  }
  Status add_dead_letter(const DeadLetterRow& row) override {
    return this->inner_.add_dead_letter(row);
  }
  Status remove_dead_letter(int64_t seq) override { return this->inner_.remove_dead_letter(seq); }
  Status put_cursor(const CursorRow& row) override { return this->inner_.put_cursor(row); }
  Status put_activation(const ActivationRow& row) override {
    return this->inner_.put_activation(row);
  }
  Status put_attempt(const AttemptRow& row) override { return this->inner_.put_attempt(row); }
  Result<bool> add_intent(const IntentRow& row) override { return this->inner_.add_intent(row); }
  Result<std::vector<IntentRow>> claim_intents(Instant now, int64_t epoch, size_t most,
                                               std::string_view without) override {
    return this->inner_.claim_intents(now, epoch, most, without);
  }
  Result<bool> finish_intent(const IntentRow& row, int64_t epoch) override {
    return this->inner_.finish_intent(row, epoch);
  }
  Result<bool> settle_intent(const IntentRow& row) override {
    return this->inner_.settle_intent(row);
  }
  Status add_total(std::string_view name, int64_t count) override {
    return this->inner_.add_total(name, count);
  }
  Status put_meta(std::string_view name, std::string_view value) override {
    return this->inner_.put_meta(name, value);
  }
  Status put_flow_run(const FlowRunRow& row) override { return this->inner_.put_flow_run(row); }
  Status remove_flow_run(const Key128& run) override { return this->inner_.remove_flow_run(run); }
  Status savepoint() override { return this->inner_.savepoint(); }
  Status rollback_savepoint() override { return this->inner_.rollback_savepoint(); }
  Status release_savepoint() override { return this->inner_.release_savepoint(); }
};

using ForwardingTxn = ForwardingWriter<ForwardingReader<StoreTxn>>;

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(std::shared_ptr<Store> inner) : inner_(std::move(inner)) {}

  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    return inner_->commit(write);
  }
  Status commit_results(const std::function<Status(StoreTxn&)>& write) override {
    return inner_->commit_results(write);
  }
  Status reserve_results() override { return inner_->reserve_results(); }
  Status when_idle() override { return inner_->when_idle(); }
  Status read(const std::function<Status(StoreReader&)>& look) override {
    return inner_->read(look);
  }

 protected:
  std::shared_ptr<Store> inner_;
};

}  // namespace ensue::testing
