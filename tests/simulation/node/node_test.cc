// A node as it lives: three local days with a midnight and often a change of the clocks, lines that
// come twice, late or broken, clocks that are set wrong, sinks that fail, and engines that die.
//
// ENSUE_SIM_SECONDS bounds how many seeds are tried.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/simulation/budget.h"
#include "support/simulation/node_run.h"

namespace ensue::testing {
namespace {

// Faults now and then. No step is struck more than three times: a line at work at five deaths would
// be parked, as it should be, and the end another one.
void strike_at_random(NodeRun& run, uint64_t seed) {
  struct State {
    Random random;
    uint64_t step = 0;
    int strikes = 0;
  };
  auto state = std::make_shared<State>(State{Random(seed), 0, 0});
  run.points.choose = [state, &run](FailPoint) {
    if (state->step != run.step_number()) *state = {state->random, run.step_number(), 0};
    size_t drawn = state->random.below(6000);
    if (drawn < 3) return FaultAction::kDuplicate;
    if (drawn >= 16 || state->strikes == 3) return FaultAction::kNone;
    ++state->strikes;
    return drawn < 10 ? FaultAction::kDie : drawn < 14 ? FaultAction::kIoError : FaultAction::kFull;
  };
}

struct Tally {
  uint64_t seeds = 0;
  uint64_t compared = 0;  // with a run without faults
  uint64_t in_file = 0;
  uint64_t commits = 0;
  uint64_t charges = 0;
  uint64_t violations = 0;
  NodeFigures figures;

  void add(const NodeRun& run) {
    commits += run.witness.commits;
    charges += run.witness.charges;
    violations += run.witness.violation_count();
    figures.starts += run.figures.starts;
    figures.deaths += run.figures.deaths;
    figures.errors += run.figures.errors;
    figures.deliveries += run.figures.deliveries;
    figures.decisions += run.figures.decisions;
    figures.calls += run.figures.calls;
    figures.parked += run.figures.parked;
  }
  std::string text() const {
    return fmt::format(
        "{} seeds from ENSUE_SEED={} ({} in a file, {} compared with a run without faults): {} "
        "starts, {} deaths, {} errors, {} redeliveries, {} commits, {} decisions, {} charges, {} "
        "calls, {} parked; {} violations",
        seeds, test_seed(), in_file, compared, figures.starts, figures.deaths, figures.errors,
        figures.deliveries, commits, figures.decisions, charges, figures.calls, figures.parked,
        violations);
  }
};

void check(const NodeRun& run, Tally& tally) {
  tally.add(run);
  for (const std::string& words : run.witness.first_violations) UNSCOPED_INFO(words);
  CHECK(run.witness.violation_count() == 0);
}

NodeScenario any_scenario(Random& random) {
  bool host_clock = random.chance(50);
  NodeSize size{static_cast<size_t>(random.between(30, 120)), 3, host_clock && random.chance(60),
                10};
  auto sink_class = static_cast<SinkClass>(random.below(3));
  NodeScenario out = node_scenario(random.fork(), size, host_clock, sink_class);
  out.in_file = random.chance(8);
  return out;
}

void live(uint64_t seed, Tally& tally) {
  Random random(seed);
  NodeScenario scenario = any_scenario(random);
  uint64_t faults = random.fork();
  if (std::getenv("ENSUE_SHOW") != nullptr) {
    for (const std::string& line : scenario.lines) say(line);
  }
  INFO("ENSUE_SEED=" << seed << " as the first seed: " << scenario.text);
  NodeRun run(scenario);
  strike_at_random(run, faults);
  run.run();
  ++tally.seeds;
  tally.in_file += scenario.in_file ? 1 : 0;
  check(run, tally);

  // The same seed is the same life. A part of the seeds, for it doubles the time.
  if (random.chance(25)) {
    NodeRun again(scenario);
    strike_at_random(again, faults);
    again.run();
    CHECK(again.trace_hash == run.trace_hash);
  }
  // What a clock of the host shows at a commit hangs on how often it was tried.
  if (!scenario.host_clock) {
    NodeRun untouched(scenario);
    untouched.run();
    CHECK(untouched.figures.deaths == 0);
    CHECK(untouched.end_state() == run.end_state());
    ++tally.compared;
  }
}

}  // namespace

TEST_CASE("three days of a node: nothing lost, nothing twice, no limit passed") {
  Budget budget(20);
  Tally tally;
  do {
    live(test_seed() + tally.seeds, tally);
  } while (budget.left() && tally.violations == 0);
  say("node: " + tally.text());
  CHECK(tally.figures.deaths > 0);
  CHECK(tally.figures.errors > 0);
}

TEST_CASE("lives in which something was found once") {
  Tally tally;
  // A record that could not be read was told as gone, so a reminder about it was not run. And one
  // that is deleted and comes back in one batch lost its reminder, which was no fault. And users
  // that could not be read again after a commit that failed were missing from then on.
  for (uint64_t seed : {9000521, 9004577, 9013279}) live(seed, tally);
  say("found once: " + tally.text());
}

TEST_CASE("a year ends the same with three streaks of bad luck and with none") {
  Random random(test_seed());
  NodeSize size{1000 * static_cast<size_t>(test_effort()), 365, false, 10};
  NodeScenario scenario = node_scenario(random.fork(), size, false, SinkClass::kKeyed);
  INFO("ENSUE_SEED=" << test_seed() << ": " << scenario.text);
  NodeRun untouched(scenario);
  untouched.run();
  Tally tally;
  check(untouched, tally);
  for (int i = 0; i < 3; ++i) {
    NodeRun run(scenario);
    strike_at_random(run, random.fork());
    run.run();
    check(run, tally);
    CHECK(run.end_state() == untouched.end_state());
    ++tally.seeds;
    ++tally.compared;
  }
  say("a year: " + tally.text());
}

}  // namespace ensue::testing
