// One scenario through the real engine on a simulated disk: run, cut short, opened again, checked,
// and brought to its end.
//
// Crash images are taken from a run that goes on: the process that would have died leaves nothing
// but its disk, so a copy of that disk, with what was not synced decided by seed, is the crash.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sqlite_store.h"
#include "engine/runtime.h"
#include "support/simulation/scenario.h"
#include "support/simulation/store_state.h"
#include "support/sinks.h"

namespace ensue::testing {

// What was done, for the last line of a test.
struct Figures {
  uint64_t seeds = 0;
  uint64_t crash_points = 0;
  uint64_t recovery_crashes = 0;  // of them, while a store was being recovered from another one
  uint64_t full_disk_runs = 0;
  uint64_t io_error_runs = 0;
  uint64_t faults_told = 0;  // runs in which the engine returned the fault as an error
  uint64_t violations = 0;
  std::vector<std::string> first_violations;

  void add(const std::vector<std::string>& found, const std::string& where);
  std::string text() const;
};

struct CrashOptions {
  adapters::StoreSync sync = adapters::StoreSync::kFull;
  bool sync_lies = false;
  size_t crash_points_max = 100;  // of one seed, not counting those while recovering
};

class CrashRun {
 public:
  // Computes what every prefix of the stream comes to: on a sound disk, a line a commit, and the
  // same on the store in memory. Differences of the two are violations.
  CrashRun(const Scenario& scenario, const CrashOptions& options, Figures& figures);

  // Crashes at a sample of the calls, and checks each.
  void crash();
  // One run that meets one fault, of space or of input and output.
  void meet_fault(DiskFault::Kind kind);

 private:
  // How far the sender of the lines is. The totals count lines that were sent again, too.
  struct Position {
    uint64_t line = 0;    // all up to it are done
    uint64_t cursor = 0;  // behind it where lines are worked on one by one
    int64_t lines = 0;
    int64_t duplicates = 0;
    bool operator==(const Position&) const = default;
  };
  struct Sent {
    Position acknowledged;
    Position in_flight;  // what the batch at work makes of it; the same when there is none
    // Lines before it that come again are passed over: the engine knows that they are done.
    uint64_t alone = 0;
  };
  struct Image {
    std::unique_ptr<SimulatedDisk> disk;
    RecordingService service;  // what the world outside has seen
    Sent sent;
    std::string how;
    int depth = 0;
  };
  class Process;

  using Violations = std::vector<std::string>;

  DiskOptions logged_disk() const;
  // Sends what is not acknowledged; the first batch begins with `again` lines sent before.
  Status send(Process& process, Sent& sent, size_t batch, uint64_t again, Random& random) const;
  Status whole_run(SimulatedDisk& disk, RecordingService& service, Sent& sent) const;
  // Compares a started process with what was sent, and sets `sent` to what it holds.
  void check(Process& process, Sent& sent, Violations& violations) const;
  void check_end(Process& process, Sent& sent, Violations& violations) const;
  void check_deliveries(Process& process, Violations& violations) const;
  // Opens, checks and finishes an image; crashes once more on the way now and then.
  void recover(Image image);
  Image image_of(const SimulatedDisk& disk, const RecordingService& service, const Sent& sent,
                 uint64_t call, int depth, Random& random) const;
  // Brings a run with a fault to its end.
  Violations outlive(SimulatedDisk& disk, RecordingService& service, Sent& sent,
                     const DiskFault& fault, Random& random, bool& told) const;

  const Scenario& scenario_;
  CrashOptions options_;
  Figures& figures_;
  Random random_;
  std::vector<StoreState> expected_;  // by lines read
  bool sound_ = false;
  // Of a run that nothing troubles.
  std::vector<DiskCall> calls_;
  uint64_t log_hash_ = 0;
};

}  // namespace ensue::testing
