#include "exec/evaluator.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "base/fold.h"
#include "exec/arithmetic.h"
#include "value/compare.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::exec {
namespace {

using plan::Op;
using plan::Step;
using value::Ordering;
using value::TextCase;

class Machine {
 public:
  Machine(const plan::Code& code, const calendar::BusinessCalendar* calendar, const Input& input,
          const Environment& env, Trace* trace)
      : code_(code), calendar_(calendar), input_(input), env_(env), trace_(trace) {
    stack_.reserve(code.stack_max);
  }

  Result<Value> run(plan::ProgramRange program) {
    for (uint32_t at = program.begin; at < program.end; ++at) {
      uint64_t taken = input_.steps != nullptr ? ++*input_.steps : ++steps_;
      if (taken > env_.bounds.run_steps_max) {
        return {ErrorCode::kBoundExceeded,
                (input_.steps != nullptr ? "the run takes more than "
                                         : "the condition takes more than ") +
                    std::to_string(env_.bounds.run_steps_max) + " steps"};
      }
      const Step& step = code_.steps[at];
      switch (step.op) {
        case Op::kAndJump:
          if (!stack_.back().truth()) {
            at = step.a - 1;
          } else {
            stack_.pop_back();
          }
          break;
        case Op::kOrJump:
          if (stack_.back().truth()) {
            at = step.a - 1;
          } else {
            stack_.pop_back();
          }
          break;
        default:
          execute(step, at);
          if (failed_) return error_;
      }
    }
    ENSUE_DCHECK(stack_.size() == 1);
    return std::move(stack_.back());
  }

 private:
  void push(Value value) { stack_.push_back(std::move(value)); }
  Value pop() {
    Value out = std::move(stack_.back());
    stack_.pop_back();
    return out;
  }
  void fail(ErrorCode code, std::string message) {
    failed_ = true;
    error_ = {code, std::move(message)};
  }
  void fault(std::string message) { fail(ErrorCode::kFault, std::move(message)); }
  // Takes a result apart: pushes the value, or fails.
  void push(Result<Value> result) {
    if (result) {
      push(std::move(*result));
    } else {
      fail(result.error().code, result.error().message);
    }
  }
  void push_test(uint32_t at, bool result, const Value& left, const Value& right) {
    if (trace_ != nullptr) trace_->test({at, result, left, right});
    push(Value::boolean(result));
  }

  void execute(const Step& step, uint32_t at) {
    switch (step.op) {
      case Op::kConstant: push(code_.constants[step.a]); break;
      case Op::kLocalDatetime: {
        const plan::LocalDatetime& local = code_.rare->local_datetimes[step.a];
        push(Value::datetime(env_.zone.instant(local.date, local.time)));
        break;
      }
      case Op::kNow: push(Value::datetime(input_.now)); break;
      case Op::kToday: push(Value::date(env_.zone.date(input_.now))); break;
      case Op::kPath: push(read_path(*code_.paths[step.a])); break;
      case Op::kPerson: {
        Value name = code_.constants[step.a];
        Value id = Value::text(env_.records.person(name.as_text(), (step.flags & 1) != 0));
        // A record without an owner does not belong to a user that is not there.
        push(id.is_blank() && (step.flags & 2) != 0 ? name : id);
        break;
      }
      case Op::kAdd:
      case Op::kSubtract:
      case Op::kMultiply:
      case Op::kDivide: calculate(step.op); break;
      case Op::kNegate: push(negate(pop())); break;
      case Op::kAgo: ago(step.flags); break;
      case Op::kDayStart: {
        Value date = pop();
        push(date.is(Value::Kind::kDate) ? Value::datetime(env_.zone.day_start(date.as_date()))
                                         : date);
        break;
      }
      case Op::kJoin: join(step.a); break;
      case Op::kCall: call(step); break;
      case Op::kCompare: compare(step, at); break;
      case Op::kIsBlank: {
        Value left = pop();
        push_test(at, left.is_blank() != ((step.flags & 1) != 0), left, Value());
        break;
      }
      case Op::kOneOf: one_of(step, at); break;
      case Op::kBetween: between(step, at); break;
      case Op::kTruth: {
        Value left = pop();
        push_test(at, left.truth(), left, Value::boolean(true));
        break;
      }
      case Op::kChanged: changed(step, at); break;
      case Op::kIsNew: {
        bool is_new = input_.is_new && !input_.before_save;
        push_test(at, is_new, Value::boolean(is_new), Value::boolean(true));
        break;
      }
      case Op::kHas: has(step, at); break;
      case Op::kNot: push(Value::boolean(!pop().truth())); break;
      case Op::kAndJump:
      case Op::kOrJump: break;  // handled by the loop
    }
  }

