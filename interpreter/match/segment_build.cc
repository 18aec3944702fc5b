// How segments are built: where each term is filed, and what remains to be asked of it there.
#include <algorithm>
#include <cstring>
#include <map>
#include <queue>
#include <tuple>
#include <unordered_map>

#include "base/fold.h"
#include "match/segment.h"

namespace ensue::match {
namespace {

// The short key of a text or a boolean tells all: it is not asked again.
bool answered_by_key(const Layout& layout, const Atom& atom) {
  KeyKind kind = layout.slots[atom.slot].kind;
  return kind == KeyKind::kText || kind == KeyKind::kBoolean;
}

// The keys an equality asks for.
std::vector<Key> keys_of(const Formula& formula, const Atom& atom) {
  if (atom.kind == Atom::Kind::kIn) return {atom.low};
  auto first = formula.keys.begin() + atom.first;
  return {first, first + atom.count};
}

// The residual of a term without the atoms that its key answers; those that tell most come first.
class Residuals {
 public:
  explicit Residuals(const SegmentInput& input) : input_(input) {}

  // Appends the code and gives its place; 0 when nothing is left to ask.
  uint32_t append(const Formula& formula, const Term& term, const std::vector<uint32_t>& answered,
                  std::vector<uint64_t>& words) const {
    std::vector<std::pair<double, uint32_t>> order;
    for (uint32_t atom : term.atoms) {
      if (std::find(answered.begin(), answered.end(), atom) != answered.end()) continue;
      bool reads = formula.atoms[atom].kind == Atom::Kind::kText;
      order.emplace_back(input_.shares.of(formula, formula.atoms[atom]) + (reads ? 1 : 0), atom);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<uint32_t> atoms;
    for (const auto& [share, atom] : order) atoms.push_back(atom);
    size_t begin = words.size();
    append_residual(formula, atoms, term.nodes, words);
    return words.size() == begin ? 0 : static_cast<uint32_t>(begin);
  }

 private:
  const SegmentInput& input_;
};

uint64_t entry_of(const Rule& rule, uint32_t code) {
  return rule.number | uint64_t{rule.events} << 28 | uint64_t{code} << 32;
}

}  // namespace

// ---- Small ------------------------------------------------------------------------------------

std::shared_ptr<const std::byte[]> small_segment(const SegmentInput& input) {
  struct Filed {
    const Rule* rule;
    Term term;
    uint32_t atom = UINT32_MAX;
    Key key = 0;
  };
  std::vector<Filed> filed;
  std::vector<Filed> listed;
  for (const RulePtr& rule : input.rules) {
    for (Term& term : terms_of(*rule, input.shares)) {
      uint32_t rarest = UINT32_MAX;
      double share = 2;
      for (uint32_t number : term.atoms) {
        const Atom& atom = rule->formula.atoms[number];
        if (!is_equality(atom)) continue;
        double of = input.shares.of(rule->formula, atom);
        if (of < share) {
          share = of;
          rarest = number;
        }
      }
      if (rarest == UINT32_MAX) {
        listed.push_back({rule.get(), std::move(term)});
        continue;
      }
      for (Key key : keys_of(rule->formula, rule->formula.atoms[rarest]))
        filed.push_back({rule.get(), term, rarest, key});
    }
  }
  // Code stands in the order in which it is come by.
  size_t entries_at = 1 + (filed.size() + 7) / 8 + (filed.size() + 1) / 2;
  std::vector<uint64_t> words(entries_at + filed.size() + listed.size());
  words[0] = filed.size() | static_cast<uint64_t>(listed.size()) << 32;
  auto* slots = reinterpret_cast<std::byte*>(words.data() + 1);
  auto* values = reinterpret_cast<std::byte*>(words.data() + 1 + (filed.size() + 7) / 8);
  for (size_t i = 0; i < filed.size(); ++i) {
    uint32_t value = short_key(filed[i].key);
    std::memcpy(slots + i, &filed[i].rule->formula.atoms[filed[i].atom].slot, 1);
    std::memcpy(values + 4 * i, &value, 4);
  }
  Residuals residuals(input);
  size_t at = entries_at;
  for (const std::vector<Filed>* rows : {&filed, &listed}) {
    for (const Filed& row : *rows) {
      std::vector<uint32_t> answered;
      bool asked = row.atom != UINT32_MAX &&
                   answered_by_key(input.layout, row.rule->formula.atoms[row.atom]);
      if (asked) answered.push_back(row.atom);
      uint32_t code = residuals.append(row.rule->formula, row.term, answered, words);
      words[at++] = entry_of(*row.rule, code);
    }
  }
  std::shared_ptr<std::byte[]> out(new std::byte[words.size() * 8]);
  std::memcpy(out.get(), words.data(), words.size() * 8);
  return out;
}

// ---- Large ------------------------------------------------------------------------------------

class LargeSegment::Builder {
 public:
  Builder(const SegmentInput& input, LargeSegment& out)
      : input_(input), out_(out), residuals_(input) {}

