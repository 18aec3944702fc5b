// Small pieces of the tree: places, names, numbers, dates, attributes.
#include "syntax/internal/builder.h"

namespace ensue::syntax::internal {
namespace {

std::string without_underscores(std::string_view digits) {
  std::string out;
  for (char c : digits) {
    if (c != '_') out += c;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

uint32_t Builder::end(Context* ctx) const {
  // A rule that matched nothing has no stop token, or one before its start.
  const AntlrToken* stop = ctx->getStop();
  if (stop == nullptr || stop->getTokenIndex() < ctx->getStart()->getTokenIndex())
    return begin(ctx);
  return token(stop).end;
}

NodeId Builder::make(NodeKind kind, Context* ctx, std::initializer_list<NodeId> children,
                     uint8_t op, std::string_view text) {
  return tree_.add(kind, op, begin(ctx), end(ctx), {children.begin(), children.size()}, text);
}

NodeId Builder::leaf(NodeKind kind, source::Span at, uint8_t op, std::string_view text) {
  return tree_.add(kind, op, at.begin, at.end, {}, text);
}

NodeId Builder::list(const std::vector<NodeId>& children, NodeKind kind) {
  if (children.empty()) return NodeId();
  return tree_.add(kind, 0, tree_.node(children.front()).begin, tree_.node(children.back()).end,
                   children);
}

NodeId Builder::list_in(Context* ctx, const std::vector<NodeId>& children, NodeKind kind) {
  return tree_.add(kind, 0, begin(ctx), end(ctx), children);
}

NodeId Builder::quoted(antlr4::tree::TerminalNode* string) {
  if (string == nullptr) return NodeId();
  source::Span at = span(string);
  std::string decoded = decode_plain({at.file, at.begin + 1, at.end - 1});
  return leaf(NodeKind::kQuoted, at, 0, tree_.keep(std::move(decoded)));
}

std::vector<NodeId> Builder::quoted_all(const std::vector<antlr4::tree::TerminalNode*>& strings) {
  std::vector<NodeId> out;
  for (auto* string : strings) out.push_back(quoted(string));
  return out;
}

NodeId Builder::number(antlr4::tree::TerminalNode* node) {
  if (node == nullptr) return NodeId();
  source::Span at = span(node);
  return leaf(NodeKind::kNumber, at, 0, tree_.keep(without_underscores(source(at))));
}

NodeId Builder::word(const AntlrToken* t) {
  source::Span at = span(t);
  return leaf(NodeKind::kWord, at, 0, tree_.keep(lower(source(at))));
}

NodeId Builder::time(antlr4::tree::TerminalNode* node) {
  source::Span at = span(node);
  return leaf(NodeKind::kTime, at, 0, source(at));
}

NodeId Builder::date(antlr4::tree::TerminalNode* node) {
  source::Span at = span(node);
  return leaf(NodeKind::kDate, at, 0, source(at));
}

NodeId Builder::date_time(antlr4::tree::TerminalNode* node, antlr4::tree::TerminalNode* zone) {
  source::Span at = span(node);
  NodeId zone_id = quoted(zone);
  uint32_t end = zone_id.valid() ? tree_.node(zone_id).end : at.end;
  NodeId children[] = {zone_id};
  return tree_.add(NodeKind::kDateTime, 0, at.begin, end, children, source(at));
}

NodeId Builder::name(Parser::NameContext* ctx) {
  return ctx == nullptr ? NodeId() : name_leaf(ctx);
}
NodeId Builder::object_name(Parser::ObjectNameContext* ctx) {
  return ctx == nullptr ? NodeId() : name_leaf(ctx);
}

NodeId Builder::name_leaf(Context* ctx) {
  token(ctx->getStart()).token_class = TokenClass::kName;
  source::Span at = span(ctx);
  std::string_view text = source(at);
  if (text.size() > 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
  return leaf(NodeKind::kName, at, 0, text);
}

void Builder::once(NodeId& slot, NodeId node, std::string_view what) {
  if (!slot.valid()) {
    slot = node;
    return;
  }
  sink_.report(Kind::kClauseRepeated, tree_.span(node), {what})
      .label(tree_.span(slot), "first said here");
}

NodeId Builder::attributes(const std::vector<Parser::AttributeContext*>& contexts,
                           source::Span after) {
  NodeId author;
  NodeId version;
  NodeId priority;
  bool draft = false;
  for (auto* ctx : contexts) {
    if (ctx->K_BY() != nullptr) once(author, quoted(ctx->STRING()), "`by`");
    if (ctx->K_VERSION() != nullptr) once(version, number(ctx->NUMBER()), "`version`");
    if (ctx->K_PRIORITY() != nullptr) once(priority, number(ctx->NUMBER()), "`priority`");
    if (ctx->K_DRAFT() != nullptr) {
      if (draft) sink_.report(Kind::kClauseRepeated, span(ctx), {"`draft`"});
      draft = true;
    }
  }
  uint32_t begin_at = contexts.empty() ? after.end : begin(contexts.front());
  uint32_t end_at = contexts.empty() ? after.end : end(contexts.back());
  NodeId children[] = {author, version, priority};
  return tree_.add(NodeKind::kAttributes, draft ? 1 : 0, begin_at, end_at, children);
}

NodeId Builder::declaration(Parser::DeclarationContext* ctx) {
  if (auto* d = ctx->objectDecl()) return object_decl(d);
  if (auto* d = ctx->extendDecl()) return extend_decl(d);
  if (auto* d = ctx->functionDecl()) return function_decl(d);
  if (auto* d = ctx->actionDecl()) return action_decl(d);
  if (auto* d = ctx->flowDecl()) return flow_decl(d);
  if (auto* d = ctx->subflowDecl()) return subflow_decl(d);
  if (auto* d = ctx->screenFlowDecl()) return screen_flow_decl(d);
  if (auto* d = ctx->cadenceDecl()) return cadence_decl(d);
  if (auto* d = ctx->quickCadenceDecl()) return quick_cadence_decl(d);
  if (auto* d = ctx->templateDecl()) return template_decl(d);
  if (auto* d = ctx->scriptDecl())
    return make(NodeKind::kScriptDecl, d, {quoted(d->STRING()), text_value(d->text())});
  if (auto* d = ctx->routingDecl()) return routing_decl(d);
  if (auto* d = ctx->limitsDecl()) return limits_decl(d);
  if (auto* d = ctx->calendarDecl()) return calendar_decl(d);
  return test_decl(ctx->testDecl());
}

NodeId Builder::session(Parser::SessionInputContext* ctx) {
  if (auto* d = ctx->declaration()) return declaration(d);
  if (auto* s = ctx->testStatement()) return test_statement(s);
  return expr(ctx->expr());
}

}  // namespace ensue::syntax::internal
