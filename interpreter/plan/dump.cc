#include <fmt/format.h>

#include "plan/plan.h"
#include "value/text.h"

namespace ensue::plan {
namespace {

const char* op_name(Op op) {
  static constexpr const char* kNames[] = {
      "constant", "local-datetime", "now",     "today", "path",      "person", "add",  "subtract",
      "multiply", "divide",         "negate",  "ago",   "day-start", "join",   "call", "compare",
      "is-blank", "one-of",         "between", "truth", "changed",   "is-new", "has",  "not",
      "and-jump", "or-jump"};
  return kNames[static_cast<size_t>(op)];
}

const char* compare_name(uint8_t flags) {
  static constexpr const char* kNames[] = {"=",  "!=",       "<",           "<=",       ">",
                                           ">=", "contains", "starts-with", "ends-with"};
  return kNames[flags & ~kCompareExactly];
}

class Dumper {
 public:
  Dumper(const UnitPlan& unit, const types::Schema& schema, const types::FunctionTable& functions)
      : unit_(unit), schema_(schema), functions_(functions) {}

  std::string run() {
    line(fmt::format("{} \"{}\"{}", unit_kind_name(unit_.kind), unit_.name,
                     unit_.author.empty() ? "" : fmt::format(" by \"{}\"", unit_.author)));
    line(fmt::format("  rule {}", base::to_hex(unit_.rule)));
    line(fmt::format("  watches {} events={} scope={} activation={} guard={}{}",
                     unit_.object ? schema_.object(unit_.object).name : "nothing", unit_.events,
                     static_cast<int>(unit_.scope), static_cast<int>(unit_.activation),
                     static_cast<int>(unit_.guard), unit_.trigger->before_save ? " before" : ""));
    std::string watched;
    for (types::FieldId field : unit_.watched)
      watched += " " + schema_.object(unit_.object).field(field).name;
    if (!watched.empty()) line("  fields" + watched);
    if (!unit_.condition.empty()) program("condition", unit_.condition);
    for (const EffectPlan& effect : unit_.effects) {
      line(fmt::format(
          "  effect {}{} cadence={}{}", effect.reminder ? "remind " : "", effect_name(effect.kind),
          effect.cadence->empty() ? "all" : "\"" + *effect.cadence + "\"",
          effect.disposition->empty() ? ""
                                      : fmt::format(" disposition=\"{}\"", *effect.disposition)));
      program("target", effect.target);
      if (!effect.assignee.empty()) program("assignee", effect.assignee);
    }
    body();
    for (size_t i = 0; i < unit_.code.rare->relations.size(); ++i) {
      const RelationPlan& relation = unit_.code.rare->relations[i];
      line(fmt::format("  relation {} {}.{}", i, schema_.object(relation.child).name,
                       schema_.object(relation.child).field(relation.lookup).name));
      program("has", relation.condition);
    }
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  std::string path_text(const PathPlan& path) const {
    static constexpr const char* kBases[] = {"it", "me", "searched", "local"};
    std::string out = kBases[static_cast<size_t>(path.base)];
    if (path.base == PathBase::kLocal) out += " " + std::to_string(path.local);
    for (const HopPlan& hop : path.hops) out += "." + schema_.field(hop.fields[0]).name;
    for (const std::string& member : path.members) out += "." + member;
    return out;
  }

  static std::string slot_text(uint32_t slot) {
    return slot == kNoSlot ? "" : fmt::format(" local {}", slot);
  }
  void finder(uint32_t number) {
    const FinderPlan& find = unit_.body->finders[number];
    line(fmt::format(
        "      finder {} {}{}{}", number, find.all ? "all " : "", schema_.object(find.object).name,
        find.lookup ? " by " + schema_.object(find.object).field(find.lookup).name : ""));
    if (!find.parent.empty()) program("parent", find.parent);
    if (!find.where.empty()) program("where", find.where);
    if (!find.order_by.empty()) program(find.descending ? "descending" : "order", find.order_by);
  }
  void write(const WritePlan& row) {
    for (const AssignPlan& assign : row.assignments)
      program(schema_.field(assign.field).name.c_str(), assign.value);
  }

  // Each instruction, with the programs it runs.
  void body() {
    const Body& body = *unit_.body;
    for (uint32_t i = 0; i < body.code.size(); ++i) {
      const Instruction& at = body.code[i];
      std::string operands;
      bool jumps = at.op == Do::kJump || at.op == Do::kUnless || at.op == Do::kEach ||
                   at.op == Do::kTry || (at.op >= Do::kWaitFor && at.op <= Do::kWaitUntil);
      if (at.op == Do::kBranch) operands = " " + body.texts[at.a];
      if (at.op == Do::kRun) operands = fmt::format(" \"{}\"", body.runs[at.a].subflow);
      if (at.op == Do::kCall) operands = fmt::format(" \"{}\"", body.calls[at.a].service);
      if (at.op == Do::kSend) operands = fmt::format(" \"{}\"", body.mails[at.a].template_name);
      if (at.op == Do::kCreate) {
        operands = " " + schema_.object(body.writes[at.a].object).name + slot_text(at.b);
      }
      if (at.op == Do::kLet || at.op == Do::kFind || at.op == Do::kEach) operands = slot_text(at.a);
      if (at.op == Do::kTurn)
        operands = fmt::format("{} of \"{}\"", slot_text(at.a), body.texts[at.b]);
      if (at.op == Do::kEffect) operands = fmt::format(" {}", at.a);
      if (jumps) operands += fmt::format(" -> {}", at.target);
      line(fmt::format("  {:3} {}{}", i, do_name(at.op), operands));
      switch (at.op) {
        case Do::kUnless:
        case Do::kFault:
        case Do::kLog:
        case Do::kDelete: program("value", body.programs[at.a]); break;
        case Do::kLet: program("value", body.programs[at.b]); break;
        case Do::kFind: finder(at.b); break;
        case Do::kUpdate:
          program("record", body.programs[at.b]);
          write(body.writes[at.a]);
          break;
        case Do::kUpdateFound:
          finder(at.b);
          write(body.writes[at.a]);
          break;
        case Do::kSet:
        case Do::kCreate: write(body.writes[at.a]); break;
        case Do::kWaitUntil:
        case Do::kWaitUntilTime: program("until", body.waits[at.a].until); break;
        case Do::kSend: program("to", body.mails[at.a].to); break;
        case Do::kRun:
          for (const auto& [slot, value] : body.runs[at.a].arguments) program("argument", value);
          break;
        case Do::kCall:
          for (const auto& [name, value] : body.calls[at.a].arguments) program(name.c_str(), value);
          break;
        default: break;
      }
    }
  }

  void program(const char* what, ProgramRange range) {
    line(fmt::format("  {}:", what));
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const Step& step = unit_.code.steps[i];
      std::string operand;
      switch (step.op) {
        case Op::kConstant:
        case Op::kPerson: operand = value::source_text(unit_.code.constants[step.a]); break;
        case Op::kPath: operand = path_text(*unit_.code.paths[step.a]); break;
        case Op::kCall: operand = functions_.row(types::FunctionId(step.a)).text(); break;
        case Op::kCompare: operand = compare_name(step.flags); break;
        case Op::kChanged: operand = path_text(*unit_.code.paths[step.a]).substr(3); break;
        case Op::kAndJump:
        case Op::kOrJump: operand = fmt::format("-> {}", step.a); break;
        case Op::kOneOf:
        case Op::kJoin:
        case Op::kHas: operand = fmt::format("{}", step.a); break;
        default: break;
      }
      bool negated =
          (step.op == Op::kIsBlank || step.op == Op::kOneOf || step.op == Op::kBetween) &&
          (step.flags & 1) != 0;
      line(fmt::format("    {:3} {}{}{}{}", i, op_name(step.op), negated ? " not" : "",
                       operand.empty() ? "" : " ", operand));
    }
  }

  const UnitPlan& unit_;
  const types::Schema& schema_;
  const types::FunctionTable& functions_;
  std::string out_;
};

}  // namespace

std::string dump(const UnitPlan& unit, const types::Schema& schema,
                 const types::FunctionTable& functions) {
  return Dumper(unit, schema, functions).run();
}

}  // namespace ensue::plan
