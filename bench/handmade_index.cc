#include "handmade_index.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace ensue::bench {
namespace {

using match::Atom;
using match::Formula;
using match::Term;

class MeasuredShares final : public match::Shares {
 public:
  explicit MeasuredShares(const HandmadeRules& rules) : rules_(rules) {}
  double of(const Formula& formula, const Atom& atom) const override {
    return rules_.statistics.share(rules_.layout, formula, atom, 0);
  }

 private:
  const HandmadeRules& rules_;
};

std::vector<match::Key> keys_of(const Formula& formula, const Atom& atom) {
  if (atom.kind == Atom::Kind::kIn) return {atom.low};
  auto first = formula.keys.begin() + atom.first;
  return {first, first + atom.count};
}

}  // namespace

HandmadeRules::HandmadeRules(match::PredicateIndex& index, const match::Snapshot& snapshot,
                             types::ObjectId object, const std::vector<uint8_t>& events)
    : words(1),
      tests(snapshot.tests()),
      test_count(snapshot.test_count()),
      layout(snapshot.layout(object)),
      statistics(index.statistics()) {
  for (uint32_t i = 0; i < events.size(); ++i) {
    Row& row = rules.emplace_back();
    row.owner = i / 50;
    row.events = events[i];
    row.formula = &index.formula(i);
    row.code = static_cast<uint32_t>(words.size());
    match::append_residual(*row.formula, {}, {row.formula->root()}, words);
  }
}

HandmadeIndex::HandmadeIndex(const HandmadeRules& rules, bool owned,
                             const std::function<double(const HandmadeIndex&)>& seconds_of)
    : rules_(&rules), owned_(owned) {
  double best = 1e9;
  for (size_t sets : {12, 24, 48, 96, 192}) {
    HandmadeIndex candidate(rules, owned, sets);
    double seconds = std::min(seconds_of(candidate), seconds_of(candidate));
    if (seconds >= best) continue;
    best = seconds;
    *this = std::move(candidate);
  }
}

