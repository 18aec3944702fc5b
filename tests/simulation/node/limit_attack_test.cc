// The CRM's own limits, 250 a user and 20,000 the org, attacked around a midnight whose clock is
// then set back by an hour; and, by hand, a year of an organisation.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <ctime>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "support/programs.h"
#include "support/simulation/budget.h"
#include "support/simulation/node_run.h"
#include "support/simulation/store_state.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kUserMax = 250;
constexpr int64_t kOrgMax = 20'000;
constexpr size_t kBatch = 500;

// Each edit runs it once, for whoever owns the lead, and it has nothing to do: charged all the
// same.
engine::ProgramPtr program_in(const std::string& zone) {
  return program_of(fmt::format(R"(
action "Tidy" by "mona"
  when Lead is created or edited
  for records of my team
  activated by assignees, on by default
  if NumberOfEmployees >= 1
  then remove it from all cadences
end
limits "Days"
  whole org: at most 20_000 action executions per day
  day starts at 00:00 in "{}"
end
)",
                                zone));
}

// An organisation with one lead for each of its people. Its engine may die at the fail points;
// another then opens the store and gets the batch at hand again.
class Organisation {
 public:
  using Open = std::function<std::shared_ptr<Store>()>;

  Organisation(Open open, engine::ProgramPtr program, size_t people, SimulatedClock* clock)
      : open_(std::move(open)), program_(std::move(program)), clock_(clock) {
    lines_.push_back(
        R"({"entity":"User","ids":["mona"],"kind":"snapshot","set":{"Username":"mona"}})");
    for (size_t i = 0; i < people; ++i) {
      lines_.push_back(fmt::format(
          R"({{"entity":"User","ids":["u{0}"],"kind":"snapshot","set":{{"Username":"u{0}","ManagerId":"mona"}}}})",
          i));
      lines_.push_back(fmt::format(
          R"({{"entity":"Lead","ids":["L{0}"],"kind":"snapshot","set":{{"LastName":"Roe","OwnerId":"u{0}"}}}})",
          i));
    }
    flush();
  }

  // One edit of the lead of a person.
  void edit(size_t person, Instant at) {
    ++edits_;
    lines_.push_back(fmt::format(
        R"({{"id":"e{}","entity":"Lead","ids":["L{}"],"kind":"update","at":"{}","set":{{"NumberOfEmployees":{}}}}})",
        edits_, person, value::instant_text(at), edits_));
    if (lines_.size() == kBatch) flush();
  }

  void flush() {
    engine::Runtime::Lines batch;
    batch.source = kNodeSource;
    for (size_t i = 0; i < lines_.size(); ++i) batch.lines.push_back({lines_[i], i + 1});
    while (true) {
      try {
        if (runtime_ == nullptr) start();
        Result<BatchReport> report = runtime_->submit(batch);
        if (!report) FAIL(report.error().message);
        for (const auto& [status, count] : report->statuses) statuses[status] += count;
        break;
      } catch (const Died&) {
        ++deaths;
        runtime_.reset();
        store_.reset();
      }
    }
    lines_.clear();
  }

  // Units charged on a day, by user; the org's under the empty name.
  std::map<std::string, std::map<std::string, int64_t>> days() {
    std::map<std::string, std::map<std::string, int64_t>> out;
    REQUIRE(store_->read([&](StoreReader& reader) {
      return reader.visit_counters([&](const CounterRow& row) {
        if (row.used > 0) out[row.window][row.key] = row.used;
        return true;
      });
    }));
    return out;
  }

  // A number for all that the store tells.
  size_t state() {
    runtime_.reset();
    Result<StoreState> state = state_of(*store_);
    REQUIRE(state);
    return std::hash<std::string>()(state->text);
  }

  uint64_t edits() const { return edits_; }
  std::map<std::string, uint64_t> statuses;  // as told: a batch whose engine died tells nothing
  uint64_t deaths = 0;
  FailPoints points;

 private:
  void start() {
    if (store_ == nullptr) store_ = std::make_shared<FaultyStore>(open_(), points);
    engine::RuntimeOptions options;
    options.clock = clock_;
    runtime_ = std::make_unique<engine::Runtime>(store_, options);
    Status used = runtime_->use(program_);
    if (!used) FAIL(used.error().message);
  }

  Open open_;
  engine::ProgramPtr program_;
  SimulatedClock* clock_;
  std::shared_ptr<Store> store_;
  std::unique_ptr<engine::Runtime> runtime_;
  std::vector<std::string> lines_;
  uint64_t edits_ = 0;
};

