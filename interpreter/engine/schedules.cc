// Schedules: one timer stands for the next firing of each; what has fired stands beside it, in the
// commit of the firing.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/key128.h"
#include "engine/cascade.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

// A firing this late was missed: nothing ran at its time.
constexpr int64_t kLateMs = 60'000;

std::string state_name(const Key128& rule) { return "schedule/" + base::to_hex(rule); }
Key128 timer_key(const Key128& rule) { return base::hash_key({"schedule", rule.view()}); }

}  // namespace

schedule::Schedule Cascade::schedule_of(const plan::UnitPlan& unit) const {
  schedule::Schedule out = *unit.trigger.schedule;
  if (unit.trigger.org_zone) out.zone = c_.program.zone;
  return out;
}

// The state of a schedule, as it is kept: when it fires next, how often it has run and was missed.
Result<Cascade::ScheduleState> Cascade::schedule_state(const Key128& rule) {
  ScheduleState out;
  Result<std::optional<std::string>> kept = c_.txn.meta(state_name(rule));
  if (!kept) return kept.error();
  if (!kept->has_value()) return out;
  auto row = nlohmann::json::parse(**kept, nullptr, false);
  if (!row.is_object()) return {ErrorCode::kStoreDamaged, "the state of a schedule cannot be read"};
  out.known = true;
  out.text = row.value("schedule", "");
  out.runs = row.value("runs", int64_t{0});
  out.missed = row.value("missed", int64_t{0});
  if (row.contains("next") && row["next"].is_array() && row["next"].size() == 3) {
    schedule::Firing next;
    next.at.ms = row["next"][0].get<int64_t>();
    next.date.days = row["next"][1].get<int32_t>();
    next.time_ms = row["next"][2].get<int32_t>();
    out.next = next;
  }
  return out;
}

Status Cascade::keep_schedule(const plan::UnitPlan& unit, const ScheduleState& state) {
  nlohmann::ordered_json row{{"flow", unit.name},
                             {"schedule", state.text},
                             {"runs", state.runs},
                             {"missed", state.missed}};
  if (state.next) {
    row["next"] = {state.next->at.ms, state.next->date.days, state.next->time_ms};
    Status timed =
        put_timer(state.next->at, timer_key(unit.rule), "schedule", base::to_hex(unit.rule));
    if (!timed) return timed;
  }
  return c_.txn.put_meta(state_name(unit.rule), row.dump());
}

// Gives every schedule of the program its timer. One that is as it was goes on; a new or a changed
// one begins at `base`.
Status Cascade::arm_schedules(Instant base) {
  for (const plan::UnitPtr& unit : c_.program.units) {
    if (unit->trigger.kind != plan::TriggerKind::kSchedule || !unit->trigger.schedule) continue;
    Result<ScheduleState> state = schedule_state(unit->rule);
    if (!state) return state.error();
    schedule::Schedule schedule = schedule_of(*unit);
    // Two schedules are the same when they fire alike.
    std::string text = schedule.zone.name();
    Instant probe{0};
    std::optional<schedule::Firing> firing = schedule::next(schedule, probe);
    for (int i = 0; i < 8 && firing; ++i) {
      text += " " + firing->nominal();
      firing = schedule::next(schedule, *firing);
    }
    bool same = state->known && state->text == text && !c_.flows.anew;
    bool off = unit->draft;
    if (same && !off) continue;
    if (state->next) {
      next_timer_.reset();
      Status removed = c_.txn.remove_timer(state->next->at, timer_key(unit->rule));
      if (!removed) return removed;
    }
    state->text = off ? "" : text;
    state->next = off ? std::nullopt : schedule::next(schedule, base);
    if (Status kept = keep_schedule(*unit, *state); !kept) return kept;
  }
  c_.flows.armed = true;
  c_.flows.anew = false;
  return {};
}