HandmadeIndex::HandmadeIndex(const HandmadeRules& rules, bool owned, size_t sets_max)
    : rules_(&rules), owned_(owned), words_(1) {
  MeasuredShares shares(rules);
  struct Planned {
    uint32_t rule;
    Term term;
    std::vector<std::pair<double, uint32_t>> equalities;  // the rarest first
    bool several;
  };
  size_t fields_max = owned ? 2 : 3;  // beside the owner
  std::vector<Planned> planned;
  std::map<std::vector<uint8_t>, size_t> wanted;
  for (uint32_t i = 0; i < rules.rules.size(); ++i) {
    const Formula& formula = *rules.rules[i].formula;
    match::Rule rule{i, rules.rules[i].events, formula};
    std::vector<Term> terms = match::terms_of(rule, shares);
    for (Term& term : terms) {
      Planned row{i, std::move(term), {}, terms.size() > 1};
      for (uint32_t atom : row.term.atoms) {
        if (match::is_equality(formula.atoms[atom]))
          row.equalities.emplace_back(shares.of(formula, formula.atoms[atom]), atom);
      }
      std::sort(row.equalities.begin(), row.equalities.end());
      for (size_t size = 1; size <= std::min(fields_max, row.equalities.size()); ++size) {
        std::vector<uint8_t> slots;
        for (size_t n = 0; n < size; ++n)
          slots.push_back(formula.atoms[row.equalities[n].second].slot);
        std::sort(slots.begin(), slots.end());
        ++wanted[slots];
      }
      planned.push_back(std::move(row));
    }
  }
  // Every single field may be needed; the commonest sets of two and three are kept beside them.
  std::vector<std::pair<size_t, std::vector<uint8_t>>> order;
  for (const auto& [slots, count] : wanted) order.emplace_back(count, slots);
  std::sort(order.rbegin(), order.rend());
  std::map<std::vector<uint8_t>, uint8_t> numbers;
  auto keep = [&](const std::vector<uint8_t>& slots) {
    numbers[slots] = static_cast<uint8_t>(sets_.size());
    Set& set = sets_.emplace_back();
    for (uint8_t slot : slots) set.slots[set.size++] = slot;
  };
  for (const auto& [count, slots] : order) {
    if (slots.size() == 1) keep(slots);
  }
  for (const auto& [count, slots] : order) {
    if (slots.size() > 1 && sets_.size() < sets_max) keep(slots);
  }
  struct Filed {
    uint64_t hash;
    Entry entry;
    uint32_t planned;
    std::vector<uint32_t> answered;
  };
  std::vector<Filed> filed;
  for (uint32_t p = 0; p < planned.size(); ++p) {
    const Planned& row = planned[p];
    const Formula& formula = *rules.rules[row.rule].formula;
    Entry entry{row.rule, 0, rules.rules[row.rule].events, row.several};
    // The rarest of the kept sets that the term has.
    double best = 2;
    std::vector<uint32_t> best_atoms;
    std::vector<uint8_t> best_slots;
    size_t most = std::min<size_t>(5, row.equalities.size());
    for (uint32_t bits = 1; bits < 1u << most; ++bits) {
      std::vector<std::pair<uint8_t, uint32_t>> chosen;
      double share = 1;
      for (size_t n = 0; n < most; ++n) {
        if ((bits >> n & 1) == 0) continue;
        chosen.emplace_back(formula.atoms[row.equalities[n].second].slot, row.equalities[n].second);
        share *= row.equalities[n].first;
      }
      if (chosen.size() > fields_max || share >= best) continue;
      std::sort(chosen.begin(), chosen.end());
      std::vector<uint8_t> slots;
      for (const auto& [slot, atom] : chosen) slots.push_back(slot);
      if (numbers.count(slots) == 0) continue;
      best = share;
      best_slots = slots;
      best_atoms.clear();
      for (const auto& [slot, atom] : chosen) best_atoms.push_back(atom);
    }
    if (best_atoms.empty()) {
      if (owned) {  // by the owner alone
        best_slots = {};
        if (numbers.count(best_slots) == 0) keep(best_slots);
      } else {
        entry.code = static_cast<uint32_t>(words_.size());
        if (!match::append_residual(formula, row.term.atoms, row.term.nodes, words_) ||
            entry.code == words_.size())
          entry.code = 0;
        always_.push_back(entry);
        continue;
      }
    }
    uint8_t set = numbers[best_slots];
    std::array<uint32_t, match::kSlotsMax> keys{};
    auto file = [&](auto&& self, size_t at) -> void {
      if (at == best_atoms.size()) {
        filed.push_back(
            {hash(set, rules.rules[row.rule].owner, keys.data()), entry, p, best_atoms});
        return;
      }
      const Atom& atom = formula.atoms[best_atoms[at]];
      for (match::Key key : keys_of(formula, atom)) {
        keys[atom.slot] = match::short_key(key);
        self(self, at + 1);
      }
    };
    file(file, 0);
  }
  std::sort(filed.begin(), filed.end(), [](const Filed& a, const Filed& b) {
    return std::tie(a.hash, a.entry.rule) < std::tie(b.hash, b.entry.rule);
  });
  size_t size = 4;
  while (size < 2 * filed.size()) size *= 2;
  places_.resize(size);
  mask_ = size - 1;
  for (size_t begin = 0, end = 0; begin < filed.size(); begin = end) {
    while (end < filed.size() && filed[end].hash == filed[begin].hash) ++end;
    uint64_t at = filed[begin].hash & mask_;
    while (places_[at].count != 0) at = (at + 1) & mask_;
    places_[at] = {filed[begin].hash, static_cast<uint32_t>(entries_.size()),
                   static_cast<uint32_t>(end - begin)};
    for (size_t i = begin; i < end; ++i) {
      const Planned& row = planned[filed[i].planned];
      const Formula& formula = *rules.rules[row.rule].formula;
      std::vector<uint32_t> atoms;
      for (uint32_t atom : row.term.atoms) {
        const std::vector<uint32_t>& answered = filed[i].answered;
        if (std::find(answered.begin(), answered.end(), atom) == answered.end())
          atoms.push_back(atom);
      }
      filed[i].entry.code = static_cast<uint32_t>(words_.size());
      match::append_residual(formula, atoms, row.term.nodes, words_);
      if (filed[i].entry.code == words_.size()) filed[i].entry.code = 0;
      entries_.push_back(filed[i].entry);
    }
  }
}

uint64_t HandmadeIndex::hash(size_t set, uint32_t owner, const uint32_t* keys) const {
  const Set& row = sets_[set];
  uint64_t low = row.size > 0 ? keys[row.slots[0]] : 0;
  if (row.size > 1) low |= uint64_t{keys[row.slots[1]]} << 32;
  uint64_t high = row.size > 2 ? keys[row.slots[2]] : owned_ ? owner : 0;
  return match::mixed(low, high << 8 | set);
}

void HandmadeIndex::match(match::EventImage& image, uint32_t owner,
                          std::vector<uint32_t>& out) const {
  out.clear();
  image.seal(rules_->test_count);
  const uint32_t* keys = image.short_keys();
  const uint8_t change = image.change();
  std::array<uint64_t, 256> hashes;  // NOLINT: written before it is read
  for (size_t set = 0; set < sets_.size(); ++set) {
    hashes[set] = hash(set, owner, keys);
    __builtin_prefetch(&places_[hashes[set] & mask_]);
  }
  auto take = [&](const Entry& entry) {
    if ((entry.events & change) == 0) return;
    if (entry.code != 0 && !match::accepts(words_.data() + entry.code, image, rules_->tests))
      return;
    if (entry.several && std::find(out.begin(), out.end(), entry.rule) != out.end()) return;
    out.push_back(entry.rule);
  };
  for (size_t set = 0; set < sets_.size(); ++set) {
    for (uint64_t at = hashes[set] & mask_; places_[at].count != 0; at = (at + 1) & mask_) {
      if (places_[at].hash != hashes[set]) continue;
      for (uint32_t i = 0; i < places_[at].count; ++i) take(entries_[places_[at].begin + i]);
      break;
    }
  }
  for (const Entry& entry : always_) take(entry);
}

}  // namespace ensue::bench
