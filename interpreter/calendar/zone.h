// Time zones: between instants and local dates and times, by the rules of the IANA database.
//
// Two rules of ours stand on top of the database (ENGINE section 1, DURABILITY section 4):
// - A local time that does not exist (the skipped hour) is the first instant after the gap; one
// that exists twice is its
//   first occurrence.
// - A day starts at the first instant whose local date is that day. Some zones have days without a
// midnight, days with two,
//   and days that do not exist at all; the start of a day that does not exist is the start of the
//   next one that does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ensue/value.h"

namespace ensue::calendar {

struct LocalTime {
  Date date;
  TimeOfDay time;
};

// An immutable zone; copies share it. Safe for use by several threads. Conversions take about 50
// ns, and a few ns inside the range between two clock changes that the zone looked at last on this
// thread.
class Zone {
 public:
  static Zone utc();
  // Empty when the database has no such name. Names are IANA names such as `Europe/Paris`, with
  // letter case as written there.
  static std::optional<Zone> find(std::string_view name);

  const std::string& name() const;
  LocalTime local(Instant instant) const;
  Date date(Instant instant) const { return local(instant).date; }
  // The instant of a local date and time; see above for times that do not exist or exist twice.
  Instant instant(Date date, TimeOfDay time) const;
  // The first instant whose local date is `date` or later, with `start` as the time of day a day
  // begins.
  Instant day_start(Date date, TimeOfDay start = {}) const;
  // The day that `instant` belongs to when days begin at `start`: the latest date whose day_start
  // is not after it.
  Date day_of(Instant instant, TimeOfDay start = {}) const;

 private:
  struct Rules;
  explicit Zone(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}
  std::shared_ptr<const Rules> rules_;
};

// Names close to one that was not found, for messages: the zones of the database.
std::vector<std::string> zone_names();

// ---- Durations applied in a zone --------------------------------------------------------------
// A day is a calendar day: the same local time on another date, 23, 24 or 25 hours away. Hours and
// less are exact. Months clamp to the last day. Negative amounts go back. Empty outside the years 1
// to 9999. Not for business durations.
std::optional<Instant> add(Instant instant, const Duration& duration, const Zone& zone);
std::optional<Date> add(Date date, const Duration& duration);

}  // namespace ensue::calendar
