// One node at work on a scenario: a store, a sink, a clock, and engines that come and go. Faults
// come from the fail points; what must hold is watched by a witness beneath them and looked at
// again at the end.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "engine/runtime.h"
#include "support/faulty_store.h"
#include "support/files.h"
#include "support/random.h"
#include "support/simulation/node_scenario.h"
#include "support/simulation/witness_store.h"
#include "support/sinks.h"

namespace ensue::testing {

struct NodeFigures {
  uint64_t starts = 0;
  uint64_t deaths = 0;
  uint64_t errors = 0;      // told by a verb of the engine
  uint64_t deliveries = 0;  // of batches that had come before
  uint64_t decisions = 0;
  uint64_t calls = 0;  // of the sink
  uint64_t parked = 0;
};

// The host's clock; shows what the test sets.
class SimulatedClock final : public Clock {
 public:
  Instant now() override {
    latest_ = std::max(latest_, at);
    return at;
  }
  // Time that really passed; `at` may be moved without it.
  std::optional<int64_t> elapsed_ms() override { return elapsed; }
  // The latest time it has shown.
  Instant latest() const { return latest_; }
  Instant at;
  int64_t elapsed = 0;

 private:
  Instant latest_{INT64_MIN};
};

class NodeRun {
 public:
  explicit NodeRun(const NodeScenario& scenario);

  FailPoints points;
  Witness witness;
  RecordingService service;
  SimulatedClock clock;
  NodeFigures figures;
  uint64_t trace_hash = 0;
  // Of the points, in the part with faults.
  std::array<uint64_t, FailPoint::kCount> hits{};
  // Stands between the witness and the fail points: what a negative control breaks.
  std::function<std::shared_ptr<Store>(std::shared_ptr<Store>)> break_store;

  // The whole scenario, then a phase without faults until nothing is left to do, then the checks.
  void run();
  // What is left of it, as one text: all that a store tells, save for what redelivered lines and
  // repeated calls count.
  const std::string& end_state() const { return end_state_; }
  // Of the step at work, from 1.
  uint64_t step_number() const { return step_number_; }

 private:
  void open_store();
  Status start();
  void stop(bool in_good_order);
  // Repeats until it is done, through deaths and errors.
  void until_done(const std::function<Status()>& work);
  Status perform(const NodeStep& step);
  Status submit(const NodeStep& step);
  Status by_hand(const NodeStep& step);
  Status retry_letter();
  Status deliver();
  Status tell(Result<BatchReport> report);
  void trace(std::string_view text);
  SinkAnswer answer(const SinkCall& call);
  void come_to_rest();
  bool at_rest();
  void deliver_all_again();
  Status settle_parked();
  std::vector<IntentRow> intents(const char* state);
  void check_end();
  void describe_end();

  const NodeScenario& scenario_;
  Random random_;
  std::optional<TempDir> dir_;
  std::shared_ptr<Store> base_;  // beneath the witness
  std::shared_ptr<Store> store_;
  FaultySink sink_;
  std::unique_ptr<engine::Runtime> runtime_;
  std::vector<Key128> effects_;  // in the order they happened
  std::set<Key128> effected_;
  uint64_t step_number_ = 0;
  bool duplicate_wanted_ = false;
  Instant stream_before_;  // of the event clock, as the step at work began
  Instant stream_latest_;
  std::string end_state_;
};

}  // namespace ensue::testing
