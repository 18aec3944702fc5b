// Business calendars: which hours are open, and durations counted in them. Pure functions, no
// clock.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "calendar/zone.h"
#include "ensue/value.h"

namespace ensue::calendar {

// Open from `from` to `to` of a local day; `to` may be 24:00, that is 86,400,000 ms.
struct OpenHours {
  int32_t from_ms = 0;
  int32_t to_ms = 0;
};

// A declared calendar. Immutable once built.
struct BusinessCalendar {
  std::string name;
  Zone zone = Zone::utc();
  std::array<std::vector<OpenHours>, 7>
      week;                    // by weekday, Monday first; each sorted, without overlaps
  std::vector<Date> holidays;  // sorted

  // True when any day of the week has open hours. A calendar that is never open cannot count.
  bool ever_open() const;
  bool is_open_day(Date date) const;
  std::vector<OpenHours> hours_on(Date date) const;
};

// The instant `amount` business units after (or, when negative, before) `from`.
// - Days: the same local time on the amount-th open day; holidays and closed weekdays do not count.
// Weeks are five such days
//   times the amount's weeks, counted as the calendar's own open days in a week.
// - Hours, minutes, seconds: that much open time later; outside open hours nothing passes.
// - Months and years are refused by the checker.
// Empty when the calendar is never open, or when more than 40,000 days would have to be looked at.
std::optional<Instant> add_business(Instant from, const Duration& duration,
                                    const BusinessCalendar& calendar);

}  // namespace ensue::calendar
