#include <algorithm>

#include "lower/internal/expr_lowering.h"
#include "value/time_text.h"

namespace ensue::lower::internal {

using plan::Op;
using syntax::NodeKind;
using types::TypeKind;
namespace ast = syntax::ast;

namespace {

uint8_t compare_flags(uint8_t op) {
  uint8_t exactly = (op & syntax::kExactly) != 0 ? plan::kCompareExactly : 0;
  switch (op & ~syntax::kExactly) {
    case syntax::kIs:
    case syntax::kEqual: return plan::kCompareEqual | exactly;
    case syntax::kIsNot:
    case syntax::kNotEqual: return plan::kCompareNotEqual | exactly;
    case syntax::kLess:
    case syntax::kIsBefore: return plan::kCompareLess;
    case syntax::kLessOrEqual: return plan::kCompareLessOrEqual;
    case syntax::kGreater:
    case syntax::kIsAfter: return plan::kCompareGreater;
    case syntax::kGreaterOrEqual: return plan::kCompareGreaterOrEqual;
    case syntax::kContains: return plan::kCompareContains | exactly;
    case syntax::kStartsWith: return plan::kCompareStartsWith | exactly;
    default: return plan::kCompareEndsWith | exactly;
  }
}

}  // namespace

ExprLowering::ExprLowering(const check::CheckedModule& module, source::FileId file,
                           plan::Code& code)
    : module_(module), tree_(module.tree(file)), facts_(module.file(file).facts), code_(code) {}

// ---- Programs ---------------------------------------------------------------------------------

plan::ProgramRange ExprLowering::condition(NodeId id) { return program(id, true); }
plan::ProgramRange ExprLowering::value(NodeId id) { return program(id, false); }

plan::ProgramRange ExprLowering::program(NodeId id, bool as_condition) {
  auto begin = static_cast<uint32_t>(code_.steps.size());
  depth_ = 0;
  if (as_condition) {
    emit_condition(id);
  } else {
    emit_value(id);
  }
  return {begin, static_cast<uint32_t>(code_.steps.size())};
}

plan::ProgramRange ExprLowering::single(Op op, uint32_t a, plan::SourceRange range) {
  auto begin = static_cast<uint32_t>(code_.steps.size());
  code_.steps.push_back({op, 0, 0, a});
  code_.ranges.push_back(range);
  depth_ = 0;
  push(1);
  return {begin, begin + 1};
}

plan::ProgramRange ExprLowering::record_in_hand(types::ObjectId object, plan::SourceRange range) {
  check::Path it;
  it.from = {object};
  return path_value(it, range);
}

plan::ProgramRange ExprLowering::local(uint32_t slot, plan::SourceRange range) {
  check::Path from;
  from.base = check::PathBase::kLocal;
  from.local = slot;
  return path_value(from, range);
}

plan::ProgramRange ExprLowering::path_value(const check::Path& from, plan::SourceRange range) {
  return single(Op::kPath, path(from), range);
}

plan::ProgramRange ExprLowering::constant_value(Value value, plan::SourceRange range) {
  return single(Op::kConstant, constant(std::move(value)), range);
}

plan::ProgramRange ExprLowering::truth_of_local(uint32_t slot, plan::SourceRange range) {
  plan::ProgramRange out = local(slot, range);
  code_.steps.push_back({Op::kTruth, 0, 0, 0});
  code_.ranges.push_back(range);
  return {out.begin, out.end + 1};
}

plan::ProgramRange ExprLowering::row(std::span<const NodeId> columns,
                                     std::span<const NodeId> cells) {
  auto begin = static_cast<uint32_t>(code_.steps.size());
  depth_ = 0;
  std::vector<uint32_t> jumps;
  bool first = true;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (tree_.is(cells[i], NodeKind::kCellAny)) continue;
    if (!first) {
      jumps.push_back(step(Op::kAndJump, cells[i]));
      push(-1);
    }
    first = false;
    emit_cell(columns[i], cells[i]);
  }
  for (uint32_t at : jumps) code_.steps[at].a = static_cast<uint32_t>(code_.steps.size());
  return {begin, static_cast<uint32_t>(code_.steps.size())};
}

plan::ProgramRange ExprLowering::instant(NodeId id) {
  plan::ProgramRange out = value(id);
  if (is_date(id)) out.end = step(Op::kDayStart, id) + 1;
  return out;
}

void ExprLowering::finish() {
  for (size_t i = 0; i < pending_.size();
       ++i) {  // a `has` inside a `has` is appended while this runs
    Pending next = pending_[i];
    code_.rare.edit().relations[next.relation].condition = program(next.condition, true);
  }
}

// ---- Emitting ---------------------------------------------------------------------------------

uint32_t ExprLowering::step(Op op, NodeId from, uint32_t a, uint8_t flags, uint16_t b) {
  code_.steps.push_back({op, flags, b, a});
  code_.ranges.push_back({tree_.node(from).begin, tree_.node(from).end});
  return static_cast<uint32_t>(code_.steps.size() - 1);
}

void ExprLowering::push(int count) {
  depth_ += count;
  code_.stack_max = std::max(code_.stack_max, static_cast<uint32_t>(depth_));
}

