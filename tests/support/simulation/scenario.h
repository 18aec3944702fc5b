// A seed, expanded: what is run, how it is cut into batches, and on which disk.
#pragma once

#include <string>
#include <vector>

#include "engine/program.h"
#include "ensue/sink.h"
#include "support/simulation/simulated_disk.h"

namespace ensue::testing {

struct ScenarioLine {
  std::string text;
  // How many duplicates the line counts for when it comes again.
  int64_t duplicates = 0;
};

struct Scenario {
  uint64_t seed = 0;
  engine::ProgramPtr program;
  std::vector<ScenarioLine> lines;
  size_t batch = 1;         // lines in a commit
  int deliver_percent = 0;  // after a batch: what was written is delivered
  SinkClass sink = SinkClass::kKeyed;
  int reopen_percent = 0;    // after a batch: the store is closed and opened again
  int checkpoint_pages = 0;  // of the WAL
  size_t recent_keys = 0;    // of events, before they are sorted among the older ones
  DiskOptions disk;
  std::string text;  // the options, in one line
};

// The same seed gives the same scenario. Programs are parsed once for the process.
Scenario scenario_of(uint64_t seed);

}  // namespace ensue::testing
