// Waiting: how a run is put down in the store, and what makes it go on. Runs that wait are rows;
// what wakes them at a time stands in the ordered table of timers.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/fold.h"
#include "base/key128.h"
#include "engine/cascade.h"
#include "value/time_text.h"

namespace ensue::engine {

using plan::Do;

namespace {

Key128 wake_key(const Key128& run) { return base::hash_key({"wake", run.view()}); }

}  // namespace

Result<Instant> Cascade::after(const plan::UnitPlan& unit, Instant from,
                               const Duration& duration) const {
  auto at = exec::add_duration(Value::datetime(from), duration, false, c_.program.zone,
                               unit.calendar.get());
  if (!at) return at.error();
  return at->as_instant();
}

// ---- Being put down ---------------------------------------------------------------------------

Result<Cascade::Next> Cascade::suspend(Run& run, Frame& frame, const char* state,
                                       std::optional<Instant> due, std::string detail) {
  if (run.in_hand != nullptr) return {ErrorCode::kFault, "a before-save flow does not wait"};
  FlowRunRow row;
  row.run = run.key;
  row.rule = run.unit.rule;
  row.automation = run.unit.name;
  row.record = run.decision.record;
  row.user = run.person;
  row.state = state;
  row.since = c_.now;
  row.due = due;
  row.wakes = run.wakes;
  row.program = run.program->fingerprint;
  row.frame = encode_frame(frame);
  row.detail = std::move(detail);
  const Bounds& bounds = c_.program.options.bounds;
  if (row.frame.size() > bounds.frame_bytes_max) {
    return {ErrorCode::kBoundExceeded,
            fmt::format("a waiting run holds more than {} bytes", bounds.frame_bytes_max)};
  }
  if (Status kept = keep_version(); !kept) return kept.error();
  if (Status put = c_.txn.put_flow_run(row); !put) return put.error();
  if (due) {
    if (Status timed = put_timer(*due, wake_key(run.key), "wait", base::to_hex(run.key)); !timed)
      return timed.error();
  }
  c_.flows.waiting = true;
  return Next::kWait;
}

// The sources of the program at work stand in the store as long as a run may need them.
Status Cascade::keep_version() {
  const std::string& fingerprint = c_.program.fingerprint;
  if (c_.flows.kept.count(fingerprint) != 0) return {};
  std::string name = "program/" + fingerprint;
  Result<std::optional<std::string>> known = c_.txn.meta(name);
  if (!known) return known.error();
  if (!known->has_value()) {
    if (Status put = c_.txn.put_meta(name, stored_sources(c_.program)); !put) return put;
  }
  c_.flows.kept.insert(fingerprint);
  return {};
}

Result<ProgramPtr> Cascade::version(const std::string& fingerprint) {
  auto found = c_.flows.older.find(fingerprint);
  if (found != c_.flows.older.end()) return found->second;
  Result<std::optional<std::string>> sources = c_.txn.meta("program/" + fingerprint);
  if (!sources) return sources.error();
  if (!sources->has_value())
    return {ErrorCode::kStoreDamaged, "the program that a waiting run began with is not there"};
  Result<ProgramPtr> loaded = load_older_program(c_.program, **sources);
  if (loaded) c_.flows.older[fingerprint] = *loaded;
  return loaded;
}

Status Cascade::drop_timer(const FlowRunRow& row) {
  if (!row.due) return {};
  next_timer_.reset();
  return c_.txn.remove_timer(*row.due, wake_key(row.run));
}

// A failed run is kept as it was when the part that failed began.
Status Cascade::keep_failed(Run& run, const Frame& begun) {
  FlowRunRow row;
  row.run = run.key;
  row.rule = run.unit.rule;
  row.automation = run.unit.name;
  row.record = run.decision.record;
  row.user = run.person;
  row.state = "failed";
  row.since = c_.now;
  row.wakes = run.wakes;
  row.program = run.program->fingerprint;
  row.frame = encode_frame(begun);
  row.detail = run.decision.fault;
  if (Status kept = keep_version(); !kept) return kept;
  return c_.txn.put_flow_run(row);
}

// ---- Statements that wait ---------------------------------------------------------------------

Result<Cascade::Next> Cascade::wait_for_time(Run& run, Frame& frame, const plan::Instruction& at) {
  const plan::UnitPlan& unit = unit_at(run, frame);
  const plan::WaitPlan& plan = unit.body->waits[at.a];
  auto over = [&](bool in_time) -> Result<Next> {
    frame.deadline.reset();
    if (in_time) return Next::kOn;
    frame.stack.back().at = at.target;
    return Next::kStay;
  };
  const bool first = !frame.deadline;
  if (at.op == Do::kWaitFor) {
    if (first) {
      Result<Instant> due = after(unit, c_.now, *plan.duration);
      if (!due) return due.error();
      frame.deadline = *due;
    }
    if (*frame.deadline <= c_.now) return over(true);
    return suspend(run, frame, "waiting", *frame.deadline,
                   statement_text(run, unit, at.range, false));
  }
  Result<Value> until = evaluate(run, frame, plan.until);
  if (!until) return until.error();
  if (!until->is(Value::Kind::kDatetime))
    return {ErrorCode::kFault, "the time to wait until is blank"};
  if (until->as_instant() <= c_.now || std::exchange(frame.fired, false)) return over(true);
  if (first && plan.at_most) {
    Result<Instant> due = after(unit, c_.now, *plan.at_most);
    if (!due) return due.error();
    frame.deadline = *due;
  }
  if (frame.deadline && *frame.deadline <= c_.now) return over(false);
  Instant due = until->as_instant();
  if (frame.deadline) due = std::min(due, *frame.deadline);
  return suspend(run, frame, "waiting", due, statement_text(run, unit, at.range, false));
}

Result<Cascade::Next> Cascade::wait_until(Run& run, Frame& frame, const plan::Instruction& at) {
  const plan::UnitPlan& unit = unit_at(run, frame);
  const plan::WaitPlan& plan = unit.body->waits[at.a];
  Result<Value> holds = evaluate(run, frame, plan.until);
  if (!holds) return holds.error();
  if (holds->truth()) {
    frame.deadline.reset();
    return Next::kOn;
  }
  if (!frame.deadline && plan.at_most) {
    Result<Instant> due = after(unit, c_.now, *plan.at_most);
    if (!due) return due.error();
    frame.deadline = *due;
  }
  if (frame.deadline && *frame.deadline <= c_.now) {
    frame.deadline.reset();
    frame.stack.back().at = at.target;
    return Next::kStay;
  }
  return suspend(run, frame, "waiting", frame.deadline, statement_text(run, unit, at.range, false));
}

// A screen asks; the answers come from a person, later.
Result<Cascade::Next> Cascade::show(Run& run, Frame& frame, const plan::Instruction& at) {
  const plan::UnitPlan& unit = unit_at(run, frame);
  const plan::ScreenPlan& plan = unit.body->screens[at.a];
  if (frame.answers == nullptr) return suspend(run, frame, "asking", std::nullopt, plan.title);
  const Values& answers = *frame.answers;
  frame.answers = nullptr;
  const types::Schema& schema = c_.program.schema();
  for (const auto& [name, value] : answers) {
    bool asked = std::any_of(plan.asks.begin(), plan.asks.end(), [&, &key = name](const auto& ask) {
      return base::equal_folded(ask.name, key);
    });
    if (!asked)
      return {ErrorCode::kInvalidArgument,
              fmt::format("the screen \"{}\" does not ask for {}", plan.title, name)};
  }
  for (const plan::AskPlan& ask : plan.asks) {
    Value value = ask.default_value;
    for (const auto& [name, given] : answers) {
      if (base::equal_folded(ask.name, name) && !given.is_blank()) value = given;
    }
    if (value.is_blank() && ask.required)
      return {ErrorCode::kInvalidArgument, fmt::format("\"{}\" needs an answer", ask.label)};
    if (ask.type.is(types::TypeKind::kPicklist) && !value.is_blank()) {
      const types::Picklist& choices = schema.picklist(ask.type.picklist);
      const std::string* known = choices.find(value.as_text());
      if (known == nullptr && !choices.open)
        return {ErrorCode::kInvalidArgument,
                fmt::format("\"{}\" has no choice \"{}\"", ask.label, value.as_text())};
      if (known != nullptr) value = Value::text(*known);
    }
    frame.stack.back().locals[ask.slot] = std::move(value);
  }
  return Next::kOn;
}

// ---- Going on ---------------------------------------------------------------------------------

Status Cascade::resume(const FlowRunRow& row, Frame frame) {
  ProgramPtr older;
  const Program* program = &c_.program;
  std::optional<Error> misfit;
  if (row.program != c_.program.fingerprint) {
    Result<ProgramPtr> loaded = version(row.program);
    if (loaded) {
      older = *loaded;
      program = older.get();
    } else if (loaded.error().code == ErrorCode::kFault) {
      misfit = loaded.error();
    } else {
      return loaded.error();
    }
  }
  Change change;
  change.at = c_.now;
  change.event = base::hash_key({"part", row.run.view(), std::to_string(row.wakes + 1)});
  change.after = std::make_shared<const types::Record>();
  if (!row.record.empty()) {
    auto named = parse_record_name(row.record);
    types::RecordPtr present = named ? c_.book.image(named->first, named->second) : nullptr;
    if (present == nullptr) return cancel(row, fmt::format("{} is gone", row.record));
    change.after = present;
  }
  change.before = change.after;
  const plan::UnitPlan* unit = program->find_unit(row.rule);
  if (unit == nullptr || misfit) {
    return cancel(row, misfit ? misfit->message : "the flow is not there any more");
  }
  bool sound = true;
  for (const Activation& activation : frame.stack) {
    const plan::UnitPlan* part = program->find_unit(activation.rule);
    sound = sound && part != nullptr && activation.at < part->body->code.size() &&
            activation.locals.size() == part->body->slots;
  }
  if (!sound) return {ErrorCode::kStoreDamaged, "a waiting run does not fit its flow"};
  if (Status dropped = drop_timer(row); !dropped) return dropped;
  Run run = make_run(*unit, change, row.user, row.run);
  run.program = program;
  run.part = change.event;
  run.wakes = row.wakes + 1;
  run.waited = true;
  return proceed(run, frame);
}

Status Cascade::wake(const Key128& key) {
  Result<std::optional<FlowRunRow>> row = c_.txn.flow_run(key);
  if (!row) return row.error();
  if (!row->has_value() || (*row)->state == "failed" || (*row)->state == "calling") return {};
  if ((*row)->state == "queued") return begin_queued(**row);
  Result<Frame> frame = decode_frame((*row)->frame);
  if (!frame) return frame.error();
  return resume(**row, std::move(*frame));
}

Status Cascade::answered(const Key128& key) {
  Result<std::optional<FlowRunRow>> row = c_.txn.flow_run(key);
  if (!row) return row.error();
  if (!row->has_value() || (*row)->state != "calling") return {};
  Result<Frame> frame = decode_frame((*row)->frame);
  if (!frame) return frame.error();
  frame->answered = true;
  return resume(**row, std::move(*frame));
}

Status Cascade::wake_about(const Change& change) {
  constexpr size_t kMost = 100'000;
  std::string name = record_name(c_.program.schema(), *change.after);
  Result<std::vector<FlowRunRow>> rows = c_.txn.flow_runs_about(name, kMost);
  if (!rows) return rows.error();
  for (const FlowRunRow& row : *rows) {
    if (change.after->deleted) {
      if (Status ended = cancel(row, fmt::format("{} was deleted", name)); !ended) return ended;
      continue;
    }
    if (row.state != "waiting") continue;
    // An earlier one of the list may have ended it.
    Result<std::optional<FlowRunRow>> present = c_.txn.flow_run(row.run);
    if (!present) return present.error();
    if (!present->has_value() || (*present)->wakes != row.wakes || (*present)->state != row.state)
      continue;
    Result<Frame> frame = decode_frame(row.frame);
    if (!frame) return frame.error();
    const Program* program = &c_.program;
    if (row.program != c_.program.fingerprint) {
      Result<ProgramPtr> older = version(row.program);
      if (!older && older.error().code != ErrorCode::kFault) return older.error();
      if (!older) continue;
      program = older->get();
    }
    const plan::UnitPlan* outer = program->find_unit(row.rule);
    const plan::UnitPlan* unit = program->find_unit(frame->stack.back().rule);
    if (outer == nullptr || unit == nullptr || frame->stack.back().at >= unit->body->code.size())
      continue;
    const plan::Instruction& at = unit->body->code[frame->stack.back().at];
    if (at.op != Do::kWaitUntil && at.op != Do::kWaitUntilTime) continue;
    Run run = make_run(*outer, change, row.user, row.run);
    run.program = program;
    Result<Value> value = evaluate(run, *frame, unit->body->waits[at.a].until);
    if (at.op == Do::kWaitUntil) {
      // What cannot be judged goes on, and faults there.
      if (value && !value->truth()) continue;
      frame->steps = 0;
      if (Status gone_on = resume(row, std::move(*frame)); !gone_on) return gone_on;
      continue;
    }
    bool time = value && value->is(Value::Kind::kDatetime);
    Instant due = time ? value->as_instant() : c_.now;
    if (frame->deadline) due = std::min(due, *frame->deadline);
    if (row.due == due) continue;
    if (Status moved = move(row, std::max(due, c_.now)); !moved) return moved;
  }
  return {};
}

Status Cascade::move(const FlowRunRow& row, Instant due) {
  if (Status dropped = drop_timer(row); !dropped) return dropped;
  FlowRunRow after = row;
  after.due = due;
  if (Status put = c_.txn.put_flow_run(after); !put) return put;
  return put_timer(due, wake_key(row.run), "wait", base::to_hex(row.run));
}

// A run that ends without going on, with a line that says why.
Status Cascade::cancel(const FlowRunRow& row, const std::string& why) {
  if (Status dropped = drop_timer(row); !dropped) return dropped;
  if (Status removed = c_.txn.remove_flow_run(row.run); !removed) return removed;
  RunRow told;
  Decision decision;
  decision.at = c_.now;
  decision.automation = row.automation;
  decision.kind = "flow";
  decision.record = row.record;
  decision.user = row.user.empty() ? "system" : row.user;
  decision.status = "cancelled";
  decision.part = row.wakes + 1;
  EffectRecord line;
  line.op = "log";
  line.target = row.record;
  line.text = why;
  line.outcome = "logged";
  decision.effects.push_back(std::move(line));
  told.run = base::hash_key({"part", row.run.view(), std::to_string(row.wakes + 1)});
  told.rule = row.rule;
  told.event = told.run;
  if (Status kept = tell(told, decision); !kept) return kept;
  return dequeue(row.rule, row.record);
}

// ---- Modes ------------------------------------------------------------------------------------

Result<bool> Cascade::may_begin(Run& run) {
  const plan::UnitPlan& unit = run.unit;
  const plan::TriggerPlan& trigger = *unit.trigger;
  bool free = trigger.mode == plan::Mode::kParallel && !trigger.at_most;
  if (free || !c_.flows.waiting) return true;
  std::string lane = trigger.per_record ? run.decision.record : "";
  constexpr size_t kMost = 100'000;
  size_t most = trigger.mode == plan::Mode::kRestart ? kMost : trigger.at_most.value_or(1);
  Result<std::vector<FlowRunRow>> rows = c_.txn.flow_runs_of(unit.rule, lane, most);
  if (!rows) return rows.error();
  if (rows->empty()) return true;
  switch (trigger.mode) {
    case plan::Mode::kSingle: return false;
    case plan::Mode::kRestart:
      for (const FlowRunRow& row : *rows) {
        if (Status ended = cancel(row, "a later start takes its place"); !ended)
          return ended.error();
      }
      return true;
    case plan::Mode::kParallel: return rows->size() < *trigger.at_most;
    case plan::Mode::kQueued: break;
  }
  if (trigger.at_most && rows->size() >= *trigger.at_most) return false;
  // It is let through, and charged, now; it runs when its turn comes.
  Result<bool> through = let_through(run);
  if (!through || !*through) return through;
  Frame frame = first_frame(unit);
  if (Result<Next> put = suspend(run, frame, "queued", std::nullopt, "behind another run"); !put)
    return put.error();
  if (Status told = finish(run, "waiting"); !told) return told.error();
  return false;
}

Status Cascade::begin_queued(const FlowRunRow& row) {
  Result<Frame> frame = decode_frame(row.frame);
  if (!frame) return frame.error();
  return resume(row, std::move(*frame));
}

Status Cascade::dequeue(const Key128& rule, const std::string& record) {
  const plan::UnitPlan* unit = c_.program.find_unit(rule);
  if (unit == nullptr || unit->trigger->mode != plan::Mode::kQueued || !c_.flows.waiting) return {};
  Result<std::vector<FlowRunRow>> rows =
      c_.txn.flow_runs_of(rule, unit->trigger->per_record ? record : "", 1);
  if (!rows) return rows.error();
  if (rows->empty() || rows->front().state != "queued") return {};
  Later next;
  next.run = rows->front().run;
  later_.push_back(std::move(next));
  return {};
}

// ---- What people and hosts do -----------------------------------------------------------------

Result<Key128> Cascade::call_flow(const plan::UnitPlan& unit, const Values& arguments,
                                  const std::string& person) {
  begin_chain();
  for (const auto& [name, value] : arguments) {
    bool known =
        std::any_of(unit.body->takes.begin(), unit.body->takes.end(),
                    [&, &key = name](const auto& p) { return base::equal_folded(p.name, key); });
    if (!known)
      return {ErrorCode::kInvalidArgument, fmt::format("flow \"{}\" takes no {}", unit.name, name)};
  }
  if (Status counted = c_.txn.add_total("called", 1); !counted) return counted.error();
  Result<int64_t> number = c_.txn.total("called");
  if (!number) return number.error();
  Change change;
  change.at = c_.now;
  change.event = base::hash_key({"called", std::to_string(*number)});
  change.after = std::make_shared<const types::Record>();
  Key128 key = base::hash_key({"run", change.event.view(), "", unit.rule.view(), "0"});
  Run run = make_run(unit, change, person, key);
  Result<bool> begins = may_begin(run);
  if (!begins) return begins.error();
  if (!*begins) return key;
  Result<bool> through = let_through(run);
  if (!through) return through.error();
  if (!*through) return key;
  Frame frame = first_frame(unit);
  Activation& first = frame.stack.front();
  for (const plan::ParameterPlan& parameter : unit.body->takes) {
    for (const auto& [name, value] : arguments) {
      if (base::equal_folded(parameter.name, name)) first.locals[parameter.slot] = value;
    }
    if (first.locals[parameter.slot].is_blank())
      return {ErrorCode::kInvalidArgument,
              fmt::format("flow \"{}\" needs {}", unit.name, parameter.name)};
  }
  if (Status done = proceed(run, frame); !done) return done.error();
  if (Status followed = follow_chain(); !followed) return followed.error();
  return key;
}

Status Cascade::answer(const FlowRunRow& row, const Values& answers) {
  if (row.state != "asking") return {ErrorCode::kInvalidArgument, "the run does not ask anything"};
  begin_chain();
  Result<Frame> frame = decode_frame(row.frame);
  if (!frame) return frame.error();
  frame->answers = &answers;
  if (Status done = resume(row, std::move(*frame)); !done) return done;
  return follow_chain();
}

Status Cascade::retry(const FlowRunRow& row) {
  if (row.state != "failed") return {ErrorCode::kInvalidArgument, "the run has not failed"};
  begin_chain();
  Result<Frame> frame = decode_frame(row.frame);
  if (!frame) return frame.error();
  if (Status done = resume(row, std::move(*frame)); !done) return done;
  return follow_chain();
}

Status Cascade::fire_now(const FlowRunRow& row) {
  if (row.state != "waiting" && row.state != "retrying")
    return {ErrorCode::kInvalidArgument,
            fmt::format("the run does not wait for a time; it is {}", row.state)};
  begin_chain();
  Result<Frame> frame = decode_frame(row.frame);
  if (!frame) return frame.error();
  // Its time has come: a wait for a length of time is over, one with a deadline has reached it.
  frame->deadline = c_.now;
  frame->fired = true;
  if (Status done = resume(row, std::move(*frame)); !done) return done;
  return follow_chain();
}

Status Cascade::move_to(const FlowRunRow& row, Instant due) {
  if (!row.due) return {ErrorCode::kInvalidArgument, "the run does not wait for a time"};
  return move(row, due);
}

Status Cascade::end(const FlowRunRow& row, const std::string& why) {
  begin_chain();
  if (Status ended = cancel(row, why); !ended) return ended;
  return follow_chain();
}

}  // namespace ensue::engine
