// What a store holds, as one text to compare, and what must hold of it in every state.
#pragma once

#include <string>
#include <vector>

#include "ensue/store.h"
#include "support/simulation/simulated_vfs.h"

namespace ensue::testing {

struct StoreState {
  uint64_t cursor = 0;  // lines read of the source
  // Where lines are worked on one by one, because processes ended at work on their batch: the one
  // at work; all before it are done. 0: batches are worked on whole.
  uint64_t alone = 0;
  int64_t lines = 0;  // totals that redelivered lines raise; not part of `text`
  int64_t duplicates = 0;
  std::vector<IntentRow> intents;
  std::string text;     // everything else that a Store tells
  std::string beneath;  // what only the tables tell: keys of events, charges, bursts
};

inline constexpr const char* kSource = "crm";

// What is kept with the batch that ends at a line.
CursorRow cursor_at(uint64_t line);

// Without `beneath`. Fails with the store's error.
Result<StoreState> state_of(Store& store);

// Looks at the tables of the file `path` beside its owner: fills `beneath`, and adds to
// `violations` what is broken. Integrity, references, counters against charges, one run for each
// rule, event and record.
void look_beneath(const SimulatedVfs& vfs, const std::string& path, StoreState& state,
                  std::vector<std::string>& violations);

// The first line where two texts differ; empty when they are the same.
std::string first_difference(const std::string& found, const std::string& expected);

}  // namespace ensue::testing
