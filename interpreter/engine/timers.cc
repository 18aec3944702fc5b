// Timers: what happens at a time of its own. Due ones fire between events, in order of due time and
// id.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/key128.h"
#include "engine/cascade.h"
#include "engine/record_codec.h"

namespace ensue::engine {
namespace {

// Ids that sort in the order of the decisions they come from: deferred runs are tried in their
// first order.
Key128 ordered_key(int64_t order, const Key128& key) {
  Key128 out = key;
  auto n = static_cast<uint64_t>(order);
  for (int i = 0; i < 8; ++i)
    out.bytes[static_cast<size_t>(i)] = static_cast<unsigned char>(n >> (56 - 8 * i));
  return out;
}

}  // namespace

Status Cascade::put_timer(Instant due, const Key128& id, const char* kind, std::string payload) {
  next_timer_.reset();
  return c_.txn.put_timer({due, id, kind, std::move(payload)});
}

Status Cascade::advance(Instant to) {
  constexpr size_t kFiredAtOnceMax = 256;
  constexpr int kRepeatsMax = 1000;
  int repeats = 0;                // of the same timer in front
  std::optional<TimerRow> first;  // of those fired last
  if (!c_.flows.armed) {
    if (Status armed = arm_schedules(c_.now == Instant{} ? to : c_.now); !armed) return armed;
  }
  for (;;) {
    const bool asked = !next_timer_;  // else it may have been taken away since
    if (asked) {
      Result<std::optional<Instant>> next = c_.txn.next_timer();
      if (!next) return next.error();
      next_timer_ = *next;
    }
    if (!next_timer_->has_value() || **next_timer_ > to) break;
    Result<std::vector<TimerRow>> due =
        c_.txn.due_timers(std::max(**next_timer_, c_.now), kFiredAtOnceMax);
    if (!due) return due.error();
    if (due->empty() && !asked) {
      next_timer_.reset();
      continue;
    }
    // The next one is due, so there is one, and what fired is gone: else this would go on for ever.
    // A timer may put itself off to the same instant while others of it are in the way.
    bool again =
        first && !due->empty() && first->due == due->front().due && first->id == due->front().id;
    repeats = again ? repeats + 1 : 0;
    if (due->empty() || repeats > kRepeatsMax)
      return {ErrorCode::kStoreDamaged, "the timers of the store cannot be read"};
    first = due->front();
    for (const TimerRow& timer : *due) {
      if (timer.due > to) break;
      if (timer.due > c_.now) c_.now = timer.due;
      if (Status removed = c_.txn.remove_timer(timer.due, timer.id); !removed) return removed;
      ++c_.report.timers;
      if (Status fired = fire(timer); !fired) return fired;
    }
    next_timer_.reset();
  }
  if (to > c_.now) c_.now = to;
  return {};
}

Status Cascade::fire(const TimerRow& timer) {
  begin_chain();
  Status fired;
  if (timer.kind == "deferred") {
    fired = fire_deferred(timer);
  } else if (timer.kind == "reminder_expiry") {
    fired = fire_reminder_expiry(timer);
  } else if (timer.kind == "reminder_snooze") {
    fired = fire_reminder_snooze(timer);
  } else if (timer.kind == "wait") {
    auto run = base::key_from_hex(timer.payload);
    if (!run) return {ErrorCode::kStoreDamaged, "the timer of a waiting run cannot be read"};
    fired = wake(*run);
  } else if (timer.kind == "answer") {
    auto run = base::key_from_hex(timer.payload);
    if (!run) return {ErrorCode::kStoreDamaged, "the answer to a run cannot be read"};
    fired = answered(*run);
  } else if (timer.kind == "schedule") {
    fired = fire_schedule(timer);
  } else {
    return {ErrorCode::kStoreDamaged, fmt::format("a timer of unknown kind \"{}\"", timer.kind)};
  }
  if (!fired) return fired;
  return follow_chain();
}

// ---- Deferred runs ----------------------------------------------------------------------------

// Tried once at the next day's start, in the first order, before that day's events.
Status Cascade::defer(Run& run, const limits::LimitState& limit) {
  Result<int64_t> order = c_.txn.total("deferred");
  if (!order) return order.error();
  if (Status counted = c_.txn.add_total("deferred", 1); !counted) return counted;
  nlohmann::ordered_json payload{{"rule", base::to_hex(run.unit.rule)},
                                 {"run", base::to_hex(run.key)},
                                 {"record", run.decision.record},
                                 {"person", run.person},
                                 {"change", change_text(run.change)}};
  // A day that is held because the clock jumped has its end behind it.
  bool ends_later = limit.per_day && limit.resets_at > c_.now;
  Instant due = ends_later ? limit.resets_at : c_.ledger.next_day_start(c_.now);
  if (Status timed =
          put_timer(due, ordered_key(*order, run.key), "deferred",
                    payload.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
      !timed)
    return timed;
  return finish(run, "deferred");
}

Status Cascade::fire_deferred(const TimerRow& timer) {
  auto payload = nlohmann::json::parse(timer.payload, nullptr, false);
  if (!payload.is_object()) return {ErrorCode::kStoreDamaged, "a deferred run cannot be read"};
  auto text = [&](const char* name) {
    auto found = payload.find(name);
    return found != payload.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  auto rule = base::key_from_hex(text("rule"));
  auto first_run = base::key_from_hex(text("run"));
  std::string record = text("record");
  std::string person = text("person");
  if (!rule || !first_run) return {ErrorCode::kStoreDamaged, "a deferred run cannot be read"};
  const plan::UnitPlan* unit = c_.program.find_unit(*rule);
  auto named = parse_record_name(record);
  std::optional<Change> change =
      named ? stored_change(named->first, named->second, text("change")) : std::nullopt;
  // The automation or the record is gone, or it is off by now: nothing is left to try.
  if (unit == nullptr || !change || change->after->deleted) return {};
  if (unit->kind == plan::UnitKind::kAction && !c_.activations.active(*unit, person)) return {};
  if (!matcher_.still_holds(*unit, *change, person, c_.now)) return {};
  Key128 key = base::hash_key({"deferred", first_run->view()});
  Run run = make_run(*unit, *change, person, key);
  run.decision.at = c_.now;
  auto refused = charge_execution(run);
  if (!refused) return refused.error();
  if (*refused) {  // again: dropped
    run.decision.limit = limit_record(**refused);
    return finish(run, "suppressed");
  }
  return execute(run);
}

// ---- Reminders --------------------------------------------------------------------------------

Status Cascade::fire_reminder_expiry(const TimerRow& timer) {
  Result<std::optional<ReminderRow>> row = c_.txn.reminder(timer.id);
  if (!row) return row.error();
  bool live = row->has_value() && ((*row)->state == "open" || (*row)->state == "snoozed");
  return live ? close_reminder(**row, "expired") : Status();
}

// Offered again if the condition still holds, else it expires.
Status Cascade::fire_reminder_snooze(const TimerRow& timer) {
  Result<std::optional<ReminderRow>> row = c_.txn.reminder(timer.id);
  if (!row) return row.error();
  if (!row->has_value() || (*row)->state != "snoozed") return {};
  ReminderRow after = **row;
  const plan::UnitPlan* unit = c_.program.find_unit(after.rule);
  auto named = parse_record_name(after.record);
  std::optional<Change> change =
      named ? stored_change(named->first, named->second, after.change) : std::nullopt;
  bool holds = unit != nullptr && change && !change->after->deleted &&
               matcher_.still_holds(*unit, *change, after.person, c_.now);
  // Where it expires at the same time, this timer stands in the place of the one that would end it.
  bool over = after.expires_at && *after.expires_at <= c_.now;
  if (!holds || over) return close_reminder(std::move(after), "expired");
  after.state = "open";
  after.snoozed_until.reset();
  return c_.txn.put_reminder(after);
}

// ---- Stored changes ---------------------------------------------------------------------------

std::string Cascade::change_text(const Change& change) const {
  LastChange last;
  last.kind = change.is_new ? types::ChangeKind::kCreate : types::ChangeKind::kUpdate;
  last.at = change.at;
  last.event = change.event;
  last.by = change.by;
  last.before = values_before(change);
  return RecordCodec(c_.program.schema(), c_.program.options.bounds)
      .encode_change(last, change.after->object);
}

std::optional<Change> Cascade::stored_change(types::ObjectId object, const std::string& id,
                                             const std::string& text) {
  types::RecordPtr present = c_.book.image(object, id);
  if (present == nullptr) return std::nullopt;
  RecordCodec codec(c_.program.schema(), c_.program.options.bounds);
  Result<LastChange> last = codec.decode_change(object, text);
  if (!last) return std::nullopt;
  return change_from(*last, present);
}

std::optional<std::pair<types::ObjectId, std::string>> Cascade::parse_record_name(
    const std::string& name) const {
  size_t slash = name.find('/');
  if (slash == std::string::npos) return std::nullopt;
  types::ObjectId object = c_.program.schema().find_object(name.substr(0, slash));
  if (!object) return std::nullopt;
  return std::pair(object, name.substr(slash + 1));
}

}  // namespace ensue::engine
