#include "base/near_miss.h"

#include <algorithm>

#include "base/fold.h"

namespace ensue::base {
namespace {

// Damerau-Levenshtein distance (optimal string alignment); gives up above `most`.
size_t edit_distance(std::string_view a, std::string_view b, size_t most) {
  size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > most) return most + 1;
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> previous(b.size() + 1);
  std::vector<size_t> current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replace});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  constexpr size_t kWordSizeMax = 64;  // longer words are not slips of a name
  if (word.empty() || word.size() > kWordSizeMax) return std::nullopt;
  std::string folded = fold_case(word);
  size_t most = std::min<size_t>(3, std::max<size_t>(1, folded.size() / 3));
  size_t best = most + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kWordSizeMax) continue;
    size_t distance = edit_distance(folded, fold_case(candidate), most);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace ensue::base
