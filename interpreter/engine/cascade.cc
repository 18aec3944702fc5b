#include "engine/cascade.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/fold.h"
#include "base/key128.h"
#include "engine/decision_json.h"
#include "engine/outbox.h"
#include "types/person_name.h"
#include "value/compare.h"

namespace ensue::engine {
namespace {

using types::ChangeKind;

uint8_t change_bit(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kCreate: return plan::kCreated;
    case ChangeKind::kDelete: return plan::kDeleted;
    case ChangeKind::kUndelete: return plan::kUndeleted;
    default: return plan::kEdited;
  }
}

class CoverageTrace final : public exec::Trace {
 public:
  CoverageTrace(Coverage& coverage, uint32_t unit) : coverage_(coverage), unit_(unit) {}
  void test(const exec::TestSeen& seen) override {
    Coverage::Outcomes& outcomes = coverage_.tests[{unit_, seen.step}];
    (seen.result ? outcomes.was_true : outcomes.was_false) = true;
  }

 private:
  Coverage& coverage_;
  uint32_t unit_;
};

}  // namespace

void Coverage::merge(const Coverage& other) {
  for (const auto& [key, outcomes] : other.tests) {
    tests[key].was_true |= outcomes.was_true;
    tests[key].was_false |= outcomes.was_false;
  }
  for (const auto& [unit, count] : other.runs) runs[unit] += count;
}

Cascade::Cascade(CascadeContext context)
    : c_(context),
      matcher_(context.program, context.book, context.directory, context.activations,
               context.index) {}

// ---- Changes ----------------------------------------------------------------------------------

void Cascade::name_person(const types::Object& object, const types::Record* before,
                          types::FieldValues& set) {
  auto part = [&](types::FieldId field) -> std::string_view {
    if (set.named().has(field)) return set[field].as_text();
    return before != nullptr ? before->raw(field).as_text() : std::string_view();
  };
  std::string whole;
  if (types::name_person(object, set.named(), part, whole))
    set.set(object.named().name, Value::text(whole));
}

// Makes the images before and after, with what before-save flows set, and saves the record.
Result<Change> Cascade::apply(types::Event&& event) {
  const types::Object& object = c_.program.schema().object(event.object);
  // What is created has no image before, whatever the copy holds under its id.
  bool created = event.kind == ChangeKind::kCreate;
  types::RecordPtr known = created ? nullptr : c_.book.image(event.object, event.record);
  bool fresh = event.kind == ChangeKind::kCreate || event.kind == ChangeKind::kSnapshot;
  auto made = std::make_shared<types::Record>();
  types::Record& after = *made;
  if (known != nullptr) {
    after = *known;
  } else {
    after.object = event.object;
    after.id = event.record;
  }
  after.deleted = event.kind == ChangeKind::kDelete;
  name_person(object, known.get(), event.set);
  after.fields.set_all(std::move(event.set));

  Change out;
  out.event = event.key;
  out.at = event.at;
  out.by = event.by;
  out.kind = change_bit(event.kind);
  out.is_new = event.kind == ChangeKind::kCreate;
  if (!fresh) {
    // The image before is the engine's copy, corrected by the previous values the event carries.
    types::Record before =
        known != nullptr ? *known : types::Record{event.object, event.record, {}, false};
    before.fields.set_all(std::move(event.before));
    out.before = std::make_shared<const types::Record>(std::move(before));
  }
  bool flows_set = event.kind != ChangeKind::kSnapshot && !after.deleted &&
                   !c_.index.before_save(after.object, out.kind).empty();
  if (flows_set) {
    types::Record as_sent = after;
    if (Status set = before_save(out, after); !set) return set.error();
    // What a before-save flow sets on an event from outside is a write of ours.
    Change ours = out;
    ours.event = base::hash_key({"before save", event.key.view(), after.id});
    ours.at = c_.now;
    ours.kind = plan::kEdited;
    ours.is_new = false;
    ours.changed = types::differing(as_sent.fields, after.fields);
    if (!ours.changed.empty()) {
      ours.after = std::make_shared<const types::Record>(after);
      std::string cause = std::exchange(cause_, "flows before the save");
      Status kept = keep_intent(ours);
      cause_ = std::move(cause);
      if (!kept) return kept.error();
    }
  }
  out.changed = changed_since(out.before, after);
  LastChange last{event.kind, event.at, event.key, event.by, {}, out.is_new};
  if (!fresh) last.before = values_before(out);
  out.after = std::move(made);
  c_.book.put(out.after, std::move(last));
  return out;
}

