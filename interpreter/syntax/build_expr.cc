// Conditions and values.
#include <fmt/format.h>

#include <algorithm>

#include "syntax/internal/builder.h"

namespace ensue::syntax::internal {
namespace {

uint8_t compare_op(Parser::OrderedContext* ctx) {
  if (ctx->LE() != nullptr) return kLessOrEqual;
  if (ctx->GE() != nullptr) return kGreaterOrEqual;
  if (ctx->LT() != nullptr) return kLess;
  if (ctx->GT() != nullptr) return kGreater;
  return ctx->EQ() != nullptr ? kEqual : kNotEqual;
}

// `not (…)`: the parenthesis is an atom that stands alone in its comparison.
bool is_grouped(Parser::ComparisonContext* ctx) {
  auto* compared = dynamic_cast<Parser::ComparedContext*>(ctx);
  if (compared == nullptr || compared->comparisonTail() != nullptr) return false;
  auto* sum = compared->sum();
  if (sum->product().size() != 1 || sum->product(0)->factor().size() != 1) return false;
  auto* factor = sum->product(0)->factor(0);
  return factor->MINUS().empty() &&
         dynamic_cast<Parser::GroupedContext*>(factor->atom()) != nullptr;
}

}  // namespace

NodeId Builder::guard(Parser::GuardContext* ctx) {
  uint8_t op = ctx->K_IF() != nullptr      ? kGuardIf
               : ctx->K_NEWLY() != nullptr ? kGuardNewlyMeets
                                           : kGuardMeets;
  return make(NodeKind::kGuard, ctx, {condition(ctx->condition())}, op);
}

NodeId Builder::flow_guard(Parser::FlowGuardContext* ctx) {
  uint8_t op = ctx->K_NEWLY() != nullptr ? kGuardNewlyMeets : kGuardMeets;
  return make(NodeKind::kGuard, ctx, {condition(ctx->condition())}, op);
}

NodeId Builder::condition(Parser::ConditionContext* ctx) {
  if (auto* plain = ctx->expr()) return expr(plain);
  std::vector<NodeId> items;
  for (auto* item : ctx->numberedCondition()) {
    NodeId body = expr(item->expr());
    items.push_back(make(NodeKind::kNumberedItem, item, {body}, 0, source(span(item->NUMBER()))));
  }
  NodeId all = list(items);
  return make(NodeKind::kNumberedCondition, ctx, {all, logic(ctx->logic())});
}

NodeId Builder::logic(Parser::LogicContext* ctx) {
  std::vector<bool> is_or;
  for (auto* child : ctx->children) {
    auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    if (terminal != nullptr) is_or.push_back(terminal->getSymbol()->getType() == Parser::K_OR);
  }
  std::vector<source::Span> written;
  for (auto* term : ctx->logicTerm()) written.push_back(span(term));
  return joined(ctx, map_all(ctx->logicTerm(), &Builder::logic_term), written, is_or);
}

NodeId Builder::logic_term(Parser::LogicTermContext* ctx) {
  NodeId out = ctx->NUMBER() != nullptr
                   ? leaf(NodeKind::kLogicRef, span(ctx->NUMBER()), 0, source(span(ctx->NUMBER())))
                   : logic(ctx->logic());
  for (size_t i = ctx->K_NOT().size(); i-- > 0;) {
    NodeId children[] = {out};
    out = tree_.add(NodeKind::kNot, 0, span(ctx->K_NOT(i)).begin, end(ctx), children);
  }
  return out;
}

NodeId Builder::expr(Parser::ExprContext* ctx) {
  std::vector<bool> is_or;
  for (auto* child : ctx->children) {
    auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    if (terminal != nullptr) is_or.push_back(terminal->getSymbol()->getType() == Parser::K_OR);
  }
  std::vector<source::Span> written;
  for (auto* term : ctx->negation()) written.push_back(span(term));
  return joined(ctx, map_all(ctx->negation(), &Builder::negation), written, is_or);
}

NodeId Builder::joined(Context* ctx, const std::vector<NodeId>& terms,
                       const std::vector<source::Span>& written, const std::vector<bool>& is_or) {
  if (terms.size() == 1) return terms.front();
  bool any_or = std::find(is_or.begin(), is_or.end(), true) != is_or.end();
  bool any_and = std::find(is_or.begin(), is_or.end(), false) != is_or.end();
  if (!any_or || !any_and) return list_in(ctx, terms, any_or ? NodeKind::kOr : NodeKind::kAnd);

  // Both readings, in the author's words, then the tree of the first one so that checking can go
  // on.
  auto reading = [&](bool inner_is_or) {
    std::string out;
    bool open = false;
    for (size_t i = 0; i < terms.size(); ++i) {
      bool joins_next = i < is_or.size() && is_or[i] == inner_is_or;
      if (joins_next && !open) {
        out += "(";
        open = true;
      }
      out += source(written[i]);
      if (!joins_next && open) {
        out += ")";
        open = false;
      }
      if (i < is_or.size()) out += is_or[i] ? " or " : " and ";
    }
    return out;
  };
  constexpr size_t kShownMax = 400;
  std::string first = reading(false);
  std::string second = reading(true);
  auto& finding = sink_.report(Kind::kMixedAndOr, span(ctx));
  if (first.size() <= kShownMax) {
    finding.note("one reading is `" + first + "`").note("the other is `" + second + "`");
  }
  std::vector<NodeId> alternatives;
  std::vector<NodeId> run{terms[0]};
  for (size_t i = 0; i < is_or.size(); ++i) {
    if (is_or[i]) {
      alternatives.push_back(run.size() == 1 ? run[0] : list(run, NodeKind::kAnd));
      run.clear();
    }
    run.push_back(terms[i + 1]);
  }
  alternatives.push_back(run.size() == 1 ? run[0] : list(run, NodeKind::kAnd));
  return list_in(ctx, alternatives, NodeKind::kOr);
}

NodeId Builder::negation(Parser::NegationContext* ctx) {
  NodeId out = comparison(ctx->comparison());
  auto nots = ctx->K_NOT();
  if (nots.empty()) return out;
  bool grouped = is_grouped(ctx->comparison());
  if (grouped && nots.size() == 1) return make(NodeKind::kNot, ctx, {out});
  std::string inner(source(span(ctx->comparison())));
  bool denied = nots.size() % 2 == 1;
  std::string meant = !denied ? inner : grouped ? "not " + inner : "not (" + inner + ")";
  sink_.report(Kind::kBareNot, span(ctx))
      .fix(span(ctx), meant, nots.size() == 1 ? "write" : "two denials say nothing; write");
  return denied ? make(NodeKind::kNot, ctx, {out}) : out;
}

NodeId Builder::comparison(Parser::ComparisonContext* ctx) {
  if (dynamic_cast<Parser::IsNewContext*>(ctx) != nullptr) return make(NodeKind::kIsNew, ctx, {});
  if (auto* quantified = dynamic_cast<Parser::QuantifiedContext*>(ctx)) {
    uint8_t op = quantified->K_ANY() != nullptr  ? kQuantifyAny
                 : quantified->K_NO() != nullptr ? kQuantifyNo
                                                 : kQuantifyEach;
    NodeId object = object_name(quantified->objectName());
    NodeId of = quantified->path() != nullptr ? path(quantified->path()) : NodeId();
    return make(NodeKind::kQuantified, ctx, {object, of, expr(quantified->expr())}, op);
  }
  return compared(static_cast<Parser::ComparedContext*>(ctx));
}

NodeId Builder::compared(Parser::ComparedContext* ctx) {
  NodeId left = sum(ctx->sum());
  auto* tail = ctx->comparisonTail();
  if (tail == nullptr) return left;
  if (auto* t = dynamic_cast<Parser::IsBlankContext*>(tail)) {
    return make(NodeKind::kIsBlank, ctx, {left}, t->K_NOT() != nullptr ? 1 : 0);
  }
  if (auto* t = dynamic_cast<Parser::IsOneOfContext*>(tail)) {
    NodeId items = list(map_all(t->sum(), &Builder::sum));
    return make(NodeKind::kOneOf, ctx, {left, items}, t->K_NOT() != nullptr ? 1 : 0);
  }
  if (auto* t = dynamic_cast<Parser::IsBetweenContext*>(tail)) {
    NodeId low = sum(t->sum(0));
    return make(NodeKind::kBetween, ctx, {left, low, sum(t->sum(1))},
                t->K_NOT() != nullptr ? 1 : 0);
  }
  if (auto* t = dynamic_cast<Parser::IsBeforeAfterContext*>(tail)) {
    bool before = t->K_BEFORE() != nullptr;
    if (t->K_NOT() != nullptr) {
      std::string rest(source(span(t->sum())));
      std::string phrase = fmt::format("not ({} is {} {})", source(span(ctx->sum())),
                                       before ? "before" : "after", rest);
      sink_.report(Kind::kIsNotBefore, span(tail), {before ? "before" : "after"})
          .fix(span(ctx), phrase, "write");
    }
    return make(NodeKind::kCompare, ctx, {left, sum(t->sum())}, before ? kIsBefore : kIsAfter);
  }
  if (auto* t = dynamic_cast<Parser::IsEqualContext*>(tail)) {
    uint8_t op = t->K_NOT() != nullptr ? kIsNot : kIs;
    return make(NodeKind::kCompare, ctx, {left, sum(t->sum())},
                t->K_EXACTLY() != nullptr ? op | kExactly : op);
  }
  if (auto* t = dynamic_cast<Parser::OrderedContext*>(tail)) {
    return make(NodeKind::kCompare, ctx, {left, sum(t->sum())}, compare_op(t));
  }
  if (auto* t = dynamic_cast<Parser::ChangedContext*>(tail)) {
    size_t next = 0;
    NodeId from = t->K_FROM() != nullptr ? sum(t->sum(next++)) : NodeId();
    NodeId to = t->K_TO() != nullptr ? sum(t->sum(next)) : NodeId();
    return make(NodeKind::kChanged, ctx, {left, from, to});
  }
  auto* t = static_cast<Parser::TextTestContext*>(tail);
  uint8_t op = t->K_CONTAINS() != nullptr ? kContains
               : t->K_STARTS() != nullptr ? kStartsWith
                                          : kEndsWith;
  return make(NodeKind::kCompare, ctx, {left, sum(t->sum())},
              t->K_EXACTLY() != nullptr ? op | kExactly : op);
}

NodeId Builder::sum(Parser::SumContext* ctx) {
  NodeId out = product(ctx->product(0));
  size_t next = 1;
  for (auto* child : ctx->children) {
    auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    if (terminal == nullptr) continue;
    uint8_t op = terminal->getSymbol()->getType() == Parser::PLUS ? '+' : '-';
    NodeId right = product(ctx->product(next++));
    NodeId children[] = {out, right};
    out = tree_.add(NodeKind::kBinary, op, tree_.node(out).begin, tree_.node(right).end, children);
  }
  return out;
}

NodeId Builder::product(Parser::ProductContext* ctx) {
  NodeId out = factor(ctx->factor(0));
  size_t next = 1;
  for (auto* child : ctx->children) {
    auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    if (terminal == nullptr) continue;
    uint8_t op = terminal->getSymbol()->getType() == Parser::STAR ? '*' : '/';
    NodeId right = factor(ctx->factor(next++));
    NodeId children[] = {out, right};
    out = tree_.add(NodeKind::kBinary, op, tree_.node(out).begin, tree_.node(right).end, children);
  }
  return out;
}

NodeId Builder::factor(Parser::FactorContext* ctx) {
  NodeId out = atom(ctx->atom());
  for (size_t i = ctx->MINUS().size(); i-- > 0;) {
    NodeId children[] = {out};
    out = tree_.add(NodeKind::kNegate, 0, span(ctx->MINUS(i)).begin, end(ctx), children);
  }
  return out;
}

NodeId Builder::atom(Parser::AtomContext* ctx) {
  if (auto* a = dynamic_cast<Parser::GroupedContext*>(ctx)) return expr(a->expr());
  if (auto* a = dynamic_cast<Parser::DurationAtomContext*>(ctx)) {
    NodeId amount = duration(a->duration());
    if (a->K_AGO() == nullptr && a->K_FROM() == nullptr) return amount;
    return make(NodeKind::kRelativeTime, ctx, {amount}, a->K_FROM() != nullptr ? 1 : 0);
  }
  if (auto* a = dynamic_cast<Parser::LiteralAtomContext*>(ctx)) return literal(a->literal());
  if (auto* a = dynamic_cast<Parser::ClockAtomContext*>(ctx)) {
    return make(a->K_NOW() != nullptr ? NodeKind::kNow : NodeKind::kToday, ctx, {});
  }
  if (auto* a = dynamic_cast<Parser::NamedPersonContext*>(ctx)) {
    return make(NodeKind::kNamedPerson, ctx, {quoted(a->STRING())},
                a->K_QUEUE() != nullptr ? 1 : 0);
  }
  if (auto* a = dynamic_cast<Parser::CallContext*>(ctx)) {
    NodeId function = name(a->name());
    return make(NodeKind::kCall, ctx, {function, list(map_all(a->expr(), &Builder::expr))});
  }
  return path(static_cast<Parser::PathAtomContext*>(ctx)->path());
}

NodeId Builder::literal(Parser::LiteralContext* ctx) {
  if (auto* t = ctx->text()) return text_value(t);
  if (ctx->NUMBER() != nullptr) {
    NodeId digits = number(ctx->NUMBER());
    std::string text(tree_.text(digits));
    if (ctx->MINUS() != nullptr) text.insert(0, "-");
    return make(ctx->PCT() != nullptr ? NodeKind::kPercent : NodeKind::kNumber, ctx, {}, 0,
                tree_.keep(std::move(text)));
  }
  if (ctx->MONEY() != nullptr) {
    std::string text;
    for (char c : source(span(ctx))) {
      bool second_blank = (c == ' ' || c == '\t') && !text.empty() && text.back() == ' ';
      if (c != '_' && !second_blank) text += c == '\t' ? ' ' : c;
    }
    return make(NodeKind::kMoney, ctx, {}, 0, tree_.keep(std::move(text)));
  }
  if (ctx->DATETIME() != nullptr) return date_time(ctx->DATETIME(), ctx->STRING());
  if (ctx->DATE() != nullptr) return date(ctx->DATE());
  if (ctx->TIME() != nullptr) return time(ctx->TIME());
  if (ctx->K_BLANK() != nullptr) return make(NodeKind::kBlank, ctx, {});
  return make(NodeKind::kBoolean, ctx, {}, ctx->K_TRUE() != nullptr ? 1 : 0);
}

NodeId Builder::duration(Parser::DurationContext* ctx) {
  uint8_t op = unit(ctx->unit());
  if (ctx->K_BUSINESS() != nullptr) op |= kBusinessUnit;
  NodeId digits = number(ctx->NUMBER());
  return make(NodeKind::kDuration, ctx, {}, op, tree_.text(digits));
}

uint8_t Builder::unit(Parser::UnitContext* ctx) {
  switch (ctx->getStart()->getType()) {
    case Parser::K_SECOND:
    case Parser::K_SECONDS: return kSecond;
    case Parser::K_MINUTE:
    case Parser::K_MINUTES: return kMinute;
    case Parser::K_HOUR:
    case Parser::K_HOURS: return kHour;
    case Parser::K_DAY:
    case Parser::K_DAYS: return kDay;
    case Parser::K_WEEK:
    case Parser::K_WEEKS: return kWeek;
    case Parser::K_MONTH:
    case Parser::K_MONTHS: return kMonth;
    default: return kYear;
  }
}

NodeId Builder::path(Parser::PathContext* ctx) {
  uint8_t op = ctx->K_ITS() != nullptr  ? kPathIts
               : ctx->K_IT() != nullptr ? kPathIt
               : ctx->K_ME() != nullptr ? kPathMe
                                        : kPathBare;
  std::vector<NodeId> names = map_all(ctx->name(), &Builder::name);
  return tree_.add(NodeKind::kPath, op, begin(ctx), end(ctx), names);
}

}  // namespace ensue::syntax::internal
