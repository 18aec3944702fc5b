#include "base/fold.h"

#include <utf8proc.h>

namespace ensue::base {
namespace {

bool is_ascii(unsigned char c) { return c < 0x80; }

unsigned char lower_ascii(unsigned char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + 32) : c;
}

// One code point at `at`, which moves past it. A malformed byte is returned as itself.
int32_t next_code_point(std::string_view text, size_t& at) {
  auto first = static_cast<unsigned char>(text[at]);
  if (is_ascii(first)) {
    ++at;
    return first;
  }
  utf8proc_int32_t code_point = -1;
  utf8proc_ssize_t size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                       static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
  if (size <= 0) {
    ++at;
    return first;
  }
  at += static_cast<size_t>(size);
  return code_point;
}

int32_t fold(int32_t code_point) {
  if (code_point < 0x80) return lower_ascii(static_cast<unsigned char>(code_point));
  // Final sigma and long s fold with their plain letters, as in Unicode's simple folding.
  if (code_point == 0x3C2) return 0x3C3;
  if (code_point == 0x17F) return 's';
  return utf8proc_tolower(code_point);
}

void append(std::string& out, int32_t code_point) {
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
    return;
  }
  utf8proc_uint8_t bytes[4];
  utf8proc_ssize_t size = utf8proc_encode_char(code_point, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
}

template <class Map>
void map_text(std::string_view text, Map map, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    size_t begin = at;
    int32_t code_point = next_code_point(text, at);
    bool malformed = code_point >= 0x80 && at - begin == 1;
    if (malformed) {
      out.push_back(text[begin]);
    } else {
      append(out, map(code_point));
    }
  }
}

// Whether `part` stands in `text` at `at`; on success `at` moves past it.
bool matches_at(std::string_view text, size_t& at, std::string_view part) {
  size_t here = at;
  for (size_t p = 0; p < part.size();) {
    if (here >= text.size()) return false;
    if (fold(next_code_point(text, here)) != fold(next_code_point(part, p))) return false;
  }
  at = here;
  return true;
}

}  // namespace

std::string fold_case(std::string_view text) {
  std::string out;
  fold_case(text, out);
  return out;
}

void fold_case(std::string_view text, std::string& out) { map_text(text, fold, out); }

std::string to_upper(std::string_view text) {
  auto upper = [](int32_t c) -> int32_t {
    if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
    return utf8proc_toupper(c);
  };
  std::string out;
  map_text(text, upper, out);
  return out;
}

int compare_folded(std::string_view a, std::string_view b) {
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    int32_t x = fold(next_code_point(a, i));
    int32_t y = fold(next_code_point(b, j));
    if (x != y) return x < y ? -1 : 1;
  }
  if (i < a.size()) return 1;
  return j < b.size() ? -1 : 0;
}

bool starts_with_folded(std::string_view text, std::string_view prefix) {
  size_t at = 0;
  return matches_at(text, at, prefix);
}

bool ends_with_folded(std::string_view text, std::string_view suffix) {
  for (size_t begin = 0; begin <= text.size();) {
    size_t at = begin;
    if (matches_at(text, at, suffix) && at == text.size()) return true;
    if (begin == text.size()) return false;
    next_code_point(text, begin);
  }
  return false;
}

bool contains_folded(std::string_view text, std::string_view part) {
  for (size_t begin = 0;;) {
    size_t at = begin;
    if (matches_at(text, at, part)) return true;
    if (begin >= text.size()) return false;
    next_code_point(text, begin);
  }
}

uint64_t hash_folded(std::string_view text) {
  uint64_t hash = 1469598103934665603ull;  // FNV-1a over the folded code points
  for (size_t at = 0; at < text.size();) {
    hash ^= static_cast<uint64_t>(static_cast<uint32_t>(fold(next_code_point(text, at))));
    hash *= 1099511628211ull;
  }
  return hash;
}

}  // namespace ensue::base