// What is created had no value before.
types::FieldSet Cascade::changed_since(const types::RecordPtr& before, const types::Record& after) {
  if (before == nullptr) return after.fields.present();
  return types::differing(before->fields, after.fields);
}

types::FieldValues Cascade::values_before(const Change& change) {
  types::FieldValuesMaker out;
  change.changed.for_each([&](types::FieldId field) {
    out.set(field, change.before != nullptr ? change.before->raw(field) : Value());
  });
  return out.take();
}

Status Cascade::keep_intent(const Change& change) {
  if (!c_.keep_intents) return {};
  IntentRow intent;
  intent.key = change.event;
  intent.at = intent.due = c_.now;
  intent.cause = cause_;
  intent.record = record_name(c_.program.schema(), *change.after);
  intent.request = intent_request(c_.program.schema(), change);
  intent.state = "ready";
  Result<bool> added = c_.txn.add_intent(intent);
  return added ? Status() : Status(added.error());
}

// Flows that run before the save set fields of the record that is about to be saved, each on what
// the ones before have set. A fault of one takes back what it set; the save goes on.
Status Cascade::before_save(Change& change, types::Record& after) {
  for (uint32_t number : c_.index.before_save(after.object, change.kind)) {
    change.changed = changed_since(change.before, after);
    change.after = std::make_shared<const types::Record>(after);
    std::optional<CoverageTrace> trace;
    if (c_.coverage != nullptr) trace.emplace(*c_.coverage, number);
    MatchResult match = matcher_.examine(number, change, c_.now, trace ? &*trace : nullptr);
    if (match.stop != Stop::kNone && match.stop != Stop::kFault) {
      if (!c_.keep_all_verdicts) continue;
      if (Status kept = keep_verdict(number, change, match); !kept) return kept;
      continue;
    }
    if (c_.coverage != nullptr) ++c_.coverage->runs[number];
    std::string cause = cause_;
    in_hand_ = &after;
    Status ran = run_unit(number, change, match);
    in_hand_ = nullptr;
    cause_ = std::move(cause);
    if (!ran) return ran;
  }
  return {};
}

void Cascade::begin_chain() {
  queue_.clear();
  chain_runs_.clear();
  chain_events_ = 0;
}

Status Cascade::external(types::Event&& event) {
  begin_chain();
  bool snapshot = event.kind == ChangeKind::kSnapshot;
  Result<Change> applied = apply(std::move(event));
  if (!applied) return applied.error();
  if (snapshot) return c_.book.error() ? Status(*c_.book.error()) : Status();
  if (Status moved = owner_changed(*applied); !moved) return moved;
  queue_.push_back(std::move(*applied));
  return follow_chain();
}

// To the end of the chain, and then what comes after it, each a chain of its own.
Status Cascade::follow_chain() {
  for (;;) {
    while (!queue_.empty()) {
      Change change = std::move(queue_.front());
      queue_.pop_front();
      if (Status done = work_on(change); !done) return done;
      if (c_.book.error()) return *c_.book.error();
    }
    if (later_.empty()) return {};
    Later next = std::move(later_.front());
    later_.pop_front();
    begin_chain();
    Status done =
        next.run ? wake(*next.run)
                 : run_unit(next.unit, *next.change, MatchResult{Stop::kNone, next.person, "", ""});
    if (!done) return done;
  }
}

