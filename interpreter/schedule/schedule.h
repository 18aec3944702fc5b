// Schedules: when a flow such as `every Monday at 08:00 in "Europe/Paris"` runs. Pure functions of
// a schedule and instants; no clock.
//
// A firing has a nominal local date and time, which names it, and the instant at which it happens
// (ENGINE section 8, "Schedules"):
// - A local time that the zone skips is the first valid instant after it; one that the zone repeats
//   is its first occurrence, and never its second.
// - Two nominal times may share an instant, as 02:30 and 03:00 on the night that has no 02:30. They
//   are two firings, in the order of their nominal times.
// - A month without the 29th, 30th or 31st runs on its last day, as durations in months do; two
// days
//   that become one there are one firing.
// - `every 15 minutes` counts elapsed time from the start of the day in the zone, anew each day.
// The
//   nominal time is the time elapsed, so that the firings of a repeated hour have names of their
//   own: the last of a day of 25 hours is 24:45.
// - `every 2 days`, weeks, months and years happen at the start of a day and are counted from
//   1970-01-01 (weeks from the Monday before it), so that no start has to be remembered.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "calendar/zone.h"
#include "ensue/value.h"

namespace ensue::schedule {

// On some weekdays, at some times: `every weekday at 08:00, 16:00`.
struct Weekly {
  uint8_t weekdays = 0;  // bit 0 is Monday; at least one
  std::vector<TimeOfDay> times;
};

// On some days of every month: `every month on 1, 31 at 06:00`.
struct Monthly {
  std::vector<int32_t> days;  // 1 to 31; at least one
  std::vector<TimeOfDay> times;
};

// `every 15 minutes`: at most 24 hours.
struct Elapsed {
  int64_t interval_ms = 0;  // at least 1000
};

// `every 2 weeks`: whole days, weeks, months or years.
struct Periodic {
  int64_t count = 1;  // at least 1
  DurationUnit unit = DurationUnit::kDay;
};

// `on 2026-12-24 at 18:00`.
struct Once {
  Date date;
  TimeOfDay time;
};

// What becomes of the firings of a time in which nothing ran.
enum class CatchUp : uint8_t {
  kOnce,   // the latest of them runs, for all
  kAll,    // each of them runs, in order
  kNever,  // none runs
};
const char* catch_up_name(CatchUp policy);

struct Schedule {
  std::variant<Weekly, Monthly, Elapsed, Periodic, Once> rule;
  calendar::Zone zone = calendar::Zone::utc();
  CatchUp catch_up = CatchUp::kOnce;
};

// Ordered by instant, then by nominal time.
struct Firing {
  Instant at;
  Date date;            // nominal, in the schedule's zone
  int32_t time_ms = 0;  // nominal, since midnight; of `Elapsed` since the start of the day
  friend auto operator<=>(const Firing&, const Firing&) = default;

  // `2026-03-29T02:30`, with seconds only where there are any: what a firing is known by, together
  // with its schedule.
  std::string nominal() const;
};

// The first firing after an instant, or after another firing. Empty when there is none before the
// year 10000. Looks at a few days at most.
std::optional<Firing> next(const Schedule& schedule, Instant after);
std::optional<Firing> next(const Schedule& schedule, const Firing& after);

// The firings missed while nothing ran, and those of them that are to run.
struct Missed {
  uint64_t count = 0;          // after `since`, up to and including `until`
  std::vector<Firing> to_run;  // under the policy, in order
};
// Of `kAll` at most `most` are given, the earliest; the rest follow when asked again with the last
// one's instant as `since`, as `count` tells. Time grows with the firings counted, about a
// microsecond each.
Missed missed(const Schedule& schedule, Instant since, Instant until, size_t most);

}  // namespace ensue::schedule
