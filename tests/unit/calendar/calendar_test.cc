#include <catch2/catch.hpp>

#include "calendar/business_time.h"
#include "calendar/zone.h"
#include "value/time_text.h"

namespace ensue::calendar {
namespace {

Date day(const char* iso) { return *value::parse_date(iso); }
TimeOfDay at(const char* iso) { return *value::parse_time(iso); }
Instant utc(const char* iso) { return value::parse_datetime(iso)->instant(); }
Zone zone(const char* name) { return *Zone::find(name); }
std::string text(Instant instant) { return value::instant_text(instant); }
std::string text(std::optional<Instant> instant) {
  return instant ? value::instant_text(*instant) : "none";
}

constexpr int64_t kHourMs = 3600'000;
int64_t day_hours(const Zone& z, const char* iso, TimeOfDay start = {}) {
  Date date = day(iso);
  int64_t ms = z.day_start({date.days + 1}, start).ms - z.day_start(date, start).ms;
  CHECK(ms % kHourMs == 0);
  return ms / kHourMs;
}

BusinessCalendar office() {
  BusinessCalendar calendar;
  calendar.name = "office";
  calendar.zone = zone("Europe/Paris");
  for (size_t i = 0; i < 5; ++i) calendar.week[i] = {{9 * 3600'000, 18 * 3600'000}};
  calendar.holidays = {day("2026-12-25"), day("2027-01-01")};
  return calendar;
}

}  // namespace

TEST_CASE("zones are those of the IANA database") {
  CHECK(Zone::find("Europe/Paris"));
  CHECK(Zone::find("Asia/Kolkata"));
  CHECK(Zone::find("UTC"));
  CHECK_FALSE(Zone::find("Europe/Pariss"));
  CHECK_FALSE(Zone::find(""));
  CHECK_FALSE(Zone::find("../etc/passwd"));
  CHECK(zone_names().size() > 300);
}

TEST_CASE("a counter's day is 23 or 25 hours long when the clock changes") {
  Zone paris = zone("Europe/Paris");
  CHECK(day_hours(paris, "2026-03-28") == 24);
  CHECK(day_hours(paris, "2026-03-29") == 23);
  CHECK(day_hours(paris, "2026-03-30") == 24);
  CHECK(day_hours(paris, "2026-10-24") == 24);
  CHECK(day_hours(paris, "2026-10-25") == 25);
  CHECK(day_hours(paris, "2026-10-26") == 24);
}

TEST_CASE("a day that starts inside the skipped hour starts after it") {
  Zone paris = zone("Europe/Paris");
  CHECK(text(paris.day_start(day("2026-03-29"), at("02:30"))) == "2026-03-29T01:00:00Z");
  CHECK(paris.day_of(utc("2026-03-29T00:59:59Z"), at("02:30")) == day("2026-03-28"));
  CHECK(paris.day_of(utc("2026-03-29T01:00:00Z"), at("02:30")) == day("2026-03-29"));
}

TEST_CASE("a day that starts in the hour that comes twice starts at the first") {
  Zone paris = zone("Europe/Paris");
  CHECK(text(paris.day_start(day("2026-10-25"), at("02:30"))) == "2026-10-25T00:30:00Z");
  CHECK(paris.day_of(utc("2026-10-25T00:30:00Z"), at("02:30")) == day("2026-10-25"));
  CHECK(paris.day_of(utc("2026-10-25T01:30:00Z"), at("02:30")) == day("2026-10-25"));
}

TEST_CASE("a day without a midnight starts at its first instant") {
  // Clocks went from 23:59:59 to 01:00 in Brazil's spring.
  Zone sao_paulo = zone("America/Sao_Paulo");
  CHECK(text(sao_paulo.day_start(day("2018-11-04"))) == "2018-11-04T03:00:00Z");
  CHECK(sao_paulo.local(utc("2018-11-04T03:00:00Z")).time == at("01:00"));
  CHECK(day_hours(sao_paulo, "2018-11-04") == 23);
}

TEST_CASE("a day with two midnights starts at the first") {
  // Clocks went from 24:00 back to 23:00 in Brazil's autumn: that evening belongs to the day
  // before.
  Zone sao_paulo = zone("America/Sao_Paulo");
  CHECK(day_hours(sao_paulo, "2018-02-17") == 25);
  CHECK(sao_paulo.day_of(utc("2018-02-18T02:30:00Z")) == day("2018-02-17"));
}

TEST_CASE("a day that never was starts where the next one does") {
  // Samoa went from 29 to 31 December 2011.
  Zone apia = zone("Pacific/Apia");
  CHECK(apia.day_start(day("2011-12-30")) == apia.day_start(day("2011-12-31")));
  CHECK(apia.day_of(apia.day_start(day("2011-12-31"))) == day("2011-12-31"));
}

TEST_CASE("an instant and its local time agree in every zone, each hour of two years") {
  const char* names[] = {"UTC",
                         "Europe/Paris",
                         "America/New_York",
                         "Asia/Kolkata",
                         "Australia/Lord_Howe",
                         "Pacific/Chatham",
                         "America/Sao_Paulo",
                         "Africa/Casablanca",
                         "Asia/Kathmandu"};
  for (const char* name : names) {
    Zone z = zone(name);
    Date last_day = z.day_of(utc("2025-12-31T00:00Z"));
    for (Instant now = utc("2026-01-01T00:00Z"); now < utc("2028-01-01T00:00Z");
         now.ms += kHourMs) {
      LocalTime local = z.local(now);
      Instant back = z.instant(local.date, local.time);
      // The second of two equal local times leads back to the first.
      if (back != now && now.ms - back.ms != kHourMs && now.ms - back.ms != kHourMs / 2)
        FAIL(name << " " << text(now));
      Date today = z.day_of(now);
      if (today < last_day || today.days > last_day.days + 2) FAIL(name << " " << text(now));
      last_day = today;
      if (z.day_start(today) > now || z.day_start({today.days + 1}) <= now)
        FAIL(name << " " << text(now));
    }
  }
}

TEST_CASE("a day is a calendar day, 24 hours are 24 hours") {
  Zone paris = zone("Europe/Paris");
  Instant before = utc("2026-03-28T09:00:00Z");  // 10:00 in Paris
  CHECK(text(add(before, {1, DurationUnit::kDay, false}, paris)) == "2026-03-29T08:00:00Z");
  CHECK(text(add(before, {24, DurationUnit::kHour, false}, paris)) == "2026-03-29T09:00:00Z");
  CHECK(text(add(before, {-1, DurationUnit::kWeek, false}, paris)) == "2026-03-21T09:00:00Z");
  CHECK(text(add(before, {1, DurationUnit::kMonth, false}, paris)) == "2026-04-28T08:00:00Z");
  CHECK(text(add(before, {10'000, DurationUnit::kYear, false}, paris)) == "none");
  CHECK(text(add(before, {INT64_MAX, DurationUnit::kHour, false}, paris)) == "none");
}

TEST_CASE("a time that does not exist is the first one after the gap") {
  Zone paris = zone("Europe/Paris");
  CHECK(text(paris.instant(day("2026-03-29"), at("02:30"))) == "2026-03-29T01:00:00Z");
  CHECK(text(paris.instant(day("2026-10-25"), at("02:30"))) == "2026-10-25T00:30:00Z");
}

TEST_CASE("business days skip what is closed") {
  BusinessCalendar calendar = office();
  auto after = [&](const char* from, int64_t amount, DurationUnit unit) {
    return text(add_business(utc(from), {amount, unit, true}, calendar));
  };
  CHECK(after("2026-11-20T10:00:00Z", 1, DurationUnit::kDay) ==
        "2026-11-23T10:00:00Z");  // Friday to Monday
  CHECK(after("2026-12-24T10:00:00Z", 1, DurationUnit::kDay) ==
        "2026-12-28T10:00:00Z");  // over Christmas
  CHECK(after("2026-11-23T10:00:00Z", -1, DurationUnit::kDay) == "2026-11-20T10:00:00Z");
  CHECK(after("2026-11-20T16:30:00Z", 1, DurationUnit::kHour) ==
        "2026-11-23T08:30:00Z");  // 17:30 Friday, half an hour left
  CHECK(after("2026-11-21T10:00:00Z", 1, DurationUnit::kHour) ==
        "2026-11-23T09:00:00Z");  // from a closed day
  CHECK(after("2026-11-20T10:00:00Z", 1, DurationUnit::kWeek) == "2026-11-27T10:00:00Z");
}

TEST_CASE("a calendar that is never open counts nothing") {
  BusinessCalendar closed = office();
  closed.week = {};
  CHECK_FALSE(closed.ever_open());
  CHECK_FALSE(add_business(utc("2026-11-20T10:00:00Z"), {1, DurationUnit::kDay, true}, closed));
  BusinessCalendar open = office();
  CHECK_FALSE(add_business(utc("2026-11-20T10:00:00Z"), {50'000, DurationUnit::kDay, true}, open));
}

}  // namespace ensue::calendar