Status Cascade::work_on(const Change& change) {
  std::string owner = matcher_.owner_of(*change.after);
  std::vector<std::string> managers =
      c_.directory.managers_of(owner, c_.program.options.bounds.manager_levels_max);
  // Matched once, on the images of the change; run afterwards, in order.
  std::vector<std::pair<uint32_t, MatchResult>> agenda;
  // What is only looked at leaves a trace where all verdicts or the outcomes of tests are kept.
  bool all = c_.keep_all_verdicts || c_.coverage != nullptr;
  std::vector<uint32_t> looked_at;
  if (all) looked_at = c_.index.candidates(change.after->object, change.kind, owner, managers);
  // What the index gives stands until it is asked again, which only a run does.
  const std::vector<uint32_t>& numbers =
      all ? looked_at
          : c_.index.may_start(
                {change.after.get(), &change.changed, change.kind, change.is_new, c_.now}, owner,
                managers);
  for (uint32_t number : numbers) {
    std::optional<CoverageTrace> trace;
    if (c_.coverage != nullptr) trace.emplace(*c_.coverage, number);
    MatchResult match = matcher_.examine(number, change, c_.now, trace ? &*trace : nullptr);
    bool starts = match.stop == Stop::kNone || match.stop == Stop::kFault;
    if (starts) {
      agenda.emplace_back(number, std::move(match));
    } else if (c_.keep_all_verdicts) {
      if (Status kept = keep_verdict(number, change, match); !kept) return kept;
    }
  }
  for (const auto& [number, match] : agenda) {
    if (c_.coverage != nullptr) ++c_.coverage->runs[number];
    if (Status ran = run_unit(number, change, match); !ran) return ran;
  }
  if (Status observed = observe(change); !observed) return observed;
  return c_.flows.waiting ? wake_about(change) : Status();
}

// Flows that hear of a change without being asked about it: of steps and cadences at once, of
// change data after the chain.
Status Cascade::observe(const Change& change) {
  const types::Schema& schema = c_.program.schema();
  for (uint32_t number : c_.index.of_changes(change.after->object)) {
    MatchResult match = matcher_.examine(number, change, c_.now, nullptr);
    if (match.stop == Stop::kFault) {
      if (Status ran = run_unit(number, change, match); !ran) return ran;
    }
    if (match.stop != Stop::kNone) continue;
    if (c_.coverage != nullptr) ++c_.coverage->runs[number];
    Later later;
    later.unit = number;
    later.change = change;
    later.change->depth = change.depth + 1;
    later.person = match.person;
    later_.push_back(std::move(later));
  }
  if (c_.index.of_cadences().empty()) return {};
  const types::Object& object = schema.object(change.after->object);
  bool step = object.name == "ActionCadenceStepTracker";
  if (!step && object.name != "ActionCadenceTracker") return {};
  auto text = [&](const char* field) {
    return std::string(change.after->raw(object.find_stored(field)).as_text());
  };
  bool changed = change.changed.has(object.find_stored("State"));
  bool starts = change.is_new;
  bool ends = !change.is_new && changed && text("State") == (step ? "Completed" : "Complete");
  if (!starts && !ends) return {};
  types::RecordPtr tracker = step ? c_.book.find(schema.find_object("ActionCadenceTracker"),
                                                 text("ActionCadenceTrackerId"))
                                  : change.after;
  if (tracker == nullptr) return {};
  // The tracker is in hand, whichever of the two was saved.
  Change of_tracker = change;
  of_tracker.after = tracker;
  if (step) {
    of_tracker.before = tracker;
    of_tracker.changed = {};
    of_tracker.is_new = false;
  }
  auto named = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || base::equal_folded(wanted, is);
  };
  for (uint32_t number : c_.index.of_cadences()) {
    const plan::UnitPlan& unit = *c_.program.units[number];
    const plan::TriggerPlan& trigger = *unit.trigger;
    bool fits = (trigger.kind == plan::TriggerKind::kStep) == step && trigger.ends == ends &&
                named(trigger.cadence, text(step ? "ActionCadenceName" : "CadenceName")) &&
                (!step || (named(trigger.step, text("StepTitle")) &&
                           named(trigger.outcome, text("Outcome"))));
    if (!fits) continue;
    MatchResult match = matcher_.examine(number, of_tracker, c_.now, nullptr);
    if (match.stop != Stop::kNone && match.stop != Stop::kFault) continue;
    if (c_.coverage != nullptr) ++c_.coverage->runs[number];
    if (Status ran = run_unit(number, of_tracker, match); !ran) return ran;
  }
  return {};
}

