#include "match/filing.h"

#include <algorithm>

namespace ensue::match {
namespace {

using Kind = FormulaNode::Kind;

class Splitter {
 public:
  Splitter(const Formula& formula, const Shares& shares) : formula_(formula), shares_(shares) {}

  std::vector<Term> split(uint32_t at) const {
    const FormulaNode& node = formula_.nodes[at];
    if (node.kind == Kind::kFalse) return {};
    if (node.kind == Kind::kOr) {
      std::vector<Term> out = split(node.a);
      for (Term& term : split(node.b)) out.push_back(std::move(term));
      return out;
    }
    Term own;
    gather(at, own);
    // Taken apart is the `or` that makes the term rarest.
    double best = share(own) * kWorthwhile;
    std::vector<Term> best_terms;
    size_t best_at = 0;
    for (size_t i = 0; i < own.nodes.size(); ++i) {
      double sum = 0;
      std::vector<Term> branches = split(own.nodes[i]);
      for (Term& branch : branches) {
        branch.atoms.insert(branch.atoms.begin(), own.atoms.begin(), own.atoms.end());
        sum += share(branch);
      }
      if (sum >= best) continue;
      best = sum;
      best_terms = std::move(branches);
      best_at = i;
    }
    if (best_terms.empty()) return {std::move(own)};
    for (Term& term : best_terms) {
      for (size_t i = 0; i < own.nodes.size(); ++i) {
        if (i != best_at) term.nodes.push_back(own.nodes[i]);
      }
    }
    return best_terms;
  }

 private:
  // More than one term costs memory and a second look.
  static constexpr double kWorthwhile = 0.5;

  void gather(uint32_t at, Term& out) const {
    const FormulaNode& node = formula_.nodes[at];
    switch (node.kind) {
      case Kind::kAnd:
        gather(node.a, out);
        gather(node.b, out);
        break;
      case Kind::kAtom: out.atoms.push_back(node.a); break;
      case Kind::kTrue: break;
      default: out.nodes.push_back(at);
    }
  }

  // Of the events that find the term: the three rarest equalities together, or else the rarest
  // range or prefix.
  double share(const Term& term) const {
    std::vector<double> equalities;
    double other = 1;
    for (uint32_t number : term.atoms) {
      const Atom& atom = formula_.atoms[number];
      double share = shares_.of(formula_, atom);
      if (is_equality(atom)) {
        equalities.push_back(share);
      } else if (!atom.negated &&
                 (atom.kind == Atom::Kind::kIn || atom.kind == Atom::Kind::kText)) {
        other = std::min(other, share);
      }
    }
    std::sort(equalities.begin(), equalities.end());
    double out = 1;
    for (size_t i = 0; i < std::min<size_t>(3, equalities.size()); ++i) out *= equalities[i];
    return std::min(out, other);
  }

  const Formula& formula_;
  const Shares& shares_;
};

}  // namespace

bool is_equality(const Atom& atom) {
  return atom.is_point() ||
         (atom.kind == Atom::Kind::kOneOf && !atom.negated && atom.count <= kOneOfMax);
}

std::vector<Term> terms_of(const Rule& rule, const Shares& shares) {
  return Splitter(rule.formula, shares).split(rule.formula.root());
}

Way way_of(const Formula& formula, const Term& term, TextTests tests) {
  Way out = Way::kNone;
  for (uint32_t number : term.atoms) {
    const Atom& atom = formula.atoms[number];
    Way way = Way::kNone;
    if (is_equality(atom)) {
      way = Way::kEquality;
    } else if (atom.kind == Atom::Kind::kIn && !atom.negated) {
      way = Way::kRange;
    } else if (atom.kind == Atom::Kind::kText && !atom.negated &&
               test_at(tests, atom.text).kind == TextTest::Kind::kStartsWith) {
      way = Way::kPrefix;
    }
    out = std::min(out, way);
  }
  return out;
}

}  // namespace ensue::match
