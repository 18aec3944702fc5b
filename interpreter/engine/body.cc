// Running a body: the one loop over instructions, for actions and flows alike, and what its
// statements do to records. Waiting is in waits.cc, services and e-mail in calls.cc, cadences in
// effects.cc.
#include <fmt/format.h>

#include <algorithm>

#include "base/fold.h"
#include "base/key128.h"
#include "base/utf8.h"
#include "engine/cascade.h"
#include "engine/coerce.h"
#include "value/compare.h"
#include "value/text.h"

namespace ensue::engine {

using plan::Do;

namespace {

constexpr size_t kTrailMax = 8;
constexpr size_t kQuotedMax = 100;

bool is_fault(const Error& error) {
  return error.code == ErrorCode::kFault || error.code == ErrorCode::kBoundExceeded ||
         error.code == ErrorCode::kLimitReached;
}

// Statements that may have done a part of their work when they fault.
bool writes(Do op) {
  return (op >= Do::kSet && op <= Do::kDelete) || op == Do::kEffect || op == Do::kCall ||
         op == Do::kSend;
}

}  // namespace

// ---- Savepoints -------------------------------------------------------------------------------

Result<Cascade::Mark> Cascade::mark() {
  if (Status made = c_.txn.savepoint(); !made) return made.error();
  return Mark{c_.book.mark(), queue_.size(), later_.size(), c_.report.decisions.size(),
              c_.report.statuses};
}

Status Cascade::rollback(const Mark& mark) {
  c_.book.rollback(mark.book);
  // What was queued since then stands behind what was queued before.
  while (queue_.size() > mark.queue) queue_.pop_back();
  while (later_.size() > mark.later) later_.pop_back();
  c_.report.decisions.resize(mark.decisions);
  c_.report.statuses = mark.statuses;
  next_timer_.reset();
  return c_.txn.rollback_savepoint();
}

Status Cascade::release(const Mark& mark) {
  c_.book.release(mark.book);
  return c_.txn.release_savepoint();
}

// ---- A part of a run --------------------------------------------------------------------------

// From where the frame stands to the end, the next wait, or a fault. A fault takes back what this
// part of the run has done; the run is kept where the part began, for a person.
Status Cascade::proceed(Run& run, Frame& frame) {
  if (c_.keep_intents) {
    cause_ = fmt::format("{} \"{}\"", run.decision.kind, run.unit.name);
    if (!run.unit.author.empty()) cause_ += fmt::format(" by \"{}\"", run.unit.author);
  }
  // An action has one effect, which faults before it writes.
  const bool guarded = run.unit.kind != plan::UnitKind::kAction && run.in_hand == nullptr;
  std::optional<Mark> begun;
  Frame first;
  types::Record in_hand;
  if (guarded) {
    Result<Mark> made = mark();
    if (!made) return made.error();
    begun = std::move(*made);
    first = frame;
  } else if (run.in_hand != nullptr) {
    in_hand = *run.in_hand;
  }
  frame.steps = 0;
  const std::string record = run.decision.record;
  Result<Ending> ended = walk(run, frame);
  if (!ended) {
    if (!is_fault(ended.error())) return ended.error();
    run.decision.fault = ended.error().message;
    if (run.unit.kind != plan::UnitKind::kAction) run.decision.trace = trace_of(run, frame);
    if (run.in_hand != nullptr) *run.in_hand = std::move(in_hand);
    if (begun) {
      if (Status undone = rollback(*begun); !undone) return undone;
      run.decision.effects.clear();
      if (Status kept = keep_failed(run, first); !kept) return kept;
    }
    if (Status told = finish(run, "failed"); !told) return told;
    return dequeue(run.unit.rule, record);
  }
  if (begun) {
    if (Status kept = release(*begun); !kept) return kept;
  }
  if (*ended == Ending::kWaits) return finish(run, "waiting");
  if (run.waited) {
    if (Status removed = c_.txn.remove_flow_run(run.key); !removed) return removed;
  }
  if (Status told = finish(run, "executed"); !told) return told;
  return dequeue(run.unit.rule, record);
}

const plan::UnitPlan& Cascade::unit_at(const Run& run, const Frame& frame) const {
  const Key128& rule = frame.stack.back().rule;
  return rule == run.unit.rule ? run.unit : *run.program->find_unit(rule);
}

Result<Cascade::Ending> Cascade::walk(Run& run, Frame& frame) {
  const Bounds& bounds = c_.program.options.bounds;
  for (;;) {
    if (++frame.steps > bounds.run_steps_max) {
      return {ErrorCode::kBoundExceeded,
              fmt::format("the run takes more than {} steps", bounds.run_steps_max)};
    }
    Activation& top = frame.stack.back();
    const plan::UnitPlan& unit = unit_at(run, frame);
    const plan::Instruction& at = unit.body->code[top.at];
    const uint32_t ordinal = frame.ordinal;
    const size_t effects = run.decision.effects.size();
    const bool handled = writes(at.op) && run.in_hand == nullptr &&
                         std::any_of(frame.stack.begin(), frame.stack.end(),
                                     [](const Activation& row) { return !row.handlers.empty(); });
    std::optional<Mark> before;
    if (handled) {
      Result<Mark> made = mark();
      if (!made) return made.error();
      before = std::move(*made);
    }
    bool control = at.op == Do::kJump || at.op == Do::kBranch || at.op == Do::kEndTry ||
                   at.op == Do::kTry || at.op == Do::kStop;
    if (!control) {
      if (run.trail.size() == kTrailMax) run.trail.erase(run.trail.begin());
      run.trail.push_back(top.at);
    }
    Result<Next> next = perform(run, frame, at);
    if (next) {
      if (before) {
        if (Status kept = release(*before); !kept) return kept.error();
      }
    } else {
      if (!is_fault(next.error())) return next.error();
      if (before) {
        if (Status undone = rollback(*before); !undone) return undone.error();
      }
      run.decision.effects.resize(std::min(effects, run.decision.effects.size()));
      frame.ordinal = ordinal;
      frame.answered = false;
      next = handle_fault(run, frame, next.error());
      if (!next) return next.error();
    }
    switch (*next) {
      case Next::kOn: ++frame.stack.back().at; break;
      case Next::kStay: break;
      case Next::kWait: return Ending::kWaits;
      case Next::kEnd: return Ending::kDone;
    }
  }
}

// A fault goes to the innermost `try` that is open: it does the statement again, or its handler
// runs. A crossed bound or limit goes to none.
Result<Cascade::Next> Cascade::handle_fault(Run& run, Frame& frame, const Error& fault) {
  if (fault.code != ErrorCode::kFault) return fault;
  size_t depth = frame.stack.size();
  while (depth > 0 && frame.stack[depth - 1].handlers.empty()) --depth;
  if (depth == 0) return fault;
  while (frame.stack.size() > depth) {
    frame.ordinal = frame.stack.back().first_ordinal;
    frame.stack.pop_back();
  }
  frame.deadline.reset();
  Activation& top = frame.stack.back();
  const plan::UnitPlan& unit = unit_at(run, frame);
  Handler& handler = top.handlers.back();
  const plan::Instruction& begun = unit.body->code[handler.begun];
  const plan::TryPlan& plan = unit.body->tries[begun.a];
  if (handler.tries < plan.retries) {
    ++handler.tries;
    if (!plan.starting || run.in_hand != nullptr) return Next::kStay;
    Duration pause = *plan.starting;
    for (uint32_t i = 1; plan.doubling && i < handler.tries; ++i)
      pause.amount = std::min<int64_t>(pause.amount * 2, 1'000'000'000);
    Result<Instant> due = after(unit, c_.now, pause);
    if (!due) return due.error();
    return suspend(run, frame, "retrying", *due, fault.message);
  }
  top.handlers.pop_back();
  top.at = begun.target;
  if (plan.fault_slot != plan::kNoSlot) {
    top.locals[plan.fault_slot] = Value::list(
        {Value::text(exec::kObjectMark), Value::text("Message"), Value::text(fault.message)});
  }
  return Next::kStay;
}

// ---- Instructions -----------------------------------------------------------------------------

Result<Cascade::Next> Cascade::perform(Run& run, Frame& frame, const plan::Instruction& at) {
  const plan::UnitPlan& unit = unit_at(run, frame);
  const plan::Body& body = *unit.body;
  Activation& top = frame.stack.back();
  bool sets_only = run.in_hand != nullptr && (at.op >= Do::kUpdate || at.op == Do::kRun);
  if (sets_only)
    return {ErrorCode::kFault, "a before-save flow only sets fields of the record itself"};
  auto keep = [&](Result<Value> value) -> Result<Next> {
    if (!value) return value.error();
    top.locals[at.a] = std::move(*value);
    return Next::kOn;
  };
  switch (at.op) {
    case Do::kJump: top.at = at.target; return Next::kStay;
    case Do::kUnless: {
      Result<Value> holds = evaluate(run, frame, body.programs[at.a]);
      if (!holds) return holds.error();
      if (holds->truth()) return Next::kOn;
      top.at = at.target;
      return Next::kStay;
    }
    case Do::kEach: {
      const Value& list = top.locals[at.a];
      auto next = static_cast<size_t>(top.locals[at.a + 1].as_decimal().coefficient);
      std::span<const Value> items =
          list.is(Value::Kind::kList) ? list.as_list() : std::span<const Value>();
      if (next >= items.size()) {
        top.locals[at.a] = Value();
        top.at = at.target;
        return Next::kStay;
      }
      Value element = items[next];
      top.locals[at.b] = std::move(element);
      top.locals[at.a + 1] = Value::number(static_cast<int64_t>(next + 1));
      return Next::kOn;
    }
    case Do::kTry: top.handlers.push_back({top.at, 0}); return Next::kOn;
    case Do::kEndTry: top.handlers.pop_back(); return Next::kOn;
    case Do::kRun: return begin_subflow(run, frame, body.runs[at.a]);
    case Do::kStop: return end_activation(run, frame);
    case Do::kFault: {
      Result<Value> message = evaluate(run, frame, body.programs[at.a]);
      if (!message) return message.error();
      return {ErrorCode::kFault, value::plain_text(*message)};
    }
    case Do::kBranch: run.decision.branches.push_back(body.texts[at.a]); return Next::kOn;
    case Do::kLet: return keep(evaluate(run, frame, body.programs[at.b]));
    case Do::kFind: return keep(find_value(run, frame, body.finders[at.b]));
    case Do::kTurn: return keep(next_in_turn(body.texts[at.b]));
    case Do::kSet: {
      Result<Assigned> values = assigned(run, frame, body.writes[at.a]);
      if (!values) return values.error();
      types::RecordPtr it = record_in_hand(run);
      if (it == nullptr || it->deleted)
        return {ErrorCode::kFault, "the record to set is not there any more"};
      Status done = update_record(run, frame, *it, *values);
      return done ? Result<Next>(Next::kOn) : done.error();
    }
    case Do::kUpdate: {
      Result<Assigned> values = assigned(run, frame, body.writes[at.a]);
      if (!values) return values.error();
      Result<Value> id = evaluate(run, frame, body.programs[at.b]);
      if (!id) return id.error();
      Result<types::RecordPtr> record = record_named(body.writes[at.a].objects, id->as_text());
      if (!record) return record.error();
      Status done = update_record(run, frame, **record, *values);
      return done ? Result<Next>(Next::kOn) : done.error();
    }
    case Do::kUpdateFound: {
      Result<Assigned> values = assigned(run, frame, body.writes[at.a]);
      if (!values) return values.error();
      const plan::FinderPlan& finder = body.finders[at.b];
      Result<std::vector<std::string>> ids = find(run, frame, finder, true);
      if (!ids) return ids.error();
      for (const std::string& id : *ids) {
        types::RecordPtr record = c_.book.find(finder.object, id);
        if (Status done = update_record(run, frame, *record, *values); !done) return done.error();
      }
      return Next::kOn;
    }
    case Do::kCreate: {
      Status done = create_record(run, frame, body.writes[at.a], at.b);
      return done ? Result<Next>(Next::kOn) : done.error();
    }
    case Do::kDelete: {
      Result<Value> id = evaluate(run, frame, body.programs[at.a]);
      if (!id) return id.error();
      // Every record of a list, or the one.
      std::vector<Value> ids{*id};
      if (id->is(Value::Kind::kList)) ids.assign(id->as_list().begin(), id->as_list().end());
      for (const Value& one : ids) {
        Result<types::RecordPtr> record = record_named(body.writes[at.b].objects, one.as_text());
        if (!record) return record.error();
        if (Status done = delete_record(run, frame, **record); !done) return done.error();
      }
      return Next::kOn;
    }
    case Do::kWaitFor:
    case Do::kWaitUntilTime: return wait_for_time(run, frame, at);
    case Do::kWaitUntil: return wait_until(run, frame, at);
    case Do::kShow: return show(run, frame, at);
    case Do::kCall: return call_service(run, frame, body.calls[at.a]);
    case Do::kSend: return send_email(run, frame, body.mails[at.a]);
    case Do::kEffect: {
      if (Status counted = count_effect(run); !counted) return counted.error();
      Result<EffectRecord> done = apply_effect(run, frame, unit, unit.effects[at.a]);
      if (!done) return done.error();
      run.decision.effects.push_back(std::move(*done));
      return Next::kOn;
    }
    case Do::kLog: {
      if (Status counted = count_effect(run); !counted) return counted.error();
      Result<Value> text = evaluate(run, frame, body.programs[at.a]);
      if (!text) return text.error();
      EffectRecord line;
      line.op = "log";
      line.target = run.decision.record;
      line.text = value::plain_text(*text);
      line.outcome = "logged";
      run.decision.effects.push_back(std::move(line));
      return Next::kOn;
    }
  }
  return Next::kEnd;
}

Result<Cascade::Next> Cascade::begin_subflow(Run& run, Frame& frame, const plan::RunPlan& plan) {
  const Bounds& bounds = c_.program.options.bounds;
  if (frame.stack.size() >= bounds.subflow_depth_max) {
    return {ErrorCode::kBoundExceeded,
            fmt::format("subflows run each other more than {} deep", bounds.subflow_depth_max)};
  }
  const plan::UnitPlan* subflow = run.program->find_unit(plan.rule);
  if (subflow == nullptr)
    return {ErrorCode::kFault, fmt::format("subflow \"{}\" cannot run", plan.subflow)};
  Activation next;
  next.rule = plan.rule;
  next.first_ordinal = frame.ordinal;
  next.locals.resize(subflow->body->slots);
  for (const auto& [slot, program] : plan.arguments) {
    Result<Value> value = evaluate(run, frame, program);
    if (!value) return value.error();
    next.locals[slot] = std::move(*value);
  }
  frame.stack.push_back(std::move(next));
  return Next::kStay;
}

// The end of a subflow gives its value to the statement that ran it, and goes on behind that.
Cascade::Next Cascade::end_activation(Run& run, Frame& frame) {
  if (frame.stack.size() == 1) return Next::kEnd;
  Activation ended = std::move(frame.stack.back());
  frame.stack.pop_back();
  const plan::UnitPlan& unit = unit_at(run, frame);
  Activation& top = frame.stack.back();
  const plan::RunPlan& plan = unit.body->runs[unit.body->code[top.at].a];
  if (plan.slot != plan::kNoSlot && plan.given != plan::kNoSlot)
    top.locals[plan.slot] = std::move(ended.locals[plan.given]);
  return Next::kOn;
}

// ---- Values -----------------------------------------------------------------------------------

types::RecordPtr Cascade::record_in_hand(const Run& run) {
  if (run.in_hand != nullptr) return std::make_shared<const types::Record>(*run.in_hand);
  const types::Record& started = *run.change.after;
  if (!started.object) return nullptr;
  types::RecordPtr now = c_.book.image(started.object, started.id);
  return now != nullptr ? now : run.change.after;
}

Result<Value> Cascade::evaluate(Run& run, Frame& frame, plan::ProgramRange program) {
  const plan::UnitPlan& unit = unit_at(run, frame);
  types::RecordPtr it = record_in_hand(run);
  exec::Input input;
  input.it = it.get();
  input.me = run.person;
  input.now = c_.now;
  input.locals = frame.stack.back().locals;
  input.steps = &frame.steps;
  return exec::evaluate(unit.code, program, unit.calendar.get(), input, matcher_.environment());
}

// The ids of the records that fit, in the order asked for; without an order by id.
Result<std::vector<std::string>> Cascade::find(Run& run, Frame& frame, const plan::FinderPlan& plan,
                                               bool all) {
  const plan::UnitPlan& unit = unit_at(run, frame);
  uint32_t most = c_.program.options.bounds.query_rows_max;
  ++c_.report.queries;
  std::vector<std::string> ids;
  const uint64_t read = c_.book.reads();
  bool indexed = false;
  // A run of an older version may ask for what the program at work keeps no links of.
  if (plan.lookup && (!plan.narrows || c_.program.linked.count({plan.object, plan.lookup}) != 0)) {
    Result<Value> value = evaluate(run, frame, plan.parent);
    if (!value) return value.error();
    if (value->is_blank() && !plan.narrows) return ids;
    // Records without a value have no link, and what is no text has no key.
    indexed = !plan.narrows || (value->is(Value::Kind::kText) && !value->is_blank());
    if (indexed) {
      const types::Field& field = c_.program.schema().object(plan.object).field(plan.lookup);
      auto linked = c_.book.referring(plan.object, plan.lookup, link_key(field, *value), most);
      if (!linked) return linked.error();
      ids = std::move(*linked);
    }
  }
  if (!indexed) {
    auto every = c_.book.all(plan.object, most);
    if (!every) return every.error();
    ids = std::move(*every);
  }
  c_.report.query_reads += c_.book.reads() - read;
  types::RecordPtr it = record_in_hand(run);
  exec::Input input;
  input.it = it.get();
  input.me = run.person;
  input.now = c_.now;
  input.locals = frame.stack.back().locals;
  input.steps = &frame.steps;
  std::vector<std::string> out;
  std::vector<std::pair<Value, size_t>> keys;
  // Each record of a schedule is a run of its own, and metered as one.
  const bool of_schedule = unit.trigger->over && &plan == &unit.body->finders[*unit.trigger->over];
  for (std::string& id : ids) {
    if (of_schedule) frame.steps = 0;
    types::RecordPtr record = c_.book.find(plan.object, id);
    if (record == nullptr) continue;
    input.searched = record.get();
    Result<bool> fits =
        exec::holds(unit.code, plan.where, unit.calendar.get(), input, matcher_.environment());
    if (!fits) return fits.error();
    if (!*fits) continue;
    if (!plan.order_by.empty()) {
      Result<Value> key = exec::evaluate(unit.code, plan.order_by, unit.calendar.get(), input,
                                         matcher_.environment());
      if (!key) return key.error();
      keys.emplace_back(std::move(*key), out.size());
    }
    out.push_back(std::move(id));
    if (!all && plan.order_by.empty()) return out;
  }
  if (plan.order_by.empty()) return out;
  // Blanks last, whichever way; equal ones by id.
  std::stable_sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
    if (a.first.is_blank() || b.first.is_blank()) return !a.first.is_blank() && b.first.is_blank();
    value::Ordering order = value::compare_order(a.first, b.first);
    return order == (plan.descending ? value::Ordering::kGreater : value::Ordering::kLess);
  });
  std::vector<std::string> sorted;
  for (const auto& [key, index] : keys) sorted.push_back(std::move(out[index]));
  return sorted;
}

