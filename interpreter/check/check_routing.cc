// Routing tables: what their columns read, what their rows compare and give.
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"

namespace ensue::check::internal {
namespace {

// Not a field of the CRM's objects: the cadence that the record is added to.
constexpr const char* kCadence = "Cadence";

}  // namespace

void Checker::check_routing(NodeId id) {
  ast::RoutingDecl decl(*tree_, id);
  Routing routing;
  routing.name = text(decl.name());
  routing.declaration = ref(id);
  routing.name_span = span(decl.name());
  routing.object = object_named(decl.object());
  routing.all_matches = decl.op() == 1;
  if (!routing.object) return;
  Place place;
  place.it = module_->schema.record_type(routing.object);
  place.me = false;
  place.why_not_me = "a routing table is for whoever its flow is for; name a user or a path";
  place.why_not_changes = "a routing table looks at the record as it is now";
  auto columns = tree_->items(decl.columns());
  auto outputs = tree_->items(decl.outputs());
  for (NodeId column : columns) infer(column, place);
  const types::Object& object = module_->schema.object(routing.object);
  for (NodeId output : outputs) {
    bool cadence = base::equal_folded(text(output), kCadence);
    if (!cadence && !find_field(routing.object, text(output)))
      report_unknown_field({routing.object}, text(output), span(output))
          .note(fmt::format("right of `->` stand fields of the {}, and `Cadence`", object.name));
  }
  auto fits_table = [&](NodeId at, size_t given, size_t wanted) {
    if (given == wanted) return true;
    report(DiagnosticKind::kRoutingRow, span(at),
           {fmt::format("{}", given), fmt::format("{}", wanted)});
    return false;
  };
  auto check_outputs = [&](NodeId row, std::span<const NodeId> cells) {
    if (!fits_table(row, cells.size(), outputs.size())) return;
    for (size_t i = 0; i < cells.size(); ++i)
      check_routing_output(outputs[i], cells[i], routing, place);
  };
  for (NodeId row_id : tree_->items(decl.rows())) {
    ast::RoutingRow row(*tree_, row_id);
    auto inputs = tree_->items(row.inputs());
    if (fits_table(row_id, inputs.size(), columns.size())) {
      for (size_t i = 0; i < inputs.size(); ++i) check_routing_test(columns[i], inputs[i], place);
    }
    check_outputs(row_id, tree_->items(row.outputs()));
  }
  if (decl.otherwise().valid()) check_outputs(decl.otherwise(), tree_->items(decl.otherwise()));
  module_->routings.push_back(std::move(routing));
}

void Checker::check_routing_test(NodeId column, NodeId cell, const Place& place) {
  Type type = facts_->of(column).type;
  switch (tree_->kind(cell)) {
    case NodeKind::kCellCompare: {
      NodeId value = ast::CellCompare(*tree_, cell).value();
      Type given = infer(value, place, &type);
      bool equality = tree_->op(cell) == syntax::kEqual || tree_->op(cell) == syntax::kNotEqual;
      if (!equality && !type.error() && !has_order(type)) {
        report(DiagnosticKind::kOperatorNotForType, span(cell),
               {compare_word(tree_->op(cell)), a_name_of(type)});
        return;
      }
      check_comparable(type, given, value, column);
      return;
    }
    case NodeKind::kCellValues:
      for (NodeId value : tree_->children(cell)) {
        Type given = infer(value, place, &type);
        check_comparable(type, given, value, column);
      }
      return;
    default: return;  // any
  }
}

void Checker::check_routing_output(NodeId output, NodeId cell, Routing& routing,
                                   const Place& place) {
  if (tree_->is(cell, NodeKind::kCellNone)) return;
  const types::Schema& schema = module_->schema;
  types::FieldId field = find_field(routing.object, text(output));
  if (!field) {
    if (!base::equal_folded(text(output), kCadence)) return;  // told where it stands
    NodeId value =
        tree_->is(cell, NodeKind::kCellValue) ? ast::CellValue(*tree_, cell).value() : NodeId();
    bool name =
        value.valid() && tree_->is(value, NodeKind::kText) && tree_->children(value).empty();
    if (!name) {
      report(DiagnosticKind::kStatementTakes, span(cell),
             {kCadence, "the name of a cadence or `none`", "this"});
      return;
    }
    CadenceEffect effect;
    effect.kind = EffectKind::kAdd;
    effect.statement = effect.target = ref(cell);
    effect.cadence = cadence_named(value);
    routing.effects.push_back(std::move(effect));
    return;
  }
  const types::Field& to = schema.object(routing.object).field(field);
  Write write{routing.object, field, syntax::kOnEdited, std::nullopt, span(cell)};
  if (tree_->is(cell, NodeKind::kCellRoundRobin)) {
    Type user = schema.record_type(schema.find_object("User"));
    if (!fits(to.type, user, cell))
      report(DiagnosticKind::kCannotAssign, span(cell),
             {to.name, a_name_of(to.type), a_name_of(user)});
  } else {
    NodeId value = ast::CellValue(*tree_, cell).value();
    Type given = infer(value, place, &to.type);
    if (!fits(to.type, given, value))
      report(DiagnosticKind::kCannotAssign, span(value),
             {to.name, a_name_of(to.type), a_name_of(given)});
    const Fact& fact = facts_->of(value);
    if (fact.binding == Binding::kConstant) write.value = facts_->constants[fact.index];
  }
  routing.writes.push_back(std::move(write));
}

// What the table may do is what the flow may do.
void Checker::check_route(NodeId id, Automation& automation, const Place& place) {
  ast::RouteStmt stmt(*tree_, id);
  Type type = infer(stmt.target(), place);
  std::string name = text(stmt.table());
  const Routing* table = nullptr;
  for (const Routing& routing : module_->routings) {
    if (base::equal_folded(routing.name, name)) table = &routing;
  }
  if (table == nullptr) {
    if (names_->routings.count(name) == 0 && !broken("routing", name))
      report(DiagnosticKind::kUnknownReference, span(stmt.table()), {"routing table", name})
          .suggest_quoted(base::nearest(name, names_of(names_->routings)));
    return;
  }
  if (type.error() || type.is(TypeKind::kAny)) return;
  std::vector<types::ObjectId> objects = objects_of(type);
  bool fits_table = type.kind == TypeKind::kRecord && !type.list &&
                    std::find(objects.begin(), objects.end(), table->object) != objects.end();
  if (!fits_table) {
    Type wanted = module_->schema.record_type(table->object);
    report(DiagnosticKind::kStatementTakes, span(stmt.target()),
           {"route", a_name_of(wanted), a_name_of(type)})
        .label(table->name_span, "the table");
    return;
  }
  automation.writes.insert(automation.writes.end(), table->writes.begin(), table->writes.end());
  for (const CadenceEffect& effect : table->effects) collect_tracker_writes(effect, automation);
}

}  // namespace ensue::check::internal
