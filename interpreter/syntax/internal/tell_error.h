// Telling what is wrong with a sentence that cannot be parsed, and what may have been meant.
// Private to syntax/.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/internal/parser_run.h"

namespace ensue::syntax::internal {

class ErrorReporter {
 public:
  // The tokens [first, last) were parsed by `run`, as one declaration or as what a person typed
  // into the REPL.
  ErrorReporter(std::string_view text, source::FileId file, const TokenStreamData& tokens,
                const ParserRun& run, size_t first, size_t last, bool session, bool guesses,
                const ParseBounds& bounds, source::DiagnosticSink& sink)
      : text_(text),
        file_(file),
        tokens_(tokens),
        parser_(run.parser),
        first_(first),
        last_(last),
        session_(session),
        guesses_(guesses),
        bounds_(bounds),
        sink_(sink) {}

  void report(SyntaxError error);

 private:
  // ---- The text --------------------------------------------------------------------------------
  source::Span span(size_t index) const;
  std::string written(size_t index) const;
  std::string head() const;
  size_t type_at(size_t index) const { return tokens_.types[index]; }

  // ---- What could stand there -----------------------------------------------------------------
  // How many tokens behind an edit are read before the next mistake; SIZE_MAX: all that are left.
  size_t reach(Edit edit) const;
  std::vector<size_t> viable(size_t at) const;
  std::set<size_t> first_of(size_t rule) const;
  std::string word_of(size_t type) const;
  std::vector<std::string> words_of(const SyntaxError& error) const;
  std::string expected_words(const SyntaxError& error) const;

  // ---- Reports --------------------------------------------------------------------------------
  void report_at_end(const SyntaxError& error);
  void report_then_in_flow(const SyntaxError& error, source::Span at);
  source::Finding& report_guard_with_if(size_t if_token);
  bool report_missing_comma(const SyntaxError& error, source::Span at, const std::string& found);
  void help(const SyntaxError& error, source::Finding& finding, const std::string& found) const;

  std::string_view text_;
  source::FileId file_;
  const TokenStreamData& tokens_;
  const Parser& parser_;
  size_t first_;
  size_t last_;
  bool session_;
  bool guesses_;  // nothing is tried out once a file has had many mistakes
  const ParseBounds& bounds_;
  source::DiagnosticSink& sink_;
};

}  // namespace ensue::syntax::internal
