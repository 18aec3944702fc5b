#include "match/statistics.h"

#include <algorithm>

namespace ensue::match {
namespace {

constexpr size_t kEventsEnough = 100;
constexpr size_t kSample = 512;

uint64_t place(uint32_t column, Key key) {
  return static_cast<uint64_t>(column) << 32 | short_key(key);
}

double guessed(const Atom& atom) {
  switch (atom.kind) {
    case Atom::Kind::kIn: return 0.3;
    case Atom::Kind::kText: return 0.05;
    case Atom::Kind::kChanged: return 0.1;
    case Atom::Kind::kNew: return 0.3;
    default: return 0.5;
  }
}

}  // namespace

void Statistics::observe(const Layout& layout, const EventImage& image) {
  if (layout.object >= events_.size()) events_.resize(layout.object + 1);
  ++events_[layout.object];
  for (size_t i = 0; i < layout.slots.size(); ++i) {
    auto slot = static_cast<uint8_t>(i);
    ++counts_[place(layout.column(slot), image.key(slot))];
    std::vector<Key>& sample = sample_[layout.column(slot)];
    if (sample.size() < kSample) sample.push_back(image.key(slot));
  }
}

double Statistics::share_of_key(uint32_t column, size_t events, KeyKind kind, Key key,
                                uint32_t texts) const {
  if (events < kEventsEnough) {
    if (key == kBlankKey) return 0.3;
    return kind == KeyKind::kText ? 1.0 / (texts + 1.0) : kind == KeyKind::kBoolean ? 0.5 : 0.01;
  }
  auto found = counts_.find(place(column, key));
  double count = found == counts_.end() ? 0 : found->second;
  return (count + 0.5) / (static_cast<double>(events) + 1);
}

double Statistics::share(const Layout& layout, const Formula& formula, const Atom& atom,
                         uint32_t texts) const {
  size_t seen = events(layout.object);
  auto turned = [&](double share) { return atom.negated ? std::max(1 - share, 1e-6) : share; };
  bool keyed = atom.is_point() || atom.kind == Atom::Kind::kOneOf ||
               (atom.kind == Atom::Kind::kIn && atom.low == atom.high);
  if (!keyed && atom.kind != Atom::Kind::kIn) return turned(guessed(atom));
  uint32_t column = layout.column(atom.slot);
  KeyKind kind = layout.slots[atom.slot].kind;
  if (keyed) {
    if (atom.kind == Atom::Kind::kIn)
      return turned(share_of_key(column, seen, kind, atom.low, texts));
    double sum = 0;
    for (uint32_t i = 0; i < atom.count; ++i)
      sum += share_of_key(column, seen, kind, formula.keys[atom.first + i], texts);
    return turned(std::min(sum, 1.0));
  }
  auto found = sample_.find(column);
  if (seen < kEventsEnough || found == sample_.end()) return turned(guessed(atom));
  auto inside = std::count_if(found->second.begin(), found->second.end(),
                              [&](Key key) { return key >= atom.low && key <= atom.high; });
  return turned((static_cast<double>(inside) + 0.5) /
                (static_cast<double>(found->second.size()) + 1));
}

}  // namespace ensue::match
