// What every measurement does with its figures.
#pragma once

#include <time.h>

#include <algorithm>
#include <vector>

namespace ensue::bench {

// Of this process, all its threads.
inline double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Of one figure or more.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace ensue::bench
