// The ANTLR driver: bytes to tokens to parse tree, then to our tree.
//
// A file is parsed as a whole first, with the cheap SLL prediction and no recovery. Only when that fails is it cut into
// chunks, at each declaration word (or `word "name"`) in column 1, and each chunk parsed alone, so that one mistake costs
// one declaration. A correct file is never cut: line breaks mean nothing in it.
#include "syntax/parse.h"

#include <EnsueLexer.h>
#include <EnsueParser.h>
#include <antlr4-runtime.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/near_miss.h"
#include "ensue/currency.h"
#include "syntax/internal/builder.h"

namespace ensue::syntax {
namespace {

using grammar::EnsueLexer;
using internal::AntlrToken;
using internal::Builder;
using internal::Context;
using internal::Parser;
using internal::TokenMap;
using Kind = source::DiagnosticKind;

constexpr size_t kLexicalFindingsMax = 20;  // beyond this a file is garbage, and one line says so

// ---- Tokens -------------------------------------------------------------------------------------------------------

// The parser's tokens (blanks left out) beside the table of all tokens by bytes.
struct TokenStreamData {
  std::vector<std::unique_ptr<AntlrToken>> parser_tokens;  // without end of file
  TokenMap map;
  std::vector<Token> table;
  std::vector<bool> bad;  // by parser token: reported already
};

// Byte offsets of code points; the identity for ASCII sources.
class Offsets {
 public:
  explicit Offsets(std::string_view text) {
    bool ascii = std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (ascii) return;
    for (size_t i = 0; i < text.size(); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) bytes_.push_back(static_cast<uint32_t>(i));
    }
    bytes_.push_back(static_cast<uint32_t>(text.size()));
  }
  uint32_t byte(size_t code_point) const {
    return bytes_.empty() ? static_cast<uint32_t>(code_point) : bytes_[code_point];
  }

 private:
  std::vector<uint32_t> bytes_;
};

TokenClass class_of(size_t type) {
  switch (type) {
    case EnsueLexer::BLANKS:
    case EnsueLexer::BYTE_ORDER_MARK: return TokenClass::kBlanks;
    case EnsueLexer::COMMENT: return TokenClass::kComment;
    case EnsueLexer::IDENT:
    case EnsueLexer::QNAME: return TokenClass::kName;
    case EnsueLexer::STRING: return TokenClass::kString;
    case EnsueLexer::TEXTBLOCK: return TokenClass::kTextBlock;
    case EnsueLexer::NUMBER:
    case EnsueLexer::MONEY:
    case EnsueLexer::DATE:
    case EnsueLexer::DATETIME:
    case EnsueLexer::TIME: return TokenClass::kNumber;
    case EnsueLexer::OPEN_STRING:
    case EnsueLexer::SMART_QUOTE:
    case EnsueLexer::BAD: return TokenClass::kBad;
    default: return type >= EnsueLexer::LE ? TokenClass::kSymbol : TokenClass::kWord;
  }
}

// The words the lexer needs are those before LE; the symbols follow it.
static_assert(EnsueLexer::K_YES < EnsueLexer::LE && EnsueLexer::LE < EnsueLexer::BAR);

bool blanks_on_one_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t'; });
}

// Lexes `text` and joins numbers with the currency codes right after them.
TokenStreamData lex(std::string_view text, EnsueLexer& lexer, const Offsets& offsets, uint32_t base) {
  TokenStreamData out;
  std::vector<std::unique_ptr<AntlrToken>> all = lexer.getAllTokens();
  auto begin_of = [&](const AntlrToken& t) { return base + offsets.byte(t.getStartIndex()); };
  auto end_of = [&](const AntlrToken& t) { return base + offsets.byte(t.getStopIndex() + 1); };
  auto joins_money = [&](size_t i) {
    if (all[i]->getType() != EnsueLexer::NUMBER || i + 2 >= all.size()) return false;
    if (all[i + 1]->getType() != EnsueLexer::BLANKS) return false;
    std::string_view blanks = text.substr(begin_of(*all[i + 1]), end_of(*all[i + 1]) - begin_of(*all[i + 1]));
    std::string_view code = text.substr(begin_of(*all[i + 2]), end_of(*all[i + 2]) - begin_of(*all[i + 2]));
    return blanks_on_one_line(blanks) && is_currency_code(code);
  };
  out.table.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    auto* token = static_cast<antlr4::CommonToken*>(all[i].get());
    Token row{class_of(token->getType()), begin_of(*token), end_of(*token)};
    bool money = joins_money(i);
    if (money) {
      row.end = end_of(*all[i + 2]);
      token->setType(EnsueLexer::MONEY);
    }
    if (!row.trivia()) {
      out.map.rows.push_back(static_cast<uint32_t>(out.table.size()));
      out.parser_tokens.push_back(std::move(all[i]));
    }
    out.table.push_back(row);
    if (money) i += 2;
  }
  out.bad.assign(out.parser_tokens.size(), false);
  return out;
}

