// Case folding: how names and texts are compared when letter case does not matter.
//
// Folding maps each code point to one code point (Unicode simple case folding through utf8proc's
// lower-case table), so folded text has a length close to the original and prefixes fold to
// prefixes. Text must be valid UTF-8; a malformed byte folds to itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ensue::base {

// The folded form. Two texts are equal ignoring case exactly when their folded forms are equal
// bytes.
std::string fold_case(std::string_view text);
// The same into `out`, which keeps its memory.
void fold_case(std::string_view text, std::string& out);

// Three-way comparison of the folded forms by code point, without building them. Negative, zero or
// positive.
int compare_folded(std::string_view a, std::string_view b);
inline bool equal_folded(std::string_view a, std::string_view b) {
  return compare_folded(a, b) == 0;
}

bool starts_with_folded(std::string_view text, std::string_view prefix);
bool ends_with_folded(std::string_view text, std::string_view suffix);
bool contains_folded(std::string_view text, std::string_view part);

// A hash that agrees with equal_folded.
uint64_t hash_folded(std::string_view text);

// Transparent hash and equality for containers keyed by names that ignore case.
struct FoldedHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return static_cast<size_t>(hash_folded(text)); }
};
struct FoldedEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return equal_folded(a, b); }
};
struct FoldedLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return compare_folded(a, b) < 0; }
};

// Upper case by the same one-to-one rule.
std::string to_upper(std::string_view text);

}  // namespace ensue::base
