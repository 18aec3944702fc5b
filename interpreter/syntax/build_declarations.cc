// Declarations: objects, functions, actions, flows, cadences, routing, limits, calendars.
#include <algorithm>

#include "syntax/internal/builder.h"

namespace ensue::syntax::internal {

// ---- Objects and functions --------------------------------------------------------------------

NodeId Builder::object_decl(Parser::ObjectDeclContext* ctx) {
  NodeId object = object_name(ctx->objectName());
  NodeId label = ctx->labelled() != nullptr ? quoted(ctx->labelled()->STRING()) : NodeId();
  return make(NodeKind::kObjectDecl, ctx,
              {object, label, list(map_all(ctx->fieldDecl(), &Builder::field_decl))});
}

NodeId Builder::extend_decl(Parser::ExtendDeclContext* ctx) {
  NodeId object = object_name(ctx->objectName());
  return make(NodeKind::kExtendDecl, ctx,
              {object, list(map_all(ctx->fieldDecl(), &Builder::field_decl))});
}

NodeId Builder::field_decl(Parser::FieldDeclContext* ctx) {
  NodeId field = name(ctx->name());
  NodeId type = field_type(ctx->fieldType());
  NodeId label;
  NodeId stored_as;
  NodeId children;
  NodeId default_value;
  bool required = false;
  for (auto* option : ctx->fieldOption()) {
    if (option->labelled() != nullptr)
      once(label, quoted(option->labelled()->STRING()), "`labelled`");
    if (option->K_STORED() != nullptr) once(stored_as, name(option->name()), "`stored as`");
    if (option->K_CHILDREN() != nullptr) once(children, name(option->name()), "`children`");
    if (option->K_DEFAULT() != nullptr)
      once(default_value, literal(option->literal()), "`default`");
    if (option->K_REQUIRED() != nullptr) required = true;
  }
  return make(NodeKind::kFieldDecl, ctx, {field, type, label, stored_as, children, default_value},
              required ? 1 : 0);
}

NodeId Builder::field_type(Parser::FieldTypeContext* ctx) {
  if (dynamic_cast<Parser::LongTextTypeContext*>(ctx) != nullptr) {
    return make(NodeKind::kNamedType, ctx, {}, 0, "long text");
  }
  if (auto* t = dynamic_cast<Parser::PicklistTypeContext*>(ctx)) {
    uint8_t op = 0;
    if (t->K_OPEN() != nullptr) op |= kPicklistOpen;
    if (t->K_MULTIPICKLIST() != nullptr) op |= kPicklistMulti;
    return make(NodeKind::kPicklistType, ctx, {list(quoted_all(t->STRING()))}, op);
  }
  if (auto* t = dynamic_cast<Parser::LookupTypeContext*>(ctx)) {
    return make(NodeKind::kLookupType, ctx,
                {list(map_all(t->objectName(), &Builder::object_name))});
  }
  // `text`, `number` and the other type words are names here; check/ knows them.
  auto* plain = static_cast<Parser::PlainTypeContext*>(ctx);
  NodeId type = name(plain->name());
  return make(NodeKind::kNamedType, ctx, {}, 0, tree_.text(type));
}

NodeId Builder::function_decl(Parser::FunctionDeclContext* ctx) {
  NodeId function = name(ctx->name());
  NodeId params = list(map_all(ctx->param(), &Builder::param));
  NodeId result = type_name(ctx->typeName());
  NodeId prose = ctx->text() != nullptr ? text_value(ctx->text()) : NodeId();
  std::vector<NodeId> examples;
  for (auto* example : ctx->functionExample()) examples.push_back(expr(example->expr()));
  return make(NodeKind::kFunctionDecl, ctx, {function, params, result, prose, list(examples)});
}

NodeId Builder::param(Parser::ParamContext* ctx) {
  NodeId id = name(ctx->name());
  NodeId type = type_name(ctx->typeName());
  return make(NodeKind::kParam, ctx,
              {id, type, ctx->literal() != nullptr ? literal(ctx->literal()) : NodeId()});
}

NodeId Builder::type_name(Parser::TypeNameContext* ctx) {
  if (ctx->K_LIST() != nullptr) return make(NodeKind::kListType, ctx, {type_name(ctx->typeName())});
  if (ctx->K_LONG() != nullptr) return make(NodeKind::kNamedType, ctx, {}, 0, "long text");
  NodeId type = name(ctx->name());
  return make(NodeKind::kNamedType, ctx, {}, 0, tree_.text(type));
}

// ---- Actions ----------------------------------------------------------------------------------

NodeId Builder::action_decl(Parser::ActionDeclContext* ctx) {
  static constexpr const char* kClauses[] = {"`when`", "`for`", "`activated by`", "the condition"};
  NodeId slots[4];
  size_t latest = 0;
  for (auto* clause : ctx->actionClause()) {
    size_t slot = 0;
    NodeId node;
    if (auto* c = clause->recordTrigger()) {
      node = record_trigger(c);
    } else if (auto* s = clause->scope()) {
      slot = 1;
      node = scope(s);
    } else if (auto* a = clause->activation()) {
      slot = 2;
      node = activation(a);
    } else {
      slot = 3;
      node = guard(clause->guard());
    }
    if (slot < latest)
      sink_.report(Kind::kClauseOrder, tree_.span(node), {kClauses[slot], kClauses[latest]});
    latest = std::max(latest, slot);
    once(slots[slot], node, kClauses[slot]);
  }
  NodeId head = quoted(ctx->STRING());
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  return make(
      NodeKind::kActionDecl, ctx,
      {head, attribute_node, slots[0], slots[1], slots[2], slots[3], block(ctx->statement())});
}

NodeId Builder::record_trigger(Parser::RecordTriggerContext* ctx) {
  uint8_t op = 0;
  for (auto* event : ctx->recordEvent()) {
    uint8_t bit = event->K_CREATED() != nullptr   ? kOnCreated
                  : event->K_EDITED() != nullptr  ? kOnEdited
                  : event->K_DELETED() != nullptr ? kOnDeleted
                                                  : kOnUndeleted;
    if ((op & bit) != 0) sink_.report(Kind::kClauseRepeated, span(event), {"this event"});
    op |= bit;
  }
  if (ctx->K_BEFORE() != nullptr) op |= kBeforeSave;
  if (ctx->K_AFTER() != nullptr) op |= kAfterSave;
  return make(NodeKind::kRecordTrigger, ctx, {object_name(ctx->objectName())}, op);
}

NodeId Builder::scope(Parser::ScopeContext* ctx) {
  return make(NodeKind::kScope, ctx, {}, ctx->K_TEAM() != nullptr ? kTeamRecords : kMyRecords);
}

NodeId Builder::activation(Parser::ActivationContext* ctx) {
  uint8_t op = ctx->K_CREATOR() != nullptr ? kByCreator
               : ctx->K_OFF() != nullptr   ? kByAssigneesOff
                                           : kByAssigneesOn;
  return make(NodeKind::kActivation, ctx, {}, op);
}

// ---- Flows ------------------------------------------------------------------------------------

NodeId Builder::flow_decl(Parser::FlowDeclContext* ctx) {
  return flow(ctx, kFlowPlain, ctx->STRING(), ctx->attribute(), ctx->flowClause(), ctx->statement(),
              ctx->gapBlock());
}

NodeId Builder::subflow_decl(Parser::SubflowDeclContext* ctx) {
  return flow(ctx, kFlowSubflow, ctx->STRING(), ctx->attribute(), ctx->flowClause(),
              ctx->statement(), {});
}

NodeId Builder::screen_flow_decl(Parser::ScreenFlowDeclContext* ctx) {
  return flow(ctx, kFlowScreen, ctx->STRING(), ctx->attribute(), ctx->flowClause(),
              ctx->statement(), {});
}

NodeId Builder::flow(Context* ctx, uint8_t op, antlr4::tree::TerminalNode* name_node,
                     const std::vector<Parser::AttributeContext*>& attribute_contexts,
                     const std::vector<Parser::FlowClauseContext*>& clauses,
                     const std::vector<Parser::StatementContext*>& statements,
                     const std::vector<Parser::GapBlockContext*>& gap_blocks) {
  NodeId head = quoted(name_node);
  NodeId attribute_node = attributes(attribute_contexts, tree_.span(head));
  std::vector<NodeId> triggers;
  std::vector<NodeId> gaps;
  NodeId guard_node;
  NodeId over;
  NodeId takes;
  NodeId gives;
  NodeId run_as_node;
  NodeId mode;
  NodeId again;
  for (auto* clause : clauses) {
    if (auto* c = clause->recordTrigger()) triggers.push_back(record_trigger(c));
    if (auto* c = clause->scheduleTrigger()) triggers.push_back(schedule(c));
    if (auto* c = clause->stepTrigger()) triggers.push_back(step_trigger(c));
    if (auto* c = clause->cadenceTrigger()) triggers.push_back(cadence_trigger(c));
    if (auto* c = clause->changeTrigger()) {
      triggers.push_back(make(NodeKind::kChangeTrigger, c,
                              {list(map_all(c->objectName(), &Builder::object_name))}));
    }
    if (auto* c = clause->calledTrigger())
      triggers.push_back(make(NodeKind::kCalledTrigger, c, {}));
    if (auto* c = clause->flowGuard()) once(guard_node, flow_guard(c), "the condition");
    if (auto* c = clause->overClause()) once(over, over_clause(c), "`over`");
    if (auto* c = clause->takesClause())
      once(takes, list(map_all(c->param(), &Builder::param)), "`takes`");
    if (auto* c = clause->givesClause())
      once(gives, list(map_all(c->param(), &Builder::param)), "`gives`");
    if (auto* c = clause->runAs()) once(run_as_node, run_as(c), "`run as`");
    if (auto* c = clause->runMode()) once(mode, run_mode(c), "`mode`");
    if (auto* c = clause->runAgain()) {
      once(again, make(NodeKind::kRunAgain, c, {number(c->NUMBER())}), "`may run again`");
    }
    if (auto* c = clause->gapBlock()) gaps.push_back(gap_block(c));
  }
  for (auto* block_ctx : gap_blocks) gaps.push_back(gap_block(block_ctx));
  return make(NodeKind::kFlowDecl, ctx,
              {head, attribute_node, list(triggers), guard_node, over, takes, gives, run_as_node,
               mode, again, list(gaps), block(statements)},
              op);
}

NodeId Builder::schedule(Parser::ScheduleTriggerContext* ctx) {
  auto times_of = [&](const std::vector<antlr4::tree::TerminalNode*>& nodes) {
    std::vector<NodeId> out;
    for (auto* node : nodes) out.push_back(time(node));
    return list(out);
  };
  if (auto* s = dynamic_cast<Parser::DailyScheduleContext*>(ctx)) {
    std::vector<NodeId> days;
    for (auto* day : s->scheduleDay()) days.push_back(word(day->getStart()));
    NodeId day_list = list(days);
    NodeId times = times_of(s->TIME());
    NodeId zone = quoted(s->STRING());
    return make(NodeKind::kDailySchedule, ctx, {day_list, times, zone, catch_up(s->catchUp())});
  }
  if (auto* s = dynamic_cast<Parser::MonthlyScheduleContext*>(ctx)) {
    std::vector<NodeId> days;
    for (auto* day : s->NUMBER()) days.push_back(number(day));
    NodeId day_list = list(days);
    NodeId times = times_of(s->TIME());
    NodeId zone = quoted(s->STRING());
    return make(NodeKind::kMonthlySchedule, ctx, {day_list, times, zone, catch_up(s->catchUp())});
  }
  if (auto* s = dynamic_cast<Parser::IntervalScheduleContext*>(ctx)) {
    NodeId zone = quoted(s->STRING());
    return make(NodeKind::kIntervalSchedule, ctx,
                {number(s->NUMBER()), zone, catch_up(s->catchUp())}, unit(s->unit()));
  }
  auto* s = static_cast<Parser::OnceScheduleContext*>(ctx);
  NodeId day = date(s->DATE());
  NodeId at = time(s->TIME());
  NodeId zone = quoted(s->STRING());
  return make(NodeKind::kOnceSchedule, ctx, {day, at, zone, catch_up(s->catchUp())});
}

NodeId Builder::catch_up(Parser::CatchUpContext* ctx) {
  return ctx == nullptr ? NodeId() : word(ctx->getStop());
}

NodeId Builder::over_clause(Parser::OverClauseContext* ctx) {
  NodeId object = object_name(ctx->objectName());
  NodeId where = ctx->expr() != nullptr ? expr(ctx->expr()) : NodeId();
  return make(NodeKind::kOverClause, ctx, {object, where, number(ctx->NUMBER())});
}

NodeId Builder::which_cadence(Parser::WhichCadenceContext* ctx) {
  return ctx == nullptr ? NodeId() : quoted(ctx->STRING());
}

NodeId Builder::step_trigger(Parser::StepTriggerContext* ctx) {
  bool any_step = ctx->K_ANY() != nullptr;
  bool completes = ctx->K_COMPLETES() != nullptr;
  NodeId step = any_step ? NodeId() : quoted(ctx->STRING(0));
  NodeId cadence = which_cadence(ctx->whichCadence());
  size_t outcome_index = any_step ? 0 : 1;
  NodeId outcome = ctx->K_OUTCOME() != nullptr ? quoted(ctx->STRING(outcome_index)) : NodeId();
  return make(NodeKind::kStepTrigger, ctx, {step, cadence, outcome}, completes ? 1 : 0);
}

NodeId Builder::cadence_trigger(Parser::CadenceTriggerContext* ctx) {
  return make(NodeKind::kCadenceTrigger, ctx, {which_cadence(ctx->whichCadence())},
              ctx->K_ENDS() != nullptr ? 1 : 0);
}

NodeId Builder::run_as(Parser::RunAsContext* ctx) {
  uint8_t op = ctx->K_SYSTEM() != nullptr  ? kRunAsSystem
               : ctx->K_OWNER() != nullptr ? kRunAsOwner
                                           : kRunAsUser;
  return make(NodeKind::kRunAs, ctx, {quoted(ctx->STRING())}, op);
}

NodeId Builder::run_mode(Parser::RunModeContext* ctx) {
  uint8_t op = ctx->K_SINGLE() != nullptr    ? kModeSingle
               : ctx->K_RESTART() != nullptr ? kModeRestart
               : ctx->K_QUEUED() != nullptr  ? kModeQueued
                                             : kModeParallel;
  if (ctx->K_PER() != nullptr) op |= kModePerRecord;
  return make(NodeKind::kMode, ctx, {number(ctx->NUMBER())}, op);
}

NodeId Builder::gap_block(Parser::GapBlockContext* ctx) {
  return make(NodeKind::kGapBlock, ctx, {block(ctx->statement())},
              ctx->K_OVERFLOW() != nullptr ? 1 : 0);
}

// ---- Cadences ---------------------------------------------------------------------------------

void Builder::cadence_clauses(const std::vector<Parser::CadenceClauseContext*>& clauses,
                              NodeId& targets, NodeId& exits) {
  for (auto* clause : clauses) {
    if (clause->K_TARGETS() != nullptr) {
      once(targets, list(map_all(clause->objectName(), &Builder::object_name)), "`targets`");
    } else {
      once(exits, list(quoted_all(clause->STRING())), "`exit on`");
    }
  }
}

NodeId Builder::cadence_decl(Parser::CadenceDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING());
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  NodeId targets;
  NodeId exits;
  cadence_clauses(ctx->cadenceClause(), targets, exits);
  return make(NodeKind::kCadenceDecl, ctx,
              {head, attribute_node, targets, exits, list(map_all(ctx->track(), &Builder::track))});
}