// ---- Lexical mistakes -----------------------------------------------------------------------------------------------

class LexicalCheck {
 public:
  LexicalCheck(std::string_view text, source::FileId file, const ParseBounds& bounds, TokenStreamData& tokens,
               source::DiagnosticSink& sink)
      : text_(text), file_(file), bounds_(bounds), tokens_(tokens), sink_(sink) {}

  // False when the file should not be parsed at all.
  bool run() {
    size_t found = 0;
    uint32_t depth = 0;
    for (size_t i = 0; i < tokens_.parser_tokens.size(); ++i) {
      size_t type = tokens_.parser_tokens[i]->getType();
      if (row(i).token_class == TokenClass::kBad) {
        tokens_.bad[i] = true;
        if (++found <= kLexicalFindingsMax) report(i, type);
        if (found > kLexicalFindingsMax) return false;
      }
      if (type == EnsueLexer::LP && ++depth > bounds_.nesting_max) {
        sink_.report(Kind::kNestedTooDeeply, span(i), {fmt::format("{} parentheses", bounds_.nesting_max)});
        return false;
      }
      if (type == EnsueLexer::RP && depth > 0) --depth;
    }
    return true;
  }

 private:
  const Token& row(size_t i) const { return tokens_.table[tokens_.map.rows[i]]; }
  source::Span span(size_t i) const { return {file_, row(i).begin, row(i).end}; }

  void report(size_t i, size_t type) {
    std::string written(text_.substr(row(i).begin, row(i).end - row(i).begin));
    if (type == EnsueLexer::SMART_QUOTE) {
      sink_.report(Kind::kSmartQuote, span(i), {written}).fix(span(i), "\"", "use a straight quotation mark `\"`");
    } else if (type == EnsueLexer::OPEN_STRING) {
      report_open_text(i);
    } else if (written == "'") {
      sink_.report(Kind::kStrayCharacter, span(i), {"`'`"}).note("texts stand in double quotes");
    } else {
      sink_.report(Kind::kStrayCharacter, span(i), {printable(written)});
    }
  }

  // `"""` without its end is lexed as an empty text and an open one.
  void report_open_text(size_t i) {
    source::Span at = span(i);
    bool block = i > 0 && row(i - 1).end == at.begin && text_.substr(row(i - 1).begin, 2) == "\"\"" &&
                 row(i - 1).end - row(i - 1).begin == 2;
    if (block) {
      at = {file_, row(i - 1).begin, at.begin + 1};
      sink_.report(Kind::kUnclosedText, at).note("a text of several lines ends with three quotation marks");
      return;
    }
    at.end = std::min(at.end, at.begin + 1);
    sink_.report(Kind::kUnclosedText, at).here("the closing `\"` is missing on this line");
  }

  static std::string printable(const std::string& written) {
    bool control = written.size() == 1 && static_cast<unsigned char>(written[0]) < 0x20;
    if (control) return fmt::format("U+{:04X}", static_cast<unsigned>(written[0]));
    return "`" + written + "`";
  }

  std::string_view text_;
  source::FileId file_;
  const ParseBounds& bounds_;
  TokenStreamData& tokens_;
  source::DiagnosticSink& sink_;
};

// ---- Parsing --------------------------------------------------------------------------------------------------------

struct TooDeep {};