// A gap stands for changes nobody knows: the blocks of the flows about the object run, with the
// record in hand when it is named.
Status Cascade::changes_lost(types::ObjectId object, const std::string& record,
                             const Key128& event) {
  for (uint32_t number : c_.index.of_changes(object)) {
    const plan::UnitPlan& unit = *c_.program.units[number];
    const std::optional<uint32_t>& block =
        record.empty() ? unit.trigger->overflow : unit.trigger->gap;
    if (!block) continue;
    begin_chain();
    Change change;
    change.event = event;
    change.at = c_.now;
    change.after = record.empty() ? nullptr : c_.book.image(object, record);
    if (change.after == nullptr)
      change.after = std::make_shared<const types::Record>(
          types::Record{record.empty() ? types::ObjectId() : object, record, {}, false});
    entry_ = *block;
    MatchResult match;
    Status ran = run_unit(number, change, match);
    entry_ = 0;
    if (!ran) return ran;
    if (Status followed = follow_chain(); !followed) return followed;
  }
  return {};
}

Status Cascade::save(types::Record after, plan::ChangeBits kind, const Key128& cause,
                     const std::string& by, uint32_t depth) {
  types::RecordPtr before = c_.book.image(after.object, after.id);
  Change change;
  change.event = base::hash_key({"derived", cause.view(), after.id});
  change.at = c_.now;
  change.by = by;
  change.kind = kind;
  change.is_new = kind == plan::kCreated;
  change.depth = depth;
  if (!change.is_new) change.before = before;
  ++c_.report.saves;
  if (kind != plan::kDeleted) {
    if (Status set = before_save(change, after); !set) return set;
  }
  change.changed = changed_since(change.before, after);
  LastChange last{change.is_new            ? ChangeKind::kCreate
                  : kind == plan::kDeleted ? ChangeKind::kDelete
                                           : ChangeKind::kUpdate,
                  c_.now,
                  change.event,
                  by,
                  {},
                  change.is_new};
  if (!last.whole) last.before = values_before(change);
  change.after = std::make_shared<const types::Record>(std::move(after));
  c_.book.put(change.after, std::move(last));
  if (Status kept = keep_intent(change); !kept) return kept;
  queue_.push_back(std::move(change));
  return {};
}

// ---- Runs -------------------------------------------------------------------------------------

Cascade::Run Cascade::make_run(const plan::UnitPlan& unit, const Change& change, std::string person,
                               Key128 key) {
  Run run{unit, change, std::move(person), key, {}, &c_.program, key};
  run.decision.at = change.at;
  run.decision.automation = unit.name;
  run.decision.author = unit.author;
  run.decision.kind = plan::unit_kind_name(unit.kind);
  if (change.after->object) run.decision.record = record_name(c_.program.schema(), *change.after);
  run.decision.user = run.person.empty() ? "system" : run.person;
  return run;
}

Status Cascade::run_unit(uint32_t number, const Change& change, const MatchResult& match) {
  const plan::UnitPlan& unit = *c_.program.units[number];
  std::string record =
      change.after->object ? record_name(c_.program.schema(), *change.after) : std::string();
  uint32_t& ordinal = chain_runs_[{unit.rule, record}];
  // Not a fault: an automation runs at most once for a record in one chain, unless it may run
  // again.
  if (ordinal >= unit.runs_per_record_max) return {};
  Key128 key = base::hash_key(
      {"run", change.event.view(), record, unit.rule.view(), std::to_string(ordinal)});
  ++ordinal;
  Run run = make_run(unit, change, match.person, key);
  const Bounds& bounds = c_.program.options.bounds;
  if (match.stop == Stop::kFault) {
    run.decision.fault = match.fault;
    return finish(run, "failed");
  }
  if (change.depth > bounds.chain_depth_max) {
    run.decision.fault =
        fmt::format("the chain of saves is deeper than {}", bounds.chain_depth_max);
    return finish(run, "failed");
  }
  if (++chain_events_ > bounds.chain_events_max) {
    run.decision.fault =
        fmt::format("one event started more than {} runs", bounds.chain_events_max);
    return finish(run, "failed");
  }
  bool action = unit.kind == plan::UnitKind::kAction;
  if (action && unit.effects.front().reminder) {
    Result<EffectRecord> offered = offer_reminder(unit, unit.effects.front(), change, run.person);
    if (!offered) return offered.error();
    run.decision.effects.push_back(std::move(*offered));
    return finish(run, "reminded");
  }
  if (!action && !in_hand_) {
    Result<bool> begins = may_begin(run);
    if (!begins) return begins.error();
    if (!*begins) return {};
  }
  run.in_hand = in_hand_;
  return charge_and_execute(run);
}

