// Reminders: offering an effect to a person instead of doing it (sales-engagement 1.8, ENGINE
// sections 1 and 8).
#include <fmt/format.h>

#include <algorithm>

#include "base/key128.h"
#include "engine/cascade.h"
#include "exec/evaluator.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

Key128 reminder_key(const Key128& rule, const std::string& record, const std::string& person) {
  return base::hash_key({"reminder", rule.view(), record, person});
}

bool live(const ReminderRow& row) { return row.state == "open" || row.state == "snoozed"; }

}  // namespace

std::string Cascade::effect_sentence(const plan::UnitPlan&, const plan::EffectPlan& effect) const {
  std::string where =
      effect.cadence->empty() ? "all cadences" : fmt::format("cadence \"{}\"", *effect.cadence);
  switch (effect.kind) {
    case plan::EffectKind::kAdd: return "add it to " + where;
    case plan::EffectKind::kRemove:
      return "remove it from " + where +
             (effect.disposition->empty()
                  ? ""
                  : fmt::format(", with disposition \"{}\"", *effect.disposition));
    case plan::EffectKind::kPause: return "pause it in " + where;
    case plan::EffectKind::kResume: return "resume it in " + where;
    default: return "change its assignee in " + where;
  }
}

// At most one is open for an action, a record and a person: a new match refreshes it.
Result<EffectRecord> Cascade::offer_reminder(const plan::UnitPlan& unit,
                                             const plan::EffectPlan& effect, const Change& change,
                                             const std::string& person, const Evaluate& evaluate) {
  const plan::ReminderTerms& terms = *effect.terms;
  std::string whom = person;
  if (!terms.person.empty() && evaluate && unit.kind != plan::UnitKind::kAction) {
    Result<Value> value = evaluate(terms.person);
    if (!value) return value.error();
    whom = value->as_text();
  }
  EffectRecord out;
  out.op = "remind";
  out.target = record_name(c_.program.schema(), *change.after);
  out.cadence = *effect.cadence;
  out.person = whom;
  if (whom.empty()) {
    out.outcome = "nobody to remind";
    return out;
  }
  ReminderRow row;
  row.id = reminder_key(unit.rule, out.target, whom);
  Result<std::optional<ReminderRow>> known = c_.txn.reminder(row.id);
  if (!known) return known.error();
  bool refreshed = known->has_value() && live(**known);
  if (known->has_value() && (*known)->expires_at) {
    if (Status removed = c_.txn.remove_timer(*(*known)->expires_at, row.id); !removed)
      return removed.error();
  }
  row.rule = unit.rule;
  row.event = change.event;
  row.automation = unit.name;
  row.author = unit.author;
  row.record = out.target;
  row.person = whom;
  row.state = refreshed ? (*known)->state : "open";
  row.snoozed_until = refreshed ? (*known)->snoozed_until : std::nullopt;
  row.effect = effect_sentence(unit, effect);
  row.change = change_text(change);
  row.offered_at = c_.now;
  auto later = [&](const std::optional<Duration>& duration) -> Result<std::optional<Instant>> {
    if (!duration) return std::optional<Instant>();
    auto at = exec::add_duration(Value::datetime(c_.now), *duration, false, c_.program.zone,
                                 unit.calendar.get());
    if (!at) return at.error();
    return std::optional(at->as_instant());
  };
  auto due = later(terms.within);
  auto expires = later(terms.expiring);
  if (!due) return due.error();
  if (!expires) return expires.error();
  row.due_at = *due;
  row.expires_at = *expires;
  if (row.expires_at) {
    if (Status timed = put_timer(*row.expires_at, row.id, "reminder_expiry", ""); !timed)
      return timed.error();
  }
  if (Status put = c_.txn.put_reminder(row); !put) return put.error();
  out.outcome = refreshed ? "refreshed" : "offered";
  return out;
}

Status Cascade::close_reminder(ReminderRow row, const char* state) {
  if (row.expires_at) {
    if (Status removed = c_.txn.remove_timer(*row.expires_at, row.id); !removed) return removed;
  }
  if (row.snoozed_until) {
    if (Status removed = c_.txn.remove_timer(*row.snoozed_until, row.id); !removed) return removed;
  }
  row.state = state;
  row.snoozed_until.reset();
  return c_.txn.put_reminder(row);
}

Status Cascade::run_reminder(const ReminderRow& row, const std::string& person) {
  if (row.person != person)
    return {ErrorCode::kNotPermitted,
            fmt::format("the reminder is for {}, not for {}", row.person, person)};
  if (!live(row))
    return {ErrorCode::kInvalidArgument, fmt::format("the reminder is {} already", row.state)};
  const plan::UnitPlan* unit = c_.program.find_unit(row.rule);
  if (unit == nullptr) {
    return {ErrorCode::kNotFound,
            fmt::format("there is no {} \"{}\" any more", "action", row.automation)};
  }
  auto named = parse_record_name(row.record);
  std::optional<Change> change =
      named ? stored_change(named->first, named->second, row.change) : std::nullopt;
  if (!change) return {ErrorCode::kNotFound, fmt::format("{} is gone", row.record)};
  begin_chain();
  // The run is another than any automatic one on the same event, and the same however often it is
  // asked for.
  Key128 key =
      base::hash_key({"run", row.event.view(), row.record, row.rule.view(), "reminder", person});
  Run run = make_run(*unit, *change, person, key);
  run.decision.at = c_.now;
  auto refused = charge_execution(run);
  if (!refused) return refused.error();
  // Running one over a limit is refused with the message, and the reminder stays.
  if (*refused) return {ErrorCode::kLimitReached, limits::limit_message(**refused)};
  if (Status executed = do_offered(run, row.effect); !executed) return executed;
  if (Status closed = close_reminder(row, "run"); !closed) return closed;
  return follow_chain();
}

