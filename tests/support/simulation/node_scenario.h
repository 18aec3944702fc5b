// A seed, expanded: what comes from the CRM, what people do, what the clock shows, and how all of
// it is cut into steps of one node.
#pragma once

#include <string>
#include <vector>

#include "engine/program.h"
#include "ensue/sink.h"

namespace ensue::testing {

struct NodeStep {
  enum class Kind : uint8_t {
    kBatch,           // lines `begin` to `end` are submitted
    kRunReminder,     // `person` does it about `record`
    kSnoozeReminder,  // till the next day
    kIgnoreReminder,
    kSwitch,       // an action goes off, or on again
    kRetryLetter,  // the first dead letter is tried again
    kSettle,       // what is parked at the sink, by a person who has looked there
    kRestart,      // in good order
  };
  Kind kind = Kind::kBatch;
  size_t begin = 0;
  size_t end = 0;
  std::string record;
  std::string person;
  Instant clock;           // of the host, when the step begins
  int64_t elapsed_ms = 0;  // that really passed since the step before
  bool delivers = true;    // to the sink, after it
};

struct NodeScenario {
  uint64_t seed = 0;
  engine::ProgramPtr program;
  bool host_clock = false;   // else the clock of the events
  bool clock_jumps = false;  // of the host
  SinkClass sink_class = SinkClass::kKeyed;
  int sink_failures_percent = 0;  // of calls and questions
  bool in_file = false;           // SQLite; else in memory
  std::vector<std::string> lines;
  std::vector<Instant> latest;  // by line: the latest time that has come in the stream by then
  std::vector<NodeStep> steps;
  std::string text;  // the options, in one line
};

struct NodeSize {
  size_t events = 40;
  int days = 3;
  bool clock_jumps = false;  // of the host's clock, by up to a day either way
  int sink_failures_percent = 10;
};

// The same seed gives the same scenario. Programs are parsed once for the process.
NodeScenario node_scenario(uint64_t seed, const NodeSize& size, bool host_clock,
                           SinkClass sink_class);

inline constexpr const char* kNodeSource = "crm";

// Local days with something to get wrong: clock changes, days without a midnight or with two, a day
// that does not exist.
struct NodeDay {
  const char* zone;
  const char* date;  // a stretch of three days begins here
};
const std::vector<NodeDay>& node_days();
// The start of that stretch.
Instant node_begin(const NodeDay& day);

}  // namespace ensue::testing