  // ---- Reading --------------------------------------------------------------------------------
  Value read_path(const plan::PathPlan& path) {
    const types::Record* record = nullptr;
    types::RecordPtr held;
    Value current;
    switch (path.base) {
      case plan::PathBase::kIt:
        record = input_.it;
        current = record != nullptr ? Value::text(record->id) : Value();
        break;
      case plan::PathBase::kSearched:
        record = input_.searched;
        current = record != nullptr ? Value::text(record->id) : Value();
        break;
      case plan::PathBase::kMe: current = Value::text(input_.me); break;
      case plan::PathBase::kLocal:
        if (path.local < input_.locals.size()) current = input_.locals[path.local];
        break;
    }
    for (const std::string& member : path.members) current = member_of(current, member);
    const std::vector<types::ObjectId>* may_be = &path.from;
    std::vector<types::ObjectId> next_objects;
    for (const plan::HopPlan& hop : path.hops) {
      if (record == nullptr) {
        held = find_among(*may_be, current.as_text());
        record = held.get();
      }
      types::FieldId field = record != nullptr ? field_for(hop, record->object) : types::FieldId();
      if (!field) return absent(path);
      current = types::read_field(env_.schema, *record, field, env_.currency);
      const types::Type& type = env_.schema.object(record->object).field(field).type;
      next_objects = type.is(types::TypeKind::kRecord) ? env_.schema.objects_of(type.objects)
                                                       : std::vector<types::ObjectId>();
      may_be = &next_objects;
      record = nullptr;
    }
    return current;
  }

  // What a path gives where its record, or its field in that record, is not there: a boolean is
  // never blank (LANGUAGE section 1).
  Value absent(const plan::PathPlan& path) const {
    const types::FieldRef& last = path.hops.back().fields.front();
    bool boolean =
        env_.schema.object(last.object).field(last.field).type.is(types::TypeKind::kBoolean);
    return boolean ? Value::boolean(false) : Value();
  }

  static types::FieldId field_for(const plan::HopPlan& hop, types::ObjectId object) {
    for (const types::FieldRef& ref : hop.fields) {
      if (ref.object == object) return ref.field;
    }
    return {};
  }

  types::RecordPtr find_among(const std::vector<types::ObjectId>& objects, std::string_view id) {
    if (id.empty()) return nullptr;
    for (types::ObjectId object : objects) {
      if (types::RecordPtr found = env_.records.find(object, id)) return found;
    }
    return nullptr;
  }

  // ---- Calculation ----------------------------------------------------------------------------
  void calculate(Op op) {
    Value right = pop();
    Value left = pop();
    if (right.is(Value::Kind::kDuration)) {
      push(add_duration(left, right.as_duration(), op == Op::kSubtract, env_.zone, calendar_));
      return;
    }
    push(exec::calculate(op, left, right));
  }

  void ago(uint8_t flags) {
    Duration duration = pop().as_duration();
    bool from_now = (flags & 1) != 0;
    Value when =
        (flags & 2) != 0 ? Value::date(env_.zone.date(input_.now)) : Value::datetime(input_.now);
    push(add_duration(when, duration, !from_now, env_.zone, calendar_));
  }

  void join(uint32_t count) {
    std::string out;
    for (size_t i = stack_.size() - count; i < stack_.size(); ++i)
      out += value::plain_text(stack_[i]);
    stack_.resize(stack_.size() - count);
    if (out.size() > env_.bounds.text_bytes_max) {
      fail(ErrorCode::kBoundExceeded,
           "a text grows over " + std::to_string(env_.bounds.text_bytes_max) + " bytes");
      return;
    }
    push(Value::text(out));
  }

  void call(const Step& step) {
    std::span<const Value> args(stack_.data() + (stack_.size() - step.b), step.b);
    Result<Value> result =
        env_.bodies[step.a](args, builtins::CallContext{env_.zone, env_.bounds.text_bytes_max});
    stack_.resize(stack_.size() - step.b);
    push(std::move(result));
  }

  // ---- Tests ----------------------------------------------------------------------------------
  void currencies(const Value& left, const Value& right) {
    fault("cannot compare " + left.as_currency().code() + " with " + right.as_currency().code());
  }

