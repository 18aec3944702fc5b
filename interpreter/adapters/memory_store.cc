// Plain maps and one undo journal. A failing transaction is undone verb by verb, newest first, so
// that a commit costs only what it writes.
#include "adapters/memory_store.h"

#include "adapters/internal/counter_proofs.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace ensue::adapters {
namespace {

using RecordKey = std::pair<std::string, std::string>;  // object, id
using LinkKey =
    std::tuple<std::string, std::string, std::string, std::string>;  // object, field, target, id
using CounterKey =
    std::tuple<std::string, std::string, std::string, std::string>;  // scope, key, counter, window

struct Counter {
  int64_t used = 0;
  int64_t max = 0;
  std::multiset<int64_t> burst;  // when each unit was charged
};

struct State {
  std::map<RecordKey, RecordRow> records;
  std::set<LinkKey> links;
  std::unordered_set<Key128> admitted;
  std::map<CounterKey, Counter> counters;
  std::map<CounterKey, std::vector<int64_t>> charges;  // when, of all times
  std::vector<RunRow> runs;
  std::unordered_set<Key128> run_keys;
  std::vector<VerdictRow> verdicts;
  std::map<Key128, ReminderRow> reminders;
  std::map<std::pair<Instant, Key128>, TimerRow> timers;
  std::map<int64_t, DeadLetterRow> dead_letters;
  int64_t next_dead_letter = 1;
  std::map<std::string, CursorRow, std::less<>> cursors;
  std::map<std::string, AttemptRow, std::less<>> attempts;
  std::vector<IntentRow> intents;
  std::map<Key128, size_t> intent_by_key;
  std::set<size_t> open_intents;            // not settled
  std::map<int64_t, FlowRunRow> flow_runs;  // by seq
  std::map<Key128, int64_t> flow_run_by_key;
  std::map<std::string, std::set<int64_t>, std::less<>> flow_runs_about;  // not the failed ones
  std::map<Key128, std::set<int64_t>> flow_runs_of;                       // not the failed ones
  int64_t next_flow_run = 1;
  std::map<std::pair<Key128, std::string>, ActivationRow> activations;
  std::map<std::string, int64_t, std::less<>> totals;
  std::map<std::string, std::string, std::less<>> meta;
};

bool passes(const RunFilter& filter, const RunRow& row) {
  return (filter.automation.empty() || filter.automation == row.automation) &&
         (filter.record.empty() || filter.record == row.record) &&
         (filter.user.empty() || filter.user == row.user) &&
         (filter.status.empty() || filter.status == row.status) &&
         (!filter.since || row.at >= *filter.since);
}

class MemoryTxn final : public StoreTxn {
 public:
  explicit MemoryTxn(State& state) : state_(state) {}
  // What was not kept is undone, also when an exception ended it.
  ~MemoryTxn() override {
    for (auto undo = journal_.rbegin(); undo != journal_.rend(); ++undo) (*undo)();
  }
  MemoryTxn(const MemoryTxn&) = delete;
  MemoryTxn& operator=(const MemoryTxn&) = delete;

  void keep() { journal_.clear(); }

  // ---- Savepoints -----------------------------------------------------------------------------
  Status savepoint() override {
    savepoints_.push_back(journal_.size());
    return {};
  }
  Status rollback_savepoint() override {
    if (savepoints_.empty()) return {ErrorCode::kInvalidArgument, "no savepoint is open"};
    for (size_t mark = savepoints_.back(); journal_.size() > mark;) {
      journal_.back()();
      journal_.pop_back();
    }
    savepoints_.pop_back();
    return {};
  }
  Status release_savepoint() override {
    if (savepoints_.empty()) return {ErrorCode::kInvalidArgument, "no savepoint is open"};
    savepoints_.pop_back();
    return {};
  }

  // ---- Reading --------------------------------------------------------------------------------
  Result<std::optional<RecordRow>> record(std::string_view object, std::string_view id) override {
    auto found = state_.records.find({std::string(object), std::string(id)});
    if (found == state_.records.end()) return std::optional<RecordRow>();
    return std::optional(found->second);
  }