// Before midnight 32 people want more than their 250; after it 180 people together want more than
// 20,000, and in the middle of that the clock goes back to before midnight for a while.
void attack(const char* zone_name, const char* date) {
  std::optional<calendar::Zone> zone = calendar::Zone::find(zone_name);
  REQUIRE(zone);
  Instant midnight = zone->day_start(*value::parse_date(date));
  SimulatedClock clock;
  clock.at = {midnight.ms - kHour};
  Organisation org(adapters::make_memory_store, program_in(zone_name), 180, &clock);
  auto passes = [&](int64_t ms) {
    clock.at.ms += ms;
    clock.elapsed += ms;
  };
  constexpr size_t kBefore = 9'500;
  constexpr size_t kAll = 30'000;
  for (size_t i = 0; i < kBefore; ++i) {
    org.edit(i % 32, clock.at);
    passes(i % 3 == 0 ? 1000 : 0);
  }
  org.flush();
  passes(midnight.ms + kMinute - clock.at.ms);
  for (size_t i = kBefore; i < kAll; ++i) {
    if (i == 18'000) {
      org.flush();
      clock.at.ms -= kHour;  // nobody waited for it: set back
    }
    org.edit(i % 180, clock.at);
    passes(i % 30 == 0 ? 10'000 : 0);
  }
  org.flush();

  auto days = org.days();
  INFO(zone_name << " " << date);
  REQUIRE(days.size() == 2);
  auto& [before, first] = *days.begin();
  auto& [after, second] = *std::next(days.begin());
  CHECK(after == date);
  CHECK(first[""] == 32 * kUserMax);
  CHECK(second[""] == kOrgMax);
  size_t full = 0;
  for (const auto* day : {&first, &second}) {
    for (const auto& [key, used] : *day) {
      if (key.empty()) continue;
      CHECK(used <= kUserMax);
      full += used == kUserMax ? 1 : 0;
    }
  }
  CHECK(full == 32);
  CHECK(org.statuses["executed"] == static_cast<uint64_t>(first[""] + second[""]));
  CHECK(org.statuses["executed"] + org.statuses["suppressed"] == kAll);
  say(fmt::format("limits attacked in {}: {} events; {}: {} of {} x {}; {}: {} of {}; {} refused",
                  zone_name, org.edits(), before, first[""], full, kUserMax, after, second[""],
                  kOrgMax, org.statuses["suppressed"]));
}

using DayCounts = std::map<std::string, std::map<std::string, int64_t>>;

// A year of `events` edits. Gives what each day should have charged. Each month has a day on which
// the org wants more than its 20,000 of a year of 2,000,000; on the others ten people do most of
// the work, more than their 250.
DayCounts live_a_year(Organisation& org, size_t people, size_t events) {
  constexpr int kDays = 365;
  constexpr size_t kWhole = 2'000'000;
  std::optional<calendar::Zone> zone = calendar::Zone::find("Europe/Paris");
  REQUIRE(zone);
  Random random(test_seed());
  DayCounts wanted;
  Date first = *value::parse_date("2026-01-01");
  size_t left = events;
  for (int d = 0; d < kDays; ++d) {
    Date date{first.days + d};
    bool rush = d % 30 == 29;
    size_t today = (rush ? 26'000 : 4'600) * events / kWhole;
    today = d + 1 == kDays ? left : std::min(left, today);
    left -= today;
    Instant from = zone->day_start(date);
    Instant to = zone->day_start({date.days + 1});
    std::map<std::string, int64_t>& day = wanted[value::date_text(date)];
    for (size_t i = 0; i < today; ++i) {
      size_t person = !rush && random.chance(60) ? random.below(10) : random.below(people);
      org.edit(person, {from.ms +
                        (to.ms - from.ms) * static_cast<int64_t>(i) / static_cast<int64_t>(today)});
      int64_t& own = day[fmt::format("u{}", person)];
      if (own < kUserMax && day[""] < kOrgMax) {
        ++own;
        ++day[""];
      }
    }
  }
  org.flush();
  for (auto& [date, day] : wanted)
    std::erase_if(day, [](const auto& row) { return row.second == 0; });
  return wanted;
}

struct Year {
  size_t state = 0;
  double seconds = 0;  // of the processor
};

// With the engine dying some twenty times, or not at all where `seed` is 0.
Year a_year(size_t people, size_t events, uint64_t seed, bool in_file) {
  TempDir dir;
  std::shared_ptr<Store> memory = adapters::make_memory_store();
  Organisation org(
      [&]() -> std::shared_ptr<Store> {
        if (!in_file) return memory;
        auto opened = adapters::open_sqlite_store(dir.file("year.db"), adapters::StoreAccess::kOwn);
        REQUIRE(opened);
        return std::move(*opened);
      },
      program_in("Europe/Paris"), people, nullptr);
  // At any verb; an event passes some twenty points.
  Random random(seed);
  if (seed != 0) {
    org.points.choose = [&](FailPoint) {
      return random.below(events) == 0 ? FaultAction::kDie : FaultAction::kNone;
    };
  }
  std::clock_t begin = std::clock();
  DayCounts wanted = live_a_year(org, people, events);
  Year year;
  year.seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  org.points.choose = nullptr;
  CHECK(org.days() == wanted);
  CHECK((org.deaths > 0) == (seed != 0));
  size_t full = 0;
  for (const auto& [date, day] : wanted) full += day.at("") == kOrgMax ? 1 : 0;
  say(
      fmt::format("a year of {} people {}, seed {}: {} events, {} deaths, {} days with the org at "
                  "its limit, {:.1f} s of the processor",
                  people, in_file ? "in a file" : "in memory", seed, org.edits(), org.deaths, full,
                  year.seconds));
  year.state = org.state();
  return year;
}

// A store in a file and one in memory tell the same too.
void years(size_t people, size_t events) {
  size_t expected = a_year(people, events, 0, false).state;
  CHECK(a_year(people, events, 0, true).state == expected);
  for (uint64_t seed = 1; seed <= 3; ++seed)
    CHECK(a_year(people, events, test_seed() + seed, true).state == expected);
}

}  // namespace

TEST_CASE("limits attacked around midnight, with the clock set back: exactly the limit each day") {
  attack("Europe/Paris", "2026-03-29");
  attack("Asia/Kolkata", "2026-05-06");
  attack("America/Sao_Paulo", "2018-11-04");  // this day has no midnight
}

TEST_CASE("a year of an organisation ends the same with crashes and without") { years(20, 4'000); }

// By hand: `simulation_node_test "[year]"`; ENSUE_SEED draws another year.
TEST_CASE("a year of 200 people, two million events", "[.][year]") { years(200, 2'000'000); }

}  // namespace ensue::testing
