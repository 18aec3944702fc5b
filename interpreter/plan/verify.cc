#include <fmt/format.h>

#include <algorithm>

#include "plan/plan.h"

namespace ensue::plan {
StackEffect stack_effect(const Step& step) {
  switch (step.op) {
    case Op::kConstant:
    case Op::kLocalDatetime:
    case Op::kNow:
    case Op::kToday:
    case Op::kPath:
    case Op::kPerson:
    case Op::kIsNew:
    case Op::kHas: return {0, 1};
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kCompare: return {2, 1};
    case Op::kNegate:
    case Op::kAgo:
    case Op::kDayStart:
    case Op::kIsBlank:
    case Op::kTruth:
    case Op::kNot: return {1, 1};
    case Op::kJoin: return {step.a, 1};
    case Op::kCall: return {step.b, 1};
    case Op::kOneOf: return {step.a + 1, 1};
    case Op::kBetween: return {3, 1};
    case Op::kChanged: return {static_cast<uint32_t>(step.flags & 1) + (step.flags >> 1 & 1u), 1};
    case Op::kAndJump:
    case Op::kOrJump: return {1, 0};  // when it does not jump; the value stays when it does
  }
  return {0, 0};
}

namespace {

class Verifier {
 public:
  Verifier(const UnitPlan& unit, const types::Schema& schema, const types::FunctionTable& functions)
      : unit_(unit), code_(unit.code), schema_(schema), functions_(functions) {}

  std::string run() {
    if (unit_.object.index >= schema_.object_count()) return "the unit watches no object";
    if ((unit_.events & 15) == 0) return "the unit has no events";
    if (code_.ranges.size() != code_.steps.size())
      return "steps and source ranges differ in number";
    size_t fields = schema_.object(unit_.object).fields.size();
    for (types::FieldId field : unit_.watched) {
      if (field.index >= fields) return "a watched field does not exist";
    }
    for (const PathPlan& path : code_.paths) check_path(path);
    for (const RelationPlan& relation : code_.relations) {
      check_relation(relation);
      check_program(relation.condition, "a `has` condition");
    }
    if (!error_.empty()) return error_;
    std::vector<Visit> visits(code_.relations.size(), Visit::kNew);
    for (size_t i = 0; i < visits.size(); ++i) check_nesting(i, visits);
    if (!unit_.condition.empty()) check_program(unit_.condition, "the condition");
    if (unit_.effects.empty()) fail("the unit has no effect");
    for (const EffectPlan& effect : unit_.effects) {
      check_program(effect.target, "a target");
      bool path = effect.target.end > effect.target.begin &&
                  effect.target.end <= code_.steps.size() &&
                  code_.steps[effect.target.end - 1].op == Op::kPath;
      if (!path) fail("a target is no path");
      if (!effect.assignee.empty()) check_program(effect.assignee, "an assignee");
      if (!effect.person.empty()) check_program(effect.person, "a person");
      bool business = (effect.within && effect.within->business) ||
                      (effect.expiring && effect.expiring->business);
      if (business && unit_.calendar == nullptr) fail("a business duration without a calendar");
    }
    if (stack_max_ > code_.stack_max)
      fail(fmt::format("the stack grows to {}, over {}", stack_max_, code_.stack_max));
    return error_;
  }

 private:
  void fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
  }

  bool field_exists(types::FieldRef ref) const {
    return ref.object.index < schema_.object_count() &&
           ref.field.index < schema_.object(ref.object).fields.size();
  }

  void check_path(const PathPlan& path) {
    for (types::ObjectId object : path.from) {
      if (object.index >= schema_.object_count())
        fail("a path starts at an object that does not exist");
    }
    for (const HopPlan& hop : path.hops) {
      if (hop.fields.empty()) fail("a path has a hop without a field");
      for (types::FieldRef field : hop.fields) {
        if (!field_exists(field)) fail("a path names a field that does not exist");
      }
    }
  }

  void check_relation(const RelationPlan& relation) {
    if (!field_exists({relation.child, relation.lookup}))
      fail("a relation names a lookup that does not exist");
    if (relation.parent >= code_.paths.size()) fail("a relation names a path that does not exist");
  }