// Stops the parser before its recursion endangers the stack: 50,000 nested blocks become a diagnostic.
class DepthListener final : public antlr4::tree::ParseTreeListener {
 public:
  // Rules nest about seven deep for one level of parentheses (expr … atom), so the bound counts rules, not levels.
  static constexpr size_t kRulesPerLevel = 12;
  explicit DepthListener(size_t levels) : most_(levels * kRulesPerLevel) {}
  void visitTerminal(antlr4::tree::TerminalNode*) override {}
  void visitErrorNode(antlr4::tree::ErrorNode*) override {}
  void enterEveryRule(antlr4::ParserRuleContext*) override {
    if (++depth_ > most_) throw TooDeep{};
  }
  void exitEveryRule(antlr4::ParserRuleContext*) override { --depth_; }

 private:
  size_t most_;
  size_t depth_ = 0;
};

struct SyntaxError {
  std::optional<size_t> token;   // its index in the range that was parsed; none at the end
  std::vector<size_t> expected;  // token types
  size_t rule = SIZE_MAX;
};

// Remembers the first mistake and stops there: what would follow is guesswork of the recovery.
class FirstError final : public antlr4::BaseErrorListener {
 public:
  void syntaxError(antlr4::Recognizer* recognizer, antlr4::Token* offending, size_t, size_t, const std::string&,
                   std::exception_ptr) override {
    auto* parser = static_cast<Parser*>(recognizer);
    SyntaxError found;
    if (offending != nullptr && offending->getType() != antlr4::Token::EOF) found.token = offending->getTokenIndex();
    for (ssize_t type : parser->getExpectedTokens().toList()) {
      if (type > 0) found.expected.push_back(static_cast<size_t>(type));
    }
    found.rule = parser->getContext() != nullptr ? parser->getContext()->getRuleIndex() : SIZE_MAX;
    error = std::move(found);
    throw antlr4::ParseCancellationException();
  }
  std::optional<SyntaxError> error;
};

// Feeds a range of the tokens to one parser. The tokens stay with the caller.
class TokenRange final : public antlr4::TokenSource {
 public:
  TokenRange(const std::vector<std::unique_ptr<AntlrToken>>& tokens, size_t first, size_t last)
      : tokens_(tokens), at_(first), last_(last) {}

  std::unique_ptr<antlr4::Token> nextToken() override {
    if (at_ < last_) return std::make_unique<antlr4::CommonToken>(tokens_[at_++].get());
    auto end = std::make_unique<antlr4::CommonToken>(antlr4::Token::EOF);
    end->setChannel(antlr4::Token::DEFAULT_CHANNEL);
    return end;
  }
  size_t getLine() const override { return 0; }
  size_t getCharPositionInLine() override { return 0; }
  antlr4::CharStream* getInputStream() override { return nullptr; }
  std::string getSourceName() override { return "ensue"; }
  antlr4::TokenFactory<antlr4::CommonToken>* getTokenFactory() override {
    return antlr4::CommonTokenFactory::DEFAULT.get();
  }

 private:
  const std::vector<std::unique_ptr<AntlrToken>>& tokens_;
  size_t at_;
  size_t last_;
};

// One parser over one range of tokens.
struct ParserRun {
  ParserRun(const TokenStreamData& tokens, size_t first, size_t last, const ParseBounds& bounds)
      : range(tokens.parser_tokens, first, last), stream(&range), parser(&stream), depth(bounds.nesting_max) {
    parser.removeErrorListeners();
    parser.addErrorListener(&errors);
    parser.addParseListener(&depth);
  }
  void use_fast_prediction() {
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(antlr4::atn::PredictionMode::SLL);
    parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  }

  TokenRange range;
  antlr4::CommonTokenStream stream;
  Parser parser;
  FirstError errors;
  DepthListener depth;
};

// ---- Telling what is wrong --------------------------------------------------------------------------------------------

