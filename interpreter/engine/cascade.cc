#include "engine/cascade.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fold.h"
#include "base/key128.h"
#include "engine/decision_json.h"
#include "engine/outbox.h"
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

// The CRM shows people under one name made of its parts; events bring the parts.
void derive_name(const types::Object& object, types::Record& record, const types::Event& event) {
  types::FieldId name = object.find_stored("Name");
  types::FieldId first = object.find_stored("FirstName");
  types::FieldId last = object.find_stored("LastName");
  if (!name || !first || !last) return;
  bool parts = false;
  for (const types::FieldValue& row : event.set) {
    if (row.field == name) return;
    parts = parts || row.field == first || row.field == last;
  }
  if (!parts) return;
  std::string whole(record.raw(first).as_text());
  std::string_view family = record.raw(last).as_text();
  if (!whole.empty() && !family.empty()) whole += ' ';
  record.fields[name.index] = Value::text(whole + std::string(family));
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

// Makes the images before and after, and saves the record.
Change Cascade::apply(const types::Event& event) {
  const types::Object& object = c_.program.schema().object(event.object);
  types::RecordPtr known = c_.book.image(event.object, event.record);
  bool fresh = event.kind == ChangeKind::kCreate || event.kind == ChangeKind::kSnapshot;
  types::Record after;
  if (known != nullptr && event.kind != ChangeKind::kCreate) {
    after = *known;
  } else {
    after.object = event.object;
    after.id = event.record;
  }
  after.fields.resize(object.fields.size());
  after.deleted = event.kind == ChangeKind::kDelete;
  for (const types::FieldValue& row : event.set) after.fields[row.field.index] = row.value;
  derive_name(object, after, event);

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
    before.fields.resize(object.fields.size());
    for (const types::FieldValue& row : event.before) before.fields[row.field.index] = row.value;
    out.before = std::make_shared<const types::Record>(std::move(before));
  }
  LastChange last{event.kind, event.at, event.key, event.by, {}};
  for (size_t i = 0; i < after.fields.size(); ++i) {
    types::FieldId field(i);
    const Value previous = out.before != nullptr ? out.before->raw(field) : Value();
    if (value::same_stored(previous, after.fields[i])) continue;
    out.changed.add(field);
    if (event.kind != ChangeKind::kSnapshot) last.before.push_back({field, previous});
  }
  out.after = std::make_shared<const types::Record>(std::move(after));
  c_.book.put(out.after, std::move(last));
  return out;
}

Status Cascade::external(const types::Event& event) {
  queue_.clear();
  chain_runs_.clear();
  chain_events_ = 0;
  Change change = apply(event);
  if (event.kind == ChangeKind::kSnapshot)
    return c_.book.error() ? Status(*c_.book.error()) : Status();
  if (Status moved = owner_changed(change); !moved) return moved;
  queue_.push_back(std::move(change));
  return follow_chain();
}

Status Cascade::follow_chain() {
  while (!queue_.empty()) {
    Change change = std::move(queue_.front());
    queue_.pop_front();
    if (Status done = work_on(change); !done) return done;
    if (c_.book.error()) return *c_.book.error();
  }
  return {};
}

