// How often values occur: what the index chooses by where a rule can be filed in several ways.
//
// Counts come from events (`observe`). Without events a text is as rare as its column has texts,
// and everything else is guessed. What is wrong here costs time, never an answer.
#pragma once

#include <unordered_map>
#include <vector>

#include "match/formula.h"

namespace ensue::match {

class Statistics {
 public:
  // O(slots).
  void observe(const Layout& layout, const EventImage& image);
  // The share of an object's events for which an atom holds, above 0. `texts` is how many texts
  // the atom's column has.
  double share(const Layout& layout, const Formula& formula, const Atom& atom,
               uint32_t texts) const;
  size_t events(uint32_t object) const { return object < events_.size() ? events_[object] : 0; }

 private:
  double share_of_key(uint32_t column, size_t events, KeyKind kind, Key key, uint32_t texts) const;

  std::vector<size_t> events_;                             // by object
  std::unordered_map<uint64_t, uint32_t> counts_;          // by column and short key
  std::unordered_map<uint32_t, std::vector<Key>> sample_;  // by column: the first keys seen
};

}  // namespace ensue::match
