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
    bool watches = unit_.kind == UnitKind::kAction ||
                   (unit_.kind == UnitKind::kFlow && unit_.trigger->kind == TriggerKind::kRecord);
    if (watches && unit_.object.index >= schema_.object_count())
      return "the unit watches no object";
    if (unit_.object && unit_.object.index >= schema_.object_count())
      return "the unit is about an object that does not exist";
    for (types::ObjectId object : unit_.trigger->objects) {
      if (object.index >= schema_.object_count())
        return "a trigger names an object that does not exist";
    }
    if (watches && (unit_.events & 15) == 0) return "the unit has no events";
    if (code_.ranges.size() != code_.steps.size())
      return "steps and source ranges differ in number";
    size_t fields = unit_.object ? schema_.object(unit_.object).fields.size() : 0;
    for (types::FieldId field : unit_.watched) {
      if (field.index >= fields) return "a watched field does not exist";
    }
    for (const PathPtr& path : code_.paths) check_path(*path);
    for (const RelationPlan& relation : code_.rare->relations) {
      check_relation(relation);
      check_program(relation.condition, "a `has` condition");
    }
    if (!error_.empty()) return error_;
    std::vector<Visit> visits(code_.rare->relations.size(), Visit::kNew);
    for (size_t i = 0; i < visits.size(); ++i) check_nesting(i, visits);
    if (!unit_.condition.empty()) check_program(unit_.condition, "the condition");
    if (unit_.kind == UnitKind::kAction && unit_.effects.empty()) fail("the unit has no effect");
    for (const EffectPlan& effect : unit_.effects) {
      check_program(effect.target, "a target");
      bool path = effect.target.end > effect.target.begin &&
                  effect.target.end <= code_.steps.size() &&
                  code_.steps[effect.target.end - 1].op == Op::kPath;
      if (!path) fail("a target is no path");
      if (!effect.assignee.empty()) check_program(effect.assignee, "an assignee");
      const ReminderTerms& terms = *effect.terms;
      if (!terms.person.empty()) check_program(terms.person, "a person");
      bool business =
          (terms.within && terms.within->business) || (terms.expiring && terms.expiring->business);
      if (business && unit_.calendar == nullptr) fail("a business duration without a calendar");
    }
    check_body();
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
    if (path.base == PathBase::kLocal && path.local >= unit_.body->slots)
      fail("a path starts at a slot that does not exist");
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
    ProgramRange range = code_.rare->relations[relation].condition;
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
      case Op::kLocalDatetime: fine = step.a < code_.rare->local_datetimes.size(); break;
      case Op::kPath: fine = step.a < code_.paths.size(); break;
      case Op::kHas: fine = step.a < code_.rare->relations.size(); break;
      case Op::kChanged:
        fine = step.a < code_.paths.size() && code_.paths[step.a]->hops.size() == 1;
        break;
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

  // ---- The body -------------------------------------------------------------------------------
  void check_slot(uint32_t slot, uint32_t more = 0) {
    if (slot >= unit_.body->slots || slot + more >= unit_.body->slots)
      fail(fmt::format("slot {} is none of {}", slot, unit_.body->slots));
  }
  template <class Row>
  const Row* row_of(const std::vector<Row>& table, uint32_t number, uint32_t i) {
    if (number < table.size()) return &table[number];
    fail(fmt::format("instruction {} has an operand outside its table", i));
    return nullptr;
  }
  void check_finder(uint32_t number, uint32_t i) {
    const FinderPlan* find = row_of(unit_.body->finders, number, i);
    if (find == nullptr) return;
    if (find->object.index >= schema_.object_count()) fail("a finder looks for no object");
    if (!find->where.empty()) check_program(find->where, "a `where`");
    if (!find->order_by.empty()) check_program(find->order_by, "an order");
    if (!find->lookup) return;
    if (!field_exists({find->object, find->lookup}))
      fail("a finder names a lookup that does not exist");
    check_program(find->parent, "a parent");
  }
  void check_write(uint32_t number, uint32_t i, bool creates) {
    const WritePlan* write = row_of(unit_.body->writes, number, i);
    if (write == nullptr) return;
    if (creates && write->object.index >= schema_.object_count()) fail("a record of no object");
    for (const AssignPlan& assign : write->assignments) {
      if (!field_exists(assign.field)) fail("an assignment names a field that does not exist");
      check_program(assign.value, "a value");
    }
  }
  void check_wait(const Instruction& at, uint32_t i) {
    const WaitPlan* wait = row_of(unit_.body->waits, at.a, i);
    if (wait == nullptr) return;
    if (at.op == Do::kWaitFor) {
      if (!wait->duration) fail("a wait without an end");
    } else {
      check_program(wait->until, "a wait");
    }
    bool business =
        (wait->duration && wait->duration->business) || (wait->at_most && wait->at_most->business);
    if (business && unit_.calendar == nullptr) fail("a business duration without a calendar");
  }
  void check_instruction(const Instruction& at, uint32_t i) {
    const Body& body = *unit_.body;
    auto program = [&](uint32_t number) {
      if (const ProgramRange* range = row_of(body.programs, number, i))
        check_program(*range, do_name(at.op));
    };
    switch (at.op) {
      case Do::kUnless:
      case Do::kFault:
      case Do::kLog:
      case Do::kDelete: program(at.a); break;
      case Do::kLet:
        check_slot(at.a);
        program(at.b);
        break;
      case Do::kFind:
        check_slot(at.a);
        check_finder(at.b, i);
        break;
      case Do::kTurn:
        check_slot(at.a);
        row_of(body.texts, at.b, i);
        break;
      case Do::kEach:
        check_slot(at.a, 1);
        check_slot(at.b);
        break;
      case Do::kTry:
        if (const TryPlan* row = row_of(body.tries, at.a, i); row && row->fault_slot != kNoSlot)
          check_slot(row->fault_slot);
        break;
      case Do::kRun:
        if (const RunPlan* row = row_of(body.runs, at.a, i)) {
          for (const auto& [slot, value] : row->arguments) check_program(value, "an argument");
          if (row->slot != kNoSlot) check_slot(row->slot);
        }
        break;
      case Do::kBranch: row_of(body.texts, at.a, i); break;
      case Do::kSet: check_write(at.a, i, false); break;
      case Do::kUpdate:
        check_write(at.a, i, false);
        program(at.b);
        break;
      case Do::kUpdateFound:
        check_write(at.a, i, false);
        check_finder(at.b, i);
        break;
      case Do::kCreate:
        check_write(at.a, i, true);
        if (at.b != kNoSlot) check_slot(at.b);
        break;
      case Do::kWaitFor:
      case Do::kWaitUntilTime:
      case Do::kWaitUntil: check_wait(at, i); break;
      case Do::kShow:
        if (const ScreenPlan* row = row_of(body.screens, at.a, i)) {
          for (const AskPlan& ask : row->asks) check_slot(ask.slot);
        }
        break;
      case Do::kCall:
        if (const CallPlan* row = row_of(body.calls, at.a, i)) {
          for (const auto& [name, value] : row->arguments) check_program(value, "an argument");
          if (row->slot != kNoSlot) check_slot(row->slot);
        }
        break;
      case Do::kSend:
        if (const MailPlan* row = row_of(body.mails, at.a, i))
          check_program(row->to, "a recipient");
        break;
      case Do::kEffect: row_of(unit_.effects, at.a, i); break;
      case Do::kJump:
      case Do::kEndTry:
      case Do::kStop: break;
    }
  }

  // Every way through the body stays inside it and knows how many handlers are open.
  void check_body() {
    const std::vector<Instruction>& code = unit_.body->code;
    if (code.empty()) return fail("the unit has no body");
    constexpr int kUnknown = -1;
    std::vector<int> handlers(code.size(), kUnknown);
    std::vector<uint32_t> next;
    auto reach = [&](uint32_t i, int open) {
      if (i >= code.size()) return fail("the body ends without a stop");
      if (handlers[i] == kUnknown) {
        handlers[i] = open;
        next.push_back(i);
      } else if (handlers[i] != open) {
        fail(fmt::format("instruction {} is reached with two numbers of handlers", i));
      }
    };
    reach(0, 0);
    for (const auto& entry : {unit_.trigger->gap, unit_.trigger->overflow}) {
      if (entry) reach(*entry, 0);
    }
    while (!next.empty() && error_.empty()) {
      uint32_t i = next.back();
      next.pop_back();
      const Instruction& at = code[i];
      int open = handlers[i];
      check_instruction(at, i);
      bool jumps = at.op == Do::kJump || at.op == Do::kUnless || at.op == Do::kEach ||
                   at.op == Do::kTry || (at.op >= Do::kWaitFor && at.op <= Do::kWaitUntil);
      if (jumps) reach(at.target, open);
      if (at.op == Do::kTry) ++open;
      if (at.op == Do::kEndTry && --open < 0) fail("a try ends that was not begun");
      if (at.op != Do::kJump && at.op != Do::kStop && at.op != Do::kFault) reach(i + 1, open);
    }
    for (const ParameterPlan& taken : unit_.body->takes) check_slot(taken.slot);
    for (const ParameterPlan& given : unit_.body->gives) check_slot(given.slot);
    if (unit_.trigger->over) check_finder(*unit_.trigger->over, 0);
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
