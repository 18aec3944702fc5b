// The CRM's own limits, 250 a user and 20,000 the org, attacked around a midnight whose clock is
// then set back by an hour; and, by hand, a year of an organisation.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "support/programs.h"
#include "support/simulation/budget.h"
#include "support/simulation/node_run.h"
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

// An organisation with one lead for each of its people.
class Organisation {
 public:
  Organisation(std::shared_ptr<Store> store, engine::ProgramPtr program, size_t people,
               SimulatedClock* clock)
      : clock_(clock), store_(std::move(store)) {
    engine::RuntimeOptions options;
    options.clock = clock;
    runtime_ = std::make_unique<engine::Runtime>(store_, options);
    REQUIRE(runtime_->use(std::move(program)));
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
    Result<BatchReport> report = runtime_->submit(batch);
    if (!report) FAIL(report.error().message);
    for (const auto& [status, count] : report->statuses) statuses[status] += count;
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

  uint64_t edits() const { return edits_; }
  std::map<std::string, uint64_t> statuses;

 private:
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
  Organisation org(adapters::make_memory_store(), program_in(zone_name), 180, &clock);
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

}  // namespace

TEST_CASE("limits attacked around midnight, with the clock set back: exactly the limit each day") {
  attack("Europe/Paris", "2026-03-29");
  attack("Asia/Kolkata", "2026-05-06");
  attack("America/Sao_Paulo", "2018-11-04");  // this day has no midnight
}

// By hand: `simulation_node_test "[year]"`; ENSUE_SEED draws another year. Each working day has
// some people over their 250 and now and then the whole org over its 20,000.
TEST_CASE("a year of 200 people, two million events", "[.][year]") {
  constexpr size_t kPeople = 200;
  constexpr size_t kEvents = 2'000'000;
  constexpr int kDays = 365;
  bool in_file = GENERATE(false, true);
  std::optional<calendar::Zone> zone = calendar::Zone::find("Europe/Paris");
  TempDir dir;
  std::shared_ptr<Store> store;
  if (in_file) {
    auto opened = adapters::open_sqlite_store(dir.file("year.db"), adapters::StoreAccess::kOwn);
    REQUIRE(opened);
    store = std::move(*opened);
  } else {
    store = adapters::make_memory_store();
  }
  Random random(test_seed());
  auto begin = std::chrono::steady_clock::now();
  Organisation org(store, program_in("Europe/Paris"), kPeople, nullptr);
  std::map<std::string, std::map<std::string, int64_t>> wanted;
  Date first = *value::parse_date("2026-01-01");
  size_t left = kEvents;
  for (int d = 0; d < kDays; ++d) {
    Date date{first.days + d};
    bool rush = d % 30 == 29;
    size_t events = d + 1 == kDays ? left : std::min<size_t>(left, rush ? 26'000 : 4'600);
    left -= events;
    Instant from = zone->day_start(date);
    Instant to = zone->day_start({date.days + 1});
    std::map<std::string, int64_t>& day = wanted[value::date_text(date)];
    for (size_t i = 0; i < events; ++i) {
      // On most days ten people do a third of the work.
      size_t person = !rush && random.chance(60) ? random.below(10) : random.below(kPeople);
      org.edit(person, {from.ms + (to.ms - from.ms) * static_cast<int64_t>(i) /
                                      static_cast<int64_t>(events)});
      int64_t& own = day[fmt::format("u{}", person)];
      if (own < kUserMax && day[""] < kOrgMax) {
        ++own;
        ++day[""];
      }
    }
  }
  org.flush();
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  for (auto& [date, day] : wanted)
    std::erase_if(day, [](const auto& row) { return row.second == 0; });
  CHECK(org.days() == wanted);
  size_t full = 0;
  for (const auto& [date, day] : wanted) full += day.at("") == kOrgMax ? 1 : 0;
  say(fmt::format(
      "a year {}: {} events of {} people, {} executed, {} refused, {} days with the org "
      "at its limit: {:.1f} s",
      in_file ? "in a file" : "in memory", org.edits(), kPeople, org.statuses["executed"],
      org.statuses["suppressed"], full, seconds.count()));
}

}  // namespace ensue::testing
