#include "cadence/tracker.h"

#include <catch2/catch.hpp>

#include "value/time_text.h"

namespace ensue::cadence {
namespace {

constexpr int64_t kHourMs = 3'600'000;

Instant at(const char* iso) { return value::parse_datetime(iso)->instant(); }
std::string text(std::optional<Instant> instant) {
  return instant ? value::instant_text(*instant) : "none";
}
calendar::Zone paris() { return *calendar::Zone::find("Europe/Paris"); }

std::shared_ptr<calendar::BusinessCalendar> office() {
  auto out = std::make_shared<calendar::BusinessCalendar>();
  out->name = "office";
  out->zone = paris();
  for (size_t i = 0; i < 5; ++i) out->week[i] = {{9 * kHourMs, 17 * kHourMs}};
  return out;
}

Definition outreach(std::optional<Duration> delay = Duration{1, DurationUnit::kDay}) {
  Definition out;
  out.name = "Enterprise Outreach";
  out.tracks = {
      {"main",
       {{"Call 1", "Call", delay}, {"Mail", "Automated Email", Duration{2, DurationUnit::kDay}}}},
      {"positive", {}}};
  return out;
}

Tracker entered(const Definition* definition, const char* when = "2026-01-05T10:00:00Z") {
  return enter(definition, "enterprise outreach", "Lead", "00Q1", "ana", at(when), paris());
}

std::string due(Duration delay, const char* from,
                const calendar::BusinessCalendar* calendar = nullptr) {
  return text(due_at({"s", "Call", delay}, at(from), paris(), calendar));
}

}  // namespace

TEST_CASE("a target enters at step one of main") {
  Definition definition = outreach();
  Tracker tracker = entered(&definition);
  CHECK(tracker.cadence == "Enterprise Outreach");  // as declared, not as asked for
  CHECK(tracker.target == "00Q1");
  CHECK(tracker.target_type == "Lead");
  CHECK(tracker.owner == "ana");
  CHECK(tracker.state == State::kActive);
  CHECK(tracker.open());
  CHECK(tracker.track == "main");
  CHECK(tracker.step == "Call 1");
  CHECK(tracker.step_kind == "Call");
  CHECK(text(tracker.entered) == "2026-01-05T10:00:00Z");
  CHECK(text(tracker.due) == "2026-01-06T10:00:00Z");
}

TEST_CASE("a cadence kept elsewhere, or without steps, gives a tracker without a step") {
  Tracker elsewhere = entered(nullptr);
  CHECK(elsewhere.cadence == "enterprise outreach");
  CHECK(elsewhere.track == "");
  Definition empty = outreach();
  empty.tracks[0].steps.clear();
  Definition no_main = outreach();
  no_main.tracks.erase(no_main.tracks.begin());
  for (const Tracker& tracker : {elsewhere, entered(&empty), entered(&no_main)}) {
    CHECK(tracker.open());
    CHECK(tracker.step == "");
    CHECK(text(tracker.due) == "none");
  }
  CHECK(entered(&empty).track == "main");
}

TEST_CASE("tracks are found whatever the case of their names") {
  Definition definition = outreach();
  CHECK(definition.track("MAIN") == &definition.tracks[0]);
  CHECK(definition.track("Positive") == &definition.tracks[1]);
  CHECK(definition.track("negative") == nullptr);
}

TEST_CASE("a step is due its delay after the one before ended") {
  CHECK(due({0, DurationUnit::kDay}, "2026-01-05T10:00:00Z") == "2026-01-05T10:00:00Z");
  CHECK(due({90, DurationUnit::kMinute}, "2026-01-05T10:00:00Z") == "2026-01-05T11:30:00Z");
  CHECK(due({1, DurationUnit::kWeek}, "2026-01-05T10:00:00Z") == "2026-01-12T10:00:00Z");
  Step immediate{"s", "Call", std::nullopt};
  CHECK(text(due_at(immediate, at("2026-01-05T10:00:00Z"), paris(), nullptr)) ==
        "2026-01-05T10:00:00Z");
}

TEST_CASE("a day is a calendar day, also when the clock changes") {
  // Friday 27 March 2026, 10:00 in Paris (UTC+1); the clock goes forward on Sunday.
  CHECK(due({3, DurationUnit::kDay}, "2026-03-27T09:00:00Z") == "2026-03-30T08:00:00Z");
  CHECK(due({72, DurationUnit::kHour}, "2026-03-27T09:00:00Z") == "2026-03-30T09:00:00Z");
  // Friday 23 October 2026, 10:00 in Paris (UTC+2); it goes back on Sunday.
  CHECK(due({3, DurationUnit::kDay}, "2026-10-23T08:00:00Z") == "2026-10-26T09:00:00Z");
}

TEST_CASE("what falls on a weekend moves to the start of Monday") {
  struct Row {
    const char* from;
    const char* due;
  };
  auto row = GENERATE(
      Row{"2026-01-09T22:59:59Z", "2026-01-09T22:59:59Z"},   // the last second of Friday in Paris
      Row{"2026-01-09T23:00:00Z", "2026-01-11T23:00:00Z"},   // the first of Saturday
      Row{"2026-01-11T22:59:59Z", "2026-01-11T23:00:00Z"},   // the last of Sunday
      Row{"2026-01-11T23:00:00Z", "2026-01-11T23:00:00Z"},   // the first of Monday
      Row{"2026-03-28T12:00:00Z", "2026-03-29T22:00:00Z"});  // over the change of the clock
  INFO(row.from);
  CHECK(due({0, DurationUnit::kHour}, row.from) == row.due);
  CHECK(text(due_at({"s", "Call", std::nullopt}, at(row.from), paris(), nullptr)) == row.due);
}

TEST_CASE("business delays count the open hours of the calendar") {
  auto calendar = office();
  // Friday 16:00 in Paris: one hour is left of it.
  CHECK(due({2, DurationUnit::kHour, true}, "2026-01-09T15:00:00Z", calendar.get()) ==
        "2026-01-12T09:00:00Z");
  CHECK(due({1, DurationUnit::kDay, true}, "2026-01-08T10:00:00Z", calendar.get()) ==
        "2026-01-09T10:00:00Z");
}

TEST_CASE("a pause stops the clock of the current step") {
  Definition definition = outreach();
  Tracker tracker = entered(&definition);
  pause(tracker, at("2026-01-05T12:00:00Z"));
  CHECK(tracker.state == State::kPaused);
  CHECK(tracker.open());
  CHECK(text(tracker.due) == "2026-01-06T10:00:00Z");
  resume(tracker, at("2026-01-07T13:30:00Z"));
  CHECK(tracker.state == State::kActive);
  CHECK(text(tracker.due) == "2026-01-08T11:30:00Z");
  CHECK_FALSE(tracker.paused);
  pause(tracker, at("2026-01-07T14:00:00Z"));
  resume(tracker, at("2026-01-07T14:00:00Z"));
  CHECK(text(tracker.due) == "2026-01-08T11:30:00Z");
}

TEST_CASE("resuming a tracker without a step gives it no due time") {
  Tracker tracker = entered(nullptr);
  pause(tracker, at("2026-01-05T12:00:00Z"));
  resume(tracker, at("2026-01-05T13:00:00Z"));
  CHECK(tracker.state == State::kActive);
  CHECK(text(tracker.due) == "none");
}

TEST_CASE("a new assignee gets the whole time of the current step") {
  Definition definition = outreach();
  Tracker tracker = entered(&definition);
  reassign(tracker, "bob", &definition, at("2026-01-07T10:00:00Z"), paris());
  CHECK(tracker.owner == "bob");
  CHECK(tracker.step == "Call 1");
  CHECK(text(tracker.due) == "2026-01-08T10:00:00Z");
  CHECK(text(tracker.entered) == "2026-01-05T10:00:00Z");
}

TEST_CASE("a new assignee leaves the due time where the step is not known any more") {
  Definition definition = outreach();
  Tracker tracker = entered(&definition);
  tracker.step = "Gone";
  reassign(tracker, "bob", &definition, at("2026-01-07T10:00:00Z"), paris());
  CHECK(tracker.owner == "bob");
  CHECK(text(tracker.due) == "2026-01-06T10:00:00Z");
  reassign(tracker, "cyd", nullptr, at("2026-01-08T10:00:00Z"), paris());
  CHECK(tracker.owner == "cyd");
  CHECK(text(tracker.due) == "2026-01-06T10:00:00Z");
}

TEST_CASE("a removed target is complete, with reason and disposition") {
  Definition definition = outreach();
  auto paused = GENERATE(false, true);
  Tracker tracker = entered(&definition);
  if (paused) pause(tracker, at("2026-01-05T12:00:00Z"));
  remove(tracker, "Disqualified", at("2026-01-05T13:00:00Z"));
  CHECK(tracker.state == State::kComplete);
  CHECK_FALSE(tracker.open());
  CHECK(tracker.reason == "ManuallyRemoved");
  CHECK(tracker.disposition == "Disqualified");
  CHECK(text(tracker.completed) == "2026-01-05T13:00:00Z");
  CHECK_FALSE(tracker.paused);
}

TEST_CASE("states have the names of the CRM") {
  struct Row {
    State state;
    const char* name;
    bool open;
  };
  auto row = GENERATE(Row{State::kActive, "Active", true}, Row{State::kPaused, "Paused", true},
                      Row{State::kComplete, "Complete", false}, Row{State::kError, "Error", false});
  CHECK(std::string(state_name(row.state)) == row.name);
  CHECK(state_of(row.name) == row.state);
  CHECK(state_of("pAUSED") == State::kPaused);
  CHECK_FALSE(state_of("Asleep"));
  Tracker tracker;
  tracker.state = row.state;
  CHECK(tracker.open() == row.open);
}

}  // namespace ensue::cadence
