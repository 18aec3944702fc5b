// The day of the counters: it never goes back, and does not follow a clock that jumps.
#include "limits/open_day.h"

#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "base/key128.h"
#include "calendar/zone.h"
#include "limits/ledger.h"
#include "support/programs.h"
#include "value/time_text.h"

namespace ensue::limits {
namespace {

Instant at(const std::string& iso) { return value::parse_datetime(iso)->instant(); }
Date date(const char* iso) { return *value::parse_date(iso); }

// A machine with a clock that people set, and its time since the start.
struct Machine {
  calendar::Zone zone = *calendar::Zone::find("Europe/Paris");
  Instant wall = at("2026-03-26T10:00:00Z");
  int64_t elapsed = 5000;
  OpenDay day{date("2026-03-26")};

  OpenDay::DayOf day_of() {
    return [this](Instant instant) { return zone.day_of(instant); };
  }
  void passes(int64_t hours) {
    wall.ms += hours * 3'600'000;
    elapsed += hours * 3'600'000;
  }
  bool warned() { return day.watch(wall, elapsed, wall, day_of()).has_value(); }
  std::string charged_on() { return value::date_text(day.charge_on(zone.day_of(wall))); }
};

}  // namespace

TEST_CASE("days follow the clock, one after the other") {
  Machine machine;
  CHECK_FALSE(machine.warned());
  CHECK(machine.charged_on() == "2026-03-26");
  machine.passes(24);
  CHECK_FALSE(machine.warned());
  CHECK(machine.charged_on() == "2026-03-27");
}

TEST_CASE("a clock set back opens no day again") {
  Machine machine;
  machine.passes(24);
  CHECK(machine.charged_on() == "2026-03-27");
  machine.wall = at("2026-03-26T10:00:00Z");
  CHECK_FALSE(machine.warned());
  CHECK(machine.charged_on() == "2026-03-27");
}

TEST_CASE("a jump forward over midnight freezes the day until an event agrees") {
  Machine machine;
  CHECK_FALSE(machine.warned());
  CHECK(machine.charged_on() == "2026-03-26");
  machine.passes(1);
  machine.wall = at("2026-03-29T11:00:00Z");
  auto words = machine.day.watch(machine.wall, machine.elapsed, machine.wall, machine.day_of());
  REQUIRE(words);
  CHECK(*words ==
        "the clock says 2026-03-29T11:00:00Z, 259200 s ahead of where it was; limits stay with "
        "2026-03-26 until an event agrees with it");
  CHECK(machine.charged_on() == "2026-03-26");
  SECTION("it is said once") {
    machine.passes(1);
    CHECK_FALSE(machine.warned());
    CHECK(machine.charged_on() == "2026-03-26");
  }
  SECTION("an event of the old day does not agree, one of the new day does") {
    machine.day.agree(at("2026-03-26T11:00:00Z"), machine.wall, machine.day_of());
    CHECK(machine.charged_on() == "2026-03-26");
    machine.day.agree(at("2026-03-29T10:59:00Z"), machine.wall, machine.day_of());
    CHECK(machine.charged_on() == "2026-03-29");
  }
  SECTION("the clock put right is believed again") {
    machine.wall = at("2026-03-26T13:00:00Z");
    CHECK_FALSE(machine.warned());
    CHECK_FALSE(machine.day.frozen());
    CHECK(machine.charged_on() == "2026-03-26");
    machine.passes(24);
    CHECK_FALSE(machine.warned());
    CHECK(machine.charged_on() == "2026-03-27");
  }
}

TEST_CASE("a correction of two seconds is none, one more is a jump") {
  Machine machine;
  machine.wall = at("2026-03-26T22:59:58Z");  // two seconds before midnight in Paris
  CHECK_FALSE(machine.warned());
  SECTION("two seconds") {
    machine.wall.ms += 2000;
    CHECK_FALSE(machine.warned());
    CHECK(machine.charged_on() == "2026-03-27");
  }
  SECTION("and a millisecond") {
    machine.wall.ms += 2001;
    CHECK(machine.warned());
    CHECK(machine.charged_on() == "2026-03-26");
  }
}

TEST_CASE("at the start a clock more than a day ahead of all that is known is not believed") {
  Machine machine;
  Instant known = at("2026-03-26T10:00:00Z");
  SECTION("a day is believed: a night and a Sunday pass like that") {
    machine.wall = {known.ms + 86'400'000};
    CHECK_FALSE(machine.day.watch(machine.wall, machine.elapsed, known, machine.day_of()));
    CHECK(machine.charged_on() == "2026-03-27");
  }
  SECTION("a millisecond more waits for an event") {
    machine.wall = {known.ms + 86'400'001};
    CHECK(machine.day.watch(machine.wall, machine.elapsed, known, machine.day_of()));
    CHECK(machine.charged_on() == "2026-03-26");
    machine.day.agree(machine.wall, machine.wall, machine.day_of());
    CHECK(machine.charged_on() == "2026-03-27");
  }
  SECTION("a store that knows nothing believes it") {
    OpenDay fresh;
    CHECK_FALSE(fresh.watch(machine.wall, machine.elapsed, std::nullopt, machine.day_of()));
    CHECK(fresh.charge_on(date("2026-03-26")) == date("2026-03-26"));
  }
}

TEST_CASE(
    "a program with another zone gives no second day of the same date, and keeps the later one") {
  std::shared_ptr<Store> store(adapters::make_memory_store());
  auto program = [](const std::string& zone) {
    return testing::program_of(
        "limits \"L\"\n  each user: at most 1 action execution per day\n  day "
        "starts at 00:00 in \"" +
        zone + R"("
end
action "A" by "ana"
  when Lead is created
  for my records
  then remove it from all cadences
end
)");
  };
  auto lead = [](int number, const std::string& when) {
    return R"({"id":"e)" + std::to_string(number) + R"(","entity":"Lead","ids":["L)" +
           std::to_string(number) + R"("],"kind":"create","at":")" + when +
           R"(","set":{"LastName":"Roe","OwnerId":"ana"}})";
  };
  std::string user =
      R"({"entity":"User","ids":["ana"],"kind":"snapshot","set":{"Username":"ana"}})";
  // 27 March in Auckland is 26 March in Honolulu.
  testing::Bench east(program("Pacific/Auckland"), store);
  CHECK(east.send({user, lead(1, "2026-03-26T12:00:00Z")}).statuses["executed"] == 1);
  testing::Bench west(program("Pacific/Honolulu"), store);
  CHECK(west.send(lead(2, "2026-03-26T13:00:00Z")).statuses["suppressed"] == 1);
  CHECK(west.send(lead(3, "2026-03-27T12:00:00Z")).statuses["suppressed"] == 1);
  CHECK(west.send(lead(4, "2026-03-28T12:00:00Z")).statuses["executed"] == 1);
}