NodeId Builder::quick_cadence_decl(Parser::QuickCadenceDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING());
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  NodeId targets;
  NodeId exits;
  cadence_clauses(ctx->cadenceClause(), targets, exits);
  auto* step = ctx->quickStep();
  NodeId kind = step_kind(step->stepKind());
  NodeId every = duration(step->duration());
  NodeId times = number(step->NUMBER());
  return make(NodeKind::kQuickCadenceDecl, ctx,
              {head, attribute_node, targets, exits, kind, every, times, quoted(step->STRING())});
}

NodeId Builder::track(Parser::TrackContext* ctx) {
  NodeId id = name(ctx->name());
  NodeId entries = list(quoted_all(ctx->STRING()));
  return make(NodeKind::kTrack, ctx,
              {id, entries, list(map_all(ctx->trackItem(), &Builder::track_item))});
}

NodeId Builder::track_item(Parser::TrackItemContext* ctx) {
  if (auto* step = ctx->stepDecl()) return step_decl(step);
  auto items = [&](const std::vector<Parser::TrackItemContext*>& contexts) {
    return list(map_all(contexts, &Builder::track_item));
  };
  if (auto* branch = ctx->branchDecl()) {
    NodeId result = quoted(branch->STRING());
    NodeId yes = items(branch->yesBlock()->trackItem());
    NodeId no = branch->noBlock() != nullptr ? items(branch->noBlock()->trackItem()) : NodeId();
    return make(NodeKind::kBranchDecl, ctx, {result, yes, no});
  }
  auto* listen = ctx->listenDecl();
  NodeId event = quoted(listen->STRING());
  NodeId within = duration(listen->duration());
  NodeId yes = items(listen->yesBlock()->trackItem());
  NodeId no = listen->noBlock() != nullptr ? items(listen->noBlock()->trackItem()) : NodeId();
  return make(NodeKind::kListenDecl, ctx, {event, within, yes, no},
              listen->K_ADVANCE() != nullptr ? 1 : 0);
}