Result<Value> Cascade::find_value(Run& run, Frame& frame, const plan::FinderPlan& plan) {
  Result<std::vector<std::string>> ids = find(run, frame, plan, plan.all);
  if (!ids) return ids.error();
  if (!plan.all) return ids->empty() ? Value() : Value::text(ids->front());
  std::vector<Value> items;
  for (const std::string& id : *ids) items.push_back(Value::text(id));
  return Value::list(std::move(items));
}

// The active member of a queue behind the one who had the last turn, by id; the first one after the
// last. Tables that name the same queue share its turns, and a run that is undone gives its turn
// back.
Result<Value> Cascade::next_in_turn(const std::string& group) {
  const types::Schema& schema = c_.program.schema();
  std::string queue = c_.directory.queue_named(group);
  if (queue.empty()) return {ErrorCode::kFault, fmt::format("there is no queue \"{}\"", group)};
  types::ObjectId members = schema.find_object("GroupMember");
  types::ObjectId users = schema.find_object("User");
  const types::Object& shape = schema.object(members);
  const uint32_t most = c_.program.options.bounds.query_rows_max;
  auto linked = c_.book.referring(members, shape.find("Group"), queue, most);
  if (!linked) return linked.error();
  std::string name = "turn/" + queue;
  Result<std::optional<std::string>> last = c_.txn.meta(name);
  if (!last) return last.error();
  std::string first;
  std::string next;
  for (const std::string& id : *linked) {
    types::RecordPtr row = c_.book.find(members, id);
    if (row == nullptr) continue;
    std::string user(row->raw(shape.find("UserOrGroup")).as_text());
    types::RecordPtr person = c_.book.find(users, user);
    bool active = person != nullptr &&
                  types::read_field(schema, *person, schema.object(users).find("IsActive"),
                                    c_.program.currency)
                      .truth();
    if (!active) continue;
    if (first.empty() || user < first) first = user;
    if (user > last->value_or("") && (next.empty() || user < next)) next = user;
  }
  if (first.empty())
    return {ErrorCode::kFault, fmt::format("queue \"{}\" has no active member", group)};
  if (next.empty()) next = first;
  if (Status kept = c_.txn.put_meta(name, next); !kept) return kept.error();
  return Value::text(next);
}

