// The daemon's log: one line an event, on standard error, for people or for machines.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ensue/host.h"

namespace ensue::daemon {

enum class LogFormat : unsigned char { kText, kJson };

// `{"source", "crm"}`: what a line tells beside its message.
using LogField = std::pair<std::string_view, std::string>;

// From any thread. A line is written at once. As a text: time, level, message, `name=value` …; as
// JSON: one object with `at`, `level`, `message` and the fields, all of them texts.
class Log final : public LogSink {
 public:
  Log(LogFormat format, LogLevel least);
  ~Log() override;

  void log(LogLevel level, std::string_view message) override { write(level, message, {}); }
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, message, fields);
  }
  LogFormat format() const;

 private:
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ensue::daemon