NodeId Builder::step_decl(Parser::StepDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING(0));
  NodeId delay = ctx->duration() != nullptr ? duration(ctx->duration()) : NodeId();
  NodeId kind = step_kind(ctx->stepKind());
  NodeId variants = ctx->variants() != nullptr
                        ? list(map_all(ctx->variants()->variant(), &Builder::variant))
                        : NodeId();
  NodeId on_completion = ctx->K_COMPLETION() != nullptr ? quoted(ctx->STRING(1)) : NodeId();
  return make(NodeKind::kStepDecl, ctx, {head, delay, kind, variants, on_completion});
}

NodeId Builder::step_kind(Parser::StepKindContext* ctx) {
  uint8_t op = ctx->K_AUTOMATED() != nullptr    ? kStepAutomatedEmail
               : ctx->K_MANUAL() != nullptr     ? kStepManualEmail
               : ctx->K_CALL() != nullptr       ? kStepCall
               : ctx->K_CONNECTION() != nullptr ? kStepConnectionRequest
               : ctx->K_INMAIL() != nullptr     ? kStepInmail
               : ctx->K_CUSTOM() != nullptr     ? kStepCustom
               : ctx->K_SCREEN() != nullptr     ? kStepScreenFlow
                                                : kStepLink;
  return make(NodeKind::kStepKind, ctx, {quoted(ctx->STRING())}, op);
}