// ---- Records ----------------------------------------------------------------------------------

Result<types::RecordPtr> Cascade::record_named(const std::vector<types::ObjectId>& objects,
                                               std::string_view id) {
  if (id.empty()) return {ErrorCode::kFault, "there is no record to write: the path is blank"};
  for (types::ObjectId object : objects) {
    if (types::RecordPtr found = c_.book.find(object, id)) return found;
  }
  const std::string& name = c_.program.schema().object(objects.front()).name;
  return {ErrorCode::kFault, fmt::format("{} {} is not there", name, id)};
}

// All are evaluated before any is stored.
Result<Cascade::Assigned> Cascade::assigned(Run& run, Frame& frame, const plan::WritePlan& plan) {
  Assigned out;
  for (const plan::AssignPlan& assign : plan.assignments) {
    Result<Value> value = evaluate(run, frame, assign.value);
    if (!value) return value.error();
    out.emplace_back(assign.field, std::move(*value));
  }
  return out;
}

Result<types::Record> Cascade::written(const types::Record& base, const Assigned& values) const {
  const types::Schema& schema = c_.program.schema();
  const types::Object& object = schema.object(base.object);
  types::Record out = base;
  types::FieldId code = object.find_stored("CurrencyIsoCode");
  std::vector<std::pair<types::FieldId, const Value*>> fields;
  for (const auto& [ref, value] : values) {
    types::FieldId field = ref.field;
    // A lookup may hold records of several objects: the field of that name in the one at hand.
    if (ref.object != base.object) field = object.find_stored(schema.field(ref).stored_as);
    if (!field) {
      return {ErrorCode::kFault,
              fmt::format("{} has no field {}", object.name, schema.field(ref).name)};
    }
    if (field == code) out.fields.set(field, value);
    fields.emplace_back(field, &value);
  }
  Currency currency = code ? Currency::of(out.raw(code).as_text()) : Currency();
  Storing storing{schema, c_.program.zone, currency.given() ? currency : c_.program.currency};
  for (const auto& [field, value] : fields) {
    Result<Value> stored = coerce(*value, object.field(field), storing);
    if (!stored)
      return {ErrorCode::kFault, fmt::format("{}: {}", object.name, stored.error().message)};
    out.fields.set(field, std::move(*stored));
  }
  return out;
}

