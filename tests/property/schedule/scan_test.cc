// Schedules against a scan that looks at every minute: what a clock on the wall of the zone shows,
// and whether somebody who reads it would start the flow now. It knows of gaps and repetitions only
// that the clock jumped.
#include <catch2/catch.hpp>
#include <set>

#include "schedule/schedule.h"
#include "support/random.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

using namespace schedule;

constexpr int64_t kMinuteMs = 60'000;

// Whether a rule other than an interval names this minute of this date.
struct Names {
  Date date;
  int32_t minute;

  bool among(const std::vector<TimeOfDay>& times) const {
    for (TimeOfDay time : times) {
      if (time.ms == minute * kMinuteMs) return true;
    }
    return false;
  }
  bool operator()(const Weekly& rule) const {
    return (rule.weekdays & 1 << value::weekday_of(date)) != 0 && among(rule.times);
  }
  bool operator()(const Monthly& rule) const {
    value::CivilDate civil = value::civil(date);
    bool last = civil.day == value::days_in_month(civil.year, civil.month);
    for (int32_t day : rule.days) {
      if ((day == civil.day || (last && day > civil.day)) && among(rule.times)) return true;
    }
    return false;
  }
  bool operator()(const Elapsed&) const { return false; }
  bool operator()(const Periodic& rule) const {
    value::CivilDate civil = value::civil(date);
    if (minute != 0) return false;
    switch (rule.unit) {
      case DurationUnit::kDay: return date.days % rule.count == 0;
      case DurationUnit::kWeek:
        return value::weekday_of(date) == 0 && (date.days + 3) / 7 % rule.count == 0;
      case DurationUnit::kMonth:
        return civil.day == 1 && ((civil.year - 1970) * 12 + civil.month - 1) % rule.count == 0;
      default: return civil.day == 1 && civil.month == 1 && (civil.year - 1970) % rule.count == 0;
    }
  }
  bool operator()(const Once& rule) const {
    return rule.date == date && rule.time.ms == minute * kMinuteMs;
  }
};

std::vector<Firing> scan(const Schedule& schedule, Instant since, Instant until) {
  std::vector<Firing> out;
  auto minutes = [](const calendar::LocalTime& local) {
    return local.date.days * int64_t{1440} + local.time.ms / kMinuteMs;
  };
  // Three days earlier, so that the days' beginnings and what a repetition repeats are known.
  Instant at{(since.ms / kMinuteMs - 3 * 1440) * kMinuteMs};
  int64_t shown = minutes(schedule.zone.local(at));  // the latest minute the clock has shown
  Instant day_began;
  const auto* interval = std::get_if<Elapsed>(&schedule.rule);
  for (at.ms += kMinuteMs; at <= until; at.ms += kMinuteMs) {
    int64_t now = minutes(schedule.zone.local(at));
    if (now / 1440 > shown / 1440) day_began = at;
    // Every minute that is new on the clock, those it jumped over included.
    for (int64_t minute = shown + 1; minute <= now; ++minute) {
      Date date{static_cast<int32_t>(minute / 1440)};
      auto time = static_cast<int32_t>(minute % 1440);
      if (at > since && std::visit(Names{date, time}, schedule.rule))
        out.push_back({at, date, static_cast<int32_t>(time * kMinuteMs)});
    }
    shown = std::max(shown, now);
    int64_t elapsed = at.ms - day_began.ms;
    if (interval != nullptr && at > since && elapsed % interval->interval_ms == 0)
      out.push_back({at, Date{static_cast<int32_t>(shown / 1440)}, static_cast<int32_t>(elapsed)});
  }
  return out;
}