  Result<std::vector<std::string>> linked(std::string_view object, std::string_view field,
                                          std::string_view target, size_t most) override {
    std::vector<std::string> out;
    LinkKey from{std::string(object), std::string(field), std::string(target), ""};
    for (auto at = state_.links.lower_bound(from); at != state_.links.end() && out.size() <= most;
         ++at) {
      if (std::get<0>(*at) != object || std::get<1>(*at) != field || std::get<2>(*at) != target)
        break;
      out.push_back(std::get<3>(*at));
    }
    return out;
  }

  Status visit_records(std::string_view object,
                       const std::function<bool(const RecordRow&)>& visit) override {
    for (const auto& [key, row] : state_.records) {
      if (!object.empty() && key.first != object) continue;
      if (!visit(row)) break;
    }
    return {};
  }

  Status visit_runs(const RunFilter& filter,
                    const std::function<bool(const RunRow&)>& visit) override {
    size_t count = 0;
    for (size_t i = 0; i < state_.runs.size() && count < filter.count_max; ++i) {
      const RunRow& row = state_.runs[filter.newest_first ? state_.runs.size() - 1 - i : i];
      if (!passes(filter, row)) continue;
      ++count;
      if (!visit(row)) break;
    }
    return {};
  }

  Status visit_verdicts(std::string_view automation, std::string_view record,
                        const std::function<bool(const VerdictRow&)>& visit) override {
    for (const VerdictRow& row : state_.verdicts) {
      bool fits = (automation.empty() || row.automation == automation) &&
                  (record.empty() || row.record == record);
      if (fits && !visit(row)) break;
    }
    return {};
  }

  Status visit_counters(const std::function<bool(const CounterRow&)>& visit) override {
    for (const auto& [key, counter] : state_.counters) {
      CounterRow row{std::get<0>(key), std::get<1>(key), std::get<2>(key),
                     std::get<3>(key), counter.used,     counter.max};
      if (!visit(row)) break;
    }
    return {};
  }

  Status visit_proofs(const std::function<bool(const CounterProof&)>& visit) override {
    for (const auto& [key, counter] : state_.counters) {
      ChargeTally tally;
      for (int64_t at : counter.burst) tally.hold(at, 1, window_length_ms(std::get<3>(key)));
      auto charges = state_.charges.find(key);
      if (charges != state_.charges.end()) {
        for (int64_t at : charges->second) tally.charge(at);
      }
      CounterRow row{std::get<0>(key), std::get<1>(key), std::get<2>(key),
                     std::get<3>(key), counter.used,     counter.max};
      if (!visit(tally.prove(std::move(row)))) break;
    }
    return {};
  }

  Status visit_dead_letters(const std::function<bool(const DeadLetterRow&)>& visit) override {
    for (const auto& [seq, row] : state_.dead_letters) {
      if (!visit(row)) break;
    }
    return {};
  }

  Status visit_reminders(std::string_view wanted,
                         const std::function<bool(const ReminderRow&)>& visit) override {
    for (const auto& [id, row] : state_.reminders) {
      if ((wanted.empty() || row.state == wanted) && !visit(row)) break;
    }
    return {};
  }

  Status visit_activations(const std::function<bool(const ActivationRow&)>& visit) override {
    std::vector<const ActivationRow*> rows;
    for (const auto& [key, row] : state_.activations) rows.push_back(&row);
    auto by = [](const ActivationRow* row) {
      return std::tie(row->automation, row->person, row->rule);
    };
    std::sort(rows.begin(), rows.end(),
              [&](const auto* a, const auto* b) { return by(a) < by(b); });
    for (const ActivationRow* row : rows) {
      if (!visit(*row)) break;
    }
    return {};
  }

  Result<std::optional<ReminderRow>> reminder(const Key128& id) override {
    auto found = state_.reminders.find(id);
    if (found == state_.reminders.end()) return std::optional<ReminderRow>();
    return std::optional(found->second);
  }