Status Cascade::count_effect(const Run& run) const {
  const uint32_t most = c_.program.options.bounds.run_effects_max;
  if (run.decision.effects.size() < most) return {};
  return {ErrorCode::kBoundExceeded, fmt::format("a run has more than {} effects", most)};
}

Key128 Cascade::effect_key(const Run& run, Frame& frame) const {
  return base::hash_key({"action", run.key.view(), std::to_string(frame.ordinal++)});
}

Status Cascade::update_record(Run& run, Frame& frame, const types::Record& before,
                              const Assigned& values) {
  if (Status counted = count_effect(run); !counted) return counted;
  Result<types::Record> after = written(before, values);
  if (!after) return after.error();
  EffectRecord effect;
  effect.op = "update";
  effect.target = record_name(c_.program.schema(), before);
  bool same = types::differing(before.fields, after->fields).empty();
  effect.outcome = same ? "unchanged" : "updated";
  Key128 cause = effect_key(run, frame);
  if (run.in_hand != nullptr) {
    *run.in_hand = std::move(*after);
  } else if (!same) {
    Status saved = save(std::move(*after), plan::kEdited, cause, run.person, run.change.depth + 1);
    if (!saved) return saved;
  }
  run.decision.effects.push_back(std::move(effect));
  return {};
}