// Zones with something to them, and an instant around which it happens.
struct Place {
  const char* zone;
  const char* around;
};
const std::vector<Place> kPlaces = {
    {"Europe/Paris", "2026-03-29T01:00:00Z"},
    {"Europe/Paris", "2026-10-25T01:00:00Z"},
    {"Asia/Kolkata", "2026-06-01T00:00:00Z"},
    {"America/Sao_Paulo", "2018-11-04T03:00:00Z"},
    {"America/Sao_Paulo", "2019-02-17T02:00:00Z"},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
    {"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
    {"America/New_York", "2026-03-08T07:00:00Z"},
    {"America/New_York", "2026-11-01T06:00:00Z"},
    {"America/Havana", "2026-11-01T05:00:00Z"},
    {"America/St_Johns", "2010-11-07T02:31:00Z"},
    {"Pacific/Apia", "2011-12-30T10:00:00Z"},
    {"Africa/Cairo", "2026-04-23T22:00:00Z"},
    {"Asia/Beirut", "2026-10-24T21:00:00Z"},
    {"Antarctica/Troll", "2026-03-29T01:00:00Z"},
    {"UTC", "2028-02-29T00:00:00Z"},
};

std::vector<TimeOfDay> some_times(Random& random) {
  std::vector<TimeOfDay> out;
  for (size_t i = 0; i <= random.below(3); ++i) {
    // Often in the hours in which clocks are changed.
    int64_t minute = random.chance(60) ? random.below(200) : random.below(1440);
    if (random.chance(50)) minute -= minute % 30;
    out.push_back({static_cast<int32_t>(minute * kMinuteMs)});
  }
  return out;
}

decltype(Schedule::rule) some_rule(Random& random, Date around) {
  switch (random.below(5)) {
    case 0: return Weekly{static_cast<uint8_t>(random.between(1, 127)), some_times(random)};
    case 1: {
      Monthly rule{{}, some_times(random)};
      for (size_t i = 0; i <= random.below(3); ++i)
        rule.days.push_back(static_cast<int32_t>(random.between(1, 31)));
      return rule;
    }
    case 2: return Elapsed{random.between(1, random.chance(50) ? 60 : 1440) * kMinuteMs};
    case 3:
      return Periodic{random.between(1, 4),
                      std::vector{DurationUnit::kDay, DurationUnit::kWeek, DurationUnit::kMonth,
                                  DurationUnit::kYear}[random.below(4)]};
    default:
      return Once{{around.days + static_cast<int32_t>(random.between(-2, 2))},
                  some_times(random)[0]};
  }
}

std::vector<std::string> texts(const std::vector<Firing>& firings) {
  std::vector<std::string> out;
  for (const Firing& firing : firings)
    out.push_back(firing.nominal() + " = " + value::instant_text(firing.at));
  return out;
}

}  // namespace

TEST_CASE("schedules fire when a look at the clock every minute says so") {
  Random random(test_seed());
  size_t firings = 0;
  for (uint64_t i = 0; i < 600 * test_effort(); ++i) {
    const Place& place = random.pick(kPlaces);
    Instant around = value::parse_datetime(place.around)->instant();
    calendar::Zone zone = *calendar::Zone::find(place.zone);
    Schedule schedule{some_rule(random, zone.date(around)), zone, CatchUp::kAll};
    Instant since{around.ms - random.between(0, 3 * 1440) * kMinuteMs - random.between(0, 1)};
    Instant until{around.ms +
                  random.between(0, random.chance(10) ? 90 * 1440 : 4 * 1440) * kMinuteMs};
    std::vector<Firing> expected = scan(schedule, since, until);
    firings += expected.size();
    Missed found = missed(schedule, since, until, SIZE_MAX);
    INFO("seed " << test_seed() << ", case " << i << ", " << place.zone << ", after "
                 << value::instant_text(since) << " until " << value::instant_text(until)
                 << ", rule " << schedule.rule.index());
    REQUIRE(texts(found.to_run) == texts(expected));
    CHECK(found.count == expected.size());
    // One step at a time, from instants alone, nothing else is found.
    auto first = next(schedule, since);
    if (expected.empty()) {
      CHECK((!first || first->at > until));
    } else {
      CHECK(first == expected.front());
    }
    schedule.catch_up = CatchUp::kOnce;
    found = missed(schedule, since, until, 1);
    REQUIRE(found.to_run.size() == std::min<size_t>(1, expected.size()));
    if (!expected.empty()) CHECK(found.to_run.front() == expected.back());
  }
  CHECK(firings > 10'000);  // the cases are not empty ones
}

}  // namespace ensue::testing
