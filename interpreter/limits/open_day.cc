#include "limits/open_day.h"

#include <fmt/format.h>

#include <algorithm>

#include "value/time_text.h"

namespace ensue::limits {
namespace {

// A clock is corrected by less than this, and jumps by more.
constexpr int64_t kStepMs = 2000;
constexpr int64_t kDayMs = 86'400'000;

}  // namespace

std::optional<std::string> OpenDay::watch(Instant wall, std::optional<int64_t> elapsed_ms,
                                          std::optional<Instant> known, const DayOf& day_of) {
  bool was = frozen_;
  int64_t jump = 0;
  if (reading_ && elapsed_ms)
    jump = (wall.ms - reading_->wall.ms) - (*elapsed_ms - reading_->elapsed_ms);
  bool first = !reading_;
  bool ahead = first && known && wall.ms - known->ms > kDayMs;
  if (elapsed_ms) reading_ = Reading{wall, *elapsed_ms};
  // Only a day that would be opened by the jump is held.
  bool opens = last_ && day_of(wall) > *last_;
  if (!opens) frozen_ = false;
  if (opens && (jump > kStepMs || ahead)) frozen_ = true;
  if (!frozen_ || was) return std::nullopt;
  std::string what = ahead ? fmt::format("more than a day ahead of {}", value::instant_text(*known))
                           : fmt::format("{} s ahead of where it was", jump / 1000);
  return fmt::format("the clock says {}, {}; limits stay with {} until an event agrees with it",
                     value::instant_text(wall), what, value::date_text(*last_));
}

void OpenDay::agree(Instant event, Instant clock, const DayOf& day_of) {
  if (frozen_ && day_of(event) == day_of(clock)) frozen_ = false;
}

Date OpenDay::charge_on(Date today) {
  if (!last_ || (today > *last_ && !frozen_)) last_ = today;
  return *last_;
}

}  // namespace ensue::limits