// Words of other tongues (SQL, other automation tools, plain English) and what they are called here.
const std::map<std::string, std::string>& synonyms() {
  static const std::map<std::string, std::string> kSynonyms = {
      {"updated", "edited"},   {"modified", "edited"},   {"changed", "edited"},    {"update", "edited"},
      {"edit", "edited"},      {"inserted", "created"},  {"added", "created"},     {"create", "created"},
      {"new", "created"},      {"removed", "deleted"},   {"delete", "deleted"},    {"equals", "is"},
      {"equal", "is"},         {"isn", "is not"},        {"null", "blank"},        {"empty", "blank"},
      {"none", "blank"},       {"contain", "contains"},  {"includes", "contains"}, {"like", "contains"},
      {"begins", "starts with"}, {"elseif", "else if"},  {"elsif", "else if"},     {"elif", "else if"},
      {"endif", "end"},        {"fi", "end"},            {"done", "end"},          {"do", "then"},
      {"unless", "if"},        {"whenever", "when"},     {"mine", "my records"},   {"team", "my team"},
      {"record", "records"},   {"greater", ">"},         {"less", "<"},            {"under", "<"},
      {"over", ">"},           {"foreach", "for each"},  {"var", "let"},           {"enroll", "add"},
      {"enrol", "add"},        {"unenroll", "remove"},   {"reassign", "change assignee of"}, {"stop", "pause"},
      {"alert", "remind"},     {"notify", "remind"},     {"limit", "limits"},      {"rule", "action"},
      {"automation", "action"}, {"workflow", "flow"},    {"sequence", "cadence"},  {"holiday", "holidays"},
      {"on", "when"},          {"newly", "and newly meets"}, {"otherwise", "else"}, {"schedule", "every"},
  };
  return kSynonyms;
}

class ErrorReporter {
 public:
  ErrorReporter(std::string_view text, source::FileId file, const TokenStreamData& tokens, const Parser& parser,
                source::DiagnosticSink& sink)
      : text_(text), file_(file), tokens_(tokens), parser_(parser), sink_(sink) {}

  void report(const SyntaxError& error, size_t first, size_t last) {
    if (!error.token) {
      report_at_end(error, first, last);
      return;
    }
    source::Span at = span(first + *error.token);
    std::string found(text_.substr(at.begin, at.end - at.begin));
    bool at_start = *error.token == 0 || expects_declaration(error);
    if (at_start) {
      sink_.report(Kind::kNotADeclaration, at, {shown(found)}).suggest(suggestion(found, declaration_words()));
      return;
    }
    bool in_flow = lower(written(first)) == "flow" || lower(written(first)) == "screen";
    if (in_flow && lower(found) == "then") {
      sink_.report(Kind::kGuardWithIf, at).note("a flow has no `then`: its statements follow the trigger");
      return;
    }
    if (expects(error, EnsueLexer::COMMA) && follows_comma(lower(found))) {
      sink_.report(Kind::kUnexpectedWord, at, {"a comma", shown(found)})
          .fix({file_, at.begin, at.begin}, ", ", "put a comma before " + shown(found));
      return;
    }
    auto& finding = sink_.report(Kind::kUnexpectedWord, at, {expected_words(error), shown(found)});
    finding.suggest(suggestion(found, words_of(error.expected)));
    label_opening(finding, first);
  }

