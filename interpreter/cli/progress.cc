#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace ensue::cli {

void Progress::start(uint64_t total, uint64_t at) {
  total_ = total;
  enabled_ = total > 0 && ::isatty(STDERR_FILENO) != 0;
  last_ = {};
  update(at, 0);
}

void Progress::update(uint64_t at, uint64_t decisions) {
  if (!enabled_) return;
  auto now = std::chrono::steady_clock::now();
  constexpr auto kRedraw = std::chrono::milliseconds(100);
  if (shown_ && now - last_ < kRedraw) return;
  last_ = now;
  constexpr size_t kWidth = 40;
  double part = std::min(1.0, static_cast<double>(at) / static_cast<double>(total_));
  auto full = static_cast<size_t>(part * kWidth);
  std::string bar;
  for (size_t i = 0; i < kWidth; ++i) bar += i < full ? "█" : "░";
  fmt::print(stderr, "\r{} {:3.0f} %  {} decisions\033[K", bar, part * 100, decisions);
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (!shown_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  shown_ = false;
}

void Progress::finish() {
  clear();
  enabled_ = false;
}

}  // namespace ensue::cli
