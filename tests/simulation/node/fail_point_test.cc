// Every point around every verb of the store and the sink, times every way to fail there: the end
// is the one of the run in which nothing failed.
//
// ENSUE_SIM_SECONDS bounds how many streams are tried; each is tried at all its points.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "support/simulation/budget.h"
#include "support/simulation/node_run.h"

namespace ensue::testing {
namespace {

struct Plan {
  FailPoint point;
  FaultAction action = FaultAction::kNone;
  uint64_t hit = 1;           // of the point, in the whole run
  uint64_t second_after = 0;  // hits of any points behind the first fault; 0: there is no second
};

struct Tally {
  uint64_t runs = 0;
  uint64_t skipped = 0;  // the point does not lie on the way of that stream
  uint64_t deaths = 0;
  uint64_t errors = 0;
  uint64_t violations = 0;
  std::array<std::array<uint64_t, kFaultActions>, FailPoint::kCount> struck{};
};

std::string first_difference(const std::string& a, const std::string& b) {
  size_t at = 0;
  while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
  size_t begin = at == 0 ? 0 : a.rfind('\n', at - 1) + 1;
  return a.substr(begin, 300) + "\n--- instead of ---\n" + b.substr(std::min(begin, b.size()), 300);
}

void check_run(const NodeRun& run, const std::string& expected, Tally& tally) {
  tally.deaths += run.figures.deaths;
  tally.errors += run.figures.errors;
  for (const std::string& words : run.witness.first_violations) UNSCOPED_INFO(words);
  bool broken = run.witness.violation_count() != 0;
  if (!expected.empty() && run.end_state() != expected) {
    UNSCOPED_INFO(first_difference(run.end_state(), expected));
    broken = true;
  }
  if (!broken) return;
  ++tally.violations;
  CHECK_FALSE(broken);
}

void strike(const NodeScenario& scenario, const Plan& plan, const std::string& expected,
            Tally& tally) {
  NodeRun run(scenario);
  bool first = false;
  uint64_t behind = 0;
  run.points.choose = [&](FailPoint at) {
    if (first && plan.second_after != 0 && ++behind == plan.second_after) return FaultAction::kDie;
    if (first || at.index() != plan.point.index() || run.points.hits[at.index()] != plan.hit)
      return FaultAction::kNone;
    first = true;
    ++tally.struck[at.index()][static_cast<size_t>(plan.action)];
    return plan.action;
  };
  run.run();
  ++tally.runs;
  INFO(scenario.text << "\nENSUE_SEED=" << test_seed() << ": " << fault_action_name(plan.action)
                     << " at " << plan.point.name() << ", hit " << plan.hit << ", then "
                     << plan.second_after);
  CHECK(first);
  check_run(run, expected, tally);
}

void strike_all(const NodeScenario& scenario, Random& random, Tally& tally) {
  NodeRun untouched(scenario);
  untouched.run();
  {
    INFO(scenario.text << "\nENSUE_SEED=" << test_seed() << ", without faults");
    check_run(untouched, "", tally);
  }
  for (size_t index = 0; index < FailPoint::kCount; ++index) {
    for (size_t a = 1; a < kFaultActions; ++a) {
      Plan plan{FailPoint::at(index), static_cast<FaultAction>(a), 1, 0};
      bool delay = plan.action == FaultAction::kDelay;
      uint64_t hits = untouched.hits[index];
      // The clock of the events knows no delay.
      if (hits == 0 || (delay && !scenario.host_clock)) {
        ++tally.skipped;
        continue;
      }
      plan.hit = 1 + random.below(hits);
      if (plan.action == FaultAction::kDie && random.chance(30))
        plan.second_after = 1 + random.below(60);
      // What time does is another matter: then only what must hold is looked at.
      strike(scenario, plan, delay ? std::string() : untouched.end_state(), tally);
    }
  }
}

}  // namespace

TEST_CASE("whatever fails at whatever point, the end is that of a run without faults") {
  Budget budget(20);
  Random random(test_seed());
  Tally tally;
  uint64_t streams = 0;
  // Each class of sink, and both clocks.
  while (streams < 3 || (budget.left() && tally.violations == 0)) {
    auto sink_class = static_cast<SinkClass>(streams % 3);
    bool host_clock = streams % 2 != 0;
    strike_all(node_scenario(random.fork(), {24, 3, false, 20}, host_clock, sink_class), random,
               tally);
    ++streams;
  }
  size_t points = 0;
  for (size_t index = 0; index < FailPoint::kCount; ++index) {
    uint64_t struck = 0;
    for (uint64_t times : tally.struck[index]) struck += times;
    INFO(FailPoint::at(index).name());
    CHECK(struck > 0);
    points += struck > 0 ? 1 : 0;
  }
  say(
      fmt::format("fail points: {} of {} points, {} runs on {} streams from ENSUE_SEED={}, {} "
                  "deaths, {} errors, {} violations",
                  points, FailPoint::kCount, tally.runs, streams, test_seed(), tally.deaths,
                  tally.errors, tally.violations));
}

}  // namespace ensue::testing
