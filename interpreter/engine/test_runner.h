// Running the tests of a program.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/scenario.h"

namespace ensue::engine {

struct TestResult {
  std::string name;  // with the values of its row, for a table of cases
  std::string file;
  uint32_t line = 0;
  bool passed = false;
  std::optional<Failure> failure;
  std::string world;  // an error that is not the test's
  double seconds = 0;
};

struct TestOptions {
  std::string filter;  // only tests whose name contains it, ignoring case
  unsigned threads = 1;
  Coverage* coverage = nullptr;
  std::function<std::shared_ptr<Store>()> make_store;  // an empty one for each test
};

// Results in source order, whatever the threads did.
// The tests stand in `module`, the program's own.
std::vector<TestResult> run_tests(const ProgramPtr& program, const check::CheckedModule& module,
                                  const TestOptions& options);

// What the tests never saw, for people: tests of conditions with one outcome only, automations that
// never ran.
struct CoverageReport {
  size_t outcomes = 0;  // two for each test of a condition
  size_t outcomes_seen = 0;
  size_t automations = 0;
  size_t automations_run = 0;
  std::vector<std::string> missing;  // `leads.ensue:4:6: \`Status is "Open"\` was never false`
};
CoverageReport report_coverage(const Program& program, const Coverage& coverage);

}  // namespace ensue::engine
