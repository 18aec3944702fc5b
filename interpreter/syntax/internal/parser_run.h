// One run of the generated parser over a range of tokens, and the first mistake it meets. Private
// to syntax/.
#pragma once

#include <EnsueLexer.h>
#include <EnsueParser.h>
#include <antlr4-runtime.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "syntax/internal/builder.h"
#include "syntax/internal/own_tables.h"
#include "syntax/parse.h"

namespace ensue::syntax::internal {

using grammar::EnsueLexer;

// The parser's tokens (blanks left out) beside the table of all tokens by bytes. Of the lexer's own
// tokens, which take ten times the room, none is kept.
struct TokenStreamData {
  std::vector<uint16_t> types;  // by parser token, without end of file
  TokenMap map;
  std::vector<Token> table;
  std::vector<bool> bad;  // by parser token: reported already
};

struct TooDeep {};

// Stops the parser before its recursion endangers the stack: 50,000 nested blocks become a
// diagnostic.
class DepthListener final : public antlr4::tree::ParseTreeListener {
 public:
  // Blocks are counted by the statements that stand in one another. Of everything else rules are
  // counted: they nest about seven deep for one level of parentheses (expr … atom), which are
  // counted by themselves, before (lexical_check.h).
  static constexpr size_t kRulesPerLevel = 12;
  explicit DepthListener(size_t levels)
      : rules_most_(levels * kRulesPerLevel), statements_most_(levels + 1) {}
  void visitTerminal(antlr4::tree::TerminalNode*) override {}
  void visitErrorNode(antlr4::tree::ErrorNode*) override {}
  void enterEveryRule(antlr4::ParserRuleContext* ctx) override {
    if (++rules_ > rules_most_) throw TooDeep{};
    if (ctx->getRuleIndex() == Parser::RuleStatement && ++statements_ > statements_most_)
      throw TooDeep{};
  }
  void exitEveryRule(antlr4::ParserRuleContext* ctx) override {
    --rules_;
    if (ctx->getRuleIndex() == Parser::RuleStatement) --statements_;
  }

 private:
  size_t rules_most_;
  size_t statements_most_;
  size_t rules_ = 0;
  size_t statements_ = 0;
};

struct SyntaxError {
  std::optional<size_t> token;   // its index in the range that was parsed; none at the end
  std::vector<size_t> expected;  // token types
  size_t rule = SIZE_MAX;
  bool seen_ahead = false;         // it stands behind the place that `expected` is about
  bool comparison = false;         // the words before it are a value that a comparison could follow
  std::optional<size_t> guard_if;  // the `if` that is all there is after the clauses of a flow
};

// Remembers the first mistake and stops there: what would follow is guesswork of the recovery.
class FirstError final : public antlr4::BaseErrorListener {
 public:
  void syntaxError(antlr4::Recognizer* recognizer, antlr4::Token* offending, size_t, size_t,
                   const std::string&, std::exception_ptr cause) override {
    auto* parser = static_cast<Parser*>(recognizer);
    SyntaxError found;
    if (offending != nullptr && offending->getType() != antlr4::Token::EOF)
      found.token = offending->getTokenIndex();
    for (ssize_t type : parser->getExpectedTokens().toList()) {
      if (type > 0) found.expected.push_back(static_cast<size_t>(type));
    }
    found.rule = parser->getContext() != nullptr ? parser->getContext()->getRuleIndex() : SIZE_MAX;
    found.seen_ahead = seen_ahead(cause, offending);
    if (found.token) found.comparison = comparison_could_follow(parser->getContext(), *found.token);
    found.guard_if = guard_if(parser->getContext());
    error = std::move(found);
    throw antlr4::ParseCancellationException();
  }
  std::optional<SyntaxError> error;

 private:
  static bool seen_ahead(const std::exception_ptr& cause, const antlr4::Token* offending);
  static bool comparison_could_follow(Context* at, size_t token);
  static std::optional<size_t> guard_if(Context* at);
};

// Some tokens left out at a place and others put there: a guess at what was meant.
struct Edit {
  size_t at = SIZE_MAX;  // index in the range; SIZE_MAX: no edit
  size_t dropped = 0;
  std::vector<size_t> inserted;  // token types
};

// Feeds a range of the tokens to one parser. The tokens stay with the caller.
class TokenRange final : public antlr4::TokenSource {
 public:
  TokenRange(const std::vector<uint16_t>& types, size_t first, size_t last, Edit edit)
      : types_(types), first_(first), at_(first), last_(last), edit_(std::move(edit)) {}

  std::unique_ptr<antlr4::Token> nextToken() override {
    if (edit_.at != SIZE_MAX && at_ == first_ + edit_.at) {
      if (inserted_ < edit_.inserted.size()) {
        return std::make_unique<antlr4::CommonToken>(edit_.inserted[inserted_++]);
      }
      at_ += edit_.dropped;
      edit_.at = SIZE_MAX;
    }
    if (at_ < last_) return std::make_unique<antlr4::CommonToken>(types_[at_++]);
    return std::make_unique<antlr4::CommonToken>(antlr4::Token::EOF);
  }
  size_t getLine() const override { return 0; }
  size_t getCharPositionInLine() override { return 0; }
  antlr4::CharStream* getInputStream() override { return nullptr; }
  std::string getSourceName() override { return "ensue"; }
  antlr4::TokenFactory<antlr4::CommonToken>* getTokenFactory() override {
    return antlr4::CommonTokenFactory::DEFAULT.get();
  }

 private:
  const std::vector<uint16_t>& types_;
  size_t first_;
  size_t at_;
  size_t last_;
  Edit edit_;
  size_t inserted_ = 0;
};

// One parser over one range of tokens.
struct ParserRun {
  ParserRun(const TokenStreamData& tokens, size_t first, size_t last, const ParseBounds& bounds,
            Edit edit = {})
      : range(tokens.types, first, last, std::move(edit)),
        stream(&range),
        parser(&stream),
        depth(bounds.nesting_max) {
    use_own_tables(parser);
    parser.removeErrorListeners();
    parser.addErrorListener(&errors);
    parser.addParseListener(&depth);
  }
  void use_fast_prediction() {
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
        antlr4::atn::PredictionMode::SLL);
    parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  }

  TokenRange range;
  antlr4::CommonTokenStream stream;
  Parser parser;
  FirstError errors;
  DepthListener depth;
};

}  // namespace ensue::syntax::internal