  void compare(const Step& step, uint32_t at) {
    Value right = pop();
    Value left = pop();
    TextCase text_case =
        (step.flags & plan::kCompareExactly) != 0 ? TextCase::kExact : TextCase::kIgnored;
    uint8_t op = step.flags & static_cast<uint8_t>(~plan::kCompareExactly);
    if (op >= plan::kCompareContains) {
      auto test = static_cast<value::TextTest>(op - plan::kCompareContains);
      push_test(at, value::test_text(left, test, right, text_case), left, right);
      return;
    }
    bool equality = op <= plan::kCompareNotEqual;
    Ordering order =
        equality ? value::compare_equal(left, right, text_case) : value::compare_order(left, right);
    if (order == Ordering::kFault) {
      currencies(left, right);
      return;
    }
    bool result = false;
    switch (op) {
      case plan::kCompareEqual: result = order == Ordering::kEqual; break;
      case plan::kCompareNotEqual: result = order != Ordering::kEqual; break;
      case plan::kCompareLess: result = order == Ordering::kLess; break;
      case plan::kCompareLessOrEqual:
        result = order == Ordering::kLess || order == Ordering::kEqual;
        break;
      case plan::kCompareGreater: result = order == Ordering::kGreater; break;
      default: result = order == Ordering::kGreater || order == Ordering::kEqual; break;
    }
    push_test(at, result, left, right);
  }

  void one_of(const Step& step, uint32_t at) {
    size_t first = stack_.size() - step.a;
    const Value& left = stack_[first - 1];
    bool found = false;
    for (size_t i = first; i < stack_.size() && !found; ++i) {
      Ordering order = value::compare_equal(left, stack_[i], TextCase::kIgnored);
      if (order == Ordering::kFault) {
        currencies(left, stack_[i]);
        return;
      }
      found = order == Ordering::kEqual;
    }
    Value value = left;
    Value items =
        trace_ != nullptr
            ? Value::list({stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end()})
            : Value();
    stack_.resize(first - 1);
    push_test(at, found != ((step.flags & 1) != 0), value, items);
  }

  void between(const Step& step, uint32_t at) {
    Value high = pop();
    Value low = pop();
    Value left = pop();
    Ordering below = value::compare_order(left, low);
    Ordering above = value::compare_order(left, high);
    if (below == Ordering::kFault || above == Ordering::kFault) {
      currencies(left, below == Ordering::kFault ? low : high);
      return;
    }
    bool ordered = below != Ordering::kUnordered && above != Ordering::kUnordered;
    bool inside = ordered && below != Ordering::kLess && above != Ordering::kGreater;
    Value bounds = trace_ != nullptr ? Value::list({low, high}) : Value();
    push_test(at, inside != ((step.flags & 1) != 0), left, bounds);
  }

  // The value before the save: the previous image's, blank on creation.
  void changed(const Step& step, uint32_t at) {
    Value to = (step.flags & 2) != 0 ? pop() : Value();
    Value from = (step.flags & 1) != 0 ? pop() : Value();
    types::FieldId field;
    if (input_.it != nullptr) field = field_for(code_.paths[step.a]->hops[0], input_.it->object);
    auto read = [&](const types::Record* record) {
      return record == nullptr || !field
                 ? Value()
                 : types::read_field(env_.schema, *record, field, env_.currency);
    };
    bool moved =
        !input_.before_save && input_.changed != nullptr && field && input_.changed->has(field);
    Value before = read(input_.before);
    Value after = read(input_.it);
    bool result = moved;
    auto equal = [&](Value a, const Value& b) {
      bool starts = a.is(Value::Kind::kDate) && b.is(Value::Kind::kDatetime);
      if (starts) a = Value::datetime(env_.zone.day_start(a.as_date()));
      Ordering order = value::compare_equal(a, b, TextCase::kIgnored);
      if (order == Ordering::kFault) currencies(a, b);
      return order == Ordering::kEqual;
    };
    if (result && (step.flags & 1) != 0) result = equal(before, from);
    if (result && (step.flags & 2) != 0) result = equal(after, to);
    if (failed_) return;
    push_test(at, result, before, after);
  }