Status Cascade::work_on(const Change& change) {
  std::string owner = matcher_.owner_of(*change.after);
  std::vector<std::string> managers =
      c_.directory.managers_of(owner, c_.program.module->options.bounds.manager_levels_max);
  // Matched once, on the images of the change; run afterwards, in order.
  std::vector<std::pair<uint32_t, MatchResult>> agenda;
  for (uint32_t number : c_.index.candidates(change.after->object, change.kind, owner, managers)) {
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
  LastChange last{
      change.is_new ? ChangeKind::kCreate : ChangeKind::kUpdate, c_.now, change.event, by, {}};
  for (size_t i = 0; i < after.fields.size(); ++i) {
    types::FieldId field(i);
    const Value previous = change.before != nullptr ? change.before->raw(field) : Value();
    if (value::same_stored(previous, after.fields[i])) continue;
    change.changed.add(field);
    last.before.push_back({field, previous});
  }
  change.after = std::make_shared<const types::Record>(std::move(after));
  c_.book.put(change.after, std::move(last));
  if (c_.keep_intents) {
    IntentRow intent;
    intent.key = change.event;
    intent.at = intent.due = c_.now;
    intent.cause = cause_;
    intent.record = record_name(c_.program.schema(), *change.after);
    intent.request = intent_request(c_.program.schema(), change);
    intent.state = "ready";
    if (Result<bool> added = c_.txn.add_intent(intent); !added) return added.error();
  }
  queue_.push_back(std::move(change));
  return {};
}

// ---- Runs -------------------------------------------------------------------------------------

Cascade::Run Cascade::make_run(const plan::UnitPlan& unit, const Change& change, std::string person,
                               Key128 key) {
  Run run{unit, change, std::move(person), key, {}};
  run.decision.at = change.at;
  run.decision.automation = unit.name;
  run.decision.author = unit.author;
  run.decision.kind = plan::unit_kind_name(unit.kind);
  run.decision.record = record_name(c_.program.schema(), *change.after);
  run.decision.user = run.person.empty() ? "system" : run.person;
  return run;
}

Status Cascade::run_unit(uint32_t number, const Change& change, const MatchResult& match) {
  const plan::UnitPlan& unit = *c_.program.units[number];
  std::string record = record_name(c_.program.schema(), *change.after);
  uint32_t& ordinal = chain_runs_[{unit.rule, record}];
  // Not a fault: an automation runs at most once for a record in one chain, unless it may run
  // again.
  if (ordinal >= unit.runs_per_record_max) return {};
  Key128 key = base::hash_key(
      {"run", change.event.view(), record, unit.rule.view(), std::to_string(ordinal)});
  ++ordinal;
  Run run = make_run(unit, change, match.person, key);
  const Bounds& bounds = c_.program.module->options.bounds;
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
  if (unit.effects.front().reminder) {
    Result<EffectRecord> offered = offer_reminder(unit, unit.effects.front(), change, run.person);
    if (!offered) return offered.error();
    run.decision.effects.push_back(std::move(*offered));
    return finish(run, "reminded");
  }
  return charge_and_execute(run);
}

Status Cascade::charge_and_execute(Run& run) {
  limits::Subject subject{plan::unit_kind_name(run.unit.kind), run.unit.name, run.unit.author,
                          run.person};
  Result<limits::Decision> charged =
      c_.ledger.charge(c_.txn, run.key, subject, c_.now, c_.open_day);
  if (!charged) return charged.error();
  if (charged->refused) return refuse(run, *charged->refused);
  warn(*charged);
  return execute(run);
}

Status Cascade::execute(Run& run) {
  const uint32_t most = c_.program.module->options.bounds.run_effects_max;
  if (run.unit.effects.size() > most) {
    run.decision.fault = fmt::format("a run has more than {} effects", most);
    return finish(run, "failed");
  }
  if (c_.keep_intents) {
    cause_ = fmt::format("{} \"{}\"", run.decision.kind, run.unit.name);
    if (!run.unit.author.empty()) cause_ += fmt::format(" by \"{}\"", run.unit.author);
  }
  for (size_t i = 0; i < run.unit.effects.size(); ++i) {
    Result<EffectRecord> effect = apply_effect(run, run.unit.effects[i], i);
    if (!effect) {
      bool fault = effect.error().code == ErrorCode::kFault ||
                   effect.error().code == ErrorCode::kBoundExceeded;
      if (!fault) return effect.error();
      run.decision.fault = effect.error().message;
      return finish(run, "failed");
    }
    run.decision.effects.push_back(std::move(*effect));
  }
  return finish(run, "executed");
}

Status Cascade::refuse(Run& run, const limits::LimitState& limit) {
  run.decision.limit = limit_record(limit);
  switch (limit.policy) {
    case limits::Policy::kDefer: return defer(run, limit);
    case limits::Policy::kRemind: {
      if (run.person.empty()) return finish(run, "suppressed");  // the system has nobody to remind
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
  row.run = run.key;
  row.rule = run.unit.rule;
  row.event = run.change.event;
  row.at = run.decision.at;
  row.automation = run.decision.automation;
  row.author = run.decision.author;
  row.kind = run.decision.kind;
  row.record = run.decision.record;
  row.user = run.decision.user;
  row.status = run.decision.status;
  row.detail = decision_detail(run.decision);
  Result<bool> added = c_.txn.add_run(row);
  if (!added) return added.error();
  if (!*added) return {};  // decided before: nothing is told twice
  run.decision.seq = row.seq;
  ++c_.report.statuses[run.decision.status];
  c_.report.decisions.push_back(std::move(run.decision));
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