  void build() {
    for (const RulePtr& rule : input_.rules) {
      for (Term& term : terms_of(*rule, input_.shares)) add_term(*rule, std::move(term));
    }
    choose_sets();
    out_.words_.assign(2, 0);
    for (Planned& planned : terms_) file(planned);
    write_postings();
    write_masks();
    for (Intervals& row : out_.intervals_) finish(row);
    for (Prefixes& row : out_.prefixes_) finish(row);
  }

 private:
  // An equality of a term, with the share of events for which it holds.
  struct Equality {
    uint8_t slot = 0;
    uint32_t atom = 0;
    double share = 1;
  };
  struct Planned {
    const Rule* rule = nullptr;
    Term term;
    std::vector<Equality> equalities;  // the rarest, of slots of their own
    uint32_t other = UINT32_MAX;       // the rarest range or prefix
    double other_share = 1;
  };
  // One entry under one key.
  struct Filed {
    uint64_t hash = 0;
    std::array<uint32_t, 3> keys{};
    uint8_t set = 0;
    uint32_t term = 0;
    std::array<uint32_t, 3> atoms{};
  };
  static constexpr size_t kEqualitiesMax = 5;
  static constexpr size_t kSetsMax = 64;
  static constexpr size_t kSampled = 20'000;
  static constexpr size_t kKeysMax = 16;  // that one term is filed under
  static constexpr double kProbe = 0.4;   // what asking one more set costs, in rules looked at

