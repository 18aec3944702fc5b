// Suggestions: which of some known words the author may have meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ensue::base {

// The candidate closest to `word` by edits (insert, delete, replace, swap neighbours; letter case
// is free), when it is close enough to be a likely slip: at most a third of the letters, never more
// than 3. The first of equals wins. O(candidates x length^2), for error messages only.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace ensue::base
