// Building the tree from ANTLR's parse tree: one typed function per grammar rule, declared here and
// defined in the build_*.cc files. Private to syntax/.
#pragma once

#include <EnsueParser.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "source/diagnostic_sink.h"
#include "syntax/ast.h"

namespace ensue::syntax::internal {

using Parser = grammar::EnsueParser;
using AntlrToken = antlr4::Token;
using Context = antlr4::ParserRuleContext;

// Maps the parser's tokens, which leave blanks out, to their rows in the token table of the tree.
struct TokenMap {
  std::vector<uint32_t> rows;
};

class Builder {
 public:
  // `first` is the parser token that has index 0 in the parse tree: a chunk is parsed by a stream
  // of its own.
  Builder(Tree& tree, std::vector<Token>& tokens, const TokenMap& map, size_t first,
          source::DiagnosticSink& sink)
      : tree_(tree), tokens_(tokens), map_(map), first_(first), sink_(sink) {}

  NodeId declaration(Parser::DeclarationContext* ctx);
  NodeId session(Parser::SessionInputContext* ctx);

 private:
  using Kind = source::DiagnosticKind;

  // ---- Places and small pieces (build_ast.cc) -------------------------------------------------
  Token& token(const AntlrToken* t) const {
    return tokens_[map_.rows[first_ + t->getTokenIndex()]];
  }
  uint32_t begin(Context* ctx) const { return token(ctx->getStart()).begin; }
  uint32_t end(Context* ctx) const;
  source::Span span(Context* ctx) const { return {tree_.file(), begin(ctx), end(ctx)}; }
  source::Span span(const AntlrToken* t) const {
    return {tree_.file(), token(t).begin, token(t).end};
  }
  source::Span span(antlr4::tree::TerminalNode* node) const { return span(node->getSymbol()); }
  std::string_view source(source::Span s) const {
    return tree_.source_text().substr(s.begin, s.end - s.begin);
  }
  NodeId make(NodeKind kind, Context* ctx, std::initializer_list<NodeId> children, uint8_t op = 0,
              std::string_view text = {});
  NodeId leaf(NodeKind kind, source::Span at, uint8_t op = 0, std::string_view text = {});
  NodeId list(const std::vector<NodeId>& children, NodeKind kind = NodeKind::kList);
  NodeId list_in(Context* ctx, const std::vector<NodeId>& children,
                 NodeKind kind = NodeKind::kList);
  NodeId quoted(antlr4::tree::TerminalNode* string);
  NodeId number(antlr4::tree::TerminalNode* node);
  NodeId word(const AntlrToken* t);
  NodeId time(antlr4::tree::TerminalNode* node);
  NodeId date(antlr4::tree::TerminalNode* node);
  NodeId date_time(antlr4::tree::TerminalNode* node, antlr4::tree::TerminalNode* zone);
  NodeId name(Parser::NameContext* ctx);
  NodeId object_name(Parser::ObjectNameContext* ctx);
  NodeId name_leaf(Context* ctx);
  template <class T>
  std::vector<NodeId> map_all(const std::vector<T*>& contexts, NodeId (Builder::*build)(T*)) {
    std::vector<NodeId> out;
    out.reserve(contexts.size());
    for (T* ctx : contexts) out.push_back((this->*build)(ctx));
    return out;
  }
  std::vector<NodeId> quoted_all(const std::vector<antlr4::tree::TerminalNode*>& strings);
  NodeId attributes(const std::vector<Parser::AttributeContext*>& contexts, source::Span after);
  // Keeps `node` in `slot`, or reports that `what` stands twice.
  void once(NodeId& slot, NodeId node, std::string_view what);

  // ---- Texts (build_text.cc) ------------------------------------------------------------------
  NodeId text_value(Parser::TextContext* ctx);
  NodeId text_block(antlr4::tree::TerminalNode* block);
  NodeId interpolated(source::Span token_span, source::Span body, size_t indentation);
  std::string decode_plain(source::Span body);
  size_t decode_escape(std::string_view body, size_t at, uint32_t offset, std::string& out);
  NodeId interpolation_path(source::Span at);

