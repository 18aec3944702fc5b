#include <algorithm>

#include "base/fold.h"
#include "lower/internal/body_lowering.h"
#include "lower/lower_schedule.h"
#include "value/decimal.h"

namespace ensue::lower::internal {

using plan::Do;
using syntax::NodeKind;
namespace ast = syntax::ast;

namespace {

// Hidden slots are numbered from here until it is known how many the author has.
constexpr uint32_t kHiddenBase = 1u << 20;

}  // namespace

BodyLowering::BodyLowering(const check::CheckedModule& module, const check::Automation& automation,
                           ExprLowering& expressions, plan::UnitPlan& unit)
    : module_(module),
      automation_(automation),
      file_(automation.declaration.file),
      tree_(module.tree(file_)),
      facts_(module.file(file_).facts),
      expressions_(expressions),
      unit_(unit) {}

// ---- Pieces -----------------------------------------------------------------------------------

uint32_t BodyLowering::emit(Do op, NodeId from, uint32_t a, uint32_t b) {
  unit_.body.edit().code.push_back({op, a, b, 0, range(from)});
  return here() - 1;
}

void BodyLowering::land(uint32_t instruction) {
  unit_.body.edit().code[instruction].target = here();
}

void BodyLowering::branch(NodeId from, const char* name) {
  unit_.body.edit().texts.emplace_back(name);
  emit(Do::kBranch, from, static_cast<uint32_t>(unit_.body->texts.size() - 1));
}

uint32_t BodyLowering::program(plan::ProgramRange range) {
  unit_.body.edit().programs.push_back(range);
  return static_cast<uint32_t>(unit_.body->programs.size() - 1);
}

uint32_t BodyLowering::declare() {
  uint32_t slot = locals_++;
  locals_most_ = std::max(locals_most_, locals_);
  return slot;
}

uint32_t BodyLowering::hidden(uint32_t count) {
  uint32_t slot = kHiddenBase + hidden_;
  hidden_ += count;
  return slot;
}

void BodyLowering::number_hidden() {
  auto settle = [&](uint32_t& slot) {
    if (slot != plan::kNoSlot && slot >= kHiddenBase) slot = slot - kHiddenBase + locals_most_;
  };
  plan::Body& body = unit_.body.edit();
  for (plan::Instruction& at : body.code) {
    bool slot_a = at.op == Do::kLet || at.op == Do::kFind || at.op == Do::kEach;
    if (slot_a) settle(at.a);
    if (at.op == Do::kEach || at.op == Do::kCreate) settle(at.b);
  }
  for (plan::RunPlan& row : body.runs) settle(row.slot);
  for (plan::CallPlan& row : body.calls) settle(row.slot);
  for (plan::PathPtr& path : unit_.code.paths) {
    if (path->base != plan::PathBase::kLocal || path->local < kHiddenBase) continue;
    plan::PathPlan settled = *path;
    settle(settled.local);
    path = std::make_shared<const plan::PathPlan>(std::move(settled));
  }
  body.slots = locals_most_ + hidden_;
}

std::optional<Duration> BodyLowering::duration(NodeId id) const {
  if (!id.valid()) return std::nullopt;
  uint8_t op = tree_.op(id);
  return Duration{value::parse_decimal(tree_.text(id))->coefficient,
                  static_cast<DurationUnit>(op & 15), (op & syntax::kBusinessUnit) != 0};
}

types::ObjectId BodyLowering::object_of(NodeId id) const {
  return module_.schema.objects_of(fact(id).type.objects).front();
}

types::Type BodyLowering::type_named(NodeId id) const {
  if (fact(id).type.kind != types::TypeKind::kError) return fact(id).type;
  if (tree_.is(id, NodeKind::kNamedType)) {
    if (auto kind = types::type_kind_of(tree_.text(id))) return types::Type::of(*kind);
    if (types::ObjectId object = module_.schema.find_object(tree_.text(id)))
      return module_.schema.record_type(object);
  }
  return types::Type::of(types::TypeKind::kText);
}

// ---- Sources of values ------------------------------------------------------------------------

uint32_t BodyLowering::finder(NodeId id) {
  ast::Finder find(tree_, id);
  plan::FinderPlan out;
  out.object = object_of(id);
  out.all = (find.op() & syntax::kFindAll) != 0;
  out.descending = (find.op() & syntax::kFindDescending) != 0;
  if (find.where().valid()) out.where = expressions_.condition(find.where());
  narrow(out, find.where());
  if (find.order_by().valid()) out.order_by = expressions_.value(find.order_by());
  unit_.body.edit().finders.push_back(out);
  return static_cast<uint32_t>(unit_.body->finders.size() - 1);
}

void BodyLowering::narrow(plan::FinderPlan& find, NodeId where) {
  if (!where.valid()) return;
  // What nothing of the record looked at is part of.
  auto known_before = [&](NodeId value) {
    std::vector<NodeId> stack{value};
    while (!stack.empty()) {
      NodeId at = stack.back();
      stack.pop_back();
      const check::Fact& about = fact(at);
      bool searched = about.binding == check::Binding::kPath &&
                      facts_.paths[about.index].base == check::PathBase::kSearched;
      if (searched || tree_.is(at, NodeKind::kQuantified)) return false;
      for (NodeId child : tree_.children(at)) {
        if (child.valid()) stack.push_back(child);
      }
    }
    return true;
  };
  // Few records share one of these; of a picklist's value there may be as many as there are
  // records.
  auto field_of = [&](NodeId left) -> types::FieldId {
    const check::Fact& about = fact(left);
    if (about.binding != check::Binding::kPath) return {};
    const check::Path& path = facts_.paths[about.index];
    bool own = path.base == check::PathBase::kSearched && path.hops.size() == 1 &&
               path.hops[0].fields[0].object == find.object;
    if (!own) return {};
    switch (module_.schema.field(path.hops[0].fields[0]).type.kind) {
      case types::TypeKind::kRecord:
      case types::TypeKind::kText:
      case types::TypeKind::kEmail:
      case types::TypeKind::kPhone:
      case types::TypeKind::kUrl: return path.hops[0].fields[0].field;
      default: return {};
    }
  };
  std::vector<NodeId> terms{where};
  if (tree_.is(where, NodeKind::kAnd)) {
    auto children = tree_.children(where);
    terms.assign(children.begin(), children.end());
  }
  for (NodeId term : terms) {
    if (!tree_.is(term, NodeKind::kCompare)) continue;
    ast::Compare compare(tree_, term);
    uint8_t op = compare.op() & static_cast<uint8_t>(~syntax::kExactly);
    if (op != syntax::kIs && op != syntax::kEqual) continue;
    for (auto [left, right] :
         {std::pair(compare.left(), compare.right()), std::pair(compare.right(), compare.left())}) {
      types::FieldId field = field_of(left);
      if (!field || !known_before(right)) continue;
      find.lookup = field;
      find.parent = expressions_.value(right);
      find.narrows = true;
      return;
    }
  }
}

void BodyLowering::into(uint32_t slot, NodeId id) {
  switch (tree_.kind(id)) {
    case NodeKind::kFinder: {
      uint32_t number = finder(id);
      emit(Do::kFind, id, slot, number);
      return;
    }
    case NodeKind::kRunStmt: run_subflow(id, slot); return;
    case NodeKind::kCallStmt: call_service(id, slot); return;
    default: {
      uint32_t number = program(expressions_.value(id));
      emit(Do::kLet, id, slot, number);
    }
  }
}

plan::ProgramRange BodyLowering::source(NodeId id) {
  NodeKind kind = tree_.kind(id);
  bool plain =
      kind != NodeKind::kFinder && kind != NodeKind::kRunStmt && kind != NodeKind::kCallStmt;
  if (plain) return expressions_.value(id);
  uint32_t slot = hidden();
  into(slot, id);
  return expressions_.local(slot, range(id));
}

uint32_t BodyLowering::write(NodeId assignments, types::ObjectId object) {
  plan::WritePlan out;
  out.object = object;
  for (NodeId row : tree_.items(assignments)) {
    ast::Assignment assignment(tree_, row);
    const check::Path& path = facts_.paths[fact(assignment.path()).index];
    out.assignments.push_back({path.hops[0].fields[0], source(assignment.value())});
  }
  unit_.body.edit().writes.push_back(std::move(out));
  return static_cast<uint32_t>(unit_.body->writes.size() - 1);
}

void BodyLowering::run_subflow(NodeId id, uint32_t slot) {
  ast::RunStmt stmt(tree_, id);
  plan::RunPlan out;
  out.subflow = text(stmt.name());
  out.rule = plan::rule_key(plan::UnitKind::kSubflow, "", out.subflow);
  out.slot = slot;
  // The names of its parameters, as they are declared.
  for (const check::Automation& other : module_.automations) {
    bool same = other.kind == check::AutomationKind::kSubflow &&
                base::equal_folded(other.name, out.subflow);
    if (!same) continue;
    const syntax::Tree& tree = module_.tree(other.declaration.file);
    ast::FlowDecl decl(tree, other.declaration.node);
    auto takes = tree.items(decl.takes());
    for (NodeId row : tree_.items(stmt.assignments())) {
      ast::Assignment assignment(tree_, row);
      for (uint32_t i = 0; i < takes.size(); ++i) {
        std::string_view name = tree.text(ast::Param(tree, takes[i]).name());
        if (base::equal_folded(name, tree_.written(assignment.path())))
          out.arguments.emplace_back(i, source(assignment.value()));
      }
    }
    if (!tree.items(decl.gives()).empty()) out.given = static_cast<uint32_t>(takes.size());
  }
  unit_.body.edit().runs.push_back(std::move(out));
  emit(Do::kRun, id, static_cast<uint32_t>(unit_.body->runs.size() - 1));
}

void BodyLowering::call_service(NodeId id, uint32_t slot) {
  ast::CallStmt stmt(tree_, id);
  plan::CallPlan out;
  out.service = text(stmt.service());
  out.slot = slot;
  for (NodeId row : tree_.items(stmt.assignments())) {
    ast::Assignment assignment(tree_, row);
    out.arguments.emplace_back(tree_.written(assignment.path()), source(assignment.value()));
  }
  unit_.body.edit().calls.push_back(std::move(out));
  emit(Do::kCall, id, static_cast<uint32_t>(unit_.body->calls.size() - 1));
}

// ---- Statements -------------------------------------------------------------------------------

void BodyLowering::block(NodeId list) {
  uint32_t outer = locals_;
  for (NodeId id : tree_.items(list)) statement(id);
  locals_ = outer;
}

void BodyLowering::if_statement(NodeId id) {
  ast::IfStmt stmt(tree_, id);
  std::vector<uint32_t> ends;
  auto arm = [&](NodeId from, NodeId condition, NodeId body) {
    uint32_t number = program(expressions_.condition(condition));
    uint32_t unless = emit(Do::kUnless, condition, number);
    branch(from, "yes");
    block(body);
    ends.push_back(emit(Do::kJump, from));
    land(unless);
  };
  arm(id, stmt.condition(), stmt.body());
  for (NodeId row : tree_.items(stmt.else_ifs()))
    arm(row, ast::ElseIf(tree_, row).condition(), ast::ElseIf(tree_, row).body());
  branch(id, "no");
  block(stmt.else_body());
  for (uint32_t end : ends) land(end);
}

void BodyLowering::for_statement(NodeId id) {
  ast::ForStmt stmt(tree_, id);
  NodeId from = stmt.source();
  uint32_t list = hidden(2);
  if (fact(from).binding == check::Binding::kRelation && tree_.is(from, NodeKind::kPath)) {
    const check::Relation& relation = facts_.relations[fact(from).index];
    plan::FinderPlan find;
    find.object = relation.child;
    find.all = true;
    find.lookup = relation.lookup;
    find.parent = expressions_.path_value(relation.parent, range(from));
    unit_.body.edit().finders.push_back(find);
    emit(Do::kFind, from, list, static_cast<uint32_t>(unit_.body->finders.size() - 1));
  } else {
    into(list, from);
  }
  uint32_t zero = program(expressions_.constant_value(Value::number(0), range(id)));
  emit(Do::kLet, from, list + 1, zero);
  uint32_t outer = locals_;
  uint32_t element = declare();
  uint32_t each = emit(Do::kEach, from, list, element);
  block(stmt.body());
  unit_.body.edit().code[emit(Do::kJump, id)].target = each;
  land(each);
  locals_ = outer;
}

void BodyLowering::try_statement(NodeId id) {
  ast::TryStmt stmt(tree_, id);
  plan::TryPlan out;
  if (stmt.retry().valid()) {
    ast::Retry retry(tree_, stmt.retry());
    out.retries =
        static_cast<uint32_t>(value::parse_decimal(tree_.text(retry.count()))->coefficient);
    out.starting = duration(retry.starting());
    out.doubling = retry.op() == 1;
  }
  auto number = static_cast<uint32_t>(unit_.body->tries.size());
  unit_.body.edit().tries.push_back(out);
  uint32_t begin = emit(Do::kTry, id, number);
  block(stmt.body());
  emit(Do::kEndTry, id);
  uint32_t done = emit(Do::kJump, id);
  land(begin);
  uint32_t outer = locals_;
  if (stmt.fault_name().valid()) unit_.body.edit().tries[number].fault_slot = declare();
  branch(id, "fault");
  block(stmt.fault_body());
  locals_ = outer;
  land(done);
}

void BodyLowering::wait_statement(NodeId id) {
  ast::WaitStmt stmt(tree_, id);
  plan::WaitPlan out;
  out.duration = duration(stmt.duration());
  out.at_most = duration(stmt.at_most());
  Do op = Do::kWaitFor;
  if (stmt.until().valid()) {
    bool time = fact(stmt.until()).type.temporal();
    op = time ? Do::kWaitUntilTime : Do::kWaitUntil;
    out.until = time ? expressions_.instant(stmt.until()) : expressions_.condition(stmt.until());
  }
  unit_.body.edit().waits.push_back(out);
  uint32_t wait = emit(op, id, static_cast<uint32_t>(unit_.body->waits.size() - 1));
  uint32_t done = emit(Do::kJump, id);
  land(wait);
  branch(id, "timeout");
  block(stmt.timeout_body());
  land(done);
}

void BodyLowering::show_statement(NodeId id) {
  ast::ShowStmt stmt(tree_, id);
  plan::ScreenPlan out;
  out.title = text(stmt.title());
  for (NodeId item : tree_.items(stmt.items())) {
    ast::AskItem ask(tree_, item);
    plan::AskPlan row;
    row.name = text(ask.name());
    row.label = ask.label().valid() ? text(ask.label()) : row.name;
    row.required = ask.op() == 1;
    row.type = fact(ask.type()).type;
    if (ask.default_value().valid()) {
      const check::Fact& given = fact(ask.default_value());
      if (given.binding == check::Binding::kConstant)
        row.default_value = facts_.constants[given.index];
    }
    row.slot = declare();
    out.asks.push_back(std::move(row));
  }
  unit_.body.edit().screens.push_back(std::move(out));
  emit(Do::kShow, id, static_cast<uint32_t>(unit_.body->screens.size() - 1));
}

void BodyLowering::cadence_effect(NodeId id) {
  for (size_t i = 0; i < automation_.effects.size(); ++i) {
    if (automation_.effects[i].statement.node == id)
      emit(Do::kEffect, id, static_cast<uint32_t>(i));
  }
}

void BodyLowering::statement(NodeId id) {
  switch (tree_.kind(id)) {
    case NodeKind::kIfStmt: if_statement(id); return;
    case NodeKind::kForStmt: for_statement(id); return;
    case NodeKind::kTryStmt: try_statement(id); return;
    case NodeKind::kWaitStmt: wait_statement(id); return;
    case NodeKind::kShowStmt: show_statement(id); return;
    case NodeKind::kLetStmt: {
      ast::LetStmt stmt(tree_, id);
      uint32_t slot = hidden();
      // What stands right of `=` does not see the new name yet.
      into(slot, stmt.value());
      uint32_t number = program(expressions_.local(slot, range(stmt.value())));
      emit(Do::kLet, id, declare(), number);
      return;
    }
    case NodeKind::kSetStmt: {
      uint32_t number = write(ast::SetStmt(tree_, id).assignments(), unit_.object);
      emit(Do::kSet, id, number);
      return;
    }
    case NodeKind::kCreateStmt: {
      ast::CreateStmt stmt(tree_, id);
      uint32_t number = write(stmt.assignments(), object_of(stmt.object()));
      uint32_t slot = stmt.alias().valid() ? declare() : plan::kNoSlot;
      emit(Do::kCreate, id, number, slot);
      return;
    }
    case NodeKind::kUpdateStmt: {
      ast::UpdateStmt stmt(tree_, id);
      uint32_t number = write(stmt.assignments(), object_of(stmt.target()));
      if (stmt.where().valid()) {
        plan::FinderPlan find;
        find.object = object_of(stmt.target());
        find.all = true;
        find.where = expressions_.condition(stmt.where());
        narrow(find, stmt.where());
        unit_.body.edit().finders.push_back(find);
        emit(Do::kUpdateFound, id, number, static_cast<uint32_t>(unit_.body->finders.size() - 1));
        return;
      }
      unit_.body.edit().writes[number].objects =
          module_.schema.objects_of(fact(stmt.target()).type.objects);
      uint32_t record = program(expressions_.value(stmt.target()));
      emit(Do::kUpdate, id, number, record);
      return;
    }
    case NodeKind::kDeleteStmt: {
      NodeId target = ast::DeleteStmt(tree_, id).target();
      uint32_t record = program(expressions_.value(target));
      plan::WritePlan row;
      row.objects = module_.schema.objects_of(fact(target).type.objects);
      unit_.body.edit().writes.push_back(std::move(row));
      emit(Do::kDelete, id, record, static_cast<uint32_t>(unit_.body->writes.size() - 1));
      return;
    }
    case NodeKind::kStopStmt: {
      NodeId fault = ast::StopStmt(tree_, id).fault();
      if (fault.valid()) {
        uint32_t number = program(expressions_.value(fault));
        emit(Do::kFault, id, number);
      } else {
        emit(Do::kStop, id);
      }
      return;
    }
    case NodeKind::kGiveStmt:
      for (NodeId row : tree_.items(ast::GiveStmt(tree_, id).assignments())) {
        ast::Assignment assignment(tree_, row);
        for (const plan::ParameterPlan& given : unit_.body->gives) {
          if (!base::equal_folded(given.name, tree_.written(assignment.path()))) continue;
          into(given.slot, assignment.value());
        }
      }
      return;
    case NodeKind::kLogStmt: {
      uint32_t number = program(expressions_.value(ast::LogStmt(tree_, id).value()));
      emit(Do::kLog, id, number);
      return;
    }
    case NodeKind::kRunStmt: run_subflow(id, plan::kNoSlot); return;
    case NodeKind::kRouteStmt: {
      ast::RouteStmt stmt(tree_, id);
      plan::RunPlan out;
      out.subflow = text(stmt.table());
      out.rule = plan::rule_key(plan::UnitKind::kRouting, "", out.subflow);
      out.arguments.emplace_back(0, expressions_.value(stmt.target()));
      unit_.body.edit().runs.push_back(std::move(out));
      emit(Do::kRun, id, static_cast<uint32_t>(unit_.body->runs.size() - 1));
      return;
    }
    case NodeKind::kCallStmt: call_service(id, plan::kNoSlot); return;
    case NodeKind::kSendStmt: {
      ast::SendStmt stmt(tree_, id);
      plan::MailPlan out;
      out.to = expressions_.value(stmt.person());
      if (fact(stmt.person()).type.kind == types::TypeKind::kRecord)
        out.objects = module_.schema.objects_of(fact(stmt.person()).type.objects);
      out.template_name = text(stmt.template_name());
      unit_.body.edit().mails.push_back(std::move(out));
      emit(Do::kSend, id, static_cast<uint32_t>(unit_.body->mails.size() - 1));
      return;
    }
    default: cadence_effect(id);
  }
}

// ---- Triggers ---------------------------------------------------------------------------------

plan::ParameterPlan BodyLowering::parameter(NodeId id) {
  ast::Param param(tree_, id);
  return {text(param.name()), type_named(param.type()), declare()};
}

void BodyLowering::trigger(NodeId id) {
  plan::TriggerPlan& out = unit_.trigger.edit();
  const types::Schema& schema = module_.schema;
  types::ObjectId tracker = schema.find_object("ActionCadenceTracker");
  // Without a zone of its own it is the org's, which is known when it runs.
  auto scheduled = [&](NodeId zone) {
    out.kind = plan::TriggerKind::kSchedule;
    out.schedule = lower_schedule(module_, automation_, calendar::Zone::utc());
    out.org_zone = !zone.valid();
  };
  switch (tree_.kind(id)) {
    case NodeKind::kRecordTrigger: out.before_save = automation_.before_save; return;
    case NodeKind::kChangeTrigger:
      out.kind = plan::TriggerKind::kChanges;
      for (NodeId object : tree_.items(ast::ChangeTrigger(tree_, id).objects()))
        out.objects.push_back(schema.find_object(tree_.text(object)));
      unit_.object = out.objects.front();
      return;
    case NodeKind::kStepTrigger: {
      ast::StepTrigger step(tree_, id);
      out.kind = plan::TriggerKind::kStep;
      out.step = text(step.step());
      out.cadence = text(step.cadence());
      out.outcome = text(step.outcome());
      out.ends = step.op() == 1;
      unit_.object = tracker;
      return;
    }
    case NodeKind::kCadenceTrigger: {
      ast::CadenceTrigger cadence(tree_, id);
      out.kind = plan::TriggerKind::kCadence;
      out.cadence = text(cadence.cadence());
      out.ends = cadence.op() == 1;
      unit_.object = tracker;
      return;
    }
    case NodeKind::kDailySchedule: scheduled(ast::DailySchedule(tree_, id).zone()); return;
    case NodeKind::kMonthlySchedule: scheduled(ast::MonthlySchedule(tree_, id).zone()); return;
    case NodeKind::kIntervalSchedule: scheduled(ast::IntervalSchedule(tree_, id).zone()); return;
    case NodeKind::kOnceSchedule: scheduled(ast::OnceSchedule(tree_, id).zone()); return;
    default: out.kind = plan::TriggerKind::kCalled;
  }
}

void BodyLowering::action() { unit_.body = plan::action_body(); }

void BodyLowering::flow() {
  NodeId id = automation_.declaration.node;
  ast::FlowDecl decl(tree_, id);
  if (automation_.kind == check::AutomationKind::kFlow) {
    for (NodeId row : tree_.items(decl.triggers())) trigger(row);
  } else {
    unit_.trigger.edit().kind = plan::TriggerKind::kCalled;
  }
  if (decl.mode().valid()) {
    ast::Mode mode(tree_, decl.mode());
    plan::TriggerPlan& trigger = unit_.trigger.edit();
    trigger.mode = static_cast<plan::Mode>(mode.op() & 15);
    trigger.per_record = (mode.op() & syntax::kModePerRecord) != 0;
    if (mode.at_most().valid())
      trigger.at_most =
          static_cast<uint32_t>(value::parse_decimal(tree_.text(mode.at_most()))->coefficient);
  }
  if (decl.over().valid()) {
    ast::OverClause over(tree_, decl.over());
    plan::FinderPlan find;
    find.object = object_of(over.object());
    find.all = true;
    if (over.where().valid()) find.where = expressions_.condition(over.where());
    if (over.batch().valid())
      unit_.trigger.edit().batch =
          static_cast<uint32_t>(value::parse_decimal(tree_.text(over.batch()))->coefficient);
    unit_.object = find.object;
    unit_.body.edit().finders.push_back(find);
    unit_.trigger.edit().over = static_cast<uint32_t>(unit_.body->finders.size() - 1);
  }
  for (NodeId param : tree_.items(decl.takes()))
    unit_.body.edit().takes.push_back(parameter(param));
  for (NodeId param : tree_.items(decl.gives()))
    unit_.body.edit().gives.push_back(parameter(param));
  block(decl.body());
  emit(Do::kStop, id);
  for (NodeId row : tree_.items(decl.gap_blocks())) {
    bool overflow = tree_.op(row) == 1;
    (overflow ? unit_.trigger.edit().overflow : unit_.trigger.edit().gap) = here();
    branch(row, overflow ? "overflow" : "gap");
    block(ast::GapBlock(tree_, row).body());
    emit(Do::kStop, row);
  }
  number_hidden();
}

}  // namespace ensue::lower::internal