  Result<std::vector<ReminderRow>> reminders_about(std::string_view record) override {
    std::vector<ReminderRow> out;
    for (const auto& [id, row] : state_.reminders) {
      if (row.record == record && (row.state == "open" || row.state == "snoozed"))
        out.push_back(row);
    }
    return out;
  }

  Result<std::vector<TimerRow>> due_timers(Instant now, size_t most) override {
    std::vector<TimerRow> out;
    for (const auto& [key, row] : state_.timers) {
      if (key.first > now || out.size() >= most) break;
      out.push_back(row);
    }
    return out;
  }

  Result<std::optional<Instant>> next_timer() override {
    if (state_.timers.empty()) return std::optional<Instant>();
    return std::optional(state_.timers.begin()->first.first);
  }

  Result<uint64_t> timer_count() override { return uint64_t{state_.timers.size()}; }

  Result<std::optional<CursorRow>> cursor(std::string_view source) override {
    auto found = state_.cursors.find(source);
    if (found == state_.cursors.end()) return std::optional<CursorRow>();
    return std::optional(found->second);
  }

  Result<std::optional<AttemptRow>> attempt(std::string_view source) override {
    auto found = state_.attempts.find(source);
    if (found == state_.attempts.end()) return std::optional<AttemptRow>();
    return std::optional(found->second);
  }

  Status visit_intents(std::string_view wanted,
                       const std::function<bool(const IntentRow&)>& visit) override {
    bool open = wanted == "ready" || wanted == "claimed" || wanted == "unknown";
    if (open) {
      for (size_t at : state_.open_intents) {
        const IntentRow& row = state_.intents[at];
        if (row.state == wanted && !visit(row)) break;
      }
      return {};
    }
    for (const IntentRow& row : state_.intents) {
      if ((wanted.empty() || row.state == wanted) && !visit(row)) break;
    }
    return {};
  }

  Result<std::optional<IntentRow>> intent(const Key128& key) override {
    auto found = state_.intent_by_key.find(key);
    if (found == state_.intent_by_key.end()) return std::optional<IntentRow>();
    return std::optional(state_.intents[found->second]);
  }

  Result<int64_t> total(std::string_view name) override {
    auto found = state_.totals.find(name);
    return found == state_.totals.end() ? int64_t{0} : found->second;
  }

  Result<std::optional<std::string>> meta(std::string_view name) override {
    auto found = state_.meta.find(name);
    if (found == state_.meta.end()) return std::optional<std::string>();
    return std::optional(found->second);
  }

  // ---- Writing --------------------------------------------------------------------------------
  Result<bool> admit(const Key128& event) override {
    if (!state_.admitted.insert(event).second) return false;
    journal_.push_back([this, event] { state_.admitted.erase(event); });
    return true;
  }

  Status put_record(const RecordRow& row) override {
    RecordKey key{row.object, row.id};
    auto found = state_.records.find(key);
    std::optional<RecordRow> before;
    if (found != state_.records.end()) before = found->second;
    set_record(key, row);
    journal_.push_back([this, key, before] { set_record(key, before); });
    return {};
  }

