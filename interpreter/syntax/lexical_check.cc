// Mistakes in single tokens: stray characters, curly quotation marks, texts that are not closed.
#include "syntax/internal/lexical_check.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>

namespace ensue::syntax::internal {
namespace {

using Kind = source::DiagnosticKind;

constexpr size_t kFindingsMax = 20;  // beyond this a file is garbage, and one line says so
constexpr std::string_view kApostrophe = "\u2019";

bool letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

// What closes a text that this curly mark opens; empty: it opens none.
std::string_view closing_mark(std::string_view opening) {
  if (opening == "\u201C") return "\u201D";
  if (opening == "\u2018") return "\u2019";
  if (opening == "\u00AB") return "\u00BB";
  return "";
}

// Invisible characters: blanks, controls, marks without a shape.
bool invisible(utf8proc_int32_t code_point) {
  switch (utf8proc_category(code_point)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN: return true;
    default: return false;
  }
}

}  // namespace

bool LexicalCheck::run() {
  size_t found = 0;
  uint32_t depth = 0;
  uint32_t reported_to = 0;
  for (size_t i = 0; i < tokens_.types.size(); ++i) {
    size_t type = tokens_.types[i];
    if (row(i).begin < reported_to) {
      tokens_.bad[i] = true;
      continue;
    }
    if (row(i).token_class == TokenClass::kBad) {
      tokens_.bad[i] = true;
      if (++found > kFindingsMax) return false;
      reported_to = report(i, type);
    }
    if (type == EnsueLexer::LP && ++depth > bounds_.nesting_max) {
      sink_.report(Kind::kNestedTooDeeply, span(i),
                   {fmt::format("{} parentheses", bounds_.nesting_max)});
      return false;
    }
    if (type == EnsueLexer::RP && depth > 0) --depth;
  }
  return true;
}

uint32_t LexicalCheck::report(size_t i, size_t type) {
  if (type == EnsueLexer::SMART_QUOTE) return report_smart_quote(i);
  if (type == EnsueLexer::OPEN_STRING) {
    report_open_text(i);
  } else {
    report_stray(span(i));
  }
  return row(i).end;
}

bool LexicalCheck::between_letters(uint32_t begin, uint32_t end) const {
  return begin > 0 && end < text_.size() && letter(text_[begin - 1]) && letter(text_[end]);
}

// A pair of marks on one line is one mistake.
uint32_t LexicalCheck::report_smart_quote(size_t i) {
  source::Span at = span(i);
  std::string mark(written(at));
  if (mark == kApostrophe && between_letters(at.begin, at.end)) {
    sink_.report(Kind::kSmartQuote, at, {mark})
        .fix(at, "'", "within a text write a straight apostrophe `'`");
    return at.end;
  }
  std::string_view closing = closing_mark(mark);
  size_t line_end = std::min(text_.find('\n', at.end), text_.size());
  for (size_t from = at.end; !closing.empty();) {
    size_t close = text_.find(closing, from);
    if (close == std::string_view::npos || close >= line_end) break;
    from = close + closing.size();
    if (closing == kApostrophe &&
        between_letters(static_cast<uint32_t>(close), static_cast<uint32_t>(from)))
      continue;
    std::string inside(text_.substr(at.end, close - at.end));
    if (inside.find('"') != std::string::npos) break;
    for (size_t k; (k = inside.find(kApostrophe)) != std::string::npos;)
      inside.replace(k, kApostrophe.size(), "'");
    at.end = static_cast<uint32_t>(from);
    sink_.report(Kind::kSmartQuote, at, {mark})
        .fix(at, "\"" + inside + "\"", "use straight quotation marks");
    return at.end;
  }
  sink_.report(Kind::kSmartQuote, at, {mark}).fix(at, "\"", "use a straight quotation mark `\"`");
  return at.end;
}

// `"""` without its end is lexed as an empty text and an open one.
void LexicalCheck::report_open_text(size_t i) {
  source::Span at = span(i);
  bool block = i > 0 && row(i - 1).end == at.begin && text_.substr(row(i - 1).begin, 2) == "\"\"" &&
               row(i - 1).end - row(i - 1).begin == 2;
  if (block) {
    at = {file_, row(i - 1).begin, at.begin + 1};
    sink_.report(Kind::kUnclosedText, at)
        .note("a text of several lines ends with three quotation marks");
    return;
  }
  at.end = std::min(at.end, at.begin + 1);
  sink_.report(Kind::kUnclosedText, at).here("the closing `\"` is missing on this line");
}

void LexicalCheck::report_stray(source::Span at) {
  std::string character(written(at));
  utf8proc_int32_t code_point = -1;
  utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(character.data()),
                   static_cast<utf8proc_ssize_t>(character.size()), &code_point);
  bool hidden = code_point >= 0 && invisible(code_point);
  std::string shown =
      hidden ? fmt::format("U+{:04X}", static_cast<uint32_t>(code_point)) : "`" + character + "`";
  auto& finding = sink_.report(Kind::kStrayCharacter, at, {shown});
  if (character == "'") finding.note("texts stand in double quotes");
  if (!hidden) return;
  bool blank = utf8proc_category(code_point) == UTF8PROC_CATEGORY_ZS;
  if (code_point == 0xA0)
    finding.note("this is a no-break space, as word processors and web pages use it");
  finding.fix(at, blank ? " " : "",
              blank ? "put a plain blank in its place" : "remove it; it cannot be seen");
}

}  // namespace ensue::syntax::internal
