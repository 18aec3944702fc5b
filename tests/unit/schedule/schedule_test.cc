#include "schedule/schedule.h"

#include <catch2/catch.hpp>

#include "value/time_text.h"

namespace ensue::schedule {
namespace {

using Rows = std::vector<std::string>;

Date day(const char* iso) { return *value::parse_date(iso); }
TimeOfDay at(const char* iso) { return *value::parse_time(iso); }
Instant utc(const char* iso) { return value::parse_datetime(iso)->instant(); }

std::string text(const Firing& firing) {
  return firing.nominal() + " = " + value::instant_text(firing.at);
}

Rows from(const Schedule& schedule, const char* after, size_t count) {
  Rows out;
  auto firing = next(schedule, utc(after));
  for (; firing && out.size() < count; firing = next(schedule, *firing))
    out.push_back(text(*firing));
  return out;
}

Schedule in(const char* zone, decltype(Schedule::rule) rule, CatchUp policy = CatchUp::kOnce) {
  return {std::move(rule), *calendar::Zone::find(zone), policy};
}

Schedule daily(const char* zone, std::vector<TimeOfDay> times, CatchUp policy = CatchUp::kOnce) {
  return in(zone, Weekly{0b1111111, std::move(times)}, policy);
}

}  // namespace

TEST_CASE("02:30 in Paris runs at 03:00 in the night that skips it, and once in the other") {
  Schedule schedule = daily("Europe/Paris", {at("02:30")});
  CHECK(from(schedule, "2026-03-27T12:00:00Z", 3) ==
        Rows{"2026-03-28T02:30 = 2026-03-28T01:30:00Z", "2026-03-29T02:30 = 2026-03-29T01:00:00Z",
             "2026-03-30T02:30 = 2026-03-30T00:30:00Z"});
  CHECK(from(schedule, "2026-10-23T12:00:00Z", 3) ==
        Rows{"2026-10-24T02:30 = 2026-10-24T00:30:00Z", "2026-10-25T02:30 = 2026-10-25T00:30:00Z",
             "2026-10-26T02:30 = 2026-10-26T01:30:00Z"});
}

TEST_CASE("01:30 in Paris, the control, notices nothing but the new offset") {
  Schedule schedule = daily("Europe/Paris", {at("01:30")});
  CHECK(from(schedule, "2026-03-27T12:00:00Z", 3) ==
        Rows{"2026-03-28T01:30 = 2026-03-28T00:30:00Z", "2026-03-29T01:30 = 2026-03-29T00:30:00Z",
             "2026-03-30T01:30 = 2026-03-29T23:30:00Z"});
  CHECK(from(schedule, "2026-10-23T12:00:00Z", 3) ==
        Rows{"2026-10-24T01:30 = 2026-10-23T23:30:00Z", "2026-10-25T01:30 = 2026-10-24T23:30:00Z",
             "2026-10-26T01:30 = 2026-10-26T00:30:00Z"});
}

TEST_CASE("two times that meet at the end of a gap are two firings, in their order") {
  Schedule schedule = daily("Europe/Paris", {at("03:00"), at("02:45"), at("02:00")});
  CHECK(from(schedule, "2026-03-29T00:00:00Z", 4) ==
        Rows{"2026-03-29T02:00 = 2026-03-29T01:00:00Z", "2026-03-29T02:45 = 2026-03-29T01:00:00Z",
             "2026-03-29T03:00 = 2026-03-29T01:00:00Z", "2026-03-30T02:00 = 2026-03-30T00:00:00Z"});
}

TEST_CASE("weekdays at several times") {
  Schedule schedule = in("Asia/Kolkata", Weekly{0b0001001, {at("16:00"), at("08:00")}});
  CHECK(from(schedule, "2026-01-05T02:30:00Z", 4) ==
        Rows{"2026-01-05T16:00 = 2026-01-05T10:30:00Z", "2026-01-08T08:00 = 2026-01-08T02:30:00Z",
             "2026-01-08T16:00 = 2026-01-08T10:30:00Z", "2026-01-12T08:00 = 2026-01-12T02:30:00Z"});
}

TEST_CASE("a month without the day runs on its last one, once") {
  Schedule schedule = in("UTC", Monthly{{31, 30, 1}, {at("06:00")}});
  CHECK(from(schedule, "2026-01-30T06:00:00Z", 6) ==
        Rows{"2026-01-31T06:00 = 2026-01-31T06:00:00Z", "2026-02-01T06:00 = 2026-02-01T06:00:00Z",
             "2026-02-28T06:00 = 2026-02-28T06:00:00Z", "2026-03-01T06:00 = 2026-03-01T06:00:00Z",
             "2026-03-30T06:00 = 2026-03-30T06:00:00Z", "2026-03-31T06:00 = 2026-03-31T06:00:00Z"});
  CHECK(from(schedule, "2028-02-02T00:00:00Z", 1) ==
        Rows{"2028-02-29T06:00 = 2028-02-29T06:00:00Z"});
}

TEST_CASE("an interval counts elapsed time from the day's start, anew each day") {
  Schedule schedule = in("Europe/Paris", Elapsed{7 * 3'600'000});
  // The day of the repeated hour has 25 hours.
  CHECK(from(schedule, "2026-10-24T22:00:00Z", 4) ==
        Rows{"2026-10-25T07:00 = 2026-10-25T05:00:00Z", "2026-10-25T14:00 = 2026-10-25T12:00:00Z",
             "2026-10-25T21:00 = 2026-10-25T19:00:00Z", "2026-10-26T00:00 = 2026-10-25T23:00:00Z"});
  schedule = in("Europe/Paris", Elapsed{15 * 60'000});
  auto on = [&](const char* begin, const char* end) {
    return missed(schedule, Instant{utc(begin).ms - 1}, Instant{utc(end).ms - 1}, 0).count;
  };
  CHECK(on("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z") == 92);
  CHECK(on("2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z") == 96);
  CHECK(on("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z") == 100);
  CHECK(from(schedule, "2026-10-25T22:40:00Z", 2) ==
        Rows{"2026-10-25T24:45 = 2026-10-25T22:45:00Z", "2026-10-26T00:00 = 2026-10-25T23:00:00Z"});
  // A day without a midnight begins at 01:00.
  schedule = in("America/Sao_Paulo", Elapsed{12 * 3'600'000});
  CHECK(from(schedule, "2018-11-04T02:59:00Z", 2) ==
        Rows{"2018-11-04T00:00 = 2018-11-04T03:00:00Z", "2018-11-04T12:00 = 2018-11-04T15:00:00Z"});
  // Half an hour is repeated on Lord Howe.
  schedule = in("Australia/Lord_Howe", Elapsed{24 * 3'600'000});
  CHECK(from(schedule, "2026-04-04T00:00:00Z", 3) ==
        Rows{"2026-04-05T00:00 = 2026-04-04T13:00:00Z", "2026-04-05T24:00 = 2026-04-05T13:00:00Z",
             "2026-04-06T00:00 = 2026-04-05T13:30:00Z"});
}

TEST_CASE("whole days, weeks, months and years are counted from 1970") {
  auto first = [](int64_t count, DurationUnit unit, const char* after) {
    return from(in("UTC", Periodic{count, unit}), after, 2);
  };
  CHECK(first(1, DurationUnit::kDay, "2026-03-04T00:00:00Z") ==
        Rows{"2026-03-05T00:00 = 2026-03-05T00:00:00Z", "2026-03-06T00:00 = 2026-03-06T00:00:00Z"});
  CHECK(first(2, DurationUnit::kDay, "1969-12-29T00:00:00Z") ==
        Rows{"1969-12-30T00:00 = 1969-12-30T00:00:00Z", "1970-01-01T00:00 = 1970-01-01T00:00:00Z"});
  // Mondays.
  CHECK(first(1, DurationUnit::kWeek, "2026-03-04T00:00:00Z") ==
        Rows{"2026-03-09T00:00 = 2026-03-09T00:00:00Z", "2026-03-16T00:00 = 2026-03-16T00:00:00Z"});
  CHECK(first(3, DurationUnit::kMonth, "2026-03-04T00:00:00Z") ==
        Rows{"2026-04-01T00:00 = 2026-04-01T00:00:00Z", "2026-07-01T00:00 = 2026-07-01T00:00:00Z"});
  CHECK(first(2, DurationUnit::kYear, "2026-01-01T00:00:00Z") ==
        Rows{"2028-01-01T00:00 = 2028-01-01T00:00:00Z", "2030-01-01T00:00 = 2030-01-01T00:00:00Z"});
}

TEST_CASE("a single date runs once, also when its day or its time does not exist") {
  Schedule schedule = in("Europe/Paris", Once{day("2026-12-24"), at("18:00")});
  CHECK(from(schedule, "2026-01-01T00:00:00Z", 9) ==
        Rows{"2026-12-24T18:00 = 2026-12-24T17:00:00Z"});
  CHECK(from(schedule, "2026-12-24T17:00:00Z", 9).empty());
  // Samoa had no 30 December 2011.
  schedule = in("Pacific/Apia", Once{day("2011-12-30"), at("18:00")});
  CHECK(from(schedule, "2011-12-01T00:00:00Z", 9) ==
        Rows{"2011-12-30T18:00 = 2011-12-30T10:00:00Z"});
}

TEST_CASE("the years end") {
  CHECK(from(daily("UTC", {at("12:00")}), "9999-12-30T12:00:00Z", 9) ==
        Rows{"9999-12-31T12:00 = 9999-12-31T12:00:00Z"});
  CHECK(from(in("UTC", Monthly{{1}, {at("12:00")}}), "9999-12-30T12:00:00Z", 9).empty());
  CHECK(from(in("UTC", Periodic{1000, DurationUnit::kYear}), "9999-12-30T12:00:00Z", 9).empty());
}

TEST_CASE("what was missed in three hours is caught up with by policy") {
  auto after_three_hours = [](CatchUp policy, size_t most = 100) {
    Schedule schedule = in("Europe/Paris", Elapsed{60 * 60'000}, policy);
    Missed out = missed(schedule, utc("2026-01-05T10:00:00Z"), utc("2026-01-05T13:00:00Z"), most);
    CHECK(out.count == 3);
    Rows rows;
    for (const Firing& firing : out.to_run) rows.push_back(text(firing));
    return rows;
  };
  CHECK(after_three_hours(CatchUp::kOnce) == Rows{"2026-01-05T14:00 = 2026-01-05T13:00:00Z"});
  CHECK(after_three_hours(CatchUp::kAll) == Rows{"2026-01-05T12:00 = 2026-01-05T11:00:00Z",
                                                 "2026-01-05T13:00 = 2026-01-05T12:00:00Z",
                                                 "2026-01-05T14:00 = 2026-01-05T13:00:00Z"});
  CHECK(after_three_hours(CatchUp::kAll, 2).size() == 2);
  CHECK(after_three_hours(CatchUp::kNever).empty());
  // Nothing due, nothing missed.
  Schedule schedule = in("Europe/Paris", Once{day("2026-01-05"), at("12:00")});
  Missed none = missed(schedule, utc("2026-01-05T11:00:00Z"), utc("2026-01-06T00:00:00Z"), 9);
  CHECK(none.count == 0);
  CHECK(none.to_run.empty());
}

}  // namespace ensue::schedule