uint32_t ExprLowering::constant(Value value) {
  code_.constants.push_back(std::move(value));
  return static_cast<uint32_t>(code_.constants.size() - 1);
}

uint32_t ExprLowering::path(const check::Path& from) {
  plan::PathPlan out;
  out.base = static_cast<plan::PathBase>(from.base);
  out.local = from.local;
  if (from.base == check::PathBase::kIt && it_slot_) {
    out.base = plan::PathBase::kLocal;
    out.local = *it_slot_;
  }
  out.from = from.from;
  out.members = from.members;
  for (const check::Hop& hop : from.hops) out.hops.push_back({hop.fields});
  code_.paths.push_back(std::make_shared<const plan::PathPlan>(std::move(out)));
  return static_cast<uint32_t>(code_.paths.size() - 1);
}

// ---- Conditions -------------------------------------------------------------------------------

void ExprLowering::emit_condition(NodeId id) {
  switch (tree_.kind(id)) {
    case NodeKind::kAnd: emit_joined(id, Op::kAndJump); return;
    case NodeKind::kOr: emit_joined(id, Op::kOrJump); return;
    case NodeKind::kNot:
      emit_condition(ast::Not(tree_, id).condition());
      step(Op::kNot, id);
      return;
    case NodeKind::kNumberedCondition: {
      ast::NumberedCondition numbered(tree_, id);
      for (NodeId item : tree_.items(numbered.items())) {
        numbered_[std::string(tree_.text(item))] = ast::NumberedItem(tree_, item).condition();
      }
      emit_condition(numbered.logic());
      return;
    }
    case NodeKind::kLogicRef: emit_condition(numbered_[std::string(tree_.text(id))]); return;
    case NodeKind::kCompare: emit_compare(id); return;
    case NodeKind::kIsBlank:
      emit_value(ast::IsBlank(tree_, id).left());
      step(Op::kIsBlank, id, 0, tree_.op(id) & 1);
      return;
    case NodeKind::kOneOf: emit_one_of(id); return;
    case NodeKind::kBetween: emit_between(id); return;
    case NodeKind::kChanged: emit_changed(id); return;
    case NodeKind::kIsNew:
      step(Op::kIsNew, id);
      push(1);
      return;
    case NodeKind::kQuantified: emit_has(id); return;
    default: emit_value(id); step(Op::kTruth, id);
  }
}

// Every term but the last may decide: its jump keeps the deciding value and leaves.
void ExprLowering::emit_joined(NodeId id, Op jump) {
  auto terms = tree_.children(id);
  std::vector<uint32_t> jumps;
  for (size_t i = 0; i < terms.size(); ++i) {
    emit_condition(terms[i]);
    if (i + 1 == terms.size()) break;
    jumps.push_back(step(jump, id));
    push(-1);
  }
  for (uint32_t at : jumps) code_.steps[at].a = static_cast<uint32_t>(code_.steps.size());
}

bool ExprLowering::is_instant(NodeId id) const { return fact(id).type.is(TypeKind::kDatetime); }
bool ExprLowering::is_date(NodeId id) const { return fact(id).type.is(TypeKind::kDate); }
bool ExprLowering::mixes_dates(NodeId left, NodeId right) const {
  return (is_date(left) && is_instant(right)) || (is_instant(left) && is_date(right));
}

void ExprLowering::emit_operand(NodeId id, bool as_instant) {
  emit_value(id);
  if (tree_.is(id, NodeKind::kNamedPerson)) code_.steps.back().flags |= 2;
  if (as_instant && is_date(id)) step(Op::kDayStart, id);
}

void ExprLowering::emit_compare(NodeId id) {
  ast::Compare compare(tree_, id);
  bool mixed = mixes_dates(compare.left(), compare.right());
  emit_operand(compare.left(), mixed);
  emit_operand(compare.right(), mixed);
  step(Op::kCompare, id, 0, compare_flags(compare.op()));
  push(-1);
}

void ExprLowering::emit_one_of(NodeId id) {
  ast::OneOf one_of(tree_, id);
  auto items = tree_.items(one_of.items());
  bool mixed = std::any_of(items.begin(), items.end(),
                           [&](NodeId item) { return mixes_dates(one_of.left(), item); });
  emit_operand(one_of.left(), mixed);
  for (NodeId item : items) emit_operand(item, mixed);
  step(Op::kOneOf, id, static_cast<uint32_t>(items.size()), tree_.op(id) & 1);
  push(-static_cast<int>(items.size()));
}

// As `is one of` and as a comparison mean it.
void ExprLowering::emit_cell(NodeId column, NodeId cell) {
  auto values = tree_.children(cell);
  bool mixed = std::any_of(values.begin(), values.end(),
                           [&](NodeId value) { return mixes_dates(column, value); });
  emit_operand(column, mixed);
  for (NodeId value : values) emit_operand(value, mixed);
  if (tree_.is(cell, NodeKind::kCellCompare)) {
    step(Op::kCompare, cell, 0, compare_flags(tree_.op(cell)));
  } else {
    step(Op::kOneOf, cell, static_cast<uint32_t>(values.size()));
  }
  push(-static_cast<int>(values.size()));
}