  void has(const Step& step, uint32_t at) {
    const plan::RelationPlan& relation = code_.rare->relations[step.a];
    Value parent = read_path(*code_.paths[relation.parent]);
    if (parent.is_blank()) {  // nobody's children: none
      push_test(at, relation.quantifier != plan::Quantifier::kAny, Value::number(0), Value());
      return;
    }
    auto ids = env_.records.referring(relation.child, relation.lookup, parent.as_text(),
                                      env_.bounds.query_rows_max);
    if (!ids) {
      fail(ids.error().code, ids.error().message);
      return;
    }
    // Before the save the record in hand was what it was, among its siblings too.
    bool was_among = false;
    if (input_.before_save && input_.it != nullptr && input_.it->object == relation.child) {
      std::erase(*ids, input_.it->id);
      Value held = types::read_field(env_.schema, *input_.it, relation.lookup, env_.currency);
      was_among = base::equal_folded(held.as_text(), parent.as_text());
      if (was_among) ids->push_back(input_.it->id);
    }
    int64_t matching = 0;
    int64_t count = 0;
    for (const std::string& id : *ids) {
      bool in_hand = was_among && id == input_.it->id;
      types::RecordPtr found = in_hand ? nullptr : env_.records.find(relation.child, id);
      const types::Record* child = in_hand ? input_.it : found.get();
      if (child == nullptr) continue;
      ++count;
      Input inner = input_;
      inner.searched = child;
      Machine machine(code_, calendar_, inner, env_, nullptr);
      machine.steps_ = steps_;
      Result<Value> result = machine.run(relation.condition);
      steps_ = machine.steps_;
      if (!result) {
        fail(result.error().code, result.error().message);
        return;
      }
      if (result->truth()) ++matching;
    }
    bool result = relation.quantifier == plan::Quantifier::kAny  ? matching > 0
                  : relation.quantifier == plan::Quantifier::kNo ? matching == 0
                                                                 : matching == count;
    push_test(at, result, Value::number(matching), Value::number(count));
  }

  const plan::Code& code_;
  const calendar::BusinessCalendar* calendar_;
  const Input& input_;
  const Environment& env_;
  Trace* trace_;
  std::vector<Value> stack_;
  uint32_t steps_ = 0;
  bool failed_ = false;
  Error error_;
};

}  // namespace

Result<Value> evaluate(const plan::Code& code, plan::ProgramRange program,
                       const calendar::BusinessCalendar* calendar, const Input& input,
                       const Environment& environment, Trace* trace) {
  return Machine(code, calendar, input, environment, trace).run(program);
}

Result<bool> holds(const plan::Code& code, plan::ProgramRange program,
                   const calendar::BusinessCalendar* calendar, const Input& input,
                   const Environment& environment, Trace* trace) {
  if (program.empty()) return true;
  Result<Value> result = evaluate(code, program, calendar, input, environment, trace);
  if (!result) return result.error();
  return result->truth();
}

Value member_of(const Value& of, std::string_view name) {
  if (!of.is(Value::Kind::kList)) return {};
  std::span<const Value> items = of.as_list();
  if (items.empty() || items[0].as_text() != kObjectMark) return {};
  for (size_t i = 1; i + 1 < items.size(); i += 2) {
    if (base::equal_folded(items[i].as_text(), name)) return items[i + 1];
  }
  return {};
}

std::vector<builtins::Body> bodies_of(const types::FunctionTable& functions) {
  std::vector<builtins::Body> out;
  for (size_t i = 0; i < functions.size(); ++i) {
    out.push_back(builtins::find_body(functions.row(types::FunctionId(i)).name));
  }
  return out;
}

Result<Value> add_duration(const Value& when, const Duration& duration, bool subtract,
                           const calendar::Zone& zone, const calendar::BusinessCalendar* calendar) {
  if (when.is_blank()) return Value();
  Duration signed_duration = duration;
  if (subtract) signed_duration.amount = -signed_duration.amount;
  bool date = when.is(Value::Kind::kDate);
  if (duration.business) {
    ENSUE_CHECK(calendar != nullptr);  // the checker asks for one
    // A date counts from noon, so that business days step over dates alone; shorter units start
    // with the day.
    bool days = duration.unit >= DurationUnit::kDay;
    constexpr TimeOfDay kNoon{12 * 3'600'000};
    Instant from = date ? calendar->zone.instant(when.as_date(), days ? kNoon : TimeOfDay{})
                        : when.as_instant();
    auto moved = calendar::add_business(from, signed_duration, *calendar);
    if (!moved)
      return {ErrorCode::kFault, "the calendar \"" + calendar->name + "\" has no such time"};
    return date ? Value::date(calendar->zone.date(*moved)) : Value::datetime(*moved);
  }
  if (date) {
    auto moved = calendar::add(when.as_date(), signed_duration);
    if (!moved) return {ErrorCode::kFault, "a date leaves the years 1 to 9999"};
    return Value::date(*moved);
  }
  if (!when.is(Value::Kind::kDatetime)) return Value();
  auto moved = calendar::add(when.as_instant(), signed_duration, zone);
  if (!moved) return {ErrorCode::kFault, "a date leaves the years 1 to 9999"};
  return Value::datetime(*moved);
}

}  // namespace ensue::exec