  enum class Visit : uint8_t { kNew, kOpen, kDone };

  // A `has` inside the condition of a `has` is another one, never itself again.
  void check_nesting(size_t relation, std::vector<Visit>& visits) {
    if (visits[relation] == Visit::kOpen) fail("a `has` condition contains itself");
    if (visits[relation] != Visit::kNew) return;
    visits[relation] = Visit::kOpen;
    ProgramRange range = code_.relations[relation].condition;
    for (uint32_t i = range.begin; i < range.end; ++i) {
      if (code_.steps[i].op == Op::kHas) check_nesting(code_.steps[i].a, visits);
    }
    visits[relation] = Visit::kDone;
  }

  // Follows a program once: depths at jump targets must agree, jumps go forward and stay inside.
  void check_program(ProgramRange range, const char* what) {
    if (range.begin >= range.end || range.end > code_.steps.size()) {
      fail(fmt::format("{} has a range outside the code", what));
      return;
    }
    constexpr uint32_t kUnknown = UINT32_MAX;
    std::vector<uint32_t> depth_at(range.end - range.begin + 1, kUnknown);
    uint32_t depth = 0;
    for (uint32_t i = range.begin; i < range.end; ++i) {
      uint32_t& known = depth_at[i - range.begin];
      if (known != kUnknown && known != depth)
        fail(fmt::format("{}: step {} is reached with two stack depths", what, i));
      const Step& step = code_.steps[i];
      check_operands(step, what, i);
      StackEffect effect = stack_effect(step);
      if (effect.pops > depth) {
        fail(fmt::format("{}: step {} takes more than the stack holds", what, i));
        return;
      }
      bool jump = step.op == Op::kAndJump || step.op == Op::kOrJump;
      if (jump) {
        if (step.a <= i || step.a > range.end) {
          fail(fmt::format("{}: step {} jumps to {}", what, i, step.a));
          return;
        }
        uint32_t& target = depth_at[step.a - range.begin];
        if (target != kUnknown && target != depth)
          fail(fmt::format("{}: step {} jumps to another depth", what, i));
        target = depth;
      }
      depth = depth - effect.pops + effect.pushes;
      stack_max_ = std::max(stack_max_, depth);
    }
    uint32_t expected = depth_at[range.end - range.begin];
    if (depth != 1 || (expected != kUnknown && expected != 1))
      fail(fmt::format("{} does not leave one value", what));
  }

  void check_operands(const Step& step, const char* what, uint32_t i) {
    bool fine = true;
    switch (step.op) {
      case Op::kConstant:
      case Op::kPerson: fine = step.a < code_.constants.size(); break;
      case Op::kLocalDatetime: fine = step.a < code_.local_datetimes.size(); break;
      case Op::kPath: fine = step.a < code_.paths.size(); break;
      case Op::kHas: fine = step.a < code_.relations.size(); break;
      case Op::kChanged: fine = step.a < schema_.object(unit_.object).fields.size(); break;
      case Op::kCall:
        fine = step.a < functions_.size() &&
               functions_.row(types::FunctionId(step.a)).parameters.size() == step.b;
        break;
      case Op::kOneOf: fine = step.a < code_.steps.size(); break;  // each value takes a step
      case Op::kJoin: fine = step.a <= code_.steps.size(); break;
      case Op::kCompare: fine = (step.flags & ~kCompareExactly) <= kCompareEndsWith; break;
      default: break;
    }
    if (!fine) fail(fmt::format("{}: step {} has an operand outside its table", what, i));
  }

  const UnitPlan& unit_;
  const Code& code_;
  const types::Schema& schema_;
  const types::FunctionTable& functions_;
  uint32_t stack_max_ = 0;
  std::string error_;
};

}  // namespace

std::string verify(const UnitPlan& unit, const types::Schema& schema,
                   const types::FunctionTable& functions) {
  return Verifier(unit, schema, functions).run();
}

}  // namespace ensue::plan
