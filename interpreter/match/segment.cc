#include "match/segment.h"

#include <algorithm>
#include <bit>

#include "base/fold.h"

namespace ensue::match {
namespace {

// An entry: the number in bits 0-27, ChangeBits in 28-31, the place of its code in the high half.
uint32_t number_of(uint64_t entry) { return static_cast<uint32_t>(entry) & (kRulesMax - 1); }
bool listens(uint64_t entry, uint8_t change) { return (entry >> 28 & change) != 0; }

constexpr size_t kBlock = 64;

}  // namespace

// ---- Small ------------------------------------------------------------------------------------

// Words: how many terms stand in the arrays (low half) and are listed (high half); slots, a byte
// each; short keys, half a word each; an entry for each term; code, at places counted from the
// first word.
void match_small(const std::byte* bytes, EventImage& image, TextTests tests,
                 std::vector<uint32_t>& out) {
  const auto* segment = reinterpret_cast<const uint64_t*>(bytes);
  const auto filed = static_cast<uint32_t>(segment[0]);
  const auto listed = static_cast<uint32_t>(segment[0] >> 32);
  const auto* slots = reinterpret_cast<const uint8_t*>(segment + 1);
  const uint64_t* values_at = segment + 1 + (filed + 7) / 8;
  const auto* values = reinterpret_cast<const uint32_t*>(values_at);
  const uint64_t* entries = values_at + (filed + 1) / 2;
  const uint32_t* keys = image.short_keys();
  const uint8_t change = image.change();
  auto take = [&](uint64_t entry) {
    if (!listens(entry, change)) return;
    uint64_t code = entry >> 32;
    if (code == 0 || accepts(segment + code, image, tests)) out.push_back(number_of(entry));
  };
  for (uint32_t block = 0; block < filed; block += kBlock) {
    uint32_t end = std::min<uint32_t>(filed - block, kBlock);
    uint64_t found = 0;
    for (uint32_t i = 0; i < end; ++i) {
      uint64_t same = keys[slots[block + i]] == values[block + i] ? 1 : 0;
      found |= same << i;
    }
    for (; found != 0; found &= found - 1)
      take(entries[block + static_cast<uint32_t>(std::countr_zero(found))]);
  }
  for (uint32_t i = 0; i < listed; ++i) take(entries[filed + i]);
}

// ---- Large ------------------------------------------------------------------------------------

uint64_t LargeSegment::hash(size_t set, const uint32_t* keys) const {
  const SlotSet& slots = sets_[set];
  uint64_t low = keys[slots.slots[0]];
  if (slots.size > 1) low |= uint64_t{keys[slots.slots[1]]} << 32;
  uint64_t high = set;
  if (slots.size > 2) high |= uint64_t{keys[slots.slots[2]]} << 32;
  return mixed(low, high);
}

void LargeSegment::take(uint64_t entry, EventImage& image, TextTests tests,
                        std::vector<uint32_t>& out) const {
  if (!listens(entry, image.change())) return;
  uint64_t code = entry >> 32;
  if (code == 0 || accepts(words_.data() + code, image, tests)) out.push_back(number_of(entry));
}

void LargeSegment::match_keys(EventImage& image, TextTests tests,
                              std::vector<uint32_t>& out) const {
  const uint32_t* keys = image.short_keys();
  uint64_t active = sets_.size() == 64 ? ~uint64_t{0} : (uint64_t{1} << sets_.size()) - 1;
  // A set is asked only when each of its values stands in some rule of it.
  for (const Masked& row : masked_) {
    if (!row.texts) continue;
    Key key = image.key(row.slot);
    uint64_t with = 0;
    if (key == kBlankKey) {
      with = row.with[0];
    } else if (key != kOtherText && static_cast<uint64_t>(key) < row.with.size()) {
      with = row.with[static_cast<size_t>(key)];
    }
    active &= with | ~row.sets;
  }
  std::array<uint64_t, 64> hashes;  // NOLINT: written before it is read
  std::array<uint8_t, 64> asked;    // NOLINT
  size_t count = 0;
  for (; active != 0; active &= active - 1) {
    auto set = static_cast<size_t>(std::countr_zero(active));
    hashes[count] = hash(set, keys);
    asked[count] = static_cast<uint8_t>(set);
    __builtin_prefetch(&table_[hashes[count] & table_mask_]);
    ++count;
  }
  // All with the same tag: which one it is the posting tells.
  std::array<uint32_t, 128> places;  // NOLINT
  std::array<uint8_t, 128> owners;   // NOLINT
  size_t found = 0;
  auto take_found = [&] {
    for (size_t i = 0; i < found; ++i) take_posting(places[i], owners[i], image, tests, out);
    found = 0;
  };
  for (size_t i = 0; i < count; ++i) {
    uint64_t tag = hashes[i] >> 32;
    for (uint64_t at = hashes[i] & table_mask_; table_[at] != 0; at = (at + 1) & table_mask_) {
      if (table_[at] >> 32 != tag) continue;
      if (found == places.size()) take_found();
      places[found] = static_cast<uint32_t>(table_[at]);
      owners[found] = asked[i];
      __builtin_prefetch(words_.data() + places[found]);
      ++found;
    }
  }
  take_found();
}

// A posting: how many entries (bits 0-23), the set (24-31), the first key; the other two keys; the
// entries, each with one more equality: the short key, and its slot in bits 32-39. Most entries end
// there, before their code is fetched.
void LargeSegment::take_posting(uint32_t place, size_t set_number, EventImage& image,
                                TextTests tests, std::vector<uint32_t>& out) const {
  const uint64_t* posting = words_.data() + place;
  const SlotSet& set = sets_[set_number];
  const uint32_t* keys = image.short_keys();
  auto key = [&](size_t n) { return n < set.size ? keys[set.slots[n]] : 0u; };
  bool same = (posting[0] >> 24 & 0xFF) == set_number && posting[0] >> 32 == key(0) &&
              posting[1] == (key(1) | uint64_t{key(2)} << 32);
  if (!same) return;
  auto entries = static_cast<uint32_t>(posting[0] & 0xFFFFFF);
  const uint64_t* entry = posting + 2;
  for (uint32_t n = 0; n < entries; ++n, entry += 2) {
    if (keys[entry[1] >> 32] == static_cast<uint32_t>(entry[1])) take(entry[0], image, tests, out);
  }
}

// Those of rows[begin] to rows[end - 1] that hold the key.
void LargeSegment::stab(const Intervals& in, size_t begin, size_t end, EventImage& image,
                        TextTests tests, std::vector<uint32_t>& out) const {
  Key key = image.key(in.slot);
  while (begin < end) {
    size_t middle = begin + (end - begin) / 2;
    const Interval& row = in.rows[middle];
    if (row.highest < key) return;
    if (row.low > key) {
      end = middle;
      continue;
    }
    stab(in, begin, middle, image, tests, out);
    if (row.high >= key) take(row.entry, image, tests, out);
    begin = middle + 1;
  }
}

void LargeSegment::match_prefixes(const Prefixes& in, EventImage& image, TextTests tests,
                                  std::vector<uint32_t>& out) const {
  std::string_view text = image.text(in.slot);
  if (text.empty()) return;
  std::string& folded = image.scratch();
  base::fold_case(text, folded);
  auto after = std::upper_bound(
      in.rows.begin(), in.rows.end(), folded,
      [](const std::string& value, const Prefix& row) { return value < row.text; });
  if (after == in.rows.begin()) return;
  auto at = static_cast<uint32_t>(after - in.rows.begin() - 1);
  // The prefixes of the text are the last one not above it, or what that begins with.
  std::string_view whole = folded;
  while (at != UINT32_MAX && !whole.starts_with(in.rows[at].text)) at = in.rows[at].parent;
  for (; at != UINT32_MAX; at = in.rows[at].parent) {
    for (uint64_t entry : in.rows[at].entries) take(entry, image, tests, out);
  }
}

void LargeSegment::match(EventImage& image, TextTests tests, std::vector<uint32_t>& out) const {
  if (!sets_.empty()) match_keys(image, tests, out);
  for (const Intervals& row : intervals_) {
    if (image.key(row.slot) != kBlankKey) stab(row, 0, row.rows.size(), image, tests, out);
  }
  for (const Prefixes& row : prefixes_) match_prefixes(row, image, tests, out);
  for (uint64_t entry : listed_) take(entry, image, tests, out);
}

}  // namespace ensue::match