 private:
  source::Span span(size_t index) const {
    const Token& row = tokens_.table[tokens_.map.rows[index]];
    return {file_, row.begin, row.end};
  }
  std::string written(size_t index) const {
    source::Span at = span(index);
    return std::string(text_.substr(at.begin, at.end - at.begin));
  }
  static std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return text;
  }
  static std::string shown(const std::string& word) {
    constexpr size_t kShownMax = 40;
    std::string first_line = word.substr(0, word.find('\n'));
    return first_line.size() <= kShownMax ? "`" + first_line + "`" : "a long text";
  }

  bool expects(const SyntaxError& error, size_t type) const {
    return std::find(error.expected.begin(), error.expected.end(), type) != error.expected.end();
  }
  // Words that continue a clause after a comma.
  static bool follows_comma(const std::string& word) {
    static const std::set<std::string> kWords = {"assigned", "with",    "expiring", "starting", "doubling", "ordered",
                                                 "required", "default", "labelled", "up",       "until",    "on",
                                                 "off",      "variants", "advance", "first",    "in"};
    return kWords.count(word) != 0;
  }
  // The declaration before is whole; another one could start here.
  bool expects_declaration(const SyntaxError& error) const {
    return error.rule == Parser::RuleOneDeclaration || error.rule == Parser::RuleDeclaration ||
           error.rule == Parser::RuleFile;
  }
  static std::vector<std::string> declaration_words() {
    return {"action",   "flow",   "subflow", "screen flow", "cadence", "quick cadence", "template", "script",
            "routing",  "limits", "calendar", "object",     "extend",  "function",      "test"};
  }

  // `action "Hot leads"`: the head of the declaration a chunk holds.
  std::string head(size_t first) const {
    std::string out = written(first);
    for (size_t i = first + 1; i < tokens_.parser_tokens.size() && i < first + 3; ++i) {
      size_t type = tokens_.parser_tokens[i]->getType();
      out += " " + written(i);
      if (type == EnsueLexer::STRING || type == EnsueLexer::IDENT) break;
    }
    return out;
  }

  void report_at_end(const SyntaxError& error, size_t first, size_t last) {
    source::Span opening = span(first);
    source::Span ending = last > first ? span(last - 1) : opening;
    source::Span at{file_, ending.end, ending.end};
    if (ending.end > ending.begin) at.begin = ending.end - 1;
    if (expects(error, EnsueLexer::K_END)) {
      sink_.report(Kind::kMissingEnd, at, {shown(head(first))})
          .here("the text ends here")
          .label(opening, "opened here")
          .fix({file_, ending.end, ending.end}, "\nend\n", "close it with `end`");
      return;
    }
    sink_.report(Kind::kUnexpectedWord, at, {expected_words(error), "the end of the text"})
        .label(opening, "in this declaration");
  }

  void label_opening(source::Finding& finding, size_t first) const {
    source::Span opening = span(first);
    if (finding.span().begin > opening.end + 200) finding.label(opening, "in this declaration");
  }

  std::string word_of(size_t type) const {
    const antlr4::dfa::Vocabulary& vocabulary = parser_.getVocabulary();
    std::string literal = vocabulary.getLiteralName(type);
    if (!literal.empty()) return "`" + literal.substr(1, literal.size() - 2) + "`";
    std::string symbol = vocabulary.getSymbolicName(type);
    if (symbol.rfind("K_", 0) == 0) return "`" + lower(symbol.substr(2)) + "`";
    static const std::map<std::string, std::string> kKinds = {
        {"IDENT", "a name"},       {"QNAME", "a name"},     {"STRING", "a text in quotes"},
        {"TEXTBLOCK", "a text"},   {"NUMBER", "a number"},  {"MONEY", "an amount"},
        {"DATE", "a date"},        {"DATETIME", "a date and time"}, {"TIME", "a time such as 09:00"},
    };
    auto known = kKinds.find(symbol);
    return known == kKinds.end() ? lower(symbol) : known->second;
  }

  std::vector<std::string> words_of(const std::vector<size_t>& types) const {
    std::vector<std::string> out;
    bool names = std::find(types.begin(), types.end(), size_t{EnsueLexer::IDENT}) != types.end();
    for (size_t type : types) {
      std::string word = word_of(type);
      bool keyword = word.size() > 2 && word[0] == '`' && word[1] >= 'a';
      if (keyword && !(names && soft_words().count(type) != 0)) out.push_back(word.substr(1, word.size() - 2));
    }
    return out;
  }

  // Keywords that are also names: the follow set of the rule that lists them.
  const std::set<size_t>& soft_words() const {
    static const std::set<size_t> kSoft = [this] {
      const antlr4::atn::ATN& atn = parser_.getATN();
      std::set<size_t> out;
      for (ssize_t type : atn.nextTokens(atn.ruleToStartState[Parser::RuleName]).toList()) {
        if (type > 0) out.insert(static_cast<size_t>(type));
      }
      return out;
    }();
    return kSoft;
  }

  std::string expected_words(const SyntaxError& error) const {
    bool name = expects(error, EnsueLexer::IDENT);
    bool value = name && expects(error, EnsueLexer::NUMBER) && expects(error, EnsueLexer::STRING);
    std::vector<std::string> words;
    if (value) words.push_back(expects(error, EnsueLexer::K_EACH) ? "a condition" : "a value");
    if (name && !value) words.push_back("a name");
    for (size_t type : error.expected) {
      if (name && soft_words().count(type) != 0) continue;
      if (value && (starts_value(type) || type == EnsueLexer::LP)) continue;
      std::string word = word_of(type);
      if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
    constexpr size_t kWordsMax = 8;
    bool statement = expects(error, EnsueLexer::K_IF) && expects(error, EnsueLexer::K_LET);
    if (statement) {
      std::vector<std::string> kept{"a statement"};
      bool comparison = expects(error, EnsueLexer::K_IS) && expects(error, EnsueLexer::K_CONTAINS);
      if (comparison) kept.insert(kept.begin(), "a comparison such as `is`");
      for (const std::string& word : words) {
        if (word == "`end`" || word == "`else`" || word == "`on`" || word == "`and`" || word == "`or`") kept.push_back(word);
      }
      words = kept;
    }
    if (words.size() > kWordsMax) words.resize(kWordsMax);
    return joined(words);
  }

  static bool starts_value(size_t type) {
    switch (type) {
      case EnsueLexer::NUMBER:
      case EnsueLexer::MONEY:
      case EnsueLexer::STRING:
      case EnsueLexer::TEXTBLOCK:
      case EnsueLexer::DATE:
      case EnsueLexer::DATETIME:
      case EnsueLexer::TIME:
      case EnsueLexer::MINUS:
      case EnsueLexer::K_TRUE:
      case EnsueLexer::K_FALSE:
      case EnsueLexer::K_BLANK:
      case EnsueLexer::K_NOW:
      case EnsueLexer::K_TODAY:
      case EnsueLexer::K_IT:
      case EnsueLexer::K_ITS:
      case EnsueLexer::K_ME:
      case EnsueLexer::K_ANY:
      case EnsueLexer::K_NO:
      case EnsueLexer::K_EACH:
      case EnsueLexer::K_NOT:
      case EnsueLexer::K_IS:
      case EnsueLexer::K_FIND: return true;
      default: return false;
    }
  }

  static std::string joined(const std::vector<std::string>& words) {
    if (words.empty()) return "something else";
    std::string out = words[0];
    for (size_t i = 1; i < words.size(); ++i) out += (i + 1 == words.size() ? " or " : ", ") + words[i];
    return out;
  }

  static std::optional<std::string> suggestion(const std::string& found, const std::vector<std::string>& words) {
    auto has = [&](const std::string& word) {
      std::string first = word.substr(0, word.find(' '));
      return std::find(words.begin(), words.end(), first) != words.end() ||
             std::find(words.begin(), words.end(), word) != words.end();
    };
    auto known = synonyms().find(lower(found));
    if (known != synonyms().end() && has(known->second)) return known->second;
    return base::nearest(found, words);
  }

  std::string_view text_;
  source::FileId file_;
  const TokenStreamData& tokens_;
  const Parser& parser_;
  source::DiagnosticSink& sink_;
};

