// Mistakes that can be told from the tokens alone. Private to syntax/.
#pragma once

#include <string>
#include <string_view>

#include "syntax/internal/parser_run.h"

namespace ensue::syntax::internal {

class LexicalCheck {
 public:
  LexicalCheck(std::string_view text, source::FileId file, const ParseBounds& bounds,
               TokenStreamData& tokens, source::DiagnosticSink& sink)
      : text_(text), file_(file), bounds_(bounds), tokens_(tokens), sink_(sink) {}

  // Marks the bad tokens. False when the file should not be parsed at all.
  bool run();

 private:
  const Token& row(size_t i) const { return tokens_.table[tokens_.map.rows[i]]; }
  source::Span span(size_t i) const { return {file_, row(i).begin, row(i).end}; }
  std::string_view written(source::Span at) const {
    return text_.substr(at.begin, at.end - at.begin);
  }

  // Gives where what was reported ends.
  uint32_t report(size_t i, size_t type);
  uint32_t report_smart_quote(size_t i);
  void report_open_text(size_t i);
  void report_stray(source::Span at);
  bool between_letters(uint32_t begin, uint32_t end) const;

  std::string_view text_;
  source::FileId file_;
  const ParseBounds& bounds_;
  TokenStreamData& tokens_;
  source::DiagnosticSink& sink_;
};

}  // namespace ensue::syntax::internal
