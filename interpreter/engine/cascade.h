// The cascade: an event, the automations it starts, what they do, and the events that follow from
// it, in one chain.
//
// A change is matched once, on its images before and after; the automations found run in order,
// each seeing what the ones before did. What they write becomes changes of the same chain, queued
// first in first out and handled after the last of them (ENGINE section 8). Everything goes into
// one transaction.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cadence/tracker.h"
#include "engine/matching.h"
#include "engine/program.h"
#include "engine/record_book.h"
#include "ensue/engine.h"
#include "limits/ledger.h"

namespace ensue::engine {

// Which outcomes the tests of conditions had, and which automations ran: what `test --coverage`
// reports.
struct Coverage {
  struct Outcomes {
    bool was_true = false;
    bool was_false = false;
  };
  std::map<std::pair<uint32_t, uint32_t>, Outcomes> tests;  // by unit and step
  std::map<uint32_t, uint64_t> runs;                        // by unit

  void merge(const Coverage& other);
};

// What a cascade works in. All of it belongs to the runtime.
struct CascadeContext {
  const Program& program;
  RecordBook& book;
  Directory& directory;
  Activations& activations;
  match::RuleIndex& index;
  const limits::Ledger& ledger;
  limits::OpenDay& open_day;
  StoreTxn& txn;
  Instant& now;
  BatchReport& report;
  bool keep_all_verdicts = false;
  bool keep_intents = false;  // what automations write is to leave the process
  Coverage* coverage = nullptr;
};

// A cadence verb that a person uses by hand, in a test or later in a client.
struct CadenceVerb {
  plan::EffectKind kind = plan::EffectKind::kAdd;
  std::string person;
  types::ObjectId target_object;
  std::string target;
  std::string cadence;   // empty: all
  std::string assignee;  // of kAdd: empty for the default
  std::string disposition;
};

class Cascade {
 public:
  explicit Cascade(CascadeContext context);

  // One change from outside: applies it, matches it, runs what it starts, and follows the chain to
  // its end.
  Status external(const types::Event& event);
  // Moves the clock to `to`, firing the timers due on the way. The clock never goes back.
  Status advance(Instant to);
  // A verb used by hand; what it saves is matched like any other change.
  Result<EffectRecord> by_hand(const CadenceVerb& verb);

  // ---- Reminders (reminders.cc) ---------------------------------------------------------------
  Status run_reminder(const ReminderRow& row, const std::string& person);
  Status ignore_reminder(const ReminderRow& row);
  Status snooze_reminder(const ReminderRow& row, std::optional<Instant> until);

 private:
  // One run being made.
  struct Run {
    const plan::UnitPlan& unit;
    const Change& change;
    std::string person;
    Key128 key;
    Decision decision;
  };

  // ---- Changes (cascade.cc) -------------------------------------------------------------------
  Change apply(const types::Event& event);
  Status follow_chain();
  Status work_on(const Change& change);
  Status run_unit(uint32_t number, const Change& change, const MatchResult& match);
  Status execute(Run& run);
  Status finish(Run& run, std::string status);
  Status keep_verdict(uint32_t number, const Change& change, const MatchResult& match);
  Run make_run(const plan::UnitPlan& unit, const Change& change, std::string person, Key128 key);
  LimitRecord limit_record(const limits::LimitState& state) const;
  void warn(const limits::Decision& decision);
  // Saves a record on behalf of a run, queues the change for matching, and writes its intent.
  Status save(types::Record after, plan::ChangeBits kind, const Key128& cause,
              const std::string& by, uint32_t depth);
  Status refuse(Run& run, const limits::LimitState& limit);
  Status charge_and_execute(Run& run);

  // ---- Effects (effects.cc) -------------------------------------------------------------------
  struct Target {
    types::ObjectId object;
    std::string id;
    std::string name;  // Lead/00Q1
  };
  struct EffectInput {
    plan::EffectKind kind;
    std::string cadence;
    std::string disposition;
    std::string assignee;  // resolved; empty: the default
    bool assignee_given = false;
    std::string person;
    Key128 action;  // the key of this effect
    uint32_t depth = 0;
  };
  Result<Target> find_target(const Run& run, const plan::EffectPlan& effect);
  std::string primary_contact(const types::Record& opportunity);
  Result<EffectRecord> apply_effect(Run& run, const plan::EffectPlan& effect, size_t ordinal);
  Result<EffectRecord> apply_to_target(const EffectInput& input, const Target& target);
  Result<EffectRecord> add_to_cadence(const EffectInput& input, const Target& target);
  Result<EffectRecord> change_trackers(const EffectInput& input, const Target& target);
  bool may_remove(const EffectInput& input, const Target& target,
                  const cadence::Tracker& tracker) const;
  Result<Value> evaluate(const plan::UnitPlan& unit, plan::ProgramRange program,
                         const types::Record& it, const std::string& person);

  // ---- Trackers as records (tracker_records.cc) -----------------------------------------------
  struct TrackerRecord {
    types::RecordPtr record;
    cadence::Tracker tracker;
  };
  Result<std::vector<TrackerRecord>> trackers_of(std::string_view target);
  types::Record tracker_record(const cadence::Tracker& tracker, types::Record base) const;
  cadence::Tracker tracker_of(const types::Record& record) const;
  Status save_tracker(const TrackerRecord& before, const cadence::Tracker& after,
                      const EffectInput& input, size_t ordinal);
  Status create_tracker(const cadence::Tracker& tracker, const EffectInput& input);
  Status save_step_tracker(const types::Record& tracker_record, const cadence::Tracker& tracker,
                           const EffectInput& input);

  // ---- Reminders and timers (reminders.cc, timers.cc) -----------------------------------------
  Result<EffectRecord> offer_reminder(const plan::UnitPlan& unit, const plan::EffectPlan& effect,
                                      const Change& change, const std::string& person);
  Status owner_changed(const Change& change);
  Status close_reminder(ReminderRow row, const char* state);
  std::string effect_sentence(const plan::UnitPlan& unit, const plan::EffectPlan& effect) const;
  Status put_timer(Instant due, const Key128& id, const char* kind, std::string payload);
  Status fire(const TimerRow& timer);
  Status fire_deferred(const TimerRow& timer);
  Status fire_reminder_expiry(const TimerRow& timer);
  Status fire_reminder_snooze(const TimerRow& timer);
  Status defer(Run& run, const limits::LimitState& limit);
  // The change that a stored JSON text describes, on the record's present image; empty when the
  // record is gone.
  std::optional<Change> stored_change(types::ObjectId object, const std::string& id,
                                      const std::string& text);
  std::string change_text(const Change& change) const;
  std::optional<std::pair<types::ObjectId, std::string>> parse_record_name(
      const std::string& name) const;

  CascadeContext c_;
  Matcher matcher_;
  std::deque<Change> queue_;
  std::map<std::pair<Key128, std::string>, uint32_t> chain_runs_;  // by rule and record
  uint32_t chain_events_ = 0;
  std::string cause_;                                 // of what is saved now: `action "A" by "ana"`
  std::optional<std::optional<Instant>> next_timer_;  // unknown until asked
};

}  // namespace ensue::engine
