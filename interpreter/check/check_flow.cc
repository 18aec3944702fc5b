// Flows: triggers, guards, statements. What a flow does is lowered from the tree by lower/; here
// its names and types are looked up.
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"

namespace ensue::check::internal {
void Checker::not_run_yet(NodeId id, std::string_view what) {
  report(DiagnosticKind::kNotRunYet, span(id), {what});
}

void Checker::check_flow(NodeId id) {
  ast::FlowDecl decl(*tree_, id);
  Automation automation = automation_head(id, decl.name(), decl.attributes());
  automation.kind = decl.op() == syntax::kFlowSubflow  ? AutomationKind::kSubflow
                    : decl.op() == syntax::kFlowScreen ? AutomationKind::kScreenFlow
                                                       : AutomationKind::kFlow;
  Place place;
  place.me = false;
  place.why_not_me = "the flow runs as the system; `run as the owner` gives it a person";
  auto triggers = tree_->items(decl.triggers());
  if (automation.kind == AutomationKind::kFlow && triggers.empty()) {
    report(DiagnosticKind::kMissingTrigger, span(decl.name()),
           {fmt::format("flow \"{}\"", automation.name)});
    place.it_told = true;
  }
  if (triggers.size() > 1) {
    report(DiagnosticKind::kTooManyTriggers, span(triggers[1]))
        .label(span(triggers[0]), "the first one");
  }
  types::ObjectId tracker = module_->schema.find_object("ActionCadenceTracker");
  for (NodeId trigger : triggers) {
    switch (tree_->kind(trigger)) {
      case NodeKind::kRecordTrigger:
        check_record_trigger(trigger, automation);
        if (automation.object) place.it = module_->schema.record_type(automation.object);
        place.it_told = !automation.object;
        place.changes = true;
        break;
      case NodeKind::kChangeTrigger: {
        std::vector<types::ObjectId> objects;
        for (NodeId object : tree_->items(ast::ChangeTrigger(*tree_, trigger).objects())) {
          if (types::ObjectId found = object_named(object)) objects.push_back(found);
        }
        if (!objects.empty())
          place.it = {TypeKind::kRecord, false, {}, module_->schema.add_object_set(objects)};
        place.it_told = objects.empty();
        place.changes = true;
        break;
      }
      case NodeKind::kStepTrigger: {
        ast::StepTrigger step(*tree_, trigger);
        if (step.cadence().valid()) cadence_named(step.cadence());
        place.it = module_->schema.record_type(tracker);
        break;
      }
      case NodeKind::kCadenceTrigger: {
        ast::CadenceTrigger cadence(*tree_, trigger);
        if (cadence.cadence().valid()) cadence_named(cadence.cadence());
        place.it = module_->schema.record_type(tracker);
        break;
      }
      case NodeKind::kDailySchedule: {
        ast::DailySchedule schedule(*tree_, trigger);
        for (NodeId time : tree_->items(schedule.times())) infer(time, Place{});
        if (schedule.zone().valid()) check_zone(schedule.zone());
        break;
      }
      case NodeKind::kMonthlySchedule: {
        ast::MonthlySchedule schedule(*tree_, trigger);
        for (NodeId day : tree_->items(schedule.days()))
          whole_number(day, 1, 31, "the day of the month");
        for (NodeId time : tree_->items(schedule.times())) infer(time, Place{});
        if (schedule.zone().valid()) check_zone(schedule.zone());
        break;
      }
      case NodeKind::kIntervalSchedule: {
        ast::IntervalSchedule schedule(*tree_, trigger);
        check_interval(schedule);
        if (schedule.zone().valid()) check_zone(schedule.zone());
        break;
      }
      case NodeKind::kOnceSchedule: {
        ast::OnceSchedule schedule(*tree_, trigger);
        infer(schedule.date(), Place{});
        infer(schedule.time(), Place{});
        if (schedule.zone().valid()) check_zone(schedule.zone());
        break;
      }
      default: break;
    }
  }
  if (decl.over().valid()) {
    ast::OverClause over(*tree_, decl.over());
    types::ObjectId object = object_named(over.object());
    if (!object) place.it_told = true;
    if (object) {
      facts_->by_node[over.object().index].type = module_->schema.record_type(object);
      place.it = module_->schema.record_type(object);
      if (over.where().valid()) {
        Place searching = place;
        searching.changes = false;
        searching.searched.push_back(object);
        infer_condition(over.where(), searching);
      }
    }
    if (over.batch().valid()) whole_number(over.batch(), 1, 2000, "the batch");
  }
  for (NodeId list : {decl.takes(), decl.gives()}) {
    for (NodeId param : tree_->items(list)) {
      ast::Param row(*tree_, param);
      Type type = named_type(row.type(), true);
      facts_->by_node[row.type().index].type = type;
      place.locals.push_back({text(row.name()), type, span(row.name())});
    }
  }
  if (decl.run_as().valid()) {
    ast::RunAs run_as(*tree_, decl.run_as());
    automation.run_as = static_cast<syntax::RunAsOp>(run_as.op());
    automation.run_as_user = text(run_as.user());
    place.me = automation.run_as != syntax::kRunAsSystem;
  }
  if (automation.kind == AutomationKind::kScreenFlow)
    place.me = true;  // somebody sits in front of the screen
  if (decl.mode().valid() && ast::Mode(*tree_, decl.mode()).at_most().valid()) {
    whole_number(ast::Mode(*tree_, decl.mode()).at_most(), 1, 1'000'000, "the number of runs");
  }
  if (decl.run_again().valid()) {
    automation.runs_per_record_max =
        whole_number(ast::RunAgain(*tree_, decl.run_again()).count(), 1, 1000, "the number of runs")
            .value_or(1);
  }
  if (decl.guard().valid()) check_guard(decl.guard(), automation, place);
  place.changes = false;
  place.why_not_changes = "a statement works on the record as it is now";
  Place after = place;
  check_statements(decl.body(), automation, after);
  for (NodeId gap : tree_->items(decl.gap_blocks())) {
    after = place;
    check_statements(ast::GapBlock(*tree_, gap).body(), automation, after);
  }
  automation.runnable = true;
  automations_.push_back(std::move(automation));
}

// Hours and less start anew each day, so that none of them is longer than a day.
void Checker::check_interval(const ast::IntervalSchedule& schedule) {
  int64_t most = 1000;
  switch (schedule.op()) {
    case syntax::kSecond: most = 86'400; break;
    case syntax::kMinute: most = 1440; break;
    case syntax::kHour: most = 24; break;
    default: break;
  }
  if (schedule.count().valid()) whole_number(schedule.count(), 1, most, "the interval");
}

void Checker::collect_subflows() {
  for_each_declaration(NodeKind::kFlowDecl, [&](NodeId id) {
    ast::FlowDecl decl(*tree_, id);
    if (decl.op() != syntax::kFlowSubflow) return;
    SubflowShape shape;
    for (auto [list, out] : {std::pair(decl.takes(), &shape.takes), {decl.gives(), &shape.gives}}) {
      for (NodeId param : tree_->items(list)) {
        ast::Param row(*tree_, param);
        out->emplace_back(text(row.name()), named_type(row.type(), true));
      }
    }
    names_->subflow_shapes.emplace(text(decl.name()), std::move(shape));
  });
}

void Checker::check_statements(NodeId body, Automation& automation, Place& place) {
  size_t locals = place.locals.size();
  for (NodeId statement : tree_->items(body)) check_statement(statement, automation, place);
  place.locals.resize(locals);
}

void Checker::add_local(NodeId name, Type type, Place& place) {
  std::string word = text(name);
  for (types::ObjectId object : objects_of(place.it)) {
    if (find_field(object, word)) {
      report(DiagnosticKind::kLocalHidesField, span(name), {word});
      break;
    }
  }
  place.locals.push_back({word, type, span(name), type.kind == TypeKind::kAny, false});
}

Type Checker::infer_finder(NodeId id, const Place& place) {
  ast::Finder finder(*tree_, id);
  types::ObjectId object = object_named(finder.object());
  if (!object) return Type::of(TypeKind::kError);
  Place searching = place;
  searching.searched.push_back(object);
  if (finder.where().valid()) infer_condition(finder.where(), searching);
  if (finder.order_by().valid()) infer(finder.order_by(), searching);
  Type type = module_->schema.record_type(object);
  type.list = (finder.op() & syntax::kFindAll) != 0;
  return type;
}

void Checker::check_arguments(NodeId list, const Place& place, Automation* automation) {
  for (NodeId row : tree_->items(list))
    infer_source(ast::Assignment(*tree_, row).value(), place, automation);
}

Type Checker::check_run(NodeId id, const Place& place, Automation* automation) {
  ast::RunStmt stmt(*tree_, id);
  std::string name = text(stmt.name());
  if (names_->subflows.count(name) == 0 && !broken("subflow", name)) {
    report(DiagnosticKind::kUnknownReference, span(stmt.name()), {"subflow", name})
        .suggest_quoted(base::nearest(name, names_of(names_->subflows)));
  }
  auto found = names_->subflow_shapes.find(name);
  if (found == names_->subflow_shapes.end()) {
    check_arguments(stmt.assignments(), place, automation);
    return Type::of(TypeKind::kError);
  }
  const SubflowShape& shape = found->second;
  std::set<std::string, base::FoldedLess> given;
  for (NodeId row : tree_->items(stmt.assignments())) {
    ast::Assignment assignment(*tree_, row);
    std::string written(tree_->written(assignment.path()));
    auto taken = std::find_if(shape.takes.begin(), shape.takes.end(), [&](const auto& param) {
      return base::equal_folded(param.first, written);
    });
    if (taken == shape.takes.end()) {
      std::vector<std::string> names;
      for (const auto& [param, type] : shape.takes) names.push_back(param);
      report(DiagnosticKind::kUnknownReference, span(assignment.path()),
             {fmt::format("parameter of \"{}\"", name), written})
          .suggest(base::nearest(written, names));
      infer_source(assignment.value(), place, automation);
      continue;
    }
    if (!given.insert(written).second)
      report(DiagnosticKind::kClauseRepeated, span(assignment.path()), {"this parameter"});
    Type type = infer_source(assignment.value(), place, automation, &taken->second);
    if (!fits(taken->second, type, assignment.value())) {
      report(DiagnosticKind::kCannotAssign, span(assignment.value()),
             {taken->first, a_name_of(taken->second), a_name_of(type)});
    }
  }
  for (const auto& [param, type] : shape.takes) {
    if (given.count(param) == 0)
      report(DiagnosticKind::kArgumentMissing, span(stmt.name()), {name, param});
  }
  return shape.gives.empty() ? Type::of(TypeKind::kBlank) : shape.gives.front().second;
}

Type Checker::infer_source(NodeId id, const Place& place, Automation* automation,
                           const Type* hint) {
  Type type;
  switch (tree_->kind(id)) {
    case NodeKind::kFinder: type = infer_finder(id, place); break;
    case NodeKind::kRunStmt: type = check_run(id, place, automation); break;
    case NodeKind::kCallStmt:
      check_arguments(ast::CallStmt(*tree_, id).assignments(), place, automation);
      type = Type::of(TypeKind::kAny);
      break;
    default: return infer(id, place, hint);
  }
  facts_->by_node[id.index].type = type;
  return type;
}

void Checker::check_statement(NodeId id, Automation& automation, Place& place) {
  auto takes_record = [&](std::string_view word, NodeId node, const Type& type) {
    if (type.error() || type.kind == TypeKind::kRecord || type.is(TypeKind::kAny)) return;
    report(DiagnosticKind::kStatementTakes, span(node), {word, "a record", a_name_of(type)});
  };
  auto note_object = [&](NodeId node, types::ObjectId object) {
    facts_->by_node[node.index].type = module_->schema.record_type(object);
  };
  switch (tree_->kind(id)) {
    case NodeKind::kIfStmt: {
      ast::IfStmt stmt(*tree_, id);
      infer_condition(stmt.condition(), place);
      check_statements(stmt.body(), automation, place);
      for (NodeId branch : tree_->items(stmt.else_ifs())) {
        infer_condition(ast::ElseIf(*tree_, branch).condition(), place);
        check_statements(ast::ElseIf(*tree_, branch).body(), automation, place);
      }
      check_statements(stmt.else_body(), automation, place);
      return;
    }
    case NodeKind::kForStmt: {
      ast::ForStmt stmt(*tree_, id);
      Type element = Type::of(TypeKind::kError);
      NodeId from = stmt.source();
      bool bare = tree_->is(from, NodeKind::kPath) && tree_->op(from) == syntax::kPathBare &&
                  tree_->children(from).size() == 1;
      types::FieldRef children;
      if (bare) {
        for (types::ObjectId object : objects_of(place.it)) {
          types::FieldRef found =
              module_->schema.find_children(object, tree_->text(tree_->children(from)[0]));
          if (found.object) children = found;
        }
      }
      if (children.object) {
        element = module_->schema.record_type(children.object);
        Relation relation;
        relation.child = children.object;
        relation.lookup = children.field;
        relation.parent.from = objects_of(place.it);
        Fact& fact = facts_->by_node[from.index];
        fact.binding = Binding::kRelation;
        fact.index = static_cast<uint32_t>(facts_->relations.size());
        facts_->relations.push_back(std::move(relation));
      } else {
        element = infer_source(from, place, &automation);
        bool many = element.error() || element.list || element.is(TypeKind::kMultipicklist) ||
                    element.is(TypeKind::kAny);
        if (!many) {
          report(DiagnosticKind::kStatementTakes, span(from),
                 {"for each", "several records", a_name_of(element)});
          element = Type::of(TypeKind::kError);
        }
        element.list = false;
      }
      size_t locals = place.locals.size();
      add_local(stmt.name(), element, place);
      check_statements(stmt.body(), automation, place);
      place.locals.resize(locals);
      return;
    }
    case NodeKind::kLetStmt: {
      ast::LetStmt stmt(*tree_, id);
      Type type = infer_source(stmt.value(), place, &automation);
      add_local(stmt.name(), type, place);
      return;
    }
    case NodeKind::kSetStmt:
      for (types::ObjectId object : objects_of(place.it)) {
        check_assignments(ast::SetStmt(*tree_, id).assignments(), object, place, &automation,
                          syntax::kOnEdited);
        break;
      }
      need_record_in_hand(place, span(id));
      return;
    case NodeKind::kCreateStmt: {
      ast::CreateStmt stmt(*tree_, id);
      types::ObjectId object = object_named(stmt.object());
      if (!object) return;
      note_object(stmt.object(), object);
      automation.writes.push_back({object, {}, syntax::kOnCreated, std::nullopt, span(id)});
      std::set<types::FieldId> given =
          check_assignments(stmt.assignments(), object, place, &automation, syntax::kOnCreated);
      Span head = span(id);
      head.end = span(stmt.object()).end;
      check_required_fields(object, given, head);
      if (stmt.alias().valid()) add_local(stmt.alias(), module_->schema.record_type(object), place);
      return;
    }
    case NodeKind::kUpdateStmt: {
      ast::UpdateStmt stmt(*tree_, id);
      if (stmt.where().valid()) {
        types::ObjectId object = object_named(tree_->written(stmt.target()), span(stmt.target()));
        if (!object) return;
        note_object(stmt.target(), object);
        Place searching = place;
        searching.searched.push_back(object);
        infer_condition(stmt.where(), searching);
        check_assignments(stmt.assignments(), object, place, &automation, syntax::kOnEdited);
        return;
      }
      Type target = infer(stmt.target(), place);
      for (types::ObjectId object : objects_of(target)) {
        check_assignments(stmt.assignments(), object, place, &automation, syntax::kOnEdited);
        break;
      }
      if (!target.error() && !target.is(TypeKind::kRecord)) {
        report(DiagnosticKind::kNotWritable, span(stmt.target()), {tree_->written(stmt.target())});
      }
      return;
    }
    case NodeKind::kDeleteStmt: {
      NodeId deleted = ast::DeleteStmt(*tree_, id).target();
      Type target = infer(deleted, place);
      takes_record("delete", deleted, target);
      for (types::ObjectId object : objects_of(target)) {
        automation.writes.push_back({object, {}, syntax::kOnDeleted, std::nullopt, span(id)});
      }
      return;
    }
    case NodeKind::kWaitStmt: {
      ast::WaitStmt stmt(*tree_, id);
      read_duration(stmt.duration());
      read_duration(stmt.at_most());
      if (stmt.until().valid()) {
        Type until = infer(stmt.until(), place);
        bool fits = until.error() || until.is(TypeKind::kAny) || until.is(TypeKind::kBoolean) ||
                    until.temporal();
        if (!fits) {
          report(DiagnosticKind::kStatementTakes, span(stmt.until()),
                 {"wait until", "a condition or a date and time", a_name_of(until)});
        }
      }
      check_statements(stmt.timeout_body(), automation, place);
      return;
    }
    case NodeKind::kTryStmt: {
      ast::TryStmt stmt(*tree_, id);
      check_statements(stmt.body(), automation, place);
      if (stmt.retry().valid()) {
        whole_number(ast::Retry(*tree_, stmt.retry()).count(), 1, 100, "the number of retries");
        read_duration(ast::Retry(*tree_, stmt.retry()).starting());
      }
      size_t locals = place.locals.size();
      if (stmt.fault_name().valid()) {
        add_local(stmt.fault_name(), Type::of(TypeKind::kAny), place);
        place.locals.back().fault = true;
      }
      check_statements(stmt.fault_body(), automation, place);
      place.locals.resize(locals);
      return;
    }
    case NodeKind::kStopStmt:
      if (ast::StopStmt(*tree_, id).fault().valid())
        infer(ast::StopStmt(*tree_, id).fault(), place);
      return;
    case NodeKind::kGiveStmt:
      for (NodeId row : tree_->items(ast::GiveStmt(*tree_, id).assignments())) {
        ast::Assignment assignment(*tree_, row);
        std::string written(tree_->written(assignment.path()));
        auto shape = names_->subflow_shapes.find(automation.name);
        const std::pair<std::string, Type>* given = nullptr;
        if (automation.kind == AutomationKind::kSubflow && shape != names_->subflow_shapes.end()) {
          for (const auto& param : shape->second.gives) {
            if (base::equal_folded(param.first, written)) given = &param;
          }
        }
        if (given == nullptr)
          report(DiagnosticKind::kUnknownReference, span(assignment.path()),
                 {"given value", written});
        Type type = infer_source(assignment.value(), place, &automation,
                                 given != nullptr ? &given->second : nullptr);
        if (given != nullptr && !fits(given->second, type, assignment.value())) {
          report(DiagnosticKind::kCannotAssign, span(assignment.value()),
                 {given->first, a_name_of(given->second), a_name_of(type)});
        }
      }
      return;
    case NodeKind::kLogStmt: infer(ast::LogStmt(*tree_, id).value(), place); return;
    case NodeKind::kRunStmt:
    case NodeKind::kCallStmt: infer_source(id, place, &automation); return;
    case NodeKind::kSendStmt: {
      ast::SendStmt stmt(*tree_, id);
      infer(stmt.person(), place);
      if (names_->templates.count(text(stmt.template_name())) == 0 &&
          !broken("template", text(stmt.template_name()))) {
        report(DiagnosticKind::kUnknownHere, span(stmt.template_name()),
               {"template", text(stmt.template_name())})
            .suggest_quoted(base::nearest(text(stmt.template_name()), names_of(names_->templates)));
      }
      return;
    }
    case NodeKind::kRouteStmt: check_route(id, automation, place); return;
    case NodeKind::kShowStmt:
      for (NodeId item : tree_->items(ast::ShowStmt(*tree_, id).items())) {
        ast::AskItem ask(*tree_, item);
        Type type = named_type(ask.type(), true);
        facts_->by_node[ask.type().index].type = type;
        if (ask.default_value().valid()) infer(ask.default_value(), place, &type);
        add_local(ask.name(), type, place);
      }
      return;
    default:
      if (auto effect = check_cadence_effect(id, automation, place)) {
        if (!effect->reminder) collect_tracker_writes(*effect, automation);
        automation.effects.push_back(std::move(*effect));
      }
  }
}

std::set<types::FieldId> Checker::check_assignments(NodeId list, types::ObjectId object,
                                                    const Place& place, Automation* automation,
                                                    uint8_t event) {
  const std::string& object_name = module_->schema.object(object).name;
  std::set<types::FieldId> given;
  for (NodeId row : tree_->items(list)) {
    ast::Assignment assignment(*tree_, row);
    auto names = tree_->children(assignment.path());
    std::string written(tree_->written(assignment.path()));
    bool one_name = tree_->op(assignment.path()) == syntax::kPathBare && names.size() == 1;
    if (!one_name) {
      report(DiagnosticKind::kNotWritable, span(assignment.path()), {written})
          .note(fmt::format("left of `to` stands a field of the {} that is written", object_name));
      continue;
    }
    types::FieldId field = find_field(object, tree_->text(names[0]));
    if (!field) {
      if (!broken("object", object_name) && !broken("extend", object_name)) {
        report_unknown_field({object}, tree_->text(names[0]), span(names[0]));
      }
      infer(assignment.value(), place);
      continue;
    }
    const types::Field& schema_field = module_->schema.object(object).field(field);
    if (!given.insert(field).second)
      report(DiagnosticKind::kClauseRepeated, span(names[0]), {"this field"});
    // Where the assignment says which field: the facts of its path.
    Fact& fact = facts_->by_node[assignment.path().index];
    Path path;
    path.base = PathBase::kIt;
    path.from = {object};
    path.hops.push_back({{{object, field}}});
    fact.type = schema_field.type;
    fact.binding = Binding::kPath;
    fact.index = static_cast<uint32_t>(facts_->paths.size());
    facts_->paths.push_back(std::move(path));
    Write write{object, field, event, std::nullopt, span(row)};
    NodeId value = assignment.value();
    Type type = infer_source(value, place, automation, &schema_field.type);
    if (!fits(schema_field.type, type, value)) {
      report(DiagnosticKind::kCannotAssign, span(value),
             {schema_field.name, a_name_of(schema_field.type), a_name_of(type)});
    }
    const Fact& value_fact = facts_->of(value);
    if (value_fact.binding == Binding::kConstant) write.value = facts_->constants[value_fact.index];
    if (automation != nullptr) automation->writes.push_back(std::move(write));
  }
  return given;
}

void Checker::check_required_fields(types::ObjectId object, const std::set<types::FieldId>& given,
                                    Span at) {
  for (size_t i = 0; i < module_->schema.object(object).fields.size(); ++i) {
    const types::Field& field = module_->schema.object(object).fields[i];
    if (field.required && field.default_value.is_blank() && given.count(types::FieldId(i)) == 0) {
      report(DiagnosticKind::kRequiredField, at, {module_->schema.object(object).name, field.name});
    }
  }
}

// Bodies know nothing of one another: files are checked side by side, and what comes of it is put
// together in their order.
void Checker::check_automations() {
  collect_subflows();
  for_each_declaration(NodeKind::kRoutingDecl, [&](NodeId id) { check_routing(id); });
  struct Checked {
    source::DiagnosticSink sink;
    std::vector<Automation> automations;
    UnknownNames unknown_cadences;
  };
  std::vector<Checked> by_file(module_->files.size());
  auto check = [&](size_t file) {
    Checked& out = by_file[file];
    Checker bodies(*this, out.sink);
    bodies.check_bodies(FileId(file));
    out.automations = std::move(bodies.automations_);
    out.unknown_cadences = std::move(bodies.unknown_cadences_);
  };
  std::vector<size_t> side_by_side;
  for (size_t i = 0; i < by_file.size(); ++i) {
    enter(FileId(i));
    auto is_flow = [&](NodeId id) { return tree_->is(id, NodeKind::kFlowDecl); };
    if (std::any_of(declarations().begin(), declarations().end(), is_flow)) {
      check(i);  // a flow may add a set of objects to the schema
    } else {
      side_by_side.push_back(i);
    }
  }
  base::Workers alone(1);
  base::Workers& workers = input_.workers != nullptr ? *input_.workers : alone;
  workers.each(side_by_side.size(), [&](size_t i) { check(side_by_side[i]); });
  for (Checked& file : by_file) {
    sink_.merge(std::move(file.sink));
    for (Automation& automation : file.automations) module_->automations.add(std::move(automation));
    unknown_cadences_.merge(file.unknown_cadences);
  }
}

void Checker::check_bodies(FileId file) {
  enter(file);
  for (NodeId id : declarations()) {
    if (tree_->is(id, NodeKind::kActionDecl)) check_action(id);
    if (tree_->is(id, NodeKind::kFlowDecl)) check_flow(id);
  }
}

}  // namespace ensue::check::internal
