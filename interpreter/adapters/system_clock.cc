#include "adapters/system_clock.h"

#include <chrono>

namespace ensue::adapters {

Instant SystemClock::now() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

}  // namespace ensue::adapters
