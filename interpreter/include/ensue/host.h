// What the host lends the engine: the clock and the log. Small interfaces, so that tests hand in
// their own.
#pragma once

#include <string_view>

#include "ensue/value.h"

namespace ensue {

// Where time comes from. The engine asks nothing else for it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
};

enum class LogLevel : unsigned char { kDebug, kInfo, kWarning, kError };

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void log(LogLevel level, std::string_view message) = 0;
};

}  // namespace ensue
