// How a rule is filed: the terms of its formula.
//
// A formula holds when one of its terms does. A term is a conjunction: the atoms that stand in it
// directly, by one of which (or some together) it can be found, and what else has to hold. One `or`
// of a conjunction is taken apart where each of its branches then can be found; the rest stays a
// formula.
#pragma once

#include <memory>
#include <vector>

#include "match/formula.h"
#include "match/statistics.h"

namespace ensue::match {

// A rule as the index keeps it. `events` are ChangeBits.
struct Rule {
  uint32_t number = 0;
  uint8_t events = 0;
  Formula formula;
};
using RulePtr = std::shared_ptr<const Rule>;

struct Term {
  std::vector<uint32_t> atoms;  // of the formula; each must hold
  std::vector<uint32_t> nodes;  // of the formula, beside the atoms; each must hold
};

// The rarest of the ways a term can be found.
enum class Way : uint8_t { kEquality, kRange, kPrefix, kNone };

// The share of events for which an atom holds, as far as is known.
class Shares {
 public:
  virtual ~Shares() = default;
  virtual double of(const Formula& formula, const Atom& atom) const = 0;
};

// No terms: the rule never holds.
std::vector<Term> terms_of(const Rule& rule, const Shares& shares);

// Atoms that one key answers: equality with one value, or with one of a few.
bool is_equality(const Atom& atom);
inline constexpr uint32_t kOneOfMax = 8;
Way way_of(const Formula& formula, const Term& term, TextTests tests);

}  // namespace ensue::match
