// A progress bar on standard error, when that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace ensue::cli {

class Progress {
 public:
  // `total` bytes to read; 0 shows nothing. `at` of them lie behind.
  void start(uint64_t total, uint64_t at);
  void update(uint64_t at, uint64_t decisions);
  void clear();  // takes the bar away, so that a line can be printed
  void finish();

 private:
  uint64_t total_ = 0;
  bool shown_ = false;
  bool enabled_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace ensue::cli
