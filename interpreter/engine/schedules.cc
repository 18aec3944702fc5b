// Schedules: one timer stands for the next firing of each; what has fired stands beside it, in the
// commit of the firing.
#include <fmt/format.h>

#include "base/key128.h"
#include "engine/cascade.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

// A firing this late was missed: nothing ran at its time.
constexpr int64_t kLateMs = 60'000;

Key128 timer_key(const Key128& rule) { return base::hash_key({"schedule", rule.view()}); }

}  // namespace

schedule::Schedule Cascade::schedule_of(const plan::UnitPlan& unit) const {
  schedule::Schedule out = *unit.trigger->schedule;
  if (unit.trigger->org_zone) out.zone = c_.program.zone;
  return out;
}

Status Cascade::keep_schedule(const plan::UnitPlan& unit, const ScheduleState& state) {
  if (state.next) {
    Status timed =
        put_timer(state.next->at, timer_key(unit.rule), "schedule", base::to_hex(unit.rule));
    if (!timed) return timed;
  }
  return keep_schedule_state(c_.txn, unit.rule, unit.name, state);
}

// Gives every schedule of the program its timer. One that is as it was goes on; a new or a changed
// one begins at `base`.
Status Cascade::arm_schedules(Instant base) {
  for (const plan::UnitPtr& unit : c_.program.units) {
    if (unit->trigger->kind != plan::TriggerKind::kSchedule || !unit->trigger->schedule) continue;
    Result<ScheduleState> state = read_schedule_state(c_.txn, unit->rule);
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
  Result<ScheduleState> state = read_schedule_state(c_.txn, *rule);
  if (!state) return state.error();
  std::optional<uint32_t> number = c_.program.find_unit_number(*rule);
  if (!state->next || state->next->at != timer.due) return {};
  bool gone = !number || !c_.program.units[*number]->trigger->schedule;
  if (gone) return forget_schedule_state(c_.txn, *rule);
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
  if (!unit.trigger->over) {
    MatchResult match = matcher_.examine(number, change, c_.now, nullptr);
    if (match.stop != Stop::kNone && match.stop != Stop::kFault) return {};
    if (c_.coverage != nullptr) ++c_.coverage->runs[number];
    if (Status ran = run_unit(number, change, match); !ran) return ran;
    return follow_chain();
  }
  Run run = make_run(unit, change, "", change.event);
  Frame frame = first_frame(unit);
  const plan::FinderPlan& over = unit.body->finders[*unit.trigger->over];
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
