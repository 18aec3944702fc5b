// The cascade: an event, the automations it starts, what they do, and the events that follow from
// it, in one chain.
//
// A change is matched once, on its images before and after; the automations found run in order,
// each seeing what the ones before did. What they write becomes changes of the same chain, queued
// first in first out and handled after the last of them (ENGINE section 8). Everything goes into
// one transaction.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cadence/tracker.h"
#include "engine/frame.h"
#include "engine/matching.h"
#include "engine/program.h"
#include "engine/record_book.h"
#include "engine/schedule_state.h"
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

// What the runtime knows of the flows that wait, across batches.
struct FlowState {
  bool waiting = false;        // there may be runs that wait
  bool armed = false;          // the schedules of the program at work have their timers
  bool anew = false;           // they are to begin at the clock, whatever the store says
  std::set<std::string> kept;  // fingerprints whose sources are in the store
  std::map<std::string, ProgramPtr> older;  // programs that waiting runs began with
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
  FlowState& flows;
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
  Status external(types::Event&& event);
  // Moves the clock to `to`, firing the timers due on the way. The clock never goes back.
  Status advance(Instant to);
  // A verb used by hand; what it saves is matched like any other change.
  Result<EffectRecord> by_hand(const CadenceVerb& verb);

  // The source has lost changes: of one record, or, without an id, of a whole object. The gap or
  // overflow blocks of the change-data flows about it run.
  Status changes_lost(types::ObjectId object, const std::string& record, const Key128& event);