Result<std::optional<limits::LimitState>> Cascade::charge(const Key128& key,
                                                          const limits::Subject& subject) {
  Result<limits::Decision> charged = c_.ledger.charge(c_.txn, key, subject, c_.now, c_.open_day);
  if (!charged) return charged.error();
  warn(*charged);
  return std::move(charged->refused);
}

Result<std::optional<limits::LimitState>> Cascade::charge_execution(const Run& run) {
  return charge(run.key,
                {plan::unit_kind_name(run.unit.kind), run.unit.name, run.unit.author, run.person});
}

Result<bool> Cascade::let_through(Run& run) {
  auto refused = charge_execution(run);
  if (!refused) return refused.error();
  if (!*refused) return true;
  if (Status told = refuse(run, **refused); !told) return told.error();
  return false;
}

Status Cascade::charge_and_execute(Run& run) {
  Result<bool> through = let_through(run);
  if (!through) return through.error();
  return *through ? execute(run) : Status();
}

Frame Cascade::first_frame(const plan::UnitPlan& unit) {
  Frame frame;
  Activation& first = frame.stack.emplace_back();
  first.rule = unit.rule;
  first.locals.resize(unit.body->slots);
  return frame;
}

Status Cascade::execute(Run& run) {
  Frame frame = first_frame(run.unit);
  frame.stack.front().at = std::exchange(entry_, 0);
  return proceed(run, frame);
}

Status Cascade::refuse(Run& run, const limits::LimitState& limit) {
  run.decision.limit = limit_record(limit);
  switch (limit.policy) {
    case limits::Policy::kDefer: return defer(run, limit);
    case limits::Policy::kRemind: {
      // The system has nobody to remind, and only what an action does fits a reminder.
      bool nobody = run.person.empty() || run.unit.kind != plan::UnitKind::kAction;
      if (nobody) return finish(run, "suppressed");
      Result<EffectRecord> offered =
          offer_reminder(run.unit, run.unit.effects.front(), run.change, run.person);
      if (!offered) return offered.error();
      run.decision.effects.push_back(std::move(*offered));
      return finish(run, "reminded");
    }
    case limits::Policy::kFail:
      run.decision.fault = limits::limit_message(limit);
      return finish(run, "failed");
    default: return finish(run, "suppressed");
  }
}

Status Cascade::finish(Run& run, std::string status) {
  run.decision.status = std::move(status);
  RunRow row;
  row.run = run.part;
  row.rule = run.unit.rule;
  row.event = run.change.event;
  run.decision.part = run.wakes;
  return tell(row, run.decision);
}

Status Cascade::tell(RunRow& row, Decision& decision) {
  row.at = decision.at;
  row.automation = decision.automation;
  row.author = decision.author;
  row.kind = decision.kind;
  row.record = decision.record;
  row.user = decision.user;
  row.status = decision.status;
  row.detail = decision_detail(decision);
  Result<bool> added = c_.txn.add_run(row);
  if (!added) return added.error();
  if (!*added) return {};  // decided before: nothing is told twice
  decision.seq = row.seq;
  ++c_.report.statuses[decision.status];
  c_.report.decisions.push_back(std::move(decision));
  return {};
}

Status Cascade::keep_verdict(uint32_t number, const Change& change, const MatchResult& match) {
  const plan::UnitPlan& unit = *c_.program.units[number];
  VerdictRow row;
  row.rule = unit.rule;
  row.event = change.event;
  row.at = change.at;
  row.automation = unit.name;
  row.record = record_name(c_.program.schema(), *change.after);
  row.user = match.person;
  row.verdict = stop_name(match.stop);
  return c_.txn.add_verdict(row);
}

LimitRecord Cascade::limit_record(const limits::LimitState& state) const {
  return {state.scope, state.key, state.counter, state.count, state.max, state.resets_at};
}

void Cascade::warn(const limits::Decision& decision) {
  for (const limits::LimitState& state : decision.warnings) {
    std::string whose = state.key.empty()       ? state.scope
                        : state.scope == "user" ? "user " + state.key
                                                : state.key;
    c_.report.notices.push_back(
        fmt::format("{}: {} of {} {} used", whose, state.count, state.max, state.counter));
  }
}

}  // namespace ensue::engine
