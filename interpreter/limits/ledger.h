// The ledger: which counters an execution is charged to, and what happens when one is full (ENGINE
// section 3).
//
// Every limit is one rule: a scope, a counter, a maximum, a window. Windows are days of the org (a
// calendar day from its start in the org's zone, 23 to 25 hours long, part of the counter's key, so
// nothing is ever reset) or bursts (a sliding length of time). The store charges all counters of an
// execution or none, in the transaction of the run they pay for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calendar/zone.h"
#include "ensue/store.h"
#include "limits/open_day.h"

namespace ensue::limits {

enum class Scope : uint8_t { kUser, kOrg, kAutomation, kService };
enum class Policy : uint8_t { kDrop, kDefer, kRemind, kFail, kPause };

struct Rule {
  Scope scope = Scope::kUser;
  std::string kind;     // of kAutomation: `action` or `flow`
  std::string name;     // of an automation or a service
  std::string author;   // of an action, when the limit names one
  std::string counter;  // `action executions`, …
  int64_t max = 0;
  bool per_day = true;
  int64_t window_ms = 0;
  Policy policy = Policy::kDrop;
  int warn_percent = 80;
};

// What is to be charged: one execution of one automation for one person.
struct Subject {
  std::string kind;  // `action` or `flow`
  std::string name;
  std::string author;
  std::string user;  // empty: the system, which user limits do not count
  // What is counted; empty: executions of its kind.
  std::string counter{};
  std::string service{};  // called; its limits alone are asked
};

// A limit that refused, or that is nearly reached.
struct LimitState {
  std::string scope;  // user, org, automation, service
  std::string key;    // the user's id, `action "A" by "ana"`; empty for the org
  std::string counter;
  int64_t count = 0;
  int64_t max = 0;
  Instant resets_at;
  Policy policy = Policy::kDrop;
  bool per_day = true;
};

struct Decision {
  std::optional<LimitState> refused;
  std::vector<LimitState> warnings;  // counters that this execution took to their warning level
};

class Ledger {
 public:
  Ledger(std::vector<Rule> rules, calendar::Zone zone, TimeOfDay day_starts_at);

  // Charges one execution, or says which limit refuses it: the user's first, then the automation's,
  // then the org's. `open` says which day it is charged to.
  Result<Decision> charge(StoreTxn& txn, const Key128& run, const Subject& subject, Instant now,
                          OpenDay& open) const;

  // The day that counters of `now` belong to, and when the next one starts.
  Date day_of(Instant now) const;
  Instant next_day_start(Instant now) const;
  const calendar::Zone& zone() const { return zone_; }
  const std::vector<Rule>& rules() const { return rules_; }

 private:
  struct Day {
    Date date;
    Instant begin;
    Instant end;
    std::string text;  // of the date, as counters are named
  };
  const Day& day(Instant now) const;
  Day day_on(Date date) const;

  std::vector<Rule> rules_;
  // Of each rule, what it charges, but for what only the moment knows: user, day and time.
  std::vector<Charge> charges_;
  calendar::Zone zone_;
  TimeOfDay day_starts_at_;
  mutable std::optional<Day> day_;  // the last one asked for
};

// `the user's limit of 250 action executions a day is reached (250 of 250) for 005ana until
// 2026-01-06T05:00:00Z`
std::string limit_message(const LimitState& state);
const char* scope_name(Scope scope);

}  // namespace ensue::limits