  Result<ChargeResult> charge(const Key128&, const std::vector<Charge>& charges) override {
    ChargeResult out;
    std::vector<std::pair<const CounterKey*, Counter*>> counters;
    for (const Charge& charge : charges) {
      auto [at, fresh] = state_.counters.try_emplace(
          CounterKey{charge.scope, charge.key, charge.counter, charge.window});
      Counter& counter = at->second;
      // Rows of a map stay where they are; what is taken back last is a row itself.
      if (fresh) journal_.push_back([this, row = at] { state_.counters.erase(row); });
      journal_.push_back([row = &counter, used = counter.used, max = counter.max] {
        row->used = used;
        row->max = max;
      });
      // A maximum lowered below what is used blocks further charges and keeps what is used.
      counter.max = std::max(charge.max, counter.used);
      int64_t used = counter.used;
      auto oldest = counter.burst.end();  // of those in the window
      if (charge.window_ms > 0) {
        oldest = counter.burst.upper_bound(charge.now.ms - charge.window_ms);
        used = std::distance(oldest, counter.burst.end());
      }
      out.used.push_back(used);
      if (used + 1 > charge.max) {
        out.refused = counters.size();
        if (oldest != counter.burst.end()) out.free_at = Instant{*oldest + charge.window_ms};
        return out;
      }
      counters.emplace_back(&at->first, &counter);
    }
    for (size_t i = 0; i < charges.size(); ++i) {
      auto [key, counter] = counters[i];
      ++counter->used;
      if (charges[i].window_ms > 0) {
        auto stay = counter->burst.upper_bound(charges[i].now.ms - charges[i].window_ms);
        journal_.push_back([row = counter, left = std::multiset(counter->burst.begin(), stay)] {
          row->burst.insert(left.begin(), left.end());
        });
        counter->burst.erase(counter->burst.begin(), stay);
        counter->burst.insert(charges[i].now.ms);
        journal_.push_back(
            [row = counter, at = charges[i].now.ms] { row->burst.erase(row->burst.find(at)); });
        counter->used = static_cast<int64_t>(counter->burst.size());
      }
      counter->max = charges[i].max;
      out.used[i] = counter->used;
      std::vector<int64_t>& kept = state_.charges[*key];
      kept.push_back(charges[i].now.ms);
      journal_.push_back([row = &kept] { row->pop_back(); });
    }
    return out;
  }

  Result<bool> add_run(RunRow& row) override {
    if (!state_.run_keys.insert(row.run).second) return false;
    row.seq = static_cast<int64_t>(state_.runs.size()) + 1;
    state_.runs.push_back(row);
    journal_.push_back([this, key = row.run] {
      state_.runs.pop_back();
      state_.run_keys.erase(key);
    });
    return true;
  }

  Status add_verdict(const VerdictRow& row) override {
    state_.verdicts.push_back(row);
    state_.verdicts.back().seq = static_cast<int64_t>(state_.verdicts.size());
    journal_.push_back([this] { state_.verdicts.pop_back(); });
    return {};
  }

  Status put_reminder(const ReminderRow& row) override {
    put(state_.reminders, row.id, row);
    return {};
  }
  Status put_timer(const TimerRow& row) override {
    put(state_.timers, std::pair(row.due, row.id), row);
    return {};
  }
  Status remove_timer(Instant due, const Key128& id) override {
    auto found = state_.timers.find({due, id});
    if (found == state_.timers.end()) return {};
    journal_.push_back([this, row = found->second] { state_.timers[{row.due, row.id}] = row; });
    state_.timers.erase(found);
    return {};
  }

  Status add_dead_letter(const DeadLetterRow& row) override {
    DeadLetterRow kept = row;
    kept.seq = state_.next_dead_letter++;
    state_.dead_letters[kept.seq] = kept;
    journal_.push_back([this, seq = kept.seq] {
      state_.dead_letters.erase(seq);
      --state_.next_dead_letter;
    });
    return {};
  }
  Status remove_dead_letter(int64_t seq) override {
    auto found = state_.dead_letters.find(seq);
    if (found == state_.dead_letters.end())
      return {ErrorCode::kNotFound, "there is no dead letter " + std::to_string(seq)};
    journal_.push_back([this, row = found->second] { state_.dead_letters[row.seq] = row; });
    state_.dead_letters.erase(found);
    return {};
  }

  Status put_cursor(const CursorRow& row) override {
    put(state_.cursors, row.source, row);
    return {};
  }
  Status put_activation(const ActivationRow& row) override {
    put(state_.activations, std::pair(row.rule, row.person), row);
    return {};
  }
  Status put_attempt(const AttemptRow& row) override {
    put(state_.attempts, row.source, row);
    return {};
  }

