#include "schedule/schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "value/time_text.h"

namespace ensue::schedule {
namespace {

// Nominal dates lie at most this many days before the local date of their instant: a zone that
// moves across the date line leaves out one day, and an instant of a skipped day falls into the
// next.
constexpr int32_t kLateDaysMax = 2;

// The Monday that weeks are counted from.
constexpr int64_t kFirstMonday = -3;  // 1969-12-29

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

bool in_range(int64_t days) { return value::kDateMin.days <= days && days <= value::kDateMax.days; }

int64_t month_of(Date date) {
  value::CivilDate civil = value::civil(date);
  return (civil.year - 1970) * int64_t{12} + civil.month - 1;
}

std::optional<Date> first_of_month(int64_t month) {
  int64_t year = 1970 + floor_div(month, 12);
  if (year < 1 || year > 9999) return std::nullopt;
  return value::date_of(
      {static_cast<int32_t>(year), static_cast<int32_t>(month - floor_div(month, 12) * 12) + 1, 1});
}

// The dates of a rule, one after the other: the first at or after `from`.
struct NextDate {
  Date from;

  std::optional<Date> operator()(const Weekly& rule) const {
    for (int64_t day = from.days; day < from.days + int64_t{7}; ++day) {
      if (!in_range(day)) return std::nullopt;
      Date date{static_cast<int32_t>(day)};
      if ((rule.weekdays >> value::weekday_of(date) & 1) != 0) return date;
    }
    return std::nullopt;
  }

  std::optional<Date> operator()(const Monthly& rule) const {
    for (int64_t month = month_of(from); month <= month_of(from) + 1; ++month) {
      std::optional<Date> first = first_of_month(month);
      if (!first) return std::nullopt;
      value::CivilDate civil = value::civil(*first);
      std::optional<Date> found;
      for (int32_t day : rule.days) {
        Date date{first->days + std::min(day, value::days_in_month(civil.year, civil.month)) - 1};
        if (date >= from && (!found || date < *found)) found = date;
      }
      if (found) return found;
    }
    return std::nullopt;
  }

  std::optional<Date> operator()(const Elapsed&) const {
    return in_range(from.days) ? std::optional(from) : std::nullopt;
  }

  std::optional<Date> operator()(const Periodic& rule) const {
    if (rule.unit == DurationUnit::kDay || rule.unit == DurationUnit::kWeek) {
      bool weeks = rule.unit == DurationUnit::kWeek;
      int64_t length = rule.count * (weeks ? 7 : 1);
      int64_t origin = weeks ? kFirstMonday : 0;
      int64_t day = origin + ceil_div(from.days - origin, length) * length;
      return in_range(day) ? std::optional(Date{static_cast<int32_t>(day)}) : std::nullopt;
    }
    int64_t length = rule.count * (rule.unit == DurationUnit::kYear ? 12 : 1);
    int64_t month = month_of(from);
    if (first_of_month(month) != from) ++month;
    return first_of_month(ceil_div(month, length) * length);
  }

  std::optional<Date> operator()(const Once& rule) const {
    return rule.date >= from ? std::optional(rule.date) : std::nullopt;
  }
};

// The first firing of a rule on one date that comes after `after`.
struct FirstOn {
  const calendar::Zone& zone;
  Date date;
  const Firing& after;

  std::optional<Firing> operator()(const std::vector<TimeOfDay>& times) const {
    std::optional<Firing> found;
    for (TimeOfDay time : times) {
      Firing firing{zone.instant(date, time), date, time.ms};
      if (firing > after && (!found || firing < *found)) found = firing;
    }
    return found;
  }
  std::optional<Firing> operator()(const Weekly& rule) const { return (*this)(rule.times); }
  std::optional<Firing> operator()(const Monthly& rule) const { return (*this)(rule.times); }
  std::optional<Firing> operator()(const Periodic&) const { return (*this)({TimeOfDay{}}); }
  std::optional<Firing> operator()(const Once& rule) const { return (*this)({rule.time}); }

  std::optional<Firing> operator()(const Elapsed& rule) const {
    Instant begin = zone.day_start(date);
    Instant end = zone.day_start({date.days + 1});  // of a day that does not exist: its start, too
    int64_t steps = std::max<int64_t>(0, floor_div(after.at.ms - begin.ms, rule.interval_ms));
    for (;; ++steps) {
      int64_t elapsed = steps * rule.interval_ms;
      Firing firing{{begin.ms + elapsed}, date, static_cast<int32_t>(elapsed)};
      if (firing.at >= end) return std::nullopt;
      if (firing > after) return firing;
    }
  }
};

}  // namespace

const char* catch_up_name(CatchUp policy) {
  switch (policy) {
    case CatchUp::kOnce: return "once";
    case CatchUp::kAll: return "all";
    case CatchUp::kNever: return "never";
  }
  return "";
}

std::string Firing::nominal() const {
  int32_t seconds = time_ms / 1000;
  std::string out =
      fmt::format("{}T{:02}:{:02}", value::date_text(date), seconds / 3600, seconds / 60 % 60);
  if (time_ms % 60'000 != 0) out += fmt::format(":{:02}", seconds % 60);
  if (time_ms % 1000 != 0) out += fmt::format(".{:03}", time_ms % 1000);
  return out;
}

std::optional<Firing> next(const Schedule& schedule, Instant after) {
  // Behind every firing of that instant.
  return next(schedule, Firing{after, value::kDateMax, INT32_MAX});
}

std::optional<Firing> next(const Schedule& schedule, const Firing& after) {
  if (!value::in_range(after.at)) return std::nullopt;
  Date from = schedule.zone.date(after.at);
  from.days = std::max(from.days - kLateDaysMax, value::kDateMin.days);
  // Instants never go down from one nominal time to the next, so the first date that has a firing
  // after `after` has the first one.
  for (;;) {
    std::optional<Date> date = std::visit(NextDate{from}, schedule.rule);
    if (!date) return std::nullopt;
    auto found = std::visit(FirstOn{schedule.zone, *date, after}, schedule.rule);
    if (found) return value::in_range(found->at) ? found : std::nullopt;
    from.days = date->days + 1;
  }
}

Missed missed(const Schedule& schedule, Instant since, Instant until, size_t most) {
  Missed out;
  for (auto firing = next(schedule, since); firing && firing->at <= until;
       firing = next(schedule, *firing)) {
    ++out.count;
    if (schedule.catch_up == CatchUp::kOnce) out.to_run.clear();
    bool wanted = schedule.catch_up == CatchUp::kOnce ||
                  (schedule.catch_up == CatchUp::kAll && out.to_run.size() < most);
    if (wanted) out.to_run.push_back(*firing);
  }
  return out;
}

}  // namespace ensue::schedule
