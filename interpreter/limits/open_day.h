// The day that counters are charged to (DURABILITY section 4).
//
// It never goes back: a clock set back, another zone or a second midnight cannot open a day again.
// And it does not follow a clock that jumps forward until something else agrees: a jump freezes it,
// so that a wrong clock gives nobody a new day's counters.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ensue/value.h"

namespace ensue::limits {

class OpenDay {
 public:
  using DayOf = std::function<Date(Instant)>;

  OpenDay() = default;
  explicit OpenDay(std::optional<Date> last) : last_(last) {}

  // One reading of the host's clock, and of its time since the machine started where it knows that.
  // `known`: the latest time the engine has seen; a clock more than a day ahead of it is not
  // believed. Gives a sentence for people when the day freezes with this reading.
  std::optional<std::string> watch(Instant wall, std::optional<int64_t> elapsed_ms,
                                   std::optional<Instant> known, const DayOf& day_of);
  // The time of an event from outside: when its day is the clock's, the day is free again.
  void agree(Instant event, Instant clock, const DayOf& day_of);

  // The day to charge at a time of this date: it, unless it is before the last one, or frozen.
  Date charge_on(Date today);

  std::optional<Date> last() const { return last_; }
  bool frozen() const { return frozen_; }

 private:
  struct Reading {
    Instant wall;
    int64_t elapsed_ms = 0;
  };
  std::optional<Date> last_;  // that was charged to
  std::optional<Reading> reading_;
  bool frozen_ = false;
};

}  // namespace ensue::limits
