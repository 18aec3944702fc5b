#include "support/simulation/witness_store.h"

#include <fmt/format.h>

#include "base/key128.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

constexpr size_t kWordsMax = 8;

std::string text_of(const CounterName& counter) {
  return fmt::format("{} {} {} {}", counter[0], counter[1], counter[2], counter[3]);
}

}  // namespace

class WitnessTxn final : public ForwardingTxn {
 public:
  WitnessTxn(StoreTxn& inner, Witness& witness)
      : ForwardingTxn(inner), witness_(witness), begun_(witness.when_locked()) {}

  Result<bool> admit(const Key128& event) override {
    Result<bool> fresh = ForwardingTxn::admit(event);
    if (fresh && *fresh &&
        (witness_.events_.count(event) != 0 || !book.events.insert(event).second))
      witness_.violation("an event admitted twice", base::to_hex(event));
    return fresh;
  }

  Status put_reminder(const ReminderRow& row) override {
    if (row.state == "snoozed") book.snoozed.insert(row.id);
    return ForwardingTxn::put_reminder(row);
  }

  Status put_record(const RecordRow& row) override {
    std::string name = row.object + "/" + row.id;
    if (row.deleted) book.gone.insert(name);
    constexpr std::string_view kOwner = "\"OwnerId\":\"";
    if (size_t at = row.body.find(kOwner); at != std::string::npos) {
      at += kOwner.size();
      book.owners[name].insert(row.body.substr(at, row.body.find('"', at) - at));
    }
    return ForwardingTxn::put_record(row);
  }

  Result<ChargeResult> charge(const Key128& run, const std::vector<Charge>& charges) override {
    Result<ChargeResult> done = ForwardingTxn::charge(run, charges);
    if (!done || done->refused) return done;
    book.charged_runs.insert(run);
    for (const Charge& charge : charges) {
      if (charge.window_ms > 0) continue;  // a unit leaves its window; there is no sum to compare
      CounterName counter{charge.scope, charge.key, charge.counter, charge.window};
      ++book.units[counter];
      bool twice = witness_.charged_.count({run, counter}) != 0 ||
                   !book.charges.insert({run, counter}).second;
      if (twice) witness_.violation("a unit charged twice", text_of(counter));
      // The lock is held from here on, so the day that the clock shows has begun.
      Date day = witness_.program_.counter_zone.day_of(begun_, witness_.program_.day_starts_at);
      if (witness_.clock_is_right && charge.window < value::date_text(day))
        witness_.violation("a charge to a day that is over", text_of(counter));
    }
    return done;
  }

  Result<bool> add_run(RunRow& row) override {
    Result<bool> added = ForwardingTxn::add_run(row);
    if (added && *added) book.runs.push_back(row);
    return added;
  }

  Result<std::vector<TimerRow>> due_timers(Instant now, size_t most) override {
    Result<std::vector<TimerRow>> rows = ForwardingTxn::due_timers(now, most);
    if (rows) {
      for (const TimerRow& row : *rows) listed_[{row.due, row.id}] = row.kind;
    }
    return rows;
  }
  Status remove_timer(Instant due, const Key128& id) override {
    auto kind = listed_.find({due, id});
    // Reminders are closed before their time by what people do; the rest goes by firing only.
    if (kind != listed_.end() && kind->second == "deferred" && due > witness_.latest())
      witness_.violation("a timer fired early", value::instant_text(due));
    return ForwardingTxn::remove_timer(due, id);
  }

  Result<bool> finish_intent(const IntentRow& row, int64_t epoch) override {
    Result<std::optional<IntentRow>> before = inner_.intent(row.key);
    Result<bool> done = ForwardingTxn::finish_intent(row, epoch);
    if (before && *before && done && *done) watch_intent(**before, row);
    return done;
  }
  Result<bool> settle_intent(const IntentRow& row) override {
    Result<std::optional<IntentRow>> before = inner_.intent(row.key);
    Result<bool> done = ForwardingTxn::settle_intent(row);
    if (before && *before && done && *done) watch_intent(**before, row);
    return done;
  }

  Witness::Book book;

 private:
  void watch_intent(const IntentRow& before, const IntentRow& after) {
    bool final = before.state == "done" || before.state == "dropped";
    if (final && after.state != before.state)
      witness_.violation(
          "a settled change unsettled",
          fmt::format("{} from {} to {}", base::to_hex(before.key), before.state, after.state));
  }

  Witness& witness_;
  Instant begun_;
  std::map<std::pair<Instant, Key128>, std::string> listed_;
};

Witness::Witness(const engine::Program& program) : program_(program) {}

uint64_t Witness::violation_count() const {
  uint64_t out = 0;
  for (const auto& [broken, count] : violations) out += count;
  return out;
}

void Witness::violation(const std::string& broken, const std::string& what) {
  ++violations[broken];
  if (first_violations.size() < kWordsMax) first_violations.push_back(broken + ": " + what);
}

