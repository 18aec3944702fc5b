// Segments: the rules of one scope, frozen, found by what their conditions ask of an event.
//
// Two layouts. A small one is a block of memory: for each term the slot and the short key of its
// rarest equality in two arrays, which are compared one after the other without a branch; behind
// them the residual code. A large one files each term under the keys of one to three slots
// together, in one hash table for all sets of slots; terms without an equality stand in intervals
// sorted by where they begin, or in sorted prefixes; what is left is a list that every event looks
// at.
//
// Segments are immutable. A rule that is gone is left out by the owner of the segment.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "match/filing.h"
#include "match/residual.h"

namespace ensue::match {

// Rule numbers stand in 28 bits.
inline constexpr uint32_t kRulesMax = 1u << 28;

struct SegmentInput {
  std::span<const RulePtr> rules;
  const Layout& layout;
  const Shares& shares;
  TextTests tests;
  const std::vector<uint32_t>& texts;  // by slot: how many texts its column has
};

// How many rules a small segment holds at most.
inline constexpr size_t kSmallMax = 192;

// A small segment. O(rules).
std::shared_ptr<const std::byte[]> small_segment(const SegmentInput& input);
// Appends the numbers of rules that the event starts; a number may come more than once.
void match_small(const std::byte* segment, EventImage& image, TextTests tests,
                 std::vector<uint32_t>& out);

class LargeSegment {
 public:
  explicit LargeSegment(const SegmentInput& input);
  void match(EventImage& image, TextTests tests, std::vector<uint32_t>& out) const;

 private:
  struct SlotSet {
    std::array<uint8_t, 3> slots{};
    uint8_t size = 0;
  };
  struct Masked {
    uint8_t slot = 0;
    bool texts = false;          // has a mask for each text
    uint64_t sets = 0;           // that have the slot
    std::vector<uint64_t> with;  // by text, 0 for blank: the sets where a rule asks for it
  };
  struct Interval {
    Key low = 0;
    Key high = 0;
    Key highest = 0;  // of the part of the row that this one is the middle of
    uint64_t entry = 0;
  };
  struct Intervals {
    uint8_t slot = 0;
    std::vector<Interval> rows;  // by `low`
  };
  struct Prefix {
    std::string text;              // folded
    uint32_t parent = UINT32_MAX;  // the longest other prefix that this one begins with
    std::vector<uint64_t> entries;
  };
  struct Prefixes {
    uint8_t slot = 0;
    std::vector<Prefix> rows;  // by text
  };
  class Builder;

  uint64_t hash(size_t set, const uint32_t* keys) const;
  void match_keys(EventImage& image, TextTests tests, std::vector<uint32_t>& out) const;
  void take_posting(uint32_t place, size_t set, EventImage& image, TextTests tests,
                    std::vector<uint32_t>& out) const;
  void stab(const Intervals& in, size_t begin, size_t end, EventImage& image, TextTests tests,
            std::vector<uint32_t>& out) const;
  void match_prefixes(const Prefixes& in, EventImage& image, TextTests tests,
                      std::vector<uint32_t>& out) const;
  void take(uint64_t entry, EventImage& image, TextTests tests, std::vector<uint32_t>& out) const;

  std::vector<SlotSet> sets_;
  std::vector<Masked> masked_;
  std::vector<uint64_t> table_;  // tag in the high half, place in words_ in the low one
  uint64_t table_mask_ = 0;
  std::vector<uint64_t> words_;  // postings and residual code; 0 is nothing
  std::vector<Intervals> intervals_;
  std::vector<Prefixes> prefixes_;
  std::vector<uint64_t> listed_;
};

}  // namespace ensue::match