  // ---- Declarations (build_declarations.cc) ---------------------------------------------------
  NodeId object_decl(Parser::ObjectDeclContext* ctx);
  NodeId extend_decl(Parser::ExtendDeclContext* ctx);
  NodeId field_decl(Parser::FieldDeclContext* ctx);
  NodeId field_type(Parser::FieldTypeContext* ctx);
  NodeId function_decl(Parser::FunctionDeclContext* ctx);
  NodeId param(Parser::ParamContext* ctx);
  NodeId type_name(Parser::TypeNameContext* ctx);
  NodeId action_decl(Parser::ActionDeclContext* ctx);
  NodeId record_trigger(Parser::RecordTriggerContext* ctx);
  NodeId scope(Parser::ScopeContext* ctx);
  NodeId activation(Parser::ActivationContext* ctx);
  NodeId flow_decl(Parser::FlowDeclContext* ctx);
  NodeId subflow_decl(Parser::SubflowDeclContext* ctx);
  NodeId screen_flow_decl(Parser::ScreenFlowDeclContext* ctx);
  NodeId flow(Context* ctx, uint8_t op, antlr4::tree::TerminalNode* name,
              const std::vector<Parser::AttributeContext*>& attribute_contexts,
              const std::vector<Parser::FlowClauseContext*>& clauses,
              const std::vector<Parser::StatementContext*>& statements,
              const std::vector<Parser::GapBlockContext*>& gap_blocks);
  NodeId schedule(Parser::ScheduleTriggerContext* ctx);
  NodeId catch_up(Parser::CatchUpContext* ctx);
  NodeId over_clause(Parser::OverClauseContext* ctx);
  NodeId step_trigger(Parser::StepTriggerContext* ctx);
  NodeId cadence_trigger(Parser::CadenceTriggerContext* ctx);
  NodeId which_cadence(Parser::WhichCadenceContext* ctx);
  NodeId run_as(Parser::RunAsContext* ctx);
  NodeId run_mode(Parser::RunModeContext* ctx);
  NodeId gap_block(Parser::GapBlockContext* ctx);
  NodeId cadence_decl(Parser::CadenceDeclContext* ctx);
  NodeId quick_cadence_decl(Parser::QuickCadenceDeclContext* ctx);
  void cadence_clauses(const std::vector<Parser::CadenceClauseContext*>& clauses, NodeId& targets,
                       NodeId& exits);
  NodeId track(Parser::TrackContext* ctx);
  NodeId track_item(Parser::TrackItemContext* ctx);
  NodeId step_decl(Parser::StepDeclContext* ctx);
  NodeId step_kind(Parser::StepKindContext* ctx);
  NodeId variant(Parser::VariantContext* ctx);
  NodeId template_decl(Parser::TemplateDeclContext* ctx);
  NodeId routing_decl(Parser::RoutingDeclContext* ctx);
  NodeId routing_row(Parser::RoutingRowContext* ctx);
  NodeId cell_in(Parser::CellInContext* ctx);
  NodeId cell_out(Parser::CellOutContext* ctx);
  NodeId limits_decl(Parser::LimitsDeclContext* ctx);
  NodeId limit_line(Parser::LimitLineContext* ctx);
  NodeId limit_scope(Parser::LimitScopeContext* ctx);
  NodeId limit_cap(Parser::LimitCapContext* ctx);
  NodeId calendar_decl(Parser::CalendarDeclContext* ctx);
  NodeId open_line(Parser::OpenLineContext* ctx);

  // ---- Statements (build_statements.cc) -------------------------------------------------------
  NodeId block(const std::vector<Parser::StatementContext*>& statements);
  NodeId statement(Parser::StatementContext* ctx);
  NodeId if_stmt(Parser::IfStmtContext* ctx);
  NodeId else_if(Parser::ElseIfContext* ctx);
  NodeId for_stmt(Parser::ForStmtContext* ctx);
  NodeId create_stmt(Parser::CreateStmtContext* ctx);
  NodeId update_stmt(Parser::UpdateStmtContext* ctx);
  NodeId wait_stmt(Parser::WaitStmtContext* ctx);
  NodeId try_stmt(Parser::TryStmtContext* ctx);
  NodeId retry(Parser::RetryContext* ctx);
  NodeId run_stmt(Parser::RunStmtContext* ctx);
  NodeId call_stmt(Parser::CallStmtContext* ctx);
  NodeId ask_item(Parser::AskItemContext* ctx);
  NodeId remind_stmt(Parser::RemindStmtContext* ctx);
  NodeId add_effect(Parser::AddEffectContext* ctx);
  NodeId remove_effect(Parser::RemoveEffectContext* ctx);
  NodeId change_effect(Parser::ChangeEffectContext* ctx);
  NodeId cadence_scope(Parser::CadenceScopeContext* ctx);
  NodeId assignments(Parser::AssignmentsContext* ctx);
  NodeId assignment(Parser::AssignmentContext* ctx);
  NodeId value_source(Parser::ValueSourceContext* ctx);
  NodeId finder(Parser::FinderContext* ctx);

  // ---- Conditions and values (build_expr.cc) --------------------------------------------------
  NodeId guard(Parser::GuardContext* ctx);
  NodeId flow_guard(Parser::FlowGuardContext* ctx);
  NodeId condition(Parser::ConditionContext* ctx);
  NodeId logic(Parser::LogicContext* ctx);
  NodeId logic_term(Parser::LogicTermContext* ctx);
  NodeId expr(Parser::ExprContext* ctx);
  // Joins terms and the and/or words between them. Mixed words are reported with both readings.
  NodeId joined(Context* ctx, const std::vector<NodeId>& terms,
                const std::vector<source::Span>& written, const std::vector<bool>& is_or);
  NodeId negation(Parser::NegationContext* ctx);
  NodeId comparison(Parser::ComparisonContext* ctx);
  NodeId compared(Parser::ComparedContext* ctx);
  NodeId sum(Parser::SumContext* ctx);
  NodeId product(Parser::ProductContext* ctx);
  NodeId factor(Parser::FactorContext* ctx);
  NodeId atom(Parser::AtomContext* ctx);
  NodeId literal(Parser::LiteralContext* ctx);
  NodeId duration(Parser::DurationContext* ctx);
  NodeId path(Parser::PathContext* ctx);
  static uint8_t unit(Parser::UnitContext* ctx);

  // ---- Tests (build_tests.cc) -----------------------------------------------------------------
  NodeId test_decl(Parser::TestDeclContext* ctx);
  NodeId case_table(Parser::CaseTableContext* ctx);
  NodeId case_row(Parser::CaseRowContext* ctx);
  NodeId test_statement(Parser::TestStatementContext* ctx);
  NodeId when_cadence(Parser::WhenCadenceContext* ctx);
  NodeId expectation(Parser::ExpectationContext* ctx);
  NodeId automation_expectation(Parser::ExpectAutomationContext* ctx);
  NodeId membership_expectation(Parser::ExpectInCadenceContext* ctx);
  NodeId count(Parser::CountContext* ctx);

  Tree& tree_;
  std::vector<Token>& tokens_;
  const TokenMap& map_;
  size_t first_;
  source::DiagnosticSink& sink_;
};

}  // namespace ensue::syntax::internal
