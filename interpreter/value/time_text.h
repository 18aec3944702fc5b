// Dates and times as text, and the calendar arithmetic that needs no time zone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ensue/value.h"

namespace ensue::value {

struct CivilDate {
  int32_t year = 1970;  // 1 to 9999
  int32_t month = 1;    // 1 to 12
  int32_t day = 1;      // 1 to 31
};

inline constexpr int64_t kDayMs = 86'400'000;
// 0001-01-01 and 9999-12-31.
inline constexpr Date kDateMin{-719'162};
inline constexpr Date kDateMax{2'932'896};
inline constexpr Instant kInstantMin{kDateMin.days * kDayMs};
inline constexpr Instant kInstantMax{(kDateMax.days + 1) * kDayMs - 1};

CivilDate civil(Date date);
// Empty when there is no such day, as 2026-04-31.
std::optional<Date> date_of(CivilDate civil);
int32_t days_in_month(int32_t year, int32_t month);
// 0 is Monday, 6 is Sunday.
int32_t weekday_of(Date date);
// Clamped to the last day of the month: 31 January + 1 month is 28 February. Empty outside the
// years 1 to 9999.
std::optional<Date> add_months(Date date, int64_t months);
std::optional<Date> add_days(Date date, int64_t days);

// `2026-03-26`
std::optional<Date> parse_date(std::string_view text);
std::string date_text(Date date);

// `09:00`, `09:00:30`, `09:00:30.250`
std::optional<TimeOfDay> parse_time(std::string_view text);
std::string time_text(TimeOfDay time);

// A local date and time, or an instant when it carries an offset.
struct DateTimeText {
  Date date;
  TimeOfDay time;
  std::optional<int32_t> offset_ms;  // east of UTC

  // The instant of a date-time with an offset, or of one without taken as UTC.
  Instant instant() const;
};
// `2026-03-26T10:00`, with optional seconds and fraction, and an optional offset: `Z`, `+02:00`,
// `+0200`, `+02`. A blank is allowed in place of the `T`. Empty when the offset leads out of the
// years 1 to 9999.
std::optional<DateTimeText> parse_datetime(std::string_view text);

// `2026-01-05T14:00:00Z`, with milliseconds only when there are any. An instant outside of the
// years 1 to 9999, as a damaged store may hold, is shown as the nearest one inside.
std::string instant_text(Instant instant);
void append_instant_text(std::string& out, Instant instant);
bool in_range(Instant instant);

const char* unit_name(DurationUnit unit);
// `5 business days`, `1 hour`
std::string duration_text(const Duration& duration);

}  // namespace ensue::value