Status Cascade::create_record(Run& run, Frame& frame, const plan::WritePlan& plan, uint32_t slot) {
  if (Status counted = count_effect(run); !counted) return counted;
  Result<Assigned> values = assigned(run, frame, plan);
  if (!values) return values.error();
  const types::Object& object = c_.program.schema().object(plan.object);
  Key128 cause = effect_key(run, frame);
  types::Record base;
  base.object = plan.object;
  base.id = base::short_id(base::fold_case(object.name).substr(0, 3), cause);
  for (size_t i = 0; i < object.fields.size(); ++i)
    base.fields.set(types::FieldId(i), object.fields[i].default_value);
  if (types::FieldId created = object.find_stored("CreatedDate"))
    base.fields.set(created, Value::datetime(c_.now));
  Result<types::Record> record = written(base, *values);
  if (!record) return record.error();
  types::FieldValues set;
  for (const auto& [field, value] : *values) set.set(field.field, record->raw(field.field));
  name_person(object, &*record, set);
  record->fields.set_all(std::move(set));
  EffectRecord effect;
  effect.op = "create";
  effect.target = record_name(c_.program.schema(), base);
  if (slot != plan::kNoSlot) frame.stack.back().locals[slot] = Value::text(base.id);
  // A statement that is done again has made its record before.
  bool exists = c_.book.image(base.object, base.id) != nullptr;
  effect.outcome = exists ? "exists" : "created";
  if (!exists) {
    Status saved =
        save(std::move(*record), plan::kCreated, cause, run.person, run.change.depth + 1);
    if (!saved) return saved;
  }
  run.decision.effects.push_back(std::move(effect));
  return {};
}

