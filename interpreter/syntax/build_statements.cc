// Statements of flows and the effects of actions.
#include "syntax/internal/builder.h"

namespace ensue::syntax::internal {

NodeId Builder::block(const std::vector<Parser::StatementContext*>& statements) {
  return list(map_all(statements, &Builder::statement));
}

NodeId Builder::statement(Parser::StatementContext* ctx) {
  if (auto* s = ctx->ifStmt()) return if_stmt(s);
  if (auto* s = ctx->forStmt()) return for_stmt(s);
  if (auto* s = ctx->letStmt()) {
    NodeId local = name(s->name());
    return make(NodeKind::kLetStmt, s, {local, value_source(s->valueSource())});
  }
  if (auto* s = ctx->setStmt()) return make(NodeKind::kSetStmt, s, {assignments(s->assignments())});
  if (auto* s = ctx->createStmt()) return create_stmt(s);
  if (auto* s = ctx->updateStmt()) return update_stmt(s);
  if (auto* s = ctx->deleteStmt()) return make(NodeKind::kDeleteStmt, s, {path(s->path())});
  if (auto* s = ctx->waitStmt()) return wait_stmt(s);
  if (auto* s = ctx->tryStmt()) return try_stmt(s);
  if (auto* s = ctx->stopStmt())
    return make(NodeKind::kStopStmt, s, {s->expr() != nullptr ? expr(s->expr()) : NodeId()});
  if (auto* s = ctx->giveStmt())
    return make(NodeKind::kGiveStmt, s, {assignments(s->assignments())});
  if (auto* s = ctx->logStmt()) return make(NodeKind::kLogStmt, s, {expr(s->expr())});
  if (auto* s = ctx->runStmt()) return run_stmt(s);
  if (auto* s = ctx->callStmt()) return call_stmt(s);
  if (auto* s = ctx->sendStmt()) {
    NodeId person = atom(s->atom());
    return make(NodeKind::kSendStmt, s, {person, quoted(s->STRING())});
  }
  if (auto* s = ctx->routeStmt()) {
    NodeId target = path(s->path());
    return make(NodeKind::kRouteStmt, s, {target, quoted(s->STRING())});
  }
  if (auto* s = ctx->showStmt()) {
    NodeId title = quoted(s->STRING());
    return make(NodeKind::kShowStmt, s, {title, list(map_all(s->askItem(), &Builder::ask_item))});
  }
  if (auto* s = ctx->remindStmt()) return remind_stmt(s);
  if (auto* s = ctx->addEffect()) return add_effect(s);
  if (auto* s = ctx->removeEffect()) return remove_effect(s);
  if (auto* s = ctx->pauseEffect()) {
    NodeId target = path(s->path());
    return make(NodeKind::kPauseEffect, s, {target, cadence_scope(s->cadenceScope())},
                s->K_RESUME() != nullptr ? 1 : 0);
  }
  return change_effect(ctx->changeEffect());
}

NodeId Builder::if_stmt(Parser::IfStmtContext* ctx) {
  NodeId when = expr(ctx->expr());
  NodeId body = block(ctx->statement());
  NodeId else_ifs = list(map_all(ctx->elseIf(), &Builder::else_if));
  NodeId otherwise;
  if (auto* e = ctx->elseBlock()) {
    // An empty `else` is kept, so that the tree says what the author wrote.
    std::vector<NodeId> statements = map_all(e->statement(), &Builder::statement);
    otherwise = list_in(e, statements);
  }
  return make(NodeKind::kIfStmt, ctx, {when, body, else_ifs, otherwise});
}

NodeId Builder::else_if(Parser::ElseIfContext* ctx) {
  NodeId when = expr(ctx->expr());
  return make(NodeKind::kElseIf, ctx, {when, block(ctx->statement())});
}

NodeId Builder::for_stmt(Parser::ForStmtContext* ctx) {
  NodeId local = name(ctx->name());
  NodeId from = value_source(ctx->valueSource());
  return make(NodeKind::kForStmt, ctx, {local, from, block(ctx->statement())});
}

NodeId Builder::create_stmt(Parser::CreateStmtContext* ctx) {
  NodeId object = object_name(ctx->objectName());
  NodeId fields = ctx->assignments() != nullptr ? assignments(ctx->assignments()) : NodeId();
  return make(NodeKind::kCreateStmt, ctx, {object, fields, name(ctx->name())});
}

NodeId Builder::update_stmt(Parser::UpdateStmtContext* ctx) {
  NodeId target = path(ctx->path());
  NodeId where = ctx->expr() != nullptr ? expr(ctx->expr()) : NodeId();
  return make(NodeKind::kUpdateStmt, ctx, {target, where, assignments(ctx->assignments())});
}

NodeId Builder::wait_stmt(Parser::WaitStmtContext* ctx) {
  bool until_given = ctx->K_UNTIL() != nullptr;
  NodeId amount = !until_given ? duration(ctx->duration()) : NodeId();
  NodeId until = until_given ? expr(ctx->expr()) : NodeId();
  NodeId at_most = until_given && ctx->duration() != nullptr ? duration(ctx->duration()) : NodeId();
  NodeId timeout;
  if (auto* t = ctx->timeoutBlock())
    timeout = list_in(t, map_all(t->statement(), &Builder::statement));
  return make(NodeKind::kWaitStmt, ctx, {amount, until, at_most, timeout});
}

NodeId Builder::try_stmt(Parser::TryStmtContext* ctx) {
  NodeId body = block(ctx->statement());
  NodeId again = ctx->retry() != nullptr ? retry(ctx->retry()) : NodeId();
  auto* handler = ctx->faultBlock();
  NodeId fault_name = name(handler->name());
  NodeId fault_body = list_in(handler, map_all(handler->statement(), &Builder::statement));
  return make(NodeKind::kTryStmt, ctx, {body, again, fault_name, fault_body});
}

NodeId Builder::retry(Parser::RetryContext* ctx) {
  NodeId times = number(ctx->NUMBER());
  NodeId starting = ctx->duration() != nullptr ? duration(ctx->duration()) : NodeId();
  return make(NodeKind::kRetry, ctx, {times, starting}, ctx->K_DOUBLING() != nullptr ? 1 : 0);
}

NodeId Builder::run_stmt(Parser::RunStmtContext* ctx) {
  NodeId subflow = quoted(ctx->STRING());
  return make(
      NodeKind::kRunStmt, ctx,
      {subflow, ctx->assignments() != nullptr ? assignments(ctx->assignments()) : NodeId()});
}

NodeId Builder::call_stmt(Parser::CallStmtContext* ctx) {
  NodeId service = quoted(ctx->STRING());
  return make(
      NodeKind::kCallStmt, ctx,
      {service, ctx->assignments() != nullptr ? assignments(ctx->assignments()) : NodeId()});
}

NodeId Builder::ask_item(Parser::AskItemContext* ctx) {
  NodeId variable = name(ctx->name());
  NodeId type;
  if (ctx->K_CHOICE() != nullptr) {
    NodeId values = list(quoted_all(ctx->STRING()));
    NodeId children[] = {values};
    type = tree_.add(NodeKind::kPicklistType, 0, span(ctx->K_CHOICE()).begin, span(ctx->RP()).end,
                     children);
  } else {
    type = type_name(ctx->typeName());
  }
  NodeId label;
  NodeId default_value;
  bool required = false;
  for (auto* option : ctx->askOption()) {
    if (option->labelled() != nullptr)
      once(label, quoted(option->labelled()->STRING()), "`labelled`");
    if (option->K_DEFAULT() != nullptr)
      once(default_value, literal(option->literal()), "`default`");
    if (option->K_REQUIRED() != nullptr) required = true;
  }
  return make(NodeKind::kAskItem, ctx, {variable, type, label, default_value}, required ? 1 : 0);
}

NodeId Builder::remind_stmt(Parser::RemindStmtContext* ctx) {
  NodeId person = atom(ctx->atom());
  NodeId within;
  NodeId expiring;
  size_t next = 0;
  if (ctx->K_WITHIN() != nullptr) within = duration(ctx->duration(next++));
  if (ctx->K_EXPIRING() != nullptr) expiring = duration(ctx->duration(next));
  return make(NodeKind::kRemindStmt, ctx, {person, within, expiring, statement(ctx->statement())});
}

NodeId Builder::add_effect(Parser::AddEffectContext* ctx) {
  NodeId target = path(ctx->path());
  NodeId cadence = quoted(ctx->STRING());
  return make(NodeKind::kAddEffect, ctx,
              {target, cadence, ctx->atom() != nullptr ? atom(ctx->atom()) : NodeId()});
}

NodeId Builder::remove_effect(Parser::RemoveEffectContext* ctx) {
  NodeId target = path(ctx->path());
  NodeId from = cadence_scope(ctx->cadenceScope());
  return make(NodeKind::kRemoveEffect, ctx, {target, from, quoted(ctx->STRING())});
}

NodeId Builder::change_effect(Parser::ChangeEffectContext* ctx) {
  NodeId target = path(ctx->path());
  NodeId assignee = atom(ctx->atom());
  NodeId in = ctx->cadenceScope() != nullptr ? cadence_scope(ctx->cadenceScope()) : NodeId();
  return make(NodeKind::kChangeEffect, ctx, {target, assignee, in});
}

NodeId Builder::cadence_scope(Parser::CadenceScopeContext* ctx) {
  return make(NodeKind::kCadenceScope, ctx, {quoted(ctx->STRING())});
}

NodeId Builder::assignments(Parser::AssignmentsContext* ctx) {
  return list_in(ctx, map_all(ctx->assignment(), &Builder::assignment));
}

NodeId Builder::assignment(Parser::AssignmentContext* ctx) {
  NodeId left = path(ctx->path());
  return make(NodeKind::kAssignment, ctx, {left, value_source(ctx->valueSource())});
}

NodeId Builder::value_source(Parser::ValueSourceContext* ctx) {
  if (auto* f = ctx->finder()) return finder(f);
  if (auto* r = ctx->runStmt()) return run_stmt(r);
  if (auto* c = ctx->callStmt()) return call_stmt(c);
  return expr(ctx->expr());
}

NodeId Builder::finder(Parser::FinderContext* ctx) {
  NodeId object = object_name(ctx->objectName());
  NodeId where = ctx->expr() != nullptr ? expr(ctx->expr()) : NodeId();
  NodeId order_by = ctx->path() != nullptr ? path(ctx->path()) : NodeId();
  uint8_t op = 0;
  if (ctx->K_ALL() != nullptr) op |= kFindAll;
  if (ctx->K_DESCENDING() != nullptr) op |= kFindDescending;
  return make(NodeKind::kFinder, ctx, {object, where, order_by}, op);
}

}  // namespace ensue::syntax::internal
