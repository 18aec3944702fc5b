// The machine's clock.
#pragma once

#include "ensue/host.h"

namespace ensue::adapters {

class SystemClock final : public Clock {
 public:
  Instant now() override;
  std::optional<int64_t> elapsed_ms() override;
};

}  // namespace ensue::adapters
