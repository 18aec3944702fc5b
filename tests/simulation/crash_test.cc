// Power that fails at any call to the disk: whatever was acknowledged is there, whatever was not is
// done again, and the end is the one of a run that nothing cut short.
//
// ENSUE_SIM_SECONDS bounds the processor time of all tests here together; the seeds begin at
// ENSUE_SEED.
#include <catch2/catch.hpp>

#include "support/simulation/budget.h"
#include "support/simulation/crash_run.h"

namespace ensue::testing {
namespace {

std::string shown(const Figures& figures) {
  std::string out = "ENSUE_SEED=" + std::to_string(test_seed()) + ": " + figures.text();
  for (const std::string& violation : figures.first_violations) out += "\n" + violation;
  return out;
}

Figures faults(DiskFault::Kind kind, uint64_t stream, int budget_percent) {
  Budget budget(budget_percent);
  Random random(test_seed() + stream);
  Figures figures;
  do {
    Scenario scenario = scenario_of(random.fork());
    CrashRun run(scenario, {}, figures);
    for (int i = 0; i < 12; ++i) run.meet_fault(kind);
  } while (budget.left() && figures.violations == 0);
  return figures;
}

}  // namespace

TEST_CASE("nothing acknowledged is lost to a crash") {
  Budget budget(60);
  Random random(test_seed());
  Figures figures;
  do {
    Scenario scenario = scenario_of(random.fork());
    CrashRun(scenario, {}, figures).crash();
  } while (budget.left() && figures.violations == 0);
  say("crashes: " + figures.text());
  INFO(shown(figures));
  CHECK(figures.violations == 0);
  CHECK(figures.crash_points > 0);
  CHECK(figures.recovery_crashes > 0);
}

TEST_CASE("a full disk stops the engine and loses nothing") {
  Figures figures = faults(DiskFault::Kind::kFull, 1, 15);
  say("full disks: " + figures.text());
  INFO(shown(figures));
  CHECK(figures.violations == 0);
  CHECK(figures.faults_told > 0);
}

TEST_CASE("an I/O error stops the store until it is opened again") {
  Figures figures = faults(DiskFault::Kind::kIoError, 2, 15);
  say("I/O errors: " + figures.text());
  INFO(shown(figures));
  CHECK(figures.violations == 0);
  CHECK(figures.faults_told > 0);
}

// Negative controls: the checks above find what they look for.

TEST_CASE("a store that does not wait for the disk is caught") {
  Random random(test_seed() + 3);
  Figures figures;
  for (int i = 0; i < 3; ++i) {
    Scenario scenario = scenario_of(random.fork());
    CrashOptions options;
    options.sync = adapters::StoreSync::kNormal;
    options.crash_points_max = 30;
    CrashRun(scenario, options, figures).crash();
  }
  say("control, synchronous = NORMAL: " + figures.text());
  CHECK(figures.violations > 0);
}

TEST_CASE("a disk that lies about syncing is caught") {
  Random random(test_seed() + 4);
  Figures figures;
  for (int i = 0; i < 3; ++i) {
    Scenario scenario = scenario_of(random.fork());
    CrashOptions options;
    options.sync_lies = true;
    options.crash_points_max = 30;
    CrashRun(scenario, options, figures).crash();
  }
  say("control, a disk that lies: " + figures.text());
  CHECK(figures.violations > 0);
}

}  // namespace ensue::testing