  // ---- Flows that a person or a host starts and goes on with (waits.cc) ------------------------
  using Values = std::vector<std::pair<std::string, Value>>;
  // Starts a flow that is called, or a screen flow, for `person`. Errors: kInvalidArgument (no such
  // parameter, or one is missing). Gives the run's key.
  Result<Key128> call_flow(const plan::UnitPlan& unit, const Values& arguments,
                           const std::string& person);
  // Hands the answers to a run that asks.
  Status answer(const FlowRunRow& row, const Values& answers);
  // Does again what failed: the part of the run that was undone, from its beginning.
  Status retry(const FlowRunRow& row);
  // Lets a waiting run go on as if its time had come; ends it.
  Status fire_now(const FlowRunRow& row);
  Status end(const FlowRunRow& row, const std::string& why);
  Status move_to(const FlowRunRow& row, Instant due);

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
    const Program* program = nullptr;  // the version it runs on
    Key128 part;                       // the key of its decision
    types::Record* in_hand = nullptr;  // of a before-save flow: what is about to be saved
    bool waited = false;               // it stands in the store
    int64_t wakes = 0;
    std::vector<uint32_t> trail{};  // instructions done last
  };
  // How a part of a run ended.
  enum class Ending : uint8_t { kDone, kWaits };
  // What follows an instruction.
  enum class Next : uint8_t { kOn, kStay, kWait, kEnd };
  struct Mark {
    size_t book = 0;
    size_t queue = 0;
    size_t later = 0;
    size_t decisions = 0;
    std::map<std::string, uint64_t> statuses;
  };
  // What comes after the chain at hand, as a chain of its own: a change-data flow, a run whose turn
  // it is.
  struct Later {
    uint32_t unit = 0;
    std::optional<Change> change;
    std::string person;
    std::optional<Key128> run;
  };

  // ---- Changes (cascade.cc) -------------------------------------------------------------------
  Result<Change> apply(types::Event&& event);
  void begin_chain();
  Status follow_chain();
  Status before_save(Change& change, types::Record& after);
  Status keep_intent(const Change& change);
  Status observe(const Change& change);
  Status work_on(const Change& change);
  Status run_unit(uint32_t number, const Change& change, const MatchResult& match);
  Status execute(Run& run);
  Status finish(Run& run, std::string status);
  // Writes a decision down and reports it, once.
  Status tell(RunRow& row, Decision& decision);
  Status keep_verdict(uint32_t number, const Change& change, const MatchResult& match);
  Run make_run(const plan::UnitPlan& unit, const Change& change, std::string person, Key128 key);
  LimitRecord limit_record(const limits::LimitState& state) const;
  void warn(const limits::Decision& decision);
  // Saves a record on behalf of a run, queues the change for matching, and writes its intent.
  Status save(types::Record after, plan::ChangeBits kind, const Key128& cause,
              const std::string& by, uint32_t depth);
  Status refuse(Run& run, const limits::LimitState& limit);
  // Both give the limit that refused, if one did.
  Result<std::optional<limits::LimitState>> charge(const Key128& key,
                                                   const limits::Subject& subject);
  Result<std::optional<limits::LimitState>> charge_execution(const Run& run);
  // Charges it; a run that its limit refuses is finished as the limit says, and goes no further.
  Result<bool> let_through(Run& run);
  Status charge_and_execute(Run& run);
  // At the first instruction, with nothing in its locals.
  static Frame first_frame(const plan::UnitPlan& unit);

  // ---- Bodies (body.cc) -----------------------------------------------------------------------
  Status proceed(Run& run, Frame& frame);
  Result<Ending> walk(Run& run, Frame& frame);
  Result<Next> perform(Run& run, Frame& frame, const plan::Instruction& at);
  Result<Next> handle_fault(Run& run, Frame& frame, const Error& fault);
  Result<Next> begin_subflow(Run& run, Frame& frame, const plan::RunPlan& plan);
  Next end_activation(Run& run, Frame& frame);
  const plan::UnitPlan& unit_at(const Run& run, const Frame& frame) const;
  types::RecordPtr record_in_hand(const Run& run);
  Result<Value> evaluate(Run& run, Frame& frame, plan::ProgramRange program);
  Result<std::vector<std::string>> find(Run& run, Frame& frame, const plan::FinderPlan& plan,
                                        bool all);
  Result<Value> find_value(Run& run, Frame& frame, const plan::FinderPlan& plan);
  Result<Value> next_in_turn(const std::string& group);
  using Assigned = std::vector<std::pair<types::FieldRef, Value>>;
  Result<Assigned> assigned(Run& run, Frame& frame, const plan::WritePlan& plan);
  // The record with the values stored; the currency is its own.
  Result<types::Record> written(const types::Record& base, const Assigned& values) const;
  Status create_record(Run& run, Frame& frame, const plan::WritePlan& plan, uint32_t slot);
  Status update_record(Run& run, Frame& frame, const types::Record& before, const Assigned& values);
  Status delete_record(Run& run, Frame& frame, const types::Record& before);
  Result<types::RecordPtr> record_named(const std::vector<types::ObjectId>& objects,
                                        std::string_view id);
  Status count_effect(const Run& run) const;
  Key128 effect_key(const Run& run, Frame& frame) const;
  // The CRM shows people under one name made of its parts: where one of these is set and the name
  // is not, the name is set too.
  static void name_person(const types::Object& object, const types::Record* before,
                          types::FieldValues& set);
  static types::FieldSet changed_since(const types::RecordPtr& before, const types::Record& after);
  // Of the fields that a change changed.
  static types::FieldValues values_before(const Change& change);
  Result<Mark> mark();
  Status rollback(const Mark& mark);
  Status release(const Mark& mark);
  std::string statement_text(const Run& run, const plan::UnitPlan& unit, plan::SourceRange range,
                             bool with_place) const;
  std::string trace_of(const Run& run, const Frame& frame) const;

  // ---- Waiting and going on (waits.cc) --------------------------------------------------------
  Result<Next> suspend(Run& run, Frame& frame, const char* state, std::optional<Instant> due,
                       std::string detail);
  Result<Next> wait_for_time(Run& run, Frame& frame, const plan::Instruction& at);
  Result<Next> wait_until(Run& run, Frame& frame, const plan::Instruction& at);
  Result<Next> show(Run& run, Frame& frame, const plan::Instruction& at);
  Result<Instant> after(const plan::UnitPlan& unit, Instant from, const Duration& duration) const;
  Result<ProgramPtr> version(const std::string& fingerprint);
  Status keep_version();
  // Goes on with a run; `frame` is where it stands.
  Status resume(const FlowRunRow& row, Frame frame);
  Status wake(const Key128& run);
  // The service that it calls has answered.
  Status answered(const Key128& run);
  // A record was saved: waits for a condition look at it again, waits for a time of it are moved,
  // those of a deleted record end.
  Status wake_about(const Change& change);
  Status drop_timer(const FlowRunRow& row);
  Status move(const FlowRunRow& row, Instant due);
  Status keep_failed(Run& run, const Frame& begun);
  Status cancel(const FlowRunRow& row, const std::string& why);
  // The next one of the queue gets its turn, after the chain at hand.
  Status dequeue(const Key128& rule, const std::string& record);
  // Whether the mode lets the run begin now; when not, it was put in the queue or left.
  Result<bool> may_begin(Run& run);
  Status begin_queued(const FlowRunRow& row);

  // ---- Services and e-mail (calls.cc) ---------------------------------------------------------
  Result<Next> call_service(Run& run, Frame& frame, const plan::CallPlan& plan);
  Result<Next> send_email(Run& run, Frame& frame, const plan::MailPlan& plan);
  // Empty: it is let through.
  Result<Value> service_answer(const IntentRow& intent) const;
  Result<std::optional<limits::LimitState>> charge_outside(const Run& run, const Key128& key,
                                                           limits::Subject subject);
  std::string render(const std::vector<MailPart>& parts, const Run& run,
                     const types::Record* recipient);

  // ---- Schedules (schedules.cc) ---------------------------------------------------------------
  Status arm_schedules(Instant base);
  Status fire_schedule(const TimerRow& timer);
  Status run_schedule(uint32_t number, const schedule::Firing& firing);
  schedule::Schedule schedule_of(const plan::UnitPlan& unit) const;
  Status keep_schedule(const plan::UnitPlan& unit, const ScheduleState& state);

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
  Result<Target> find_target(Run& run, Frame& frame, const plan::UnitPlan& unit,
                             const plan::EffectPlan& effect);
  std::string primary_contact(const types::Record& opportunity);
  Result<EffectRecord> apply_effect(Run& run, Frame& frame, const plan::UnitPlan& unit,
                                    const plan::EffectPlan& effect);
  Result<EffectRecord> apply_to_target(const EffectInput& input, const Target& target);
  Result<EffectRecord> add_to_cadence(const EffectInput& input, const Target& target);
  Result<EffectRecord> change_trackers(const EffectInput& input, const Target& target);
  bool may_remove(const EffectInput& input, const Target& target,
                  const cadence::Tracker& tracker) const;

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
  using Evaluate = std::function<Result<Value>(plan::ProgramRange)>;
  // `evaluate` gives the person a flow names; an action reminds whom it is for.
  Result<EffectRecord> offer_reminder(const plan::UnitPlan& unit, const plan::EffectPlan& effect,
                                      const Change& change, const std::string& person,
                                      const Evaluate& evaluate = nullptr);
  Status owner_changed(const Change& change);
  Status do_offered(Run& run, const std::string& sentence);
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
  std::deque<Later> later_;
  std::map<std::pair<Key128, std::string>, uint32_t> chain_runs_;  // by rule and record
  uint32_t chain_events_ = 0;
  types::Record* in_hand_ = nullptr;                  // while before-save flows run
  uint32_t entry_ = 0;                                // where the run to be made begins in its body
  std::string cause_;                                 // of what is saved now: `action "A" by "ana"`
  std::optional<std::optional<Instant>> next_timer_;  // unknown until asked
};

}  // namespace ensue::engine