TEST_CASE("a run deferred on a day that is held is not tried before another day begins") {
  struct JumpingClock final : Clock {
    Instant wall = at("2026-03-26T10:00:00Z");
    int64_t elapsed = 0;
    Instant now() override { return wall; }
    std::optional<int64_t> elapsed_ms() override { return elapsed; }
  } clock;
  engine::RuntimeOptions options;
  options.clock = &clock;
  testing::Bench bench(testing::program_of(R"(
action "A" by "ana"
  when Lead is created
  for my records
  then remove it from all cadences
end
limits "L"
  each user: at most 1 action execution per day
  when reached defer
end
)"),
                       options);
  auto lead = [](const std::string& id, const std::string& owner, const std::string& when) {
    return R"({"id":"e)" + id + R"(","entity":"Lead","ids":["L)" + id +
           R"("],"kind":"create","at":")" + when + R"(","set":{"LastName":"Roe","OwnerId":")" +
           owner + R"("}})";
  };
  std::string user =
      R"({"entity":"User","ids":["ana"],"kind":"snapshot","set":{"Username":"ana"}})";
  CHECK(bench.send({user, lead("1", "ana", "2026-03-26T10:00:00Z")}).statuses["executed"] == 1);
  clock.wall = at("2026-03-28T10:00:00Z");
  CHECK(bench.send(lead("2", "ana", "2026-03-26T10:01:00Z")).statuses["deferred"] == 1);
  CHECK(bench.send(lead("3", "bob", "2026-03-26T10:02:00Z")).timers == 0);
  bench.send(lead("4", "bob", "2026-03-28T10:00:00Z"));  // agrees with the clock
  clock.wall = at("2026-03-29T00:00:00Z");
  clock.elapsed += 14 * 3'600'000;
  BatchReport tried = bench.send(lead("5", "bob", "2026-03-29T00:00:00Z"));
  CHECK(tried.timers == 1);
  CHECK(tried.statuses["executed"] == 1);
}

}  // namespace ensue::limits
