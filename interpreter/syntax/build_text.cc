// Texts: escapes, text blocks and their dedenting, interpolated paths.
#include <utf8proc.h>

#include <algorithm>

#include "syntax/internal/builder.h"

namespace ensue::syntax::internal {
namespace {

bool name_start(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }
bool name_part(char c) { return name_start(c) || (c >= '0' && c <= '9'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

void append_code_point(std::string& out, int32_t code_point) {
  utf8proc_uint8_t bytes[4];
  utf8proc_ssize_t size = utf8proc_encode_char(code_point, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
}

// The common indentation of the lines that hold anything; the line of the closing marks holds
// nothing.
size_t common_indentation(std::string_view body) {
  size_t least = SIZE_MAX;
  for (size_t at = body.find('\n'); at != std::string_view::npos; at = body.find('\n', at + 1)) {
    size_t text = body.find_first_not_of(" \t\r", at + 1);
    if (text == std::string_view::npos) break;
    if (body[text] != '\n') least = std::min(least, text - at - 1);
  }
  return least == SIZE_MAX ? 0 : least;
}

}  // namespace

NodeId Builder::text_value(Parser::TextContext* ctx) {
  if (auto* block = ctx->TEXTBLOCK()) return text_block(block);
  source::Span at = span(ctx->STRING());
  return interpolated(at, {at.file, at.begin + 1, at.end - 1}, 0);
}

// The body starts after the line break that follows the opening marks, and ends before the line of
// the closing marks.
NodeId Builder::text_block(antlr4::tree::TerminalNode* block) {
  source::Span at = span(block);
  source::Span body{at.file, at.begin + 3, at.end - 3};
  std::string_view text = source(body);
  size_t indentation = common_indentation(text);
  size_t first_line = text.find_first_not_of(" \t\r");
  if (first_line != std::string_view::npos && text[first_line] == '\n')
    body.begin += static_cast<uint32_t>(first_line) + 1;
  text = source(body);
  size_t last = text.find_last_not_of(" \t");
  if (last != std::string_view::npos && text[last] == '\n') {
    if (last > 0 && text[last - 1] == '\r') --last;
    body.end = body.begin + static_cast<uint32_t>(last);
  } else if (last == std::string_view::npos) {
    body.end = body.begin;
  }
  return interpolated(at, body, indentation);
}

// Decodes one escape whose backslash is at `body[at]`. Gives its length in the source.
size_t Builder::decode_escape(std::string_view body, size_t at, uint32_t offset, std::string& out) {
  char next = at + 1 < body.size() ? body[at + 1] : '\0';
  switch (next) {
    case '"': out += '"'; return 2;
    case '\\': out += '\\'; return 2;
    case 'n': out += '\n'; return 2;
    case 't': out += '\t'; return 2;
    default: break;
  }
  if (next == 'u' && at + 2 < body.size() && body[at + 2] == '{') {
    size_t close = body.find('}', at);
    std::string digits(close == std::string_view::npos ? "" : body.substr(at + 3, close - at - 3));
    bool sound = !digits.empty() && digits.size() <= 6 &&
                 digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    long code_point = sound ? std::stol(digits, nullptr, 16) : -1;
    if (utf8proc_codepoint_valid(static_cast<utf8proc_int32_t>(code_point)) && code_point > 0) {
      append_code_point(out, static_cast<int32_t>(code_point));
      return close + 1 - at;
    }
  }
  size_t length = std::min<size_t>(2, body.size() - at);
  while (at + length < body.size() &&
         (static_cast<unsigned char>(body[at + length]) & 0xC0) == 0x80)
    ++length;
  bool braced = next == 'u' && at + 2 < body.size() && body[at + 2] == '{';
  if (braced)
    length =
        std::min(body.find('}', at), body.size() - 1) + 1 - at;  // the brace opens no interpolation
  auto begin_at = static_cast<uint32_t>(offset + at);
  source::Span place{tree_.file(), begin_at, begin_at + static_cast<uint32_t>(length)};
  constexpr size_t kShownMax = 20;
  auto& finding = sink_.report(
      Kind::kBadEscape, place,
      {braced ? body.substr(at, std::min(length, kShownMax)) : body.substr(at, length)});
  finding.note(
      braced
          ? "a code point has one to six hexadecimal digits and is at most 10FFFF, as in \\u{1F600}"
          : "the escapes are \\\" \\\\ \\n \\t and \\u{1F600}");
  return length;
}

std::string Builder::decode_plain(source::Span body) {
  std::string_view text = source(body);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\\') {
      at += decode_escape(text, at, body.begin, out);
    } else {
      out += text[at++];
    }
  }
  return out;
}

NodeId Builder::interpolation_path(source::Span at) {
  std::string_view text = source(at);
  std::vector<NodeId> names;
  uint8_t op = kPathBare;
  size_t i = 0;
  auto fail = [&] {
    sink_.report(Kind::kBadInterpolation, at, {text}).note("write {{ for a brace");
    return NodeId();
  };
  auto skip_blanks = [&] {
    while (i < text.size() && text[i] == ' ') ++i;
  };
  skip_blanks();
  while (true) {
    size_t begin_at = i;
    std::string_view name;
    if (i < text.size() && text[i] == '[') {
      size_t close = text.find(']', i);
      if (close == std::string_view::npos || close == i + 1) return fail();
      name = text.substr(i + 1, close - i - 1);
      i = close + 1;
    } else {
      if (i >= text.size() || !name_start(text[i])) return fail();
      while (i < text.size() && name_part(text[i])) ++i;
      name = text.substr(begin_at, i - begin_at);
    }
    bool first = names.empty() && op == kPathBare;
    std::string word = lower(name);
    skip_blanks();
    bool starts_its = first && word == "its" && i < text.size() && text[i] != '.';
    if (starts_its) {
      op = kPathIts;
      continue;
    }
    if (first && (word == "it" || word == "me")) {
      op = word == "it" ? kPathIt : kPathMe;
    } else {
      auto name_begin = at.begin + static_cast<uint32_t>(begin_at);
      names.push_back(leaf(NodeKind::kName,
                           {at.file, name_begin, name_begin + static_cast<uint32_t>(i - begin_at)},
                           0, name));
    }
    if (i >= text.size()) break;
    if (text[i] != '.') return fail();
    ++i;
    skip_blanks();
  }
  return tree_.add(NodeKind::kPath, op, at.begin, at.end, names);
}

NodeId Builder::interpolated(source::Span token_span, source::Span body, size_t indentation) {
  std::string_view text = source(body);
  std::vector<NodeId> parts;
  std::string literal;
  uint32_t literal_begin = body.begin;
  auto flush = [&](uint32_t end_at) {
    if (literal.empty()) return;
    parts.push_back(leaf(NodeKind::kQuoted, {body.file, literal_begin, end_at}, 0,
                         tree_.keep(std::move(literal))));
    literal.clear();
  };
  bool line_start = indentation > 0;
  bool has_path = false;
  for (size_t at = 0; at < text.size();) {
    if (line_start) {
      size_t skipped = 0;
      while (skipped < indentation && at < text.size() && (text[at] == ' ' || text[at] == '\t')) {
        ++at;
        ++skipped;
      }
      line_start = false;
      continue;
    }
    char c = text[at];
    if (c == '\\') {
      at += decode_escape(text, at, body.begin, literal);
    } else if (c == '{' && at + 1 < text.size() && text[at + 1] == '{') {
      literal += '{';
      at += 2;
    } else if (c == '{') {
      auto open = body.begin + static_cast<uint32_t>(at);
      flush(open);
      size_t close = text.find('}', at);
      if (close == std::string_view::npos) {
        sink_.report(Kind::kBadInterpolation, {body.file, open, open + 1}, {"{"})
            .note("write {{ for a brace");
        return leaf(NodeKind::kText, token_span);
      }
      NodeId found =
          interpolation_path({body.file, open + 1, body.begin + static_cast<uint32_t>(close)});
      if (found.valid()) parts.push_back(found);
      has_path = true;
      at = close + 1;
      literal_begin = body.begin + static_cast<uint32_t>(at);
    } else {
      if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') {
        ++at;
        continue;
      }
      line_start = c == '\n' && indentation > 0;
      literal += c;
      ++at;
    }
  }
  if (!has_path) return leaf(NodeKind::kText, token_span, 0, tree_.keep(std::move(literal)));
  flush(body.end);
  return tree_.add(NodeKind::kText, 0, token_span.begin, token_span.end, parts);
}

}  // namespace ensue::syntax::internal
