#include "adapters/system_clock.h"

#include <time.h>

#include <chrono>

namespace ensue::adapters {

Instant SystemClock::now() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

std::optional<int64_t> SystemClock::elapsed_ms() {
  timespec since{};
  if (::clock_gettime(CLOCK_BOOTTIME, &since) != 0) return std::nullopt;
  return int64_t{since.tv_sec} * 1000 + since.tv_nsec / 1'000'000;
}

}  // namespace ensue::adapters