Status Cascade::delete_record(Run& run, Frame& frame, const types::Record& before) {
  if (Status counted = count_effect(run); !counted) return counted;
  types::Record after = before;
  after.deleted = true;
  EffectRecord effect;
  effect.op = "delete";
  effect.target = record_name(c_.program.schema(), before);
  effect.outcome = "deleted";
  Key128 cause = effect_key(run, frame);
  Status saved = save(std::move(after), plan::kDeleted, cause, run.person, run.change.depth + 1);
  if (!saved) return saved;
  run.decision.effects.push_back(std::move(effect));
  return {};
}

// ---- Telling ----------------------------------------------------------------------------------

// `leads.ensue:12: set Status to "Contacted"`
std::string Cascade::statement_text(const Run& run, const plan::UnitPlan& unit,
                                    plan::SourceRange range, bool with_place) const {
  const source::SourceFile* file = run.program->texts->find(*unit.file);
  if (file == nullptr) return {};
  std::string text;
  for (char c : file->text().substr(range.begin, range.end - range.begin)) {
    bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank) text += c;
    if (blank && !text.empty() && text.back() != ' ') text += ' ';
    if (c == '\n' && text.size() > kQuotedMax) break;
  }
  text = base::excerpt(text, kQuotedMax);
  return with_place
             ? fmt::format("{}:{}: {}", *unit.file, file->position_of(range.begin).line, text)
             : text;
}

// Where a run faulted, and the statements that led there, the last one first.
std::string Cascade::trace_of(const Run& run, const Frame& frame) const {
  const plan::UnitPlan& unit = unit_at(run, frame);
  std::string out;
  for (auto at = run.trail.rbegin(); at != run.trail.rend(); ++at) {
    if (*at >= unit.body->code.size()) continue;
    std::string line = statement_text(run, unit, plan::range_at(unit, *at), true);
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

}  // namespace ensue::engine