void ExprLowering::emit_between(NodeId id) {
  ast::Between between(tree_, id);
  bool mixed =
      mixes_dates(between.left(), between.low()) || mixes_dates(between.left(), between.high());
  for (NodeId part : {between.left(), between.low(), between.high()}) emit_operand(part, mixed);
  step(Op::kBetween, id, 0, tree_.op(id) & 1);
  push(-2);
}

void ExprLowering::emit_changed(NodeId id) {
  ast::Changed changed(tree_, id);
  const check::Path& of = facts_.paths[fact(changed.left()).index];
  uint8_t flags = 0;
  int operands = 0;
  bool instant = is_instant(changed.left());
  if (changed.from().valid()) {
    emit_operand(changed.from(), instant);
    flags |= 1;
    ++operands;
  }
  if (changed.to().valid()) {
    emit_operand(changed.to(), instant);
    flags |= 2;
    ++operands;
  }
  step(Op::kChanged, id, path(of), flags);
  push(1 - operands);
}

void ExprLowering::emit_has(NodeId id) {
  ast::Quantified quantified(tree_, id);
  const check::Relation& relation = facts_.relations[fact(id).index];
  plan::RelationPlan out;
  out.quantifier = static_cast<plan::Quantifier>(quantified.op());
  out.child = relation.child;
  out.lookup = relation.lookup;
  out.parent = path(relation.parent);
  std::vector<plan::RelationPlan>& relations = code_.rare.edit().relations;
  relations.push_back(std::move(out));
  auto index = static_cast<uint32_t>(relations.size() - 1);
  pending_.push_back({index, quantified.condition()});
  step(Op::kHas, id, index);
  push(1);
}

// ---- Values -----------------------------------------------------------------------------------

void ExprLowering::emit_value(NodeId id) {
  const check::Fact& about = fact(id);
  if (about.binding == check::Binding::kConstant) {
    step(Op::kConstant, id, constant(facts_.constants[about.index]));
    push(1);
    return;
  }
  switch (tree_.kind(id)) {
    case NodeKind::kPath:
      step(Op::kPath, id, path(facts_.paths[about.index]));
      push(1);
      return;
    case NodeKind::kText: emit_text(id); return;
    case NodeKind::kDateTime: {
      auto parsed = value::parse_datetime(tree_.text(id));
      std::vector<plan::LocalDatetime>& locals = code_.rare.edit().local_datetimes;
      locals.push_back({parsed->date, parsed->time});
      step(Op::kLocalDatetime, id, static_cast<uint32_t>(locals.size() - 1));
      push(1);
      return;
    }
    case NodeKind::kNow:
    case NodeKind::kToday:
      step(tree_.kind(id) == NodeKind::kNow ? Op::kNow : Op::kToday, id);
      push(1);
      return;
    case NodeKind::kRelativeTime: {
      emit_value(ast::RelativeTime(tree_, id).duration());
      uint8_t flags = tree_.op(id) & 1;
      if (is_date(id)) flags |= 2;
      step(Op::kAgo, id, 0, flags);
      return;
    }
    case NodeKind::kNamedPerson: {
      Value name = Value::text(tree_.text(ast::NamedPerson(tree_, id).name()));
      step(Op::kPerson, id, constant(std::move(name)), tree_.op(id) & 1);
      push(1);
      return;
    }
    case NodeKind::kCall: emit_call(id); return;
    case NodeKind::kNegate:
      emit_value(ast::Negate(tree_, id).value());
      step(Op::kNegate, id);
      return;
    case NodeKind::kBinary: {
      ast::Binary binary(tree_, id);
      emit_value(binary.left());
      emit_value(binary.right());
      char op = static_cast<char>(binary.op());
      step(op == '+'   ? Op::kAdd
           : op == '-' ? Op::kSubtract
           : op == '*' ? Op::kMultiply
                       : Op::kDivide,
           id);
      push(-1);
      return;
    }
    default: emit_condition(id);  // a condition as a value: a boolean
  }
}

void ExprLowering::emit_text(NodeId id) {
  auto parts = tree_.children(id);
  for (NodeId part : parts) {
    if (tree_.is(part, NodeKind::kPath)) {
      emit_value(part);
    } else {
      step(Op::kConstant, part, constant(Value::text(tree_.text(part))));
      push(1);
    }
  }
  step(Op::kJoin, id, static_cast<uint32_t>(parts.size()));
  push(1 - static_cast<int>(parts.size()));
}

void ExprLowering::emit_call(NodeId id) {
  ast::Call call(tree_, id);
  types::FunctionId function(fact(id).index);
  const types::Signature& signature = module_.functions.row(function);
  auto args = tree_.items(call.args());
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    if (i < args.size()) {
      emit_value(args[i]);
    } else {
      step(Op::kConstant, id, constant(*signature.parameters[i].default_value));
      push(1);
    }
  }
  auto count = static_cast<uint16_t>(signature.parameters.size());
  step(Op::kCall, id, function.index, 0, count);
  push(1 - static_cast<int>(count));
}

}  // namespace ensue::lower::internal