NodeId Builder::variant(Parser::VariantContext* ctx) {
  NodeId percent = number(ctx->NUMBER());
  return make(NodeKind::kVariant, ctx, {percent, quoted(ctx->STRING())});
}

NodeId Builder::template_decl(Parser::TemplateDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING());
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  bool has_subject = ctx->K_SUBJECT() != nullptr;
  NodeId subject = has_subject ? text_value(ctx->text(0)) : NodeId();
  return make(NodeKind::kTemplateDecl, ctx,
              {head, attribute_node, subject, text_value(ctx->text(has_subject ? 1 : 0))});
}

// ---- Routing, limits, calendars ---------------------------------------------------------------

NodeId Builder::routing_decl(Parser::RoutingDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING());
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  NodeId object = object_name(ctx->objectName());
  NodeId columns = list(map_all(ctx->path(), &Builder::path));
  NodeId outputs = list(map_all(ctx->name(), &Builder::name));
  NodeId rows = list(map_all(ctx->routingRow(), &Builder::routing_row));
  NodeId otherwise;
  if (auto* other = ctx->routingOtherwise()) {
    std::vector<NodeId> cells = map_all(other->cellOut(), &Builder::cell_out);
    otherwise = list_in(other, cells);
  }
  return make(NodeKind::kRoutingDecl, ctx,
              {head, attribute_node, object, columns, outputs, rows, otherwise},
              ctx->K_MATCHES() != nullptr ? 1 : 0);
}

