#include "support/simulation/budget.h"

#include <cstdio>
#include <cstdlib>

namespace ensue::testing {

Budget::Budget(int percent) : begin_(std::clock()) {
  const char* given = std::getenv("ENSUE_SIM_SECONDS");
  seconds_ = (given != nullptr ? std::strtod(given, nullptr) : 40.0) * percent / 100;
}

bool Budget::left() const {
  return static_cast<double>(std::clock() - begin_) < seconds_ * CLOCKS_PER_SEC;
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace ensue::testing