  Result<bool> add_intent(const IntentRow& row) override {
    if (!state_.intent_by_key.try_emplace(row.key, state_.intents.size()).second) return false;
    state_.intents.push_back(row);
    state_.intents.back().seq = static_cast<int64_t>(state_.intents.size());
    if (!row.settled()) state_.open_intents.insert(state_.intents.size() - 1);
    journal_.push_back([this, key = row.key] {
      state_.intents.pop_back();
      state_.open_intents.erase(state_.intents.size());
      state_.intent_by_key.erase(key);
    });
    return true;
  }

  Result<std::vector<IntentRow>> claim_intents(Instant now, int64_t epoch, size_t most,
                                               std::string_view without) override {
    std::vector<IntentRow> out;
    std::set<std::string_view> held;  // records with an unsettled intent further ahead
    // Claimed ones stay open, so that the set is not changed on the way.
    for (size_t i : state_.open_intents) {
      if (out.size() == most) break;
      const IntentRow& row = state_.intents[i];
      bool first = held.insert(row.record).second;
      if (!first || row.state != "ready" || row.due > now) continue;
      if (without.find(row.channel) != std::string_view::npos) continue;
      IntentRow claimed = row;
      claimed.state = "claimed";
      claimed.epoch = epoch;
      ++claimed.attempt;
      set_intent(i, claimed);
      out.push_back(std::move(claimed));
    }
    return out;
  }

  Result<bool> finish_intent(const IntentRow& row, int64_t epoch) override {
    return change_intent(
        row, [&](const IntentRow& kept) { return kept.state == "claimed" && kept.epoch == epoch; });
  }
  Result<bool> settle_intent(const IntentRow& row) override {
    return change_intent(row, [](const IntentRow& kept) { return kept.state != "claimed"; });
  }

  // ---- Waiting runs ---------------------------------------------------------------------------
  Result<std::vector<FlowRunRow>> flow_runs_about(std::string_view record, size_t most) override {
    return first_runs(state_.flow_runs_about, record, most, [](const FlowRunRow&) { return true; });
  }
  Result<std::vector<FlowRunRow>> flow_runs_of(const Key128& rule, std::string_view record,
                                               size_t most) override {
    auto of_rule = [&](const FlowRunRow& row) { return row.rule == rule; };
    // A record has few, a flow may have a million.
    return record.empty() ? first_runs(state_.flow_runs_of, rule, most, of_rule)
                          : first_runs(state_.flow_runs_about, record, most, of_rule);
  }
  Result<std::optional<FlowRunRow>> flow_run(const Key128& run) override {
    auto found = state_.flow_run_by_key.find(run);
    if (found == state_.flow_run_by_key.end()) return std::optional<FlowRunRow>();
    return std::optional(state_.flow_runs.at(found->second));
  }
  Status visit_flow_runs(std::string_view wanted,
                         const std::function<bool(const FlowRunRow&)>& visit) override {
    for (const auto& [seq, row] : state_.flow_runs) {
      if ((wanted.empty() || row.state == wanted) && !visit(row)) break;
    }
    return {};
  }
  Status put_flow_run(const FlowRunRow& row) override {
    auto found = state_.flow_run_by_key.find(row.run);
    FlowRunRow kept = row;
    std::optional<FlowRunRow> before;
    if (found != state_.flow_run_by_key.end()) {
      kept.seq = found->second;
      before = state_.flow_runs.at(found->second);
    } else {
      kept.seq = state_.next_flow_run++;
    }
    journal_.push_back([this, seq = kept.seq, before = std::move(before)] {
      set_flow_run(seq, before);
      if (!before) state_.next_flow_run = seq;
    });
    set_flow_run(kept.seq, kept);
    return {};
  }
  Status remove_flow_run(const Key128& run) override {
    auto found = state_.flow_run_by_key.find(run);
    if (found == state_.flow_run_by_key.end()) return {};
    int64_t seq = found->second;
    journal_.push_back(
        [this, seq, before = state_.flow_runs.at(seq)] { set_flow_run(seq, before); });
    set_flow_run(seq, std::nullopt);
    return {};
  }

