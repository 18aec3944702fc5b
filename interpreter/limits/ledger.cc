#include "limits/ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fold.h"
#include "value/time_text.h"

namespace ensue::limits {
namespace {

// The counter of an execution is called after its kind: `action executions`.
bool counts(const Rule& rule, const Subject& subject) {
  constexpr std::string_view kExecutions = " executions";
  if (!subject.counter.empty()) return rule.counter == subject.counter;
  return rule.counter.size() == subject.kind.size() + kExecutions.size() &&
         rule.counter.starts_with(subject.kind) && rule.counter.ends_with(kExecutions);
}

bool applies(const Rule& rule, const Subject& subject) {
  if (!subject.service.empty())
    return rule.scope == Scope::kService && base::equal_folded(rule.name, subject.service);
  switch (rule.scope) {
    case Scope::kUser: return !subject.user.empty() && counts(rule, subject);
    case Scope::kOrg: return counts(rule, subject);
    case Scope::kAutomation:
      return subject.counter.empty() && rule.kind == subject.kind &&
             base::equal_folded(rule.name, subject.name) &&
             (rule.author.empty() || base::equal_folded(rule.author, subject.author));
    case Scope::kService: return false;
  }
  return false;
}

// The user's limit is looked at before the org's (ENGINE section 5).
int rank(Scope scope) { return scope == Scope::kUser ? 0 : scope == Scope::kOrg ? 2 : 1; }

// A limit on `action "A"` and one on `action "A" by "ana"` are two counters.
std::string automation_key(const Rule& rule) {
  std::string key = fmt::format("{} \"{}\"", rule.kind, rule.name);
  return rule.author.empty() ? key : fmt::format("{} by \"{}\"", key, rule.author);
}

}  // namespace

const char* scope_name(Scope scope) {
  static constexpr const char* kNames[] = {"user", "org", "automation", "service"};
  return kNames[static_cast<size_t>(scope)];
}

Ledger::Ledger(std::vector<Rule> rules, calendar::Zone zone, TimeOfDay day_starts_at)
    : rules_(std::move(rules)), zone_(std::move(zone)), day_starts_at_(day_starts_at) {
  std::stable_sort(rules_.begin(), rules_.end(),
                   [](const Rule& a, const Rule& b) { return rank(a.scope) < rank(b.scope); });
  for (const Rule& rule : rules_) {
    Charge& charge = charges_.emplace_back();
    charge.scope = scope_name(rule.scope);
    charge.key = rule.scope == Scope::kAutomation ? automation_key(rule)
                 : rule.scope == Scope::kService  ? rule.name
                                                  : "";
    charge.counter = rule.counter;
    charge.max = rule.max;
    if (rule.per_day) continue;
    charge.window = fmt::format("{} s", rule.window_ms / 1000);
    charge.window_ms = rule.window_ms;
  }
}

const Ledger::Day& Ledger::day(Instant now) const {
  if (!day_ || now < day_->begin || now >= day_->end) {
    day_ = day_on(zone_.day_of(now, day_starts_at_));
  }
  return *day_;
}

Ledger::Day Ledger::day_on(Date date) const {
  return {date, zone_.day_start(date, day_starts_at_),
          zone_.day_start({date.days + 1}, day_starts_at_), value::date_text(date)};
}

Date Ledger::day_of(Instant now) const { return day(now).date; }
Instant Ledger::next_day_start(Instant now) const { return day(now).end; }

Result<Decision> Ledger::charge(StoreTxn& txn, const Key128& run, const Subject& subject,
                                Instant now, OpenDay& open) const {
  Date date = open.charge_on(day(now).date);
  const Day today = date == day(now).date ? day(now) : day_on(date);
  std::vector<Charge> charges;
  std::vector<const Rule*> charged;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    if (!applies(rule, subject)) continue;
    Charge& charge = charges.emplace_back(charges_[i]);
    if (rule.scope == Scope::kUser) charge.key = subject.user;
    if (rule.per_day) charge.window = today.text;
    charge.now = now;
    charged.push_back(&rule);
  }
  Decision out;
  if (charges.empty()) return out;
  Result<ChargeResult> result = txn.charge(run, charges);
  if (!result) return result.error();
  auto state_of = [&](size_t i, int64_t count) {
    const Rule& rule = *charged[i];
    LimitState state{charges[i].scope, charges[i].key, rule.counter, count,
                     rule.max,         today.end,      rule.policy,  rule.per_day};
    if (!rule.per_day) state.resets_at = result->free_at.value_or(Instant{now.ms + rule.window_ms});
    return state;
  };
  if (result->refused) {
    out.refused = state_of(*result->refused, result->used[*result->refused]);
    return out;
  }
  for (size_t i = 0; i < charges.size(); ++i) {
    const Rule& rule = *charged[i];
    int64_t used = result->used[i];
    bool reached = used * 100 >= rule.max * rule.warn_percent &&
                   (used - 1) * 100 < rule.max * rule.warn_percent;
    if (reached) out.warnings.push_back(state_of(i, used));
  }
  return out;
}

std::string limit_message(const LimitState& state) {
  std::string whose = state.scope == "user"  ? fmt::format("the limit of user {}", state.key)
                      : state.scope == "org" ? "the limit of the whole org"
                                             : fmt::format("the limit of {}", state.key);
  return fmt::format("{} on {} is reached: {} of {}{}, free again at {}", whose, state.counter,
                     state.count, state.max, state.per_day ? " a day" : "",
                     value::instant_text(state.resets_at));
}

}  // namespace ensue::limits
