#include "calendar/zone.h"

#include <date/tz.h>

#include <algorithm>
#include <limits>

#include "value/time_text.h"

namespace ensue::calendar {
namespace {

constexpr int64_t kHourMs = 3'600'000;

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

LocalTime split(int64_t local_ms) {
  int64_t days = floor_div(local_ms, value::kDayMs);
  return {Date{static_cast<int32_t>(days)},
          TimeOfDay{static_cast<int32_t>(local_ms - days * value::kDayMs)}};
}

int64_t join(Date date, TimeOfDay time) { return date.days * value::kDayMs + time.ms; }

// A stretch of time with one offset: begin <= instant < end.
struct Stretch {
  int64_t begin = std::numeric_limits<int64_t>::min();
  int64_t end = std::numeric_limits<int64_t>::max();
  int64_t offset_ms = 0;
  bool holds(int64_t ms) const { return begin <= ms && ms < end; }
};

// Instants outside the years the database is asked about keep its first and last offsets.
constexpr int64_t kAskedMin = -2'208'988'800'000;  // 1900
constexpr int64_t kAskedMax = 4'102'444'800'000;   // 2100

}  // namespace

struct Zone::Rules {
  std::string name;
  const date::time_zone* zone = nullptr;  // null for UTC

  Stretch stretch_at(int64_t ms) const {
    if (zone == nullptr) return {};
    // Keyed by the database's zone, which lives as long as the process does.
    struct Cache {
      const date::time_zone* zone = nullptr;
      Stretch stretch;
    };
    thread_local Cache cache;
    if (cache.zone == zone && cache.stretch.holds(ms)) return cache.stretch;
    int64_t asked = std::clamp(ms, kAskedMin, kAskedMax);
    date::sys_info info =
        zone->get_info(date::sys_seconds(std::chrono::seconds(floor_div(asked, 1000))));
    auto clamped = [](date::sys_seconds s) {
      constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 1000;
      int64_t seconds = s.time_since_epoch().count();
      if (seconds >= kMost) return std::numeric_limits<int64_t>::max();
      if (seconds <= -kMost) return std::numeric_limits<int64_t>::min();
      return seconds * 1000;
    };
    Stretch out{clamped(info.begin), clamped(info.end),
                std::chrono::milliseconds(info.offset).count()};
    if (ms < kAskedMin) out.begin = std::numeric_limits<int64_t>::min();
    if (ms >= kAskedMax) out.end = std::numeric_limits<int64_t>::max();
    if (ms < kAskedMin) out.end = kAskedMin;
    cache = {zone, out};
    return out;
  }

  int64_t offset_at(int64_t ms) const { return stretch_at(ms).offset_ms; }
};

Zone Zone::utc() {
  static const auto kRules = std::make_shared<const Rules>(Rules{"UTC", nullptr});
  return Zone(kRules);
}

std::optional<Zone> Zone::find(std::string_view name) {
  if (name == "UTC" || name == "Etc/UTC") return utc();
  // Such names are files beside the zones, not zones.
  if (name.empty() || name.find("..") != std::string_view::npos || name[0] == '/' ||
      name.size() > 64)
    return std::nullopt;
  try {
    const date::time_zone* zone = date::locate_zone(std::string(name));
    return Zone(std::make_shared<const Rules>(Rules{std::string(name), zone}));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::vector<std::string> zone_names() {
  std::vector<std::string> out;
  try {
    for (const auto& zone : date::get_tzdb().zones) out.push_back(zone.name());
  } catch (const std::exception&) {
    // No database on this machine: there is nothing to suggest.
  }
  return out;
}

const std::string& Zone::name() const { return rules_->name; }

LocalTime Zone::local(Instant instant) const {
  return split(instant.ms + rules_->offset_at(instant.ms));
}

Instant Zone::instant(Date date, TimeOfDay time) const {
  int64_t local_ms = join(date, time);
  // The offset before and after any change near this local time. Offsets lie within 26 hours of UTC
  // in all of history.
  int64_t early = rules_->offset_at(local_ms - 26 * kHourMs);
  int64_t late = rules_->offset_at(local_ms + 26 * kHourMs);
  // Walk the stretches that may hold it, earliest first: the first hit is the first occurrence.
  int64_t at = local_ms - std::max({early, late, int64_t{0}}) - 26 * kHourMs;
  while (true) {
    Stretch stretch = rules_->stretch_at(at);
    int64_t candidate = local_ms - stretch.offset_ms;
    if (candidate < stretch.begin) return {stretch.begin};  // in the gap before this stretch
    if (candidate < stretch.end) return {candidate};
    at = stretch.end;
  }
}

Instant Zone::day_start(Date date, TimeOfDay start) const { return instant(date, start); }

Date Zone::day_of(Instant at, TimeOfDay start) const {
  Date guess = local(at).date;
  while (day_start({guess.days + 1}, start) <= at) ++guess.days;
  while (day_start(guess, start) > at) --guess.days;
  return guess;
}

namespace {

std::optional<Instant> add_exact(Instant instant, int64_t amount, int64_t unit_ms) {
  int64_t delta = 0;
  if (__builtin_mul_overflow(amount, unit_ms, &delta)) return std::nullopt;
  Instant out;
  if (__builtin_add_overflow(instant.ms, delta, &out.ms) || !value::in_range(out))
    return std::nullopt;
  return out;
}

}  // namespace

std::optional<Date> add(Date date, const Duration& duration) {
  switch (duration.unit) {
    case DurationUnit::kDay: return value::add_days(date, duration.amount);
    case DurationUnit::kWeek: {
      if (duration.amount > 1'000'000 || duration.amount < -1'000'000) return std::nullopt;
      return value::add_days(date, duration.amount * 7);
    }
    case DurationUnit::kMonth: return value::add_months(date, duration.amount);
    case DurationUnit::kYear: {
      if (duration.amount > 10'000 || duration.amount < -10'000) return std::nullopt;
      return value::add_months(date, duration.amount * 12);
    }
    default: return std::nullopt;  // the checker asks for a datetime
  }
}

std::optional<Instant> add(Instant instant, const Duration& duration, const Zone& zone) {
  switch (duration.unit) {
    case DurationUnit::kSecond: return add_exact(instant, duration.amount, 1000);
    case DurationUnit::kMinute: return add_exact(instant, duration.amount, 60'000);
    case DurationUnit::kHour: return add_exact(instant, duration.amount, kHourMs);
    default: break;
  }
  LocalTime local = zone.local(instant);
  std::optional<Date> date = add(local.date, duration);
  if (!date) return std::nullopt;
  if (*date == local.date) return instant;
  return zone.instant(*date, local.time);
}

}  // namespace ensue::calendar