  Status add_total(std::string_view name, int64_t count) override {
    int64_t& total = state_.totals[std::string(name)];
    total += count;
    journal_.push_back([&total, count] { total -= count; });
    return {};
  }
  Status put_meta(std::string_view name, std::string_view value) override {
    put(state_.meta, std::string(name), std::string(value));
    return {};
  }

 private:
  // The first `most` runs that `fits` takes, of those an index has under `key`.
  template <class Index, class Key, class Fits>
  std::vector<FlowRunRow> first_runs(const Index& index, const Key& key, size_t most,
                                     const Fits& fits) const {
    std::vector<FlowRunRow> out;
    auto found = index.find(key);
    if (found == index.end()) return out;
    for (auto at = found->second.begin(); at != found->second.end() && out.size() < most; ++at) {
      const FlowRunRow& row = state_.flow_runs.at(*at);
      if (fits(row)) out.push_back(row);
    }
    return out;
  }

  template <class Map, class Key, class Row>
  void put(Map& map, const Key& key, const Row& row) {
    auto [at, fresh] = map.try_emplace(key, row);
    if (fresh) {
      journal_.push_back([&map, key] { map.erase(key); });
      return;
    }
    journal_.push_back([&map, key, before = at->second] { map[key] = before; });
    at->second = row;
  }

  void set_intent(size_t at, IntentRow row) {
    auto place = [this](size_t index, const IntentRow& kept) {
      state_.intents[index] = kept;
      if (kept.settled()) {
        state_.open_intents.erase(index);
      } else {
        state_.open_intents.insert(index);
      }
    };
    journal_.push_back([place, at, before = state_.intents[at]] { place(at, before); });
    place(at, row);
  }

  Result<bool> change_intent(const IntentRow& row,
                             const std::function<bool(const IntentRow&)>& allowed) {
    auto found = state_.intent_by_key.find(row.key);
    if (found == state_.intent_by_key.end()) return false;
    IntentRow changed = state_.intents[found->second];
    if (!allowed(changed)) return false;
    changed.state = row.state;
    changed.due = row.due;
    changed.result = row.result;
    changed.answer = row.answer;
    set_intent(found->second, std::move(changed));
    return true;
  }

  void set_record(const RecordKey& key, const std::optional<RecordRow>& row) {
    auto found = state_.records.find(key);
    if (found != state_.records.end()) {
      for (const auto& [field, target] : found->second.links)
        state_.links.erase({key.first, field, target, key.second});
    }
    if (!row) {
      state_.records.erase(key);
      return;
    }
    for (const auto& [field, target] : row->links)
      state_.links.insert({key.first, field, target, key.second});
    state_.records[key] = *row;
  }

  // Puts a waiting run in its place in every map, or takes it out.
  void set_flow_run(int64_t seq, const std::optional<FlowRunRow>& row) {
    auto found = state_.flow_runs.find(seq);
    if (found != state_.flow_runs.end()) {
      const FlowRunRow& old = found->second;
      auto about = state_.flow_runs_about.find(old.record);
      if (about != state_.flow_runs_about.end()) about->second.erase(seq);
      if (about != state_.flow_runs_about.end() && about->second.empty())
        state_.flow_runs_about.erase(about);
      state_.flow_runs_of[old.rule].erase(seq);
      state_.flow_run_by_key.erase(old.run);
      state_.flow_runs.erase(found);
    }
    if (!row) return;
    state_.flow_runs[seq] = *row;
    state_.flow_run_by_key[row->run] = seq;
    if (row->state == "failed") return;
    state_.flow_runs_about[row->record].insert(seq);
    state_.flow_runs_of[row->rule].insert(seq);
  }

  State& state_;
  std::vector<std::function<void()>> journal_;
  std::vector<size_t> savepoints_;  // lengths of the journal
};

class MemoryStore final : public Store {
 public:
  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    MemoryTxn txn(state_);
    Status status = write(txn);
    if (status) txn.keep();
    return status;
  }
  Status read(const std::function<Status(StoreReader&)>& look) override {
    MemoryTxn txn(state_);
    return look(txn);
  }

 private:
  State state_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace ensue::adapters
