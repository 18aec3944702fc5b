// Mutations that know words: half of the changes to a program move, repeat, drop or exchange whole
// tokens, with the words of the library to choose from, so that more of them still mean something.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "embedded.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Words, quoted texts, blanks of one kind, single signs. Joined they are the text.
std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    if (word(text[at])) {
      while (end < text.size() && word(text[end])) ++end;
    } else if (text[at] == '"') {
      while (end < text.size() && text[end] != '"' && text[end] != '\n') ++end;
      if (end < text.size()) ++end;
    } else if (text[at] == ' ') {
      while (end < text.size() && text[end] == ' ') ++end;
    }
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

const std::vector<std::string>& library_words() {
  static const std::vector<std::string> kWords = [] {
    std::vector<std::string> out;
    for (const ensue::stdlib::EmbeddedText& text : ensue::stdlib::texts()) {
      for (std::string& token : tokens_of(text.text)) {
        if (token[0] != ' ' && token[0] != '\n') out.push_back(" " + token + " ");
      }
    }
    return out;
  }();
  return kWords;
}

void mutate(std::vector<std::string>& tokens, std::minstd_rand& random) {
  auto below = [&](size_t count) { return static_cast<size_t>(random()) % count; };
  size_t at = below(tokens.size());
  size_t count = std::min(1 + below(below(4) == 0 ? 40 : 3), tokens.size() - at);
  auto from = tokens.begin() + static_cast<std::ptrdiff_t>(at);
  std::vector<std::string> part(from, from + static_cast<std::ptrdiff_t>(count));
  auto put = [&](size_t place, const std::vector<std::string>& what) {
    tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(place), what.begin(), what.end());
  };
  switch (below(6)) {
    case 0: tokens.erase(from, from + static_cast<std::ptrdiff_t>(count)); break;
    case 1: put(at, part); break;
    case 2: put(below(tokens.size()), part); break;
    case 3:
      tokens.erase(from, from + static_cast<std::ptrdiff_t>(count));
      put(below(tokens.size() + 1), part);
      break;
    case 4: tokens[at] = library_words()[below(library_words().size())]; break;
    default: tokens[at] = tokens[below(tokens.size())];
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  std::minstd_rand random(seed);
  if (size == 0 || random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::vector<std::string> tokens = tokens_of({reinterpret_cast<const char*>(data), size});
  for (unsigned i = 0, changes = 1 + random() % 4; i < changes && !tokens.empty(); ++i)
    mutate(tokens, random);
  std::string text;
  for (const std::string& token : tokens) text += token;
  text.resize(std::min(text.size(), max_size));
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
