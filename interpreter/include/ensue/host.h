// What the host lends the engine: the clock and the log. Small interfaces, so that tests hand in
// their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ensue/value.h"

namespace ensue {

// Where time comes from. The engine asks nothing else for it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
  // Milliseconds since some fixed instant, which no setting of the clock moves, counted through
  // sleep; as since the start of the machine. A clock that knows lets the engine notice jumps.
  virtual std::optional<int64_t> elapsed_ms() { return std::nullopt; }
};

enum class LogLevel : unsigned char { kDebug, kInfo, kWarning, kError };

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

}  // namespace ensue