// ---- A file -----------------------------------------------------------------------------------------------------------

bool starts_declaration(size_t type) {
  switch (type) {
    case EnsueLexer::K_OBJECT:
    case EnsueLexer::K_EXTEND:
    case EnsueLexer::K_FUNCTION:
    case EnsueLexer::K_ACTION:
    case EnsueLexer::K_FLOW:
    case EnsueLexer::K_SUBFLOW:
    case EnsueLexer::K_SCREEN:
    case EnsueLexer::K_CADENCE:
    case EnsueLexer::K_QUICK:
    case EnsueLexer::K_TEMPLATE:
    case EnsueLexer::K_SCRIPT:
    case EnsueLexer::K_ROUTING:
    case EnsueLexer::K_LIMITS:
    case EnsueLexer::K_CALENDAR:
    case EnsueLexer::K_TEST: return true;
    default: return false;
  }
}

class FileParser {
 public:
  FileParser(const source::SourceSet& sources, source::FileId file, const ParseBounds& bounds,
             source::DiagnosticSink& sink)
      : text_(sources.file(file).text()), file_(file), bounds_(bounds), sink_(sink),
        tree_(std::make_shared<Tree>(file, text_)) {}

  ParsedFile parse() {
    ParsedFile out;
    out.tree = tree_;
    std::vector<NodeId> declarations;
    if (readable()) {
      tokenize();
      if (LexicalCheck(text_, file_, bounds_, tokens_, sink_).run()) {
        declarations = parse_whole() ? std::move(declarations_) : parse_chunks(out.broken);
      }
    }
    finish(declarations);
    return out;
  }

