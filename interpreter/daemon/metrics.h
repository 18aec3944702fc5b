// What the daemon counts, as Prometheus reads it. docs/formats.md lists the names.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ensue/engine.h"

namespace ensue::daemon {

// A flow that a schedule starts.
struct ScheduleCount {
  std::string flow;
  int64_t runs = 0;
  int64_t missed = 0;
};

// What a store holds at the moment of a look.
struct StoreGauges {
  std::map<std::string, uint64_t> outbox;  // by state, the settled ones left out
  uint64_t dead_letters = 0;
  uint64_t timers = 0;
  std::optional<Instant> next_timer;
  std::vector<ScheduleCount> schedules;
};

// From any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // A batch of one kind of source (`http`, `file`, `stdin`, `timer`) was committed.
  void committed(const std::string& source, const BatchReport& report, double seconds);
  // Lines of one commit, from whichever doors.
  void batch(size_t lines);
  // A batch was refused: `full`, `busy`, `too_large`, `stopping`.
  void refused(const std::string& reason);
  void answered(int status);
  void delivered(const DeliveryReport& report);
  // `ok`, `broken` (errors in the automations), `failed` (files that cannot be read).
  void reloaded(const std::string& result);
  // Rules were put in force at `at`; or the present sources are broken and the last good ones act.
  void rules(Instant loaded_at, bool broken);
  void ready(bool ready);
  void queued(int64_t lines);
  void store(const StoreGauges& gauges);
  // The text format, version 0.0.4.
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ensue::daemon