NodeId Builder::routing_row(Parser::RoutingRowContext* ctx) {
  NodeId inputs = list(map_all(ctx->cellIn(), &Builder::cell_in));
  return make(NodeKind::kRoutingRow, ctx,
              {inputs, list(map_all(ctx->cellOut(), &Builder::cell_out))});
}

NodeId Builder::cell_in(Parser::CellInContext* ctx) {
  if (ctx->K_ANY() != nullptr) return make(NodeKind::kCellAny, ctx, {});
  std::vector<NodeId> values = map_all(ctx->sum(), &Builder::sum);
  uint8_t op = ctx->LE() != nullptr   ? kLessOrEqual
               : ctx->GE() != nullptr ? kGreaterOrEqual
               : ctx->LT() != nullptr ? kLess
               : ctx->GT() != nullptr ? kGreater
               : ctx->EQ() != nullptr ? kEqual
               : ctx->NE() != nullptr ? kNotEqual
                                      : kIs;
  if (op != kIs) return make(NodeKind::kCellCompare, ctx, {values.front()}, op);
  return list_in(ctx, values, NodeKind::kCellValues);
}

NodeId Builder::cell_out(Parser::CellOutContext* ctx) {
  if (ctx->K_NONE() != nullptr) return make(NodeKind::kCellNone, ctx, {});
  if (ctx->K_ROUND() != nullptr)
    return make(NodeKind::kCellRoundRobin, ctx, {quoted(ctx->STRING())});
  return make(NodeKind::kCellValue, ctx, {sum(ctx->sum())});
}

