// Telling what is wrong with a sentence that cannot be parsed.
//
// The parser knows what could stand where it gave up, which is often behind the clause that the
// mistake is in. So guesses are tried out: a comma put in, a word replaced, and parsed again; what
// reads further is offered as help.
#include "syntax/internal/tell_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/near_miss.h"

namespace ensue::syntax::internal {
namespace {

using Kind = source::DiagnosticKind;

constexpr size_t kTokensTriedMax =
    5'000;  // a longer declaration is not parsed again for the sake of help
constexpr size_t kViableTriedMax = 300;

// Words of other tongues (SQL, other automation tools, plain English) and what they are called
// here.
const std::map<std::string, std::string>& synonyms() {
  static const std::map<std::string, std::string> kSynonyms = {
      {"updated", "edited"},
      {"modified", "edited"},
      {"changed", "edited"},
      {"update", "edited"},
      {"edit", "edited"},
      {"inserted", "created"},
      {"added", "created"},
      {"create", "created"},
      {"new", "created"},
      {"removed", "deleted"},
      {"delete", "deleted"},
      {"equals", "is"},
      {"equal", "is"},
      {"isn", "is not"},
      {"null", "blank"},
      {"empty", "blank"},
      {"none", "blank"},
      {"contain", "contains"},
      {"includes", "contains"},
      {"like", "contains"},
      {"begins", "starts with"},
      {"elseif", "else if"},
      {"elsif", "else if"},
      {"elif", "else if"},
      {"endif", "end"},
      {"fi", "end"},
      {"done", "end"},
      {"do", "then"},
      {"unless", "if"},
      {"whenever", "when"},
      {"mine", "my records"},
      {"team", "my team"},
      {"record", "records"},
      {"greater", ">"},
      {"less", "<"},
      {"under", "<"},
      {"over", ">"},
      {"foreach", "for each"},
      {"var", "let"},
      {"enroll", "add"},
      {"enrol", "add"},
      {"unenroll", "remove"},
      {"reassign", "change assignee of"},
      {"stop", "pause"},
      {"alert", "remind"},
      {"notify", "remind"},
      {"limit", "limits"},
      {"rule", "action"},
      {"automation", "action"},
      {"workflow", "flow"},
      {"sequence", "cadence"},
      {"holiday", "holidays"},
      {"on", "when"},
      {"newly", "and newly meets"},
      {"otherwise", "else"},
      {"schedule", "every"},
  };
  return kSynonyms;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

std::string shown(const std::string& word) {
  constexpr size_t kShownMax = 40;
  std::string first_line = word.substr(0, word.find('\n'));
  return first_line.size() <= kShownMax ? "`" + first_line + "`" : "a long text";
}

std::string joined(const std::vector<std::string>& words) {
  if (words.empty()) return "something else";
  std::string out = words[0];
  for (size_t i = 1; i < words.size(); ++i)
    out += (i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

// Words that continue a clause after a comma.
bool follows_comma(const std::string& word) {
  static const std::set<std::string> kWords = {
      "assigned", "with",     "expiring", "starting", "doubling", "ordered",
      "required", "default",  "labelled", "up",       "until",    "on",
      "off",      "variants", "advance",  "first",    "in"};
  return kWords.count(word) != 0;
}

// Words that hold a sentence together are seldom slips of others.
bool structural(const std::string& word) {
  static const std::set<std::string> kWords = {"end", "then", "if", "else", "when", "and", "or"};
  return kWords.count(word) != 0;
}

std::vector<std::string> declaration_words() {
  return {"action",        "flow",     "subflow", "screen flow", "cadence",
          "quick cadence", "template", "script",  "routing",     "limits",
          "calendar",      "object",   "extend",  "function",    "test"};
}

bool expects(const SyntaxError& error, size_t type) {
  return std::find(error.expected.begin(), error.expected.end(), type) != error.expected.end();
}

// The declaration before is whole; another one could start here.
bool expects_declaration(const SyntaxError& error) {
  return error.rule == Parser::RuleOneDeclaration || error.rule == Parser::RuleDeclaration ||
         error.rule == Parser::RuleFile;
}

bool expects_statement(const SyntaxError& error) {
  return expects(error, EnsueLexer::K_IF) && expects(error, EnsueLexer::K_LET);
}

bool starts_value(size_t type) {
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

std::optional<std::string> suggestion(const std::string& found,
                                      const std::vector<std::string>& words) {
  auto has = [&](const std::string& word) {
    std::string first = word.substr(0, word.find(' '));
    return std::find(words.begin(), words.end(), first) != words.end() ||
           std::find(words.begin(), words.end(), word) != words.end();
  };
  auto known = synonyms().find(lower(found));
  if (known != synonyms().end() && has(known->second)) return known->second;
  return structural(lower(found)) ? std::nullopt : base::nearest(found, words);
}

}  // namespace

// ---- The text ---------------------------------------------------------------------------------

source::Span ErrorReporter::span(size_t index) const {
  const Token& row = tokens_.table[tokens_.map.rows[index]];
  return {file_, row.begin, row.end};
}

std::string ErrorReporter::written(size_t index) const {
  source::Span at = span(index);
  return std::string(text_.substr(at.begin, at.end - at.begin));
}

// `action "Hot leads"`: the head of the declaration a chunk holds.
std::string ErrorReporter::head() const {
  std::string out = written(first_);
  for (size_t i = first_ + 1; i < last_ && i < first_ + 3; ++i) {
    out += " " + written(i);
    if (type_at(i) == EnsueLexer::STRING || type_at(i) == EnsueLexer::IDENT) break;
  }
  return out;
}

// ---- What could stand there -------------------------------------------------------------------

size_t ErrorReporter::reach(Edit edit) const {
  if (!guesses_ || edit.at > kTokensTriedMax) return 0;
  size_t behind = edit.at + edit.inserted.size();
  ParserRun run(tokens_, first_, last_, bounds_, std::move(edit));
  try {
    if (session_) {
      run.parser.sessionInput();
    } else {
      run.parser.oneDeclaration();
    }
    return SIZE_MAX;
  } catch (const antlr4::ParseCancellationException&) {
    std::optional<size_t> stopped = run.errors.error->token;
    if (!stopped) return last_ - first_;
    return *stopped > behind ? *stopped - behind : 0;
  } catch (const TooDeep&) {
    return 0;
  }
}

// The types of tokens that the parser would take at a place, tried one by one.
std::vector<size_t> ErrorReporter::viable(size_t at) const {
  std::vector<size_t> out;
  for (size_t type = 1; type <= parser_.getVocabulary().getMaxTokenType(); ++type) {
    ParserRun run(tokens_, first_, first_ + at + 1, bounds_, Edit{at, 1, {type}});
    bool taken = true;
    try {
      if (session_) {
        run.parser.sessionInput();
      } else {
        run.parser.oneDeclaration();
      }
    } catch (const antlr4::ParseCancellationException&) {
      taken = !run.errors.error->token;
    } catch (const TooDeep&) {
      taken = false;
    }
    if (taken) out.push_back(type);
  }
  return out;
}

std::set<size_t> ErrorReporter::first_of(size_t rule) const {
  const antlr4::atn::ATN& atn = parser_.getATN();
  std::set<size_t> out;
  for (ssize_t type : atn.nextTokens(atn.ruleToStartState[rule]).toList()) {
    if (type > 0) out.insert(static_cast<size_t>(type));
  }
  return out;
}

std::string ErrorReporter::word_of(size_t type) const {
  const antlr4::dfa::Vocabulary& vocabulary = parser_.getVocabulary();
  std::string literal = vocabulary.getLiteralName(type);
  if (!literal.empty()) return "`" + literal.substr(1, literal.size() - 2) + "`";
  std::string symbol = vocabulary.getSymbolicName(type);
  if (symbol.rfind("K_", 0) == 0) return "`" + lower(symbol.substr(2)) + "`";
  static const std::map<std::string, std::string> kKinds = {
      {"IDENT", "a name"},
      {"QNAME", "a name"},
      {"STRING", "a text in quotes"},
      {"TEXTBLOCK", "a text"},
      {"NUMBER", "a number"},
      {"MONEY", "an amount"},
      {"DATE", "a date"},
      {"DATETIME", "a date and time"},
      {"TIME", "a time such as 09:00"},
  };
  auto known = kKinds.find(symbol);
  return known == kKinds.end() ? lower(symbol) : known->second;
}

// The keywords among what could stand there, for near misses.
std::vector<std::string> ErrorReporter::words_of(const SyntaxError& error) const {
  std::vector<size_t> types = error.expected;
  if (error.comparison) {
    for (size_t type : first_of(Parser::RuleComparisonTail)) types.push_back(type);
  }
  std::vector<std::string> out;
  bool names = expects(error, EnsueLexer::IDENT);
  std::set<size_t> soft = names ? first_of(Parser::RuleName) : std::set<size_t>();
  for (size_t type : types) {
    std::string word = word_of(type);
    bool keyword = word.size() > 2 && word[0] == '`' && word[1] >= 'a';
    if (keyword && soft.count(type) == 0) out.push_back(word.substr(1, word.size() - 2));
  }
  return out;
}

std::string ErrorReporter::expected_words(const SyntaxError& error) const {
  bool name = expects(error, EnsueLexer::IDENT);
  bool value = name && expects(error, EnsueLexer::NUMBER) && expects(error, EnsueLexer::STRING);
  std::set<size_t> soft = name ? first_of(Parser::RuleName) : std::set<size_t>();
  std::set<size_t> tail = first_of(Parser::RuleComparisonTail);
  bool comparison = error.comparison || std::all_of(tail.begin(), tail.end(),
                                                    [&](size_t t) { return expects(error, t); });
  std::vector<std::string> words;
  if (comparison) words.push_back("a comparison such as `is`");
  bool expectation =
      error.token && *error.token > 0 && type_at(first_ + *error.token - 1) == EnsueLexer::K_EXPECT;
  if ((expectation || error.rule == Parser::RuleExpectation) && value) {
    words.push_back("an expectation");
  } else if (value) {
    words.push_back(expects(error, EnsueLexer::K_EACH) ? "a condition" : "a value");
  } else if (name && !expects_statement(error)) {
    words.push_back("a name");
  }
  for (size_t type : error.expected) {
    if (name && soft.count(type) != 0) continue;
    if (value && (starts_value(type) || type == EnsueLexer::LP)) continue;
    bool goes_on = tail.count(type) != 0 ||
                   (type >= EnsueLexer::PLUS && type <= EnsueLexer::SLASH) ||
                   type == EnsueLexer::DOT;
    if (comparison && goes_on) continue;
    std::string word = word_of(type);
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  if (expects_statement(error)) {
    static const std::set<std::string> kKept = {
        "a comparison such as `is`", "`end`", "`else`", "`on`", "`and`", "`or`"};
    words.erase(std::remove_if(words.begin(), words.end(),
                               [](const std::string& w) { return kKept.count(w) == 0; }),
                words.end());
    words.insert(words.begin() + (comparison ? 1 : 0), "a statement");
  }
  constexpr size_t kWordsMax = 8;
  if (words.size() > kWordsMax) words.resize(kWordsMax);
  return joined(words);
}

// ---- Reports ----------------------------------------------------------------------------------

void ErrorReporter::report(SyntaxError error) {
  if (!error.token) {
    report_at_end(error);
    return;
  }
  size_t at_token = *error.token;
  source::Span at = span(first_ + at_token);
  std::string found = written(first_ + at_token);
  if (at_token == 0 || expects_declaration(error)) {
    sink_.report(Kind::kNotADeclaration, at, {shown(found)})
        .suggest(suggestion(found, declaration_words()));
    return;
  }
  bool in_flow = lower(written(first_)) == "flow" || lower(written(first_)) == "screen";
  if (in_flow && lower(found) == "then") {
    report_then_in_flow(error, at);
    return;
  }
  if (report_missing_comma(error, at, found)) return;
  if (guesses_ && error.seen_ahead && at_token <= kViableTriedMax)
    error.expected = viable(at_token);
  auto& finding = sink_.report(Kind::kUnexpectedWord, at, {expected_words(error), shown(found)});
  help(error, finding, found);
  source::Span opening = span(first_);
  if (finding.span().begin > opening.end + 200) finding.label(opening, "in this declaration");
}

bool ErrorReporter::report_missing_comma(const SyntaxError& error, source::Span at,
                                         const std::string& found) {
  size_t enough = follows_comma(lower(found)) ? 1 : 2;
  if (reach({*error.token, 0, {EnsueLexer::COMMA}}) < enough) return false;
  sink_.report(Kind::kUnexpectedWord, at, {"a comma", shown(found)})
      .fix({file_, at.begin, at.begin}, ", ", "put `,` before " + shown(found));
  return true;
}

void ErrorReporter::help(const SyntaxError& error, source::Finding& finding,
                         const std::string& found) const {
  source::Span at = finding.span();
  if (error.comparison && lower(found) == "not") {
    finding.suggest("is not");
    return;
  }
  auto known = synonyms().find(lower(found));
  bool foreign = known != synonyms().end() && suggestion(found, words_of(error)) == known->second;
  auto put = [&](const std::string& word) {
    finding.fix({file_, at.begin, at.begin}, word + " ",
                fmt::format("put `{}` before {}", word, shown(found)));
  };
  if (!foreign && expects(error, EnsueLexer::K_THEN) &&
      reach({*error.token, 0, {EnsueLexer::K_THEN}}) >= 2) {
    if (lower(found) == "end") {
      finding.note("`then` and what the action does stand before `end`");
    } else {
      put("then");
    }
    return;
  }
  if (!foreign && error.comparison && reach({*error.token, 0, {EnsueLexer::K_IS}}) >= 2) {
    put("is");
    return;
  }
  auto meant = suggestion(found, words_of(error));
  // The clause before is whole; the word may belong to it all the same.
  if (guesses_ && !meant && !structural(lower(found)) && *error.token <= kViableTriedMax) {
    SyntaxError all = error;
    all.expected = viable(*error.token);
    meant = suggestion(found, words_of(all));
  }
  finding.suggest(meant);
}

// A flow has no `then`. It closes no `if` of its own when the flow cannot be read without it: the
// `if` was meant as guard.
void ErrorReporter::report_then_in_flow(const SyntaxError& error, source::Span at) {
  bool statement = reach({*error.token, 1, {}}) == SIZE_MAX;
  if (!statement && error.guard_if) {
    report_guard_with_if(first_ + *error.guard_if)
        .label(at, "a flow has no `then`: its statements follow the trigger");
    return;
  }
  sink_.report(Kind::kUnexpectedWord, at, {"a statement", "`then`"})
      .note(
          "a flow has no `then`: its statements follow the trigger, those of an `if` its condition")
      .fix(at, "", "leave `then` out");
}

source::Finding& ErrorReporter::report_guard_with_if(size_t if_token) {
  source::Span at = span(if_token);
  return sink_.report(Kind::kGuardWithIf, at).fix(at, "and meets", "write");
}

void ErrorReporter::report_at_end(const SyntaxError& error) {
  source::Span opening = span(first_);
  source::Span ending = last_ > first_ ? span(last_ - 1) : opening;
  source::Span at{file_, ending.end, ending.end};
  if (ending.end > ending.begin) at.begin = ending.end - 1;
  if (!expects(error, EnsueLexer::K_END)) {
    sink_.report(Kind::kUnexpectedWord, at, {expected_words(error), "the end of the text"})
        .label(opening, "in this declaration");
    return;
  }
  if (error.guard_if) {
    report_guard_with_if(first_ + *error.guard_if)
        .label(ending, "the flow ends here, with one `end` too few")
        .note("an `if` meant as a statement has an `end` of its own");
    return;
  }
  sink_.report(Kind::kMissingEnd, at, {shown(head())})
      .here("the text ends here")
      .label(opening, "opened here")
      .fix({file_, ending.end, ending.end}, "\nend\n", "close it with `end`");
}

}  // namespace ensue::syntax::internal
