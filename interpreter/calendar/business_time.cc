#include "calendar/business_time.h"

#include <algorithm>
#include <cstdlib>

#include "value/time_text.h"

namespace ensue::calendar {
namespace {

// A century of days: a duration that needs more is a slip, and the loop stays bounded.
constexpr int kDaysLookedAtMax = 40'000;

int64_t open_days_in_week(const BusinessCalendar& calendar) {
  return std::count_if(calendar.week.begin(), calendar.week.end(),
                       [](const auto& hours) { return !hours.empty(); });
}

std::optional<Instant> add_days(Instant from, int64_t days, const BusinessCalendar& calendar) {
  LocalTime local = calendar.zone.local(from);
  int step = days < 0 ? -1 : 1;
  int64_t left = std::abs(days);
  Date date = local.date;
  for (int looked_at = 0; left > 0; ++looked_at) {
    if (looked_at > kDaysLookedAtMax) return std::nullopt;
    date.days += step;
    if (calendar.is_open_day(date)) --left;
  }
  return calendar.zone.instant(date, local.time);
}

struct Interval {
  int64_t begin;
  int64_t end;
};

// The open stretches of a local day as instants; a clock change makes one an hour shorter or
// longer.
std::vector<Interval> intervals(Date date, const BusinessCalendar& calendar) {
  std::vector<Interval> out;
  for (const OpenHours& hours : calendar.hours_on(date)) {
    auto at = [&](int32_t ms) {
      Date day = ms >= value::kDayMs ? Date{date.days + 1} : date;
      return calendar.zone.instant(day, TimeOfDay{static_cast<int32_t>(ms % value::kDayMs)}).ms;
    };
    out.push_back({at(hours.from_ms), at(hours.to_ms)});
  }
  return out;
}

std::optional<Instant> add_forward(Instant from, int64_t left, const BusinessCalendar& calendar) {
  Date date = calendar.zone.date(from);
  for (int looked_at = 0; looked_at < kDaysLookedAtMax; ++looked_at, ++date.days) {
    for (const Interval& open : intervals(date, calendar)) {
      int64_t begin = std::max(open.begin, from.ms);
      if (begin > open.end) continue;
      if (left <= open.end - begin) return Instant{begin + left};
      left -= open.end - begin;
    }
  }
  return std::nullopt;
}

std::optional<Instant> add_backward(Instant from, int64_t left, const BusinessCalendar& calendar) {
  Date date = calendar.zone.date(from);
  for (int looked_at = 0; looked_at < kDaysLookedAtMax; ++looked_at, --date.days) {
    std::vector<Interval> open_hours = intervals(date, calendar);
    for (auto open = open_hours.rbegin(); open != open_hours.rend(); ++open) {
      int64_t end = std::min(open->end, from.ms);
      if (end < open->begin) continue;
      if (left <= end - open->begin) return Instant{end - left};
      left -= end - open->begin;
    }
  }
  return std::nullopt;
}

}  // namespace

bool BusinessCalendar::ever_open() const { return open_days_in_week(*this) > 0; }

bool BusinessCalendar::is_open_day(Date date) const {
  return !week[static_cast<size_t>(value::weekday_of(date))].empty() &&
         !std::binary_search(holidays.begin(), holidays.end(), date);
}

std::vector<OpenHours> BusinessCalendar::hours_on(Date date) const {
  if (!is_open_day(date)) return {};
  return week[static_cast<size_t>(value::weekday_of(date))];
}

std::optional<Instant> add_business(Instant from, const Duration& duration,
                                    const BusinessCalendar& calendar) {
  if (!calendar.ever_open()) return std::nullopt;
  int64_t unit_ms = 0;
  switch (duration.unit) {
    case DurationUnit::kDay: return add_days(from, duration.amount, calendar);
    case DurationUnit::kWeek: {
      if (std::abs(duration.amount) > kDaysLookedAtMax) return std::nullopt;
      return add_days(from, duration.amount * open_days_in_week(calendar), calendar);
    }
    case DurationUnit::kHour: unit_ms = 3'600'000; break;
    case DurationUnit::kMinute: unit_ms = 60'000; break;
    case DurationUnit::kSecond: unit_ms = 1000; break;
    default: return std::nullopt;
  }
  int64_t total = 0;
  if (__builtin_mul_overflow(duration.amount, unit_ms, &total)) return std::nullopt;
  return total >= 0 ? add_forward(from, total, calendar) : add_backward(from, -total, calendar);
}

}  // namespace ensue::calendar