NodeId Builder::limits_decl(Parser::LimitsDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING());
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  return make(NodeKind::kLimitsDecl, ctx,
              {head, attribute_node, list(map_all(ctx->limitLine(), &Builder::limit_line))});
}

NodeId Builder::limit_line(Parser::LimitLineContext* ctx) {
  if (auto* line = dynamic_cast<Parser::LimitCapsContext*>(ctx)) {
    NodeId of = limit_scope(line->limitScope());
    return make(NodeKind::kLimitLine, ctx,
                {of, list(map_all(line->limitCap(), &Builder::limit_cap))});
  }
  if (auto* line = dynamic_cast<Parser::DayStartsContext*>(ctx)) {
    NodeId at = time(line->TIME());
    return make(NodeKind::kDayStarts, ctx, {at, quoted(line->STRING())});
  }
  if (auto* line = dynamic_cast<Parser::WarnAtContext*>(ctx)) {
    return make(NodeKind::kWarnAt, ctx, {number(line->NUMBER())});
  }
  return make(NodeKind::kWhenReached, ctx,
              {name(static_cast<Parser::WhenReachedContext*>(ctx)->name())});
}

NodeId Builder::limit_scope(Parser::LimitScopeContext* ctx) {
  uint8_t op = ctx->K_USER() != nullptr     ? kEachUser
               : ctx->K_ORG() != nullptr    ? kWholeOrg
               : ctx->K_FLOW() != nullptr   ? kOfFlow
               : ctx->K_ACTION() != nullptr ? kOfAction
                                            : kOfService;
  NodeId of = quoted(ctx->STRING(0));
  return make(NodeKind::kLimitScope, ctx, {of, quoted(ctx->STRING(1))}, op);
}

NodeId Builder::limit_cap(Parser::LimitCapContext* ctx) {
  NodeId most = number(ctx->NUMBER(0));
  NodeId counter = name(ctx->name(0));
  NodeId rest = name(ctx->name(1));
  return make(NodeKind::kLimitCap, ctx, {most, counter, rest, number(ctx->NUMBER(1))},
              unit(ctx->unit()));
}

NodeId Builder::calendar_decl(Parser::CalendarDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING(0));
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  NodeId zone = quoted(ctx->STRING(1));
  NodeId lines = list(map_all(ctx->openLine(), &Builder::open_line));
  std::vector<NodeId> dates;
  for (auto* line : ctx->holidays()) {
    for (auto* day : line->DATE()) dates.push_back(date(day));
  }
  return make(NodeKind::kCalendarDecl, ctx, {head, attribute_node, zone, lines, list(dates)});
}

NodeId Builder::open_line(Parser::OpenLineContext* ctx) {
  auto* days_ctx = ctx->openDays();
  std::vector<NodeId> days;
  NodeId pending;
  bool range = false;
  auto add_range = [&](NodeId from, NodeId to) {
    NodeId children[] = {from, to};
    uint32_t end_at = tree_.node(to.valid() ? to : from).end;
    days.push_back(tree_.add(NodeKind::kRange, 0, tree_.node(from).begin, end_at, children));
  };
  for (auto* child : days_ctx->children) {
    if (auto* day = dynamic_cast<Parser::DayNameContext*>(child)) {
      NodeId at = word(day->getStart());
      if (range) {
        add_range(pending, at);
        pending = NodeId();
        range = false;
      } else {
        pending = at;
      }
      continue;
    }
    auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    range = terminal->getSymbol()->getType() == Parser::MINUS;
    if (!range && pending.valid()) {
      add_range(pending, NodeId());
      pending = NodeId();
    }
  }
  if (pending.valid()) add_range(pending, NodeId());
  std::vector<NodeId> hours;
  for (size_t i = 0; i + 1 < ctx->TIME().size(); i += 2) {
    NodeId from = time(ctx->TIME(i));
    NodeId to = time(ctx->TIME(i + 1));
    NodeId children[] = {from, to};
    hours.push_back(
        tree_.add(NodeKind::kRange, 0, tree_.node(from).begin, tree_.node(to).end, children));
  }
  NodeId day_list = list(days);
  return make(NodeKind::kOpenLine, ctx, {day_list, list(hours)});
}

}  // namespace ensue::syntax::internal
