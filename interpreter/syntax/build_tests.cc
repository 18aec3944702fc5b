// Tests.
#include "syntax/internal/builder.h"

namespace ensue::syntax::internal {

NodeId Builder::test_decl(Parser::TestDeclContext* ctx) {
  NodeId head = quoted(ctx->STRING());
  NodeId attribute_node = attributes(ctx->attribute(), tree_.span(head));
  NodeId cases = ctx->caseTable() != nullptr ? case_table(ctx->caseTable()) : NodeId();
  return make(
      NodeKind::kTestDecl, ctx,
      {head, attribute_node, cases, list(map_all(ctx->testStatement(), &Builder::test_statement))});
}

NodeId Builder::case_table(Parser::CaseTableContext* ctx) {
  NodeId columns = list(map_all(ctx->name(), &Builder::name));
  return make(NodeKind::kCaseTable, ctx,
              {columns, list(map_all(ctx->caseRow(), &Builder::case_row))});
}

NodeId Builder::case_row(Parser::CaseRowContext* ctx) {
  return list_in(ctx, map_all(ctx->sum(), &Builder::sum));
}

NodeId Builder::test_statement(Parser::TestStatementContext* ctx) {
  auto fields = [&](Parser::AssignmentsContext* a) {
    return a != nullptr ? assignments(a) : NodeId();
  };
  if (auto* s = dynamic_cast<Parser::ClockStmtContext*>(ctx)) {
    return make(NodeKind::kClockStmt, ctx, {date_time(s->DATETIME(), s->STRING())});
  }
  if (auto* s = dynamic_cast<Parser::GivenRecordContext*>(ctx)) {
    NodeId object = object_name(s->objectName());
    NodeId id = quoted(s->STRING());
    return make(NodeKind::kGivenRecord, ctx, {object, id, fields(s->assignments())});
  }
  if (auto* s = dynamic_cast<Parser::GivenServiceContext*>(ctx)) {
    NodeId service = quoted(s->STRING(0));
    NodeId answer = s->assignments() != nullptr ? assignments(s->assignments())
                    : s->expr() != nullptr      ? expr(s->expr())
                                                : NodeId();
    NodeId failure = s->K_FAILS() != nullptr ? quoted(s->STRING(1)) : NodeId();
    return make(NodeKind::kGivenService, ctx, {service, answer, failure, number(s->NUMBER())});
  }
  if (auto* s = dynamic_cast<Parser::WhenSetContext*>(ctx)) {
    NodeId id = quoted(s->STRING());
    return make(NodeKind::kWhenSet, ctx, {id, fields(s->assignments())});
  }
  if (auto* s = dynamic_cast<Parser::WhenDeletedContext*>(ctx)) {
    return make(NodeKind::kWhenDeleted, ctx, {quoted(s->STRING())},
                s->K_UNDELETED() != nullptr ? 1 : 0);
  }
  if (auto* s = dynamic_cast<Parser::WhenCreatedContext*>(ctx)) {
    NodeId object = object_name(s->objectName());
    NodeId id = quoted(s->STRING());
    return make(NodeKind::kWhenCreated, ctx, {object, id, fields(s->assignments())});
  }
  if (auto* s = dynamic_cast<Parser::WhenEngagesContext*>(ctx)) {
    NodeId id = quoted(s->STRING(0));
    return make(NodeKind::kWhenEngages, ctx, {id, quoted(s->STRING(1))});
  }
  if (auto* s = dynamic_cast<Parser::WhenCompletesContext*>(ctx)) {
    NodeId id = quoted(s->STRING(0));
    NodeId step = quoted(s->STRING(1));
    return make(NodeKind::kWhenCompletes, ctx, {id, step, quoted(s->STRING(2))});
  }
  if (auto* s = dynamic_cast<Parser::WhenSkipsContext*>(ctx)) {
    NodeId id = quoted(s->STRING(0));
    return make(NodeKind::kWhenSkips, ctx, {id, quoted(s->STRING(1))});
  }
  if (auto* s = dynamic_cast<Parser::WhenReminderContext*>(ctx)) {
    uint8_t op = s->K_RUNS() != nullptr      ? kReminderRuns
                 : s->K_IGNORES() != nullptr ? kReminderIgnores
                                             : kReminderSnoozes;
    NodeId person = quoted(s->STRING(0));
    NodeId about = quoted(s->STRING(1));
    NodeId amount = s->duration() != nullptr ? duration(s->duration()) : NodeId();
    NodeId until = s->DATETIME() != nullptr ? date_time(s->DATETIME(), s->STRING(2)) : NodeId();
    return make(NodeKind::kWhenReminder, ctx, {person, about, amount, until}, op);
  }
  if (auto* s = dynamic_cast<Parser::WhenActivatesContext*>(ctx)) {
    NodeId person = quoted(s->STRING(0));
    NodeId action = quoted(s->STRING(1));
    return make(NodeKind::kWhenActivates, ctx, {person, action, quoted(s->STRING(2))},
                s->K_DEACTIVATES() != nullptr ? 1 : 0);
  }
  if (auto* s = dynamic_cast<Parser::WhenCadenceContext*>(ctx)) return when_cadence(s);
  if (auto* s = dynamic_cast<Parser::WhenEventContext*>(ctx)) {
    source::Span at = span(s->TEXTBLOCK());
    return make(NodeKind::kWhenEvent, ctx, {}, 0, source({at.file, at.begin + 3, at.end - 3}));
  }
  if (auto* s = dynamic_cast<Parser::WhenCalledContext*>(ctx)) {
    NodeId flow = quoted(s->STRING());
    return make(NodeKind::kWhenCalled, ctx, {flow, fields(s->assignments())});
  }
  if (auto* s = dynamic_cast<Parser::WhenAnswersContext*>(ctx)) {
    NodeId person = quoted(s->STRING());
    std::vector<NodeId> answers;
    for (auto* a : s->answer()) {
      NodeId left = name(a->name());
      NodeId children[] = {left};
      NodeId as_path = tree_.add(NodeKind::kPath, kPathBare, tree_.node(left).begin,
                                 tree_.node(left).end, children);
      answers.push_back(make(NodeKind::kAssignment, a, {as_path, expr(a->expr())}));
    }
    return make(NodeKind::kWhenAnswers, ctx, {person, list(answers)});
  }
  if (auto* s = dynamic_cast<Parser::AdvanceStmtContext*>(ctx)) {
    NodeId amount = s->duration() != nullptr ? duration(s->duration()) : NodeId();
    return make(
        NodeKind::kAdvanceStmt, ctx,
        {amount, s->DATETIME() != nullptr ? date_time(s->DATETIME(), s->STRING()) : NodeId()});
  }
  auto* s = static_cast<Parser::ExpectStmtContext*>(ctx);
  return make(NodeKind::kExpectStmt, ctx, {expectation(s->expectation())},
              s->K_NO() != nullptr ? 1 : 0);
}

NodeId Builder::when_cadence(Parser::WhenCadenceContext* ctx) {
  NodeId person = quoted(ctx->STRING());
  auto* verb = ctx->cadenceVerb();
  if (auto* v = dynamic_cast<Parser::VerbAddsContext*>(verb)) {
    NodeId target = quoted(v->STRING(0));
    NodeId cadence = quoted(v->STRING(1));
    NodeId children[] = {cadence};
    NodeId into = tree_.add(NodeKind::kCadenceScope, 0, tree_.node(cadence).begin,
                            tree_.node(cadence).end, children);
    NodeId assignee = v->atom() != nullptr ? atom(v->atom()) : NodeId();
    return make(NodeKind::kWhenCadence, ctx, {person, target, into, assignee, NodeId()}, kVerbAdds);
  }
  if (auto* v = dynamic_cast<Parser::VerbRemovesContext*>(verb)) {
    NodeId target = quoted(v->STRING(0));
    NodeId from = cadence_scope(v->cadenceScope());
    return make(NodeKind::kWhenCadence, ctx, {person, target, from, NodeId(), quoted(v->STRING(1))},
                kVerbRemoves);
  }
  if (auto* v = dynamic_cast<Parser::VerbPausesContext*>(verb)) {
    NodeId target = quoted(v->STRING());
    NodeId in = cadence_scope(v->cadenceScope());
    return make(NodeKind::kWhenCadence, ctx, {person, target, in, NodeId(), NodeId()},
                v->K_PAUSES() != nullptr ? kVerbPauses : kVerbResumes);
  }
  auto* v = static_cast<Parser::VerbChangesContext*>(verb);
  NodeId target = quoted(v->STRING());
  NodeId assignee = atom(v->atom());
  NodeId in = v->cadenceScope() != nullptr ? cadence_scope(v->cadenceScope()) : NodeId();
  return make(NodeKind::kWhenCadence, ctx, {person, target, in, assignee, NodeId()},
              kVerbChangesAssignee);
}

NodeId Builder::expectation(Parser::ExpectationContext* ctx) {
  if (auto* e = dynamic_cast<Parser::ExpectAutomationContext*>(ctx))
    return automation_expectation(e);
  if (auto* e = dynamic_cast<Parser::ExpectChargedContext*>(ctx)) {
    NodeId how_many = count(e->count());
    return make(NodeKind::kExpectCharged, ctx, {how_many, quoted(e->STRING())});
  }
  if (auto* e = dynamic_cast<Parser::ExpectHasContext*>(ctx)) {
    NodeId id = quoted(e->STRING());
    return make(NodeKind::kExpectHas, ctx, {id, expr(e->expr())});
  }
  if (auto* e = dynamic_cast<Parser::ExpectInCadenceContext*>(ctx))
    return membership_expectation(e);
  if (auto* e = dynamic_cast<Parser::ExpectLeftContext*>(ctx)) {
    NodeId id = quoted(e->STRING(0));
    NodeId cadence = quoted(e->STRING(1));
    return make(NodeKind::kExpectLeft, ctx, {id, cadence, quoted(e->STRING(2))});
  }
  if (auto* e = dynamic_cast<Parser::ExpectReminderContext*>(ctx)) {
    NodeId person = quoted(e->STRING(0));
    return make(NodeKind::kExpectReminder, ctx, {person, quoted(e->STRING(1))});
  }
  if (auto* e = dynamic_cast<Parser::ExpectFaultContext*>(ctx)) {
    return make(NodeKind::kExpectFault, ctx, {quoted(e->STRING())});
  }
  if (auto* e = dynamic_cast<Parser::ExpectEmailContext*>(ctx)) {
    NodeId id = quoted(e->STRING(0));
    return make(NodeKind::kExpectEmail, ctx, {id, quoted(e->STRING(1))});
  }
  if (auto* e = dynamic_cast<Parser::ExpectCallContext*>(ctx)) {
    return make(NodeKind::kExpectCall, ctx, {quoted(e->STRING())});
  }
  auto* e = static_cast<Parser::ExpectRecordsContext*>(ctx);
  NodeId how_many = e->count() != nullptr ? count(e->count()) : NodeId();
  NodeId object = object_name(e->objectName());
  return make(NodeKind::kExpectRecords, ctx, {how_many, object, expr(e->expr())});
}

NodeId Builder::automation_expectation(Parser::ExpectAutomationContext* ctx) {
  auto* outcome = ctx->automationOutcome();
  NodeId automation = quoted(ctx->STRING(0));
  NodeId author = quoted(ctx->STRING(1));
  uint8_t op = kOutcomeRan;
  NodeId how_many;
  NodeId branch;
  if (outcome->K_STARTED() != nullptr) {
    op = kOutcomeStarted;
  } else if (outcome->K_TOOK() != nullptr) {
    op = kOutcomeTook;
    branch = quoted(outcome->STRING());
  } else if (outcome->K_SUPPRESSED() != nullptr) {
    op = outcome->K_EACH() != nullptr    ? kOutcomeSuppressedByUser
         : outcome->K_WHOLE() != nullptr ? kOutcomeSuppressedByOrg
                                         : kOutcomeSuppressed;
  } else if (outcome->count() != nullptr) {
    how_many = count(outcome->count());
  }
  if (ctx->K_FLOW() != nullptr) op |= kOutcomeOfFlow;
  return make(NodeKind::kExpectAutomation, ctx, {automation, author, how_many, branch}, op);
}

NodeId Builder::membership_expectation(Parser::ExpectInCadenceContext* ctx) {
  NodeId id = quoted(ctx->STRING(0));
  NodeId cadence = quoted(ctx->STRING(1));
  NodeId on_track;
  NodeId step;
  NodeId assignee;
  NodeId due;
  for (auto* detail : ctx->membershipDetail()) {
    if (detail->K_TRACK() != nullptr) once(on_track, name(detail->name()), "`on track`");
    if (detail->K_STEP() != nullptr) once(step, quoted(detail->STRING()), "`at step`");
    if (detail->K_ASSIGNED() != nullptr) once(assignee, quoted(detail->STRING()), "`assigned to`");
    if (detail->K_DUE() != nullptr)
      once(due, date_time(detail->DATETIME(), detail->STRING()), "`due`");
  }
  return make(NodeKind::kExpectInCadence, ctx, {id, cadence, on_track, step, assignee, due},
              ctx->K_NOT() != nullptr ? 1 : 0);
}

NodeId Builder::count(Parser::CountContext* ctx) {
  return ctx->NUMBER() != nullptr ? number(ctx->NUMBER()) : name(ctx->name());
}

}  // namespace ensue::syntax::internal