int64_t Witness::maximum(const CounterName& counter) const {
  int64_t out = INT64_MAX;
  for (const limits::Rule& rule : program_.limits) {
    if (limits::scope_name(rule.scope) != counter[0] || rule.counter != counter[2] || !rule.per_day)
      continue;
    if (rule.scope == limits::Scope::kAutomation &&
        counter[1].find("\"" + rule.name + "\"") == std::string::npos)
      continue;
    out = std::min(out, rule.max);
  }
  return out;
}

int64_t Witness::used(const CounterName& counter) const {
  auto found = used_.find(counter);
  return found == used_.end() ? 0 : found->second;
}

void Witness::keep(const Book& book, StoreReader& store) {
  ++commits;
  events_.insert(book.events.begin(), book.events.end());
  charged_runs_.insert(book.charged_runs.begin(), book.charged_runs.end());
  charged_.insert(book.charges.begin(), book.charges.end());
  charges += book.charges.size();
  snoozed_.insert(book.snoozed.begin(), book.snoozed.end());
  gone_.insert(book.gone.begin(), book.gone.end());
  for (const auto& [record, owners] : book.owners)
    owners_[record].insert(owners.begin(), owners.end());
  for (const auto& [counter, units] : book.units) {
    int64_t& used = used_[counter] += units;
    if (used > maximum(counter))
      violation("a counter over its maximum",
                fmt::format("{}: {} of {}", text_of(counter), used, maximum(counter)));
  }
  for (const RunRow& row : book.runs) {
    if (row.status != "executed") continue;
    if (!executed_.insert({row.rule, row.event, row.record}).second)
      violation("an automation ran twice on one event", row.automation + " on " + row.record);
    // Flows are counted only where a limit names them.
    if (row.kind == "action" && charged_runs_.count(row.run) == 0)
      violation("a run without a charge", row.automation + " on " + row.record);
  }
  if (book.units.empty()) return;
  Status looked = store.visit_counters([&](const CounterRow& row) {
    CounterName name{row.scope, row.key, row.counter, row.window};
    auto units = book.units.find(name);
    if (units == book.units.end()) return true;
    if (row.used != used_[name])
      violation("a counter that is not its charges",
                fmt::format("{}: {}, charged {}", text_of(name), row.used, used_[name]));
    if (row.used > row.max)
      violation("a counter over its maximum", fmt::format("{}: {}", text_of(name), row.used));
    return true;
  });
  if (!looked) violation("counters that cannot be read", looked.error().message);
}

void Witness::compare_books(Store& store) {
  std::map<CounterName, int64_t> kept;
  std::set<Key128> charged_and_told;
  Status looked = store.read([&](StoreReader& reader) -> Status {
    Status status = reader.visit_counters([&](const CounterRow& row) {
      bool burst = row.window.ends_with(" s");
      if (!burst && row.used > 0) kept[{row.scope, row.key, row.counter, row.window}] = row.used;
      return true;
    });
    if (!status) return status;
    status = reader.visit_runs({}, [&](const RunRow& row) {
      if (charged_runs_.count(row.run) != 0) charged_and_told.insert(row.run);
      return true;
    });
    if (!status) return status;
    return reader.visit_reminders("expired", [&](const ReminderRow& row) {
      if (row.expires_at && *row.expires_at > latest()) {
        // Snoozed, it is looked at again when it comes back; and it goes with its record, which may
        // have come back since.
        bool allowed = snoozed_.count(row.id) != 0 || gone_.count(row.record) != 0 ||
                       owners_[row.record].size() > 1;
        if (!allowed)
          violation(
              "a reminder expired early",
              fmt::format("{} of {}, offered {}, to expire {}, by now {}", row.record, row.person,
                          value::instant_text(row.offered_at), value::instant_text(*row.expires_at),
                          value::instant_text(latest())));
      }
      return true;
    });
  });
  if (!looked) violation("a store that cannot be read", looked.error().message);
  if (kept != used_) violation("counters that are not their charges", "all of them together");
  if (charged_and_told.size() != charged_runs_.size())
    violation("a charge without a run",
              fmt::format("{} of {}", charged_runs_.size() - charged_and_told.size(),
                          charged_runs_.size()));
}

Status WitnessStore::watched(const std::function<Status(StoreTxn&)>& write, bool results) {
  Witness::Book book;
  auto work = [&](StoreTxn& txn) -> Status {
    WitnessTxn watched(txn, witness_);
    Status written = write(watched);
    book = std::move(watched.book);
    return written;
  };
  Status done = results ? inner_->commit_results(work) : inner_->commit(work);
  if (!done) return done;
  // Beyond the commit, outside of its transaction.
  Status looked = inner_->read([&](StoreReader& reader) -> Status {
    witness_.keep(book, reader);
    return {};
  });
  if (!looked) witness_.violation("a store that cannot be read", looked.error().message);
  return done;
}

}  // namespace ensue::testing
