// How long the simulations go on: seconds of processor time of the whole kind of tests, shared out.
// They bound how many seeds are tried, never what a seed does; the tests say how many there were.
#pragma once

#include <ctime>
#include <string>

namespace ensue::testing {

class Budget {
 public:
  // `percent` of ENSUE_SIM_SECONDS (40 when it is not set), from now on.
  explicit Budget(int percent);
  bool left() const;

 private:
  std::clock_t begin_;
  double seconds_;
};

// One line on standard output, also when the test passes.
void say(const std::string& line);

}  // namespace ensue::testing