  ParsedSession parse_session() {
    ParsedSession out;
    out.tree = tree_;
    if (!readable()) return out;
    tokenize();
    size_t count = tokens_.parser_tokens.size();
    source::DiagnosticSink lexical;
    bool sound = LexicalCheck(text_, file_, bounds_, tokens_, lexical).run() && !lexical.has_errors();
    if (!sound) {
      out.incomplete = open_text_block();
      sink_.merge(std::move(lexical));
      return out;
    }
    if (count == 0) return out;
    ParserRun run(tokens_, 0, count, bounds_);
    try {
      auto* ctx = run.parser.sessionInput();
      Builder builder(*tree_, tokens_.table, tokens_.map, 0, sink_);
      tree_->set_root(builder.session(ctx));
      tree_->set_tokens(std::move(tokens_.table));
    } catch (const antlr4::ParseCancellationException&) {
      out.incomplete = !run.errors.error->token;
      ErrorReporter(text_, file_, tokens_, run.parser, sink_).report(*run.errors.error, 0, count);
    } catch (const TooDeep&) {
      report_too_deep(0);
    }
    return out;
  }

 private:
  bool readable() {
    if (text_.size() > bounds_.source_bytes_max) {
      sink_.report(Kind::kSourceTooLarge, {file_, 0, 0},
                   {fmt::format("{}", text_.size()), fmt::format("{}", bounds_.source_bytes_max)});
      return false;
    }
    if (auto bad = source::first_invalid_utf8(text_)) {
      auto byte = static_cast<unsigned char>(text_[*bad]);
      auto at = static_cast<uint32_t>(*bad);
      auto& finding = sink_.report(Kind::kNotUtf8, {file_, at, at + 1}, {fmt::format("0x{:02X}", byte)});
      if (byte >= 0xA0) {
        std::string meant{static_cast<char>(0xC0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3F))};
        finding.note(fmt::format("in Latin-1 this byte is `{}`; save the file as UTF-8", meant));
      }
      return false;
    }
    return true;
  }

  void tokenize() {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    uint32_t base = text_.substr(0, 3) == kByteOrderMark ? 3 : 0;
    std::string_view body = text_.substr(base);
    Offsets offsets(body);
    input_ = std::make_unique<antlr4::ANTLRInputStream>(std::string(body));
    EnsueLexer lexer(input_.get());
    lexer.removeErrorListeners();
    tokens_ = lex(text_, lexer, offsets, base);
    if (base > 0) {
      tokens_.table.insert(tokens_.table.begin(), Token{TokenClass::kBlanks, 0, base});
      for (uint32_t& row : tokens_.map.rows) ++row;
    }
  }

  bool parse_whole() {
    bool clean = std::none_of(tokens_.bad.begin(), tokens_.bad.end(), [](bool bad) { return bad; });
    if (!clean) return false;
    ParserRun run(tokens_, 0, tokens_.parser_tokens.size(), bounds_);
    run.use_fast_prediction();
    try {
      auto* ctx = run.parser.file();
      Builder builder(*tree_, tokens_.table, tokens_.map, 0, sink_);
      for (auto* declaration : ctx->declaration()) declarations_.push_back(builder.declaration(declaration));
      return true;
    } catch (const antlr4::ParseCancellationException&) {
      return false;
    } catch (const TooDeep&) {
      return false;  // found again, with its place, in the chunk that holds it
    }
  }

  std::vector<NodeId> parse_chunks(std::vector<BrokenDeclaration>& broken) {
    std::vector<NodeId> out;
    std::vector<size_t> starts = chunk_starts();
    for (size_t i = 0; i + 1 < starts.size(); ++i) {
      size_t first = starts[i];
      size_t last = starts[i + 1];
      NodeId declaration = parse_chunk(first, last);
      if (declaration.valid()) {
        out.push_back(declaration);
      } else {
        broken.push_back(broken_head(first, last));
      }
    }
    return out;
  }

  NodeId parse_chunk(size_t first, size_t last) {
    bool reported = std::any_of(tokens_.bad.begin() + static_cast<std::ptrdiff_t>(first),
                                tokens_.bad.begin() + static_cast<std::ptrdiff_t>(last), [](bool bad) { return bad; });
    if (reported) return NodeId();
    ParserRun run(tokens_, first, last, bounds_);
    try {
      auto* ctx = run.parser.oneDeclaration();
      Builder builder(*tree_, tokens_.table, tokens_.map, first, sink_);
      return builder.declaration(ctx->declaration());
    } catch (const antlr4::ParseCancellationException&) {
      ErrorReporter(text_, file_, tokens_, run.parser, sink_).report(*run.errors.error, first, last);
      return NodeId();
    } catch (const TooDeep&) {
      report_too_deep(first);
      return NodeId();
    }
  }

  // The first token of each chunk, and one past the last token.
  std::vector<size_t> chunk_starts() const {
    std::vector<size_t> starts;
    size_t count = tokens_.parser_tokens.size();
    for (size_t i = 0; i < count; ++i) {
      uint32_t begin = tokens_.table[tokens_.map.rows[i]].begin;
      bool column_one = begin == 0 || text_[begin - 1] == '\n';
      size_t type = tokens_.parser_tokens[i]->getType();
      bool named = type == EnsueLexer::IDENT && i + 1 < count &&
                   tokens_.parser_tokens[i + 1]->getType() == EnsueLexer::STRING;
      if (i == 0 || (column_one && (starts_declaration(type) || named))) starts.push_back(i);
    }
    starts.push_back(count);
    return starts;
  }

  BrokenDeclaration broken_head(size_t first, size_t last) const {
    BrokenDeclaration out;
    auto written = [&](size_t i) {
      const Token& row = tokens_.table[tokens_.map.rows[i]];
      return std::string(text_.substr(row.begin, row.end - row.begin));
    };
    for (size_t i = first; i < last && i < first + 4; ++i) {
      size_t type = tokens_.parser_tokens[i]->getType();
      if (type == EnsueLexer::STRING) {
        std::string quoted = written(i);
        out.name = quoted.substr(1, quoted.size() - 2);
        break;
      }
      if (i > first && type == EnsueLexer::IDENT) {
        out.name = written(i);
        break;
      }
      out.word += (out.word.empty() ? "" : " ") + written(i);
    }
    return out;
  }

  bool open_text_block() const {
    for (size_t i = 1; i < tokens_.parser_tokens.size(); ++i) {
      bool open = tokens_.parser_tokens[i]->getType() == EnsueLexer::OPEN_STRING;
      const Token& before = tokens_.table[tokens_.map.rows[i - 1]];
      if (open && before.end - before.begin == 2 && before.end == tokens_.table[tokens_.map.rows[i]].begin) return true;
    }
    return false;
  }

  void report_too_deep(size_t first) {
    const Token& row = tokens_.table[tokens_.map.rows[first]];
    sink_.report(Kind::kNestedTooDeeply, {file_, row.begin, row.end}, {fmt::format("{} levels", bounds_.nesting_max)});
  }

  void finish(const std::vector<NodeId>& declarations) {
    auto size = static_cast<uint32_t>(text_.size());
    tree_->set_root(tree_->add(NodeKind::kFile, 0, 0, size, declarations));
    tree_->set_tokens(std::move(tokens_.table));
  }

  std::string_view text_;
  source::FileId file_;
  const ParseBounds& bounds_;
  source::DiagnosticSink& sink_;
  std::shared_ptr<Tree> tree_;
  std::unique_ptr<antlr4::ANTLRInputStream> input_;  // the tokens read their text from it
  TokenStreamData tokens_;
  std::vector<NodeId> declarations_;
};

}  // namespace

ParsedFile parse_file(const source::SourceSet& sources, source::FileId file, const ParseBounds& bounds,
                      source::DiagnosticSink& sink) {
  return FileParser(sources, file, bounds, sink).parse();
}

ParsedSession parse_session(const source::SourceSet& sources, source::FileId file, const ParseBounds& bounds,
                            source::DiagnosticSink& sink) {
  return FileParser(sources, file, bounds, sink).parse_session();
}

}  // namespace ensue::syntax