Status Cascade::fire_schedule(const TimerRow& timer) {
  auto rule = base::key_from_hex(timer.payload);
  if (!rule) return {ErrorCode::kStoreDamaged, "the timer of a schedule cannot be read"};
  Result<ScheduleState> state = schedule_state(*rule);
  if (!state) return state.error();
  std::optional<uint32_t> number;
  for (uint32_t i = 0; i < c_.program.units.size(); ++i) {
    if (c_.program.units[i]->rule == *rule) number = i;
  }
  if (!state->next || state->next->at != timer.due) return {};
  bool gone = !number || !c_.program.units[*number]->trigger.schedule;
  if (gone) return c_.txn.put_meta(state_name(*rule), "{}");
  const plan::UnitPlan& unit = *c_.program.units[*number];
  schedule::Schedule schedule = schedule_of(unit);
  schedule::Firing firing = *state->next;
  bool late = c_.now.ms - firing.at.ms > kLateMs;
  bool run = true;
  if (late && schedule.catch_up != schedule::CatchUp::kAll) {
    // The firings of the time in which nothing ran, this one among them.
    Instant before{firing.at.ms - 1};
    Instant until =
        schedule.catch_up == schedule::CatchUp::kNever ? Instant{c_.now.ms - kLateMs - 1} : c_.now;
    schedule::Missed missed = schedule::missed(schedule, before, until, 1);
    run = schedule.catch_up == schedule::CatchUp::kOnce;
    if (run && !missed.to_run.empty()) firing = missed.to_run.back();
    int64_t skipped = static_cast<int64_t>(missed.count) - (run ? 1 : 0);
    state->missed += std::max<int64_t>(skipped, 0);
    state->next = schedule::next(schedule, run ? firing.at : until);
    if (state->next && state->next->at <= firing.at && run)
      state->next = schedule::next(schedule, firing);
  } else {
    state->next = schedule::next(schedule, firing);
  }
  if (run) ++state->runs;
  if (Status kept = keep_schedule(unit, *state); !kept) return kept;
  return run ? run_schedule(*number, firing) : Status();
}

// Once, or once for each record it is over, each a chain of its own.
Status Cascade::run_schedule(uint32_t number, const schedule::Firing& firing) {
  const plan::UnitPlan& unit = *c_.program.units[number];
  Change change;
  change.at = c_.now;
  change.event = base::hash_key({"schedule", unit.rule.view(), firing.nominal()});
  change.after = std::make_shared<const types::Record>();
  if (!unit.trigger.over) {
    MatchResult match = matcher_.examine(number, change, c_.now, nullptr);
    if (match.stop != Stop::kNone && match.stop != Stop::kFault) return {};
    if (c_.coverage != nullptr) ++c_.coverage->runs[number];
    if (Status ran = run_unit(number, change, match); !ran) return ran;
    return follow_chain();
  }
  Run run = make_run(unit, change, "", change.event);
  Frame frame = first_frame(unit);
  const plan::FinderPlan& over = unit.body.finders[*unit.trigger.over];
  Result<std::vector<std::string>> ids = find(run, frame, over, true);
  if (!ids) {
    if (ids.error().code != ErrorCode::kFault && ids.error().code != ErrorCode::kBoundExceeded)
      return ids.error();
    run.decision.fault = ids.error().message;
    return finish(run, "failed");
  }
  for (const std::string& id : *ids) {
    Change of_record = change;
    of_record.after = c_.book.find(over.object, id);
    // An earlier one of the firing has deleted it.
    if (of_record.after == nullptr) continue;
    of_record.before = of_record.after;
    begin_chain();
    MatchResult match = matcher_.examine(number, of_record, c_.now, nullptr);
    if (match.stop != Stop::kNone && match.stop != Stop::kFault) continue;
    if (c_.coverage != nullptr) ++c_.coverage->runs[number];
    if (Status ran = run_unit(number, of_record, match); !ran) return ran;
    if (Status followed = follow_chain(); !followed) return followed;
  }
  return {};
}

}  // namespace ensue::engine
