#include "support/reference/texts.h"

#include <cstdint>

namespace ensue::testing::reference {
namespace {

struct Alphabet {
  char32_t first_capital;
  char32_t last_capital;
  char32_t without;  // a sign in between that is no letter
  char32_t step;     // from a capital to its small letter
};

constexpr Alphabet kAlphabets[] = {
    {U'A', U'Z', 0, 32},
    {U'À', U'Þ', U'×', 32},
    {U'Α', U'Ω', U'\u03A2', 32},
    {U'А', U'Я', 0, 32},
};

}  // namespace

Letters letters_of(std::string_view utf8) {
  Letters out;
  for (size_t at = 0; at < utf8.size();) {
    auto first = static_cast<unsigned char>(utf8[at]);
    size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t letter = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length && at + i < utf8.size(); ++i) {
      letter = letter << 6 | (static_cast<unsigned char>(utf8[at + i]) & 0x3Fu);
    }
    out += letter;
    at += length;
  }
  return out;
}

std::string utf8_of(const Letters& letters) {
  std::string out;
  for (char32_t c : letters) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      out += static_cast<char>(0xE0 | c >> 12);
      out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | c >> 18);
      out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
      out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return out;
}

Letters small(Letters letters) {
  for (char32_t& c : letters) {
    for (const Alphabet& alphabet : kAlphabets) {
      bool is_capital =
          c >= alphabet.first_capital && c <= alphabet.last_capital && c != alphabet.without;
      if (is_capital) {
        c += alphabet.step;
        break;
      }
    }
  }
  return letters;
}

Letters capital(Letters letters) {
  for (char32_t& c : letters) {
    for (const Alphabet& alphabet : kAlphabets) {
      char32_t above = c - alphabet.step;
      bool is_small = c >= alphabet.step && above >= alphabet.first_capital &&
                      above <= alphabet.last_capital && above != alphabet.without;
      if (is_small) {
        c = above;
        break;
      }
    }
  }
  return letters;
}

}  // namespace ensue::testing::reference
