// The ceiling of the matching benchmark: an index made by hand for its workload, without what a
// product needs (changes, snapshots, texts the events bring, order of results).
//
// Each rule is filed under one composite key of one to three fields that its condition must have
// (the owner is one of them where rules are owned), under several keys where an `or` leaves no
// other way. The fields are those with the rarest values by measured frequency, among the sets of
// fields that most rules want; how many sets there are is tried out, and the fastest is kept. An
// event asks one hash probe for each set, all prefetched, and checks what remains in byte code.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "match/predicate_index.h"

namespace ensue::bench {

// The rules as both the scan and the index made by hand see them.
struct HandmadeRules {
  struct Row {
    uint32_t owner = 0;
    uint8_t events = 0;
    uint32_t code = 0;  // all of the condition; 0: nothing
    const match::Formula* formula = nullptr;
  };
  HandmadeRules(match::PredicateIndex& index, const match::Snapshot& snapshot,
                types::ObjectId object, const std::vector<uint8_t>& events);

  std::vector<Row> rules;
  std::vector<uint64_t> words;
  match::TextTests tests;
  size_t test_count = 0;
  const match::Layout& layout;
  match::Statistics& statistics;
};

class HandmadeIndex {
 public:
  // `seconds_of` measures a candidate.
  HandmadeIndex(const HandmadeRules& rules, bool owned,
                const std::function<double(const HandmadeIndex&)>& seconds_of);

  void match(match::EventImage& image, uint32_t owner, std::vector<uint32_t>& out) const;
  size_t sets() const { return sets_.size(); }

 private:
  struct Set {
    std::array<uint8_t, 3> slots{};
    uint8_t size = 0;
  };
  struct Place {
    uint64_t hash = 0;
    uint32_t begin = 0;
    uint32_t count = 0;
  };
  struct Entry {
    uint32_t rule = 0;
    uint32_t code = 0;
    uint8_t events = 0;
    bool several = false;  // stands under several keys
  };

  HandmadeIndex(const HandmadeRules& rules, bool owned, size_t sets_max);
  uint64_t hash(size_t set, uint32_t owner, const uint32_t* keys) const;

  const HandmadeRules* rules_;
  bool owned_;
  std::vector<Set> sets_;
  std::vector<Place> places_;
  uint64_t mask_ = 0;
  std::vector<Entry> entries_;
  std::vector<Entry> always_;  // no equality to be filed under
  std::vector<uint64_t> words_;
};

}  // namespace ensue::bench