  void add_term(const Rule& rule, Term term) {
    Planned out;
    out.rule = &rule;
    out.term = std::move(term);
    for (uint32_t number : out.term.atoms) {
      const Atom& atom = rule.formula.atoms[number];
      double share = input_.shares.of(rule.formula, atom);
      if (is_equality(atom)) {
        out.equalities.push_back({atom.slot, number, share});
        continue;
      }
      bool ordered =
          !atom.negated && (atom.kind == Atom::Kind::kIn ||
                            (atom.kind == Atom::Kind::kText &&
                             test_at(input_.tests, atom.text).kind == TextTest::Kind::kStartsWith));
      if (ordered && share < out.other_share) {
        out.other = number;
        out.other_share = share;
      }
    }
    auto& rows = out.equalities;
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Equality& a, const Equality& b) { return a.share < b.share; });
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t j = rows.size(); j-- > i + 1;) {
        if (rows[j].slot == rows[i].slot) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(j));
      }
    }
    if (rows.size() > kEqualitiesMax) rows.resize(kEqualitiesMax);
    terms_.push_back(std::move(out));
  }

  // Calls visit(packed set, share) for each set of up to three of a term's equalities.
  template <class Visit>
  void each_set(const Planned& term, Visit visit) const {
    const auto& rows = term.equalities;
    for (size_t i = 0; i < rows.size(); ++i) {
      offer(term, {i}, visit);
      for (size_t j = i + 1; j < rows.size(); ++j) {
        offer(term, {i, j}, visit);
        for (size_t k = j + 1; k < rows.size(); ++k) offer(term, {i, j, k}, visit);
      }
    }
  }
  template <class Visit>
  void offer(const Planned& term, std::initializer_list<size_t> which, Visit visit) const {
    std::array<uint8_t, 3> slots{255, 255, 255};
    double share = 1;
    size_t keys = 1;
    size_t count = 0;
    for (size_t i : which) {
      const Equality& row = term.equalities[i];
      const Atom& atom = term.rule->formula.atoms[row.atom];
      keys *= atom.kind == Atom::Kind::kOneOf ? atom.count : 1;
      share *= row.share;
      slots[count++] = row.slot;
    }
    if (keys > kKeysMax) return;
    std::sort(slots.begin(), slots.end());
    visit(uint32_t{slots[0]} | uint32_t{slots[1]} << 8 | uint32_t{slots[2]} << 16, share);
  }

  // Greedily: again and again the set that saves most, as long as it saves more than it costs every
  // event. What a set saves only falls as others are taken, so that what was computed before is a
  // bound.
  void choose_sets() {
    if (terms_.empty()) return;
    size_t stride = std::max<size_t>(1, terms_.size() / kSampled);
    std::unordered_map<uint32_t, std::vector<std::pair<uint32_t, double>>> offers;
    std::vector<double> cost;
    for (size_t i = 0; i < terms_.size(); i += stride) {
      auto sampled = static_cast<uint32_t>(cost.size());
      cost.push_back(terms_[i].other_share);
      each_set(terms_[i],
               [&](uint32_t set, double share) { offers[set].emplace_back(sampled, share); });
    }
    auto weight = static_cast<double>(stride);
    auto saves = [&](uint32_t set) {
      double sum = 0;
      for (auto [term, share] : offers[set]) sum += std::max(0.0, cost[term] - share);
      return sum * weight;
    };
    std::priority_queue<std::pair<double, uint32_t>> queue;
    for (const auto& [set, rows] : offers) queue.emplace(saves(set), set);
    while (!queue.empty() && out_.sets_.size() < kSetsMax) {
      uint32_t set = queue.top().second;
      queue.pop();
      double saved = saves(set);
      if (!queue.empty() && std::pair(saved, set) < queue.top()) {
        queue.emplace(saved, set);
        continue;
      }
      if (saved <= kProbe) break;
      numbers_[set] = static_cast<uint8_t>(out_.sets_.size());
      SlotSet& row = out_.sets_.emplace_back();
      for (int byte = 0; byte < 3; ++byte) {
        auto slot = static_cast<uint8_t>(set >> (8 * byte));
        if (slot != 255) row.slots[row.size++] = slot;
      }
      for (auto [term, share] : offers[set]) cost[term] = std::min(cost[term], share);
    }
  }

  void file(Planned& planned) {
    double best = planned.other_share;
    uint32_t best_set = UINT32_MAX;
    each_set(planned, [&](uint32_t set, double share) {
      if (numbers_.count(set) == 0) return;
      // Of equal ones the larger number of slots is not better.
      if (share < best) {
        best = share;
        best_set = set;
      }
    });
    auto number = static_cast<uint32_t>(&planned - terms_.data());
    if (best_set != UINT32_MAX) {
      file_under(planned, number, numbers_[best_set]);
    } else if (planned.other != UINT32_MAX) {
      file_in_order(planned);
    } else {
      uint32_t code = residuals_.append(planned.rule->formula, planned.term, {}, out_.words_);
      out_.listed_.push_back(entry_of(*planned.rule, code));
    }
  }

  void file_under(const Planned& planned, uint32_t number, uint8_t set_number) {
    const SlotSet& set = out_.sets_[set_number];
    const Formula& formula = planned.rule->formula;
    Filed row;
    row.set = set_number;
    row.term = number;
    row.atoms.fill(UINT32_MAX);
    for (size_t i = 0; i < set.size; ++i) {
      for (const Equality& equality : planned.equalities) {
        if (equality.slot == set.slots[i]) row.atoms[i] = equality.atom;
      }
    }
    auto add = [&](auto&& self, size_t at) -> void {
      if (at == set.size) {
        std::array<uint32_t, kSlotsMax> keys;  // NOLINT: only the set's slots are read
        for (size_t i = 0; i < set.size; ++i) keys[set.slots[i]] = row.keys[i];
        row.hash = out_.hash(set_number, keys.data());
        filed_.push_back(row);
        return;
      }
      for (Key key : keys_of(formula, formula.atoms[row.atoms[at]])) {
        row.keys[at] = short_key(key);
        note_key(set_number, set.slots[at], key);
        self(self, at + 1);
      }
    };
    add(add, 0);
  }

  void note_key(uint8_t set, uint8_t slot, Key key) {
    if (input_.layout.slots[slot].kind != KeyKind::kText) return;
    std::vector<uint64_t>& with = with_[slot];
    size_t at = key == kBlankKey ? 0 : static_cast<size_t>(key);
    if (with.empty()) with.resize(input_.texts[slot] + size_t{1});
    with[at] |= uint64_t{1} << set;
  }

  void write_masks() {
    std::map<uint8_t, uint64_t> sets;
    for (size_t i = 0; i < out_.sets_.size(); ++i) {
      const SlotSet& set = out_.sets_[i];
      for (size_t n = 0; n < set.size; ++n) sets[set.slots[n]] |= uint64_t{1} << i;
    }
    for (const auto& [slot, bits] : sets) {
      bool texts = input_.layout.slots[slot].kind == KeyKind::kText;
      std::vector<uint64_t>& with = with_[slot];
      if (texts && with.empty()) with.resize(1);
      out_.masked_.push_back({slot, texts, bits, std::move(with)});
    }
  }

  // The entries of one key stand together, and their code behind them.
  void write_postings() {
    std::sort(filed_.begin(), filed_.end(), [&](const Filed& a, const Filed& b) {
      return std::tie(a.hash, a.set, a.keys, a.term) < std::tie(b.hash, b.set, b.keys, b.term);
    });
    auto same = [](const Filed& a, const Filed& b) { return a.set == b.set && a.keys == b.keys; };
    size_t keys = 0;
    for (size_t i = 0; i < filed_.size(); ++i)
      keys += i == 0 || !same(filed_[i], filed_[i - 1]) ? 1 : 0;
    size_t size = 4;
    while (size < 2 * keys) size *= 2;
    out_.table_.assign(size, 0);
    out_.table_mask_ = size - 1;
    std::vector<uint64_t>& words = out_.words_;
    for (size_t begin = 0, end = 0; begin < filed_.size(); begin = end) {
      while (end < filed_.size() && same(filed_[begin], filed_[end])) ++end;
      const Filed& first = filed_[begin];
      size_t place = words.size();
      words.push_back((end - begin) | uint64_t{first.set} << 24 | uint64_t{first.keys[0]} << 32);
      words.push_back(first.keys[1] | uint64_t{first.keys[2]} << 32);
      words.resize(words.size() + 2 * (end - begin));
      for (size_t i = begin; i < end; ++i) {
        const Planned& planned = terms_[filed_[i].term];
        const Formula& formula = planned.rule->formula;
        std::vector<uint32_t> answered;
        for (uint32_t atom : filed_[i].atoms) {
          if (atom != UINT32_MAX && answered_by_key(input_.layout, formula.atoms[atom]))
            answered.push_back(atom);
        }
        size_t at = place + 2 + 2 * (i - begin);
        words[at + 1] = uint64_t{kZeroSlot} << 32;
        if (uint32_t next = next_equality(planned, filed_[i]); next != UINT32_MAX) {
          const Atom& atom = formula.atoms[next];
          words[at + 1] = short_key(atom.low) | uint64_t{atom.slot} << 32;
          answered.push_back(next);
        }
        uint32_t code = residuals_.append(formula, planned.term, answered, words);
        words[at] = entry_of(*planned.rule, code);
      }
      uint64_t at = first.hash & out_.table_mask_;
      while (out_.table_[at] != 0) at = (at + 1) & out_.table_mask_;
      out_.table_[at] = (first.hash >> 32 << 32) | place;
    }
    words.shrink_to_fit();
  }

  // The rarest equality beside those of the key that a short key answers.
  uint32_t next_equality(const Planned& planned, const Filed& filed) const {
    const Formula& formula = planned.rule->formula;
    uint32_t out = UINT32_MAX;
    double share = 2;
    for (uint32_t number : planned.term.atoms) {
      const Atom& atom = formula.atoms[number];
      bool fits = atom.is_point() && answered_by_key(input_.layout, atom) &&
                  std::find(filed.atoms.begin(), filed.atoms.end(), number) == filed.atoms.end();
      if (!fits) continue;
      double of = input_.shares.of(formula, atom);
      if (of >= share) continue;
      share = of;
      out = number;
    }
    return out;
  }

  void file_in_order(const Planned& planned) {
    const Formula& formula = planned.rule->formula;
    const Atom& atom = formula.atoms[planned.other];
    bool range = atom.kind == Atom::Kind::kIn;
    std::vector<uint32_t> answered;
    if (range || !test_at(input_.tests, atom.text).exactly) answered.push_back(planned.other);
    uint32_t code = residuals_.append(formula, planned.term, answered, out_.words_);
    uint64_t entry = entry_of(*planned.rule, code);
    if (range) {
      row_of(out_.intervals_, atom.slot).rows.push_back({atom.low, atom.high, 0, entry});
      return;
    }
    Prefix prefix;
    prefix.text = base::fold_case(test_at(input_.tests, atom.text).text);
    prefix.entries.push_back(entry);
    row_of(out_.prefixes_, atom.slot).rows.push_back(std::move(prefix));
  }
  template <class Row>
  static Row& row_of(std::vector<Row>& rows, uint8_t slot) {
    for (Row& row : rows) {
      if (row.slot == slot) return row;
    }
    rows.emplace_back().slot = slot;
    return rows.back();
  }

  static Key set_highest(std::vector<Interval>& rows, size_t begin, size_t end) {
    if (begin == end) return kBlankKey;
    size_t middle = begin + (end - begin) / 2;
    Key below = set_highest(rows, begin, middle);
    Key above = set_highest(rows, middle + 1, end);
    rows[middle].highest = std::max({rows[middle].high, below, above});
    return rows[middle].highest;
  }
  static void finish(Intervals& in) {
    std::stable_sort(in.rows.begin(), in.rows.end(),
                     [](const Interval& a, const Interval& b) { return a.low < b.low; });
    set_highest(in.rows, 0, in.rows.size());
  }
  static void finish(Prefixes& in) {
    std::stable_sort(in.rows.begin(), in.rows.end(),
                     [](const Prefix& a, const Prefix& b) { return a.text < b.text; });
    std::vector<Prefix> merged;
    for (Prefix& row : in.rows) {
      if (!merged.empty() && merged.back().text == row.text) {
        merged.back().entries.push_back(row.entries.front());
        continue;
      }
      // The longest prefix in hand is the row before, or one that it begins with.
      auto parent = static_cast<uint32_t>(merged.size() - 1);
      while (parent != UINT32_MAX && !row.text.starts_with(merged[parent].text))
        parent = merged[parent].parent;
      row.parent = parent;
      merged.push_back(std::move(row));
    }
    in.rows = std::move(merged);
  }

  const SegmentInput& input_;
  LargeSegment& out_;
  Residuals residuals_;
  std::vector<Planned> terms_;
  std::unordered_map<uint32_t, uint8_t> numbers_;  // of the sets chosen
  std::vector<Filed> filed_;
  std::array<std::vector<uint64_t>, 256> with_;
};

LargeSegment::LargeSegment(const SegmentInput& input) { Builder(input, *this).build(); }

}  // namespace ensue::match
