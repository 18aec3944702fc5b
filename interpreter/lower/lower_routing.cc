// Lowering of a routing table: its rows, one after the other, as a body with the record in slot 0.
#include "base/check.h"
#include "base/fold.h"
#include "lower/internal/expr_lowering.h"
#include "lower/lower.h"

namespace ensue::lower {
namespace {

using plan::Do;
using syntax::NodeId;
using syntax::NodeKind;
namespace ast = syntax::ast;

constexpr uint32_t kRecordSlot = 0;
constexpr uint32_t kFitSlot = 1;  // whether a row has fitted, where all that fit act

class RoutingLowering {
 public:
  RoutingLowering(const check::CheckedModule& module, const check::Routing& routing,
                  plan::UnitPlan& unit)
      : module_(module),
        routing_(routing),
        tree_(module.tree(routing.declaration.file)),
        expressions_(module, routing.declaration.file, unit.code),
        unit_(unit),
        decl_(tree_, routing.declaration.node) {
    expressions_.keep_it_in(kRecordSlot);
  }

  void lower() {
    NodeId id = routing_.declaration.node;
    plan::Body& body = unit_.body.edit();
    if (routing_.all_matches) {
      body.slots = kFitSlot + 1;
      let(kFitSlot, expressions_.constant_value(Value::boolean(false), range(id)), id);
    } else {
      body.slots = kRecordSlot + 1;
    }
    std::vector<uint32_t> ends;
    for (NodeId row_id : tree_.items(decl_.rows())) {
      ast::RoutingRow row(tree_, row_id);
      plan::ProgramRange fits =
          expressions_.row(tree_.items(decl_.columns()), tree_.items(row.inputs()));
      uint32_t unless = UINT32_MAX;
      if (!fits.empty()) unless = emit(Do::kUnless, row_id, program(fits));
      if (routing_.all_matches)
        let(kFitSlot, expressions_.constant_value(Value::boolean(true), range(row_id)), row_id);
      act(row_id, tree_.items(row.outputs()));
      if (!routing_.all_matches) ends.push_back(emit(Do::kJump, row_id));
      if (unless != UINT32_MAX) land(unless);
    }
    if (decl_.otherwise().valid()) {
      if (routing_.all_matches) {
        uint32_t unless =
            emit(Do::kUnless, id, program(expressions_.truth_of_local(kFitSlot, range(id))));
        ends.push_back(emit(Do::kJump, id));
        land(unless);
      }
      act(decl_.otherwise(), tree_.items(decl_.otherwise()));
    }
    for (uint32_t end : ends) land(end);
    emit(Do::kStop, id);
    expressions_.finish();
  }

 private:
  // All fields are set at once, then the cadence is entered: by the new owner.
  void act(NodeId row, std::span<const NodeId> cells) {
    const types::Object& object = module_.schema.object(routing_.object);
    auto outputs = tree_.items(decl_.outputs());
    plan::WritePlan write;
    write.object = routing_.object;
    write.objects = {routing_.object};
    NodeId cadence;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (tree_.is(cells[i], NodeKind::kCellNone)) continue;
      types::FieldId field = object.find(tree_.text(outputs[i]));
      if (!field) {
        cadence = cells[i];
        continue;
      }
      write.assignments.push_back({{routing_.object, field}, value(cells[i])});
    }
    plan::Body& body = unit_.body.edit();
    if (!write.assignments.empty()) {
      body.writes.push_back(std::move(write));
      uint32_t record = program(record_value(row));
      emit(Do::kUpdate, row, static_cast<uint32_t>(body.writes.size() - 1), record);
    }
    if (!cadence.valid()) return;
    plan::EffectPlan effect;
    effect.kind = plan::EffectKind::kAdd;
    effect.range = range(cadence);
    effect.target = record_value(cadence);
    effect.cadence = plan::Shared(std::string(tree_.text(ast::CellValue(tree_, cadence).value())));
    unit_.effects.push_back(std::move(effect));
    emit(Do::kEffect, cadence, static_cast<uint32_t>(unit_.effects.size() - 1));
  }

  plan::ProgramRange value(NodeId cell) {
    if (!tree_.is(cell, NodeKind::kCellRoundRobin))
      return expressions_.value(ast::CellValue(tree_, cell).value());
    plan::Body& body = unit_.body.edit();
    body.texts.emplace_back(tree_.text(ast::CellRoundRobin(tree_, cell).group()));
    uint32_t slot = body.slots++;
    emit(Do::kTurn, cell, slot, static_cast<uint32_t>(body.texts.size() - 1));
    return expressions_.local(slot, range(cell));
  }

  plan::ProgramRange record_value(NodeId from) {
    return expressions_.record_in_hand(routing_.object, range(from));
  }
  void let(uint32_t slot, plan::ProgramRange value, NodeId from) {
    emit(Do::kLet, from, slot, program(value));
  }
  uint32_t program(plan::ProgramRange range) {
    unit_.body.edit().programs.push_back(range);
    return static_cast<uint32_t>(unit_.body->programs.size() - 1);
  }
  uint32_t emit(Do op, NodeId from, uint32_t a = 0, uint32_t b = 0) {
    unit_.body.edit().code.push_back({op, a, b, 0, range(from)});
    return here() - 1;
  }
  void land(uint32_t instruction) { unit_.body.edit().code[instruction].target = here(); }
  uint32_t here() const { return static_cast<uint32_t>(unit_.body->code.size()); }
  plan::SourceRange range(NodeId id) const { return {tree_.node(id).begin, tree_.node(id).end}; }

  const check::CheckedModule& module_;
  const check::Routing& routing_;
  const syntax::Tree& tree_;
  internal::ExprLowering expressions_;
  plan::UnitPlan& unit_;
  ast::RoutingDecl decl_;
};

}  // namespace

std::shared_ptr<plan::UnitPlan> lower_routing(const check::CheckedModule& module,
                                              const check::Routing& routing,
                                              const Calendars& calendars) {
  auto unit = std::make_shared<plan::UnitPlan>();
  unit->kind = plan::UnitKind::kRouting;
  unit->name = routing.name;
  unit->rule = plan::rule_key(unit->kind, "", routing.name);
  unit->file = plan::Shared(module.sources->file(routing.declaration.file).name());
  unit->range = {routing.name_span.begin, routing.name_span.end};
  unit->trigger.edit().kind = plan::TriggerKind::kCalled;
  unit->calendar = calendars.for_file(routing.declaration.file);
  unit->body.edit().takes.push_back(
      {"record", module.schema.record_type(routing.object), kRecordSlot});
  RoutingLowering(module, routing, *unit).lower();
  std::string broken = plan::verify(*unit, module.schema, module.functions);
  ENSUE_CHECK(broken.empty());
  return unit;
}

}  // namespace ensue::lower