// The effect that was offered, and nothing else of its automation.
Status Cascade::do_offered(Run& run, const std::string& sentence) {
  Frame frame = first_frame(run.unit);
  cause_ = fmt::format("{} \"{}\"", run.decision.kind, run.unit.name);
  if (!run.unit.author.empty()) cause_ += fmt::format(" by \"{}\"", run.unit.author);
  // Where several read alike, they do alike.
  auto offered = std::find_if(run.unit.effects.begin(), run.unit.effects.end(),
                              [&](const plan::EffectPlan& effect) {
                                return effect_sentence(run.unit, effect) == sentence;
                              });
  if (offered == run.unit.effects.end()) {
    run.decision.fault = "the automation does not offer this any more";
    return finish(run, "failed");
  }
  plan::EffectPlan effect = *offered;
  effect.reminder = false;
  Result<EffectRecord> done = apply_effect(run, frame, run.unit, effect);
  if (!done) {
    bool fault =
        done.error().code == ErrorCode::kFault || done.error().code == ErrorCode::kBoundExceeded;
    if (!fault) return done.error();
    run.decision.fault = done.error().message;
    return finish(run, "failed");
  }
  run.decision.effects.push_back(std::move(*done));
  return finish(run, "executed");
}

Status Cascade::ignore_reminder(const ReminderRow& row) {
  if (!live(row))
    return {ErrorCode::kInvalidArgument, fmt::format("the reminder is {} already", row.state)};
  return close_reminder(row, "ignored");
}

// Until a given time, by default the start of the person's next day.
Status Cascade::snooze_reminder(const ReminderRow& row, std::optional<Instant> until) {
  if (!live(row))
    return {ErrorCode::kInvalidArgument, fmt::format("the reminder is {} already", row.state)};
  if (!until) {
    const User* user = c_.directory.find(row.person);
    std::optional<calendar::Zone> own =
        user != nullptr ? calendar::Zone::find(user->zone) : std::nullopt;
    const calendar::Zone& zone = own ? *own : c_.program.zone;
    until = zone.day_start({zone.date(c_.now).days + 1});
  }
  if (*until <= c_.now)
    return {ErrorCode::kInvalidArgument, "a reminder is snoozed until a later time"};
  ReminderRow after = row;
  if (row.snoozed_until) {
    if (Status removed = c_.txn.remove_timer(*row.snoozed_until, row.id); !removed) return removed;
  }
  after.state = "snoozed";
  after.snoozed_until = until;
  if (Status timed = put_timer(*until, row.id, "reminder_snooze", ""); !timed) return timed;
  return c_.txn.put_reminder(after);
}

// A reminder moves with the record to a new owner in scope, else it expires.
Status Cascade::owner_changed(const Change& change) {
  types::FieldId owner_field = c_.program.schema().object(change.after->object).named().owner;
  bool moved = owner_field && change.before != nullptr && change.changed.has(owner_field);
  if (!moved && !change.after->deleted) return {};
  std::string name = record_name(c_.program.schema(), *change.after);
  Result<std::vector<ReminderRow>> rows = c_.txn.reminders_about(name);
  if (!rows) return rows.error();
  std::string owner = matcher_.owner_of(*change.after);
  uint32_t levels = c_.program.options.bounds.manager_levels_max;
  for (const ReminderRow& row : *rows) {
    if (row.person == owner && !change.after->deleted) continue;
    if (Status closed = close_reminder(row, "expired"); !closed) return closed;
    const plan::UnitPlan* unit = c_.program.find_unit(row.rule);
    std::string author = c_.directory.user_named(row.author);
    bool in_scope = unit != nullptr && !change.after->deleted && !owner.empty() &&
                    unit->scope == plan::Scope::kTeam &&
                    c_.directory.is_below(owner, author, levels) &&
                    c_.activations.active(*unit, owner);
    if (!in_scope) continue;
    ReminderRow after = row;
    after.id = reminder_key(row.rule, row.record, owner);
    after.person = owner;
    after.state = "open";
    after.snoozed_until.reset();
    if (after.expires_at) {
      if (Status timed = put_timer(*after.expires_at, after.id, "reminder_expiry", ""); !timed)
        return timed;
    }
    if (Status put = c_.txn.put_reminder(after); !put) return put;
  }
  return {};
}

}  // namespace ensue::engine
