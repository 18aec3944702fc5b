// What the parse tree so far tells about the first mistake.
#include "syntax/internal/parser_run.h"

namespace ensue::syntax::internal {
namespace {

Context* parent_of(Context* ctx) { return dynamic_cast<Context*>(ctx->parent); }

// The values of assignments, calls and logs are not conditions, though the grammar has one rule for
// both.
bool stands_for_a_condition(Context* value) {
  for (Context* ctx = parent_of(value); ctx != nullptr; ctx = parent_of(ctx)) {
    bool plain = dynamic_cast<Parser::ValueSourceContext*>(ctx) != nullptr ||
                 dynamic_cast<Parser::CallContext*>(ctx) != nullptr ||
                 dynamic_cast<Parser::LogStmtContext*>(ctx) != nullptr ||
                 dynamic_cast<Parser::StopStmtContext*>(ctx) != nullptr ||
                 dynamic_cast<Parser::AnswerContext*>(ctx) != nullptr ||
                 dynamic_cast<Parser::GivenServiceContext*>(ctx) != nullptr;
    if (plain) return false;
    bool inner =
        dynamic_cast<Parser::GroupedContext*>(ctx) != nullptr ||
        ctx->getRuleIndex() == Parser::RuleExpr || ctx->getRuleIndex() == Parser::RuleNegation ||
        ctx->getRuleIndex() == Parser::RuleComparison || ctx->getRuleIndex() == Parser::RuleSum ||
        ctx->getRuleIndex() == Parser::RuleProduct || ctx->getRuleIndex() == Parser::RuleFactor;
    if (!inner) return true;
  }
  return true;
}

}  // namespace

bool FirstError::seen_ahead(const std::exception_ptr& cause, const antlr4::Token* offending) {
  if (cause == nullptr) return false;
  try {
    std::rethrow_exception(cause);
  } catch (const antlr4::NoViableAltException& e) {
    return e.getStartToken() != offending;
  } catch (...) {
    return false;
  }
}

// The last value that was read whole ends right before the token, and no comparison follows it.
bool FirstError::comparison_could_follow(Context* at, size_t token) {
  Parser::ComparedContext* found = nullptr;
  antlr4::tree::ParseTree* node = at;
  while (node != nullptr && !node->children.empty()) {
    if (auto* compared = dynamic_cast<Parser::ComparedContext*>(node)) found = compared;
    node = node->children.back();
  }
  auto* end = dynamic_cast<antlr4::tree::TerminalNode*>(node);
  if (found == nullptr || end == nullptr || end->getSymbol()->getTokenIndex() + 1 != token)
    return false;
  return found->sum() != nullptr && found->comparisonTail() == nullptr &&
         stands_for_a_condition(found);
}

std::optional<size_t> FirstError::guard_if(Context* at) {
  for (Context* ctx = at; ctx != nullptr; ctx = parent_of(ctx)) {
    bool flow = ctx->getRuleIndex() == Parser::RuleFlowDecl ||
                ctx->getRuleIndex() == Parser::RuleScreenFlowDecl;
    if (!flow) continue;
    auto statements = ctx->getRuleContexts<Parser::StatementContext>();
    bool guard = statements.size() == 1 && statements[0]->ifStmt() != nullptr;
    if (guard) return statements[0]->getStart()->getTokenIndex();
  }
  return std::nullopt;
}

}  // namespace ensue::syntax::internal
