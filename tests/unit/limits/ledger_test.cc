// The ledger on a store of its own: which counter refuses, when it is free again, and what a
// warning is.
#include "limits/ledger.h"

#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "base/key128.h"
#include "value/time_text.h"

namespace ensue::limits {
namespace {

Instant at(const char* iso) { return value::parse_datetime(iso)->instant(); }
std::string text(Instant instant) { return value::instant_text(instant); }

Rule per_user(int64_t max) {
  Rule rule;
  rule.counter = "action executions";
  rule.max = max;
  return rule;
}
Rule per_org(int64_t max) {
  Rule rule = per_user(max);
  rule.scope = Scope::kOrg;
  return rule;
}
Rule per_action(const char* name, int64_t max) {
  Rule rule;
  rule.scope = Scope::kAutomation;
  rule.kind = "action";
  rule.name = name;
  rule.counter = "executions";
  rule.max = max;
  return rule;
}
Rule burst(Rule rule, int64_t seconds) {
  rule.per_day = false;
  rule.window_ms = seconds * 1000;
  return rule;
}

const char* const kNoon = "2026-01-05T12:00:00Z";

// A ledger at work: each charge is a run of its own.
struct Book {
  std::unique_ptr<Store> store = adapters::make_memory_store();
  Ledger ledger;
  OpenDay open_day;
  int runs = 0;

  explicit Book(std::vector<Rule> rules, const char* zone = "UTC", TimeOfDay day_starts_at = {})
      : ledger(std::move(rules), *calendar::Zone::find(zone), day_starts_at) {}

  Decision charge(const Subject& subject, const char* when = kNoon) {
    Decision out;
    Key128 run = base::hash_key({"run", std::to_string(++runs)});
    Status done = store->commit([&](StoreTxn& txn) -> Status {
      Result<Decision> decision = ledger.charge(txn, run, subject, at(when), open_day);
      if (!decision) return decision.error();
      out = *decision;
      return {};
    });
    REQUIRE(done);
    return out;
  }
  Decision charge(const char* user = "ana", const char* when = kNoon) {
    return charge({"action", "A", "ana", user}, when);
  }
  // The scope that refuses, or `fine`.
  std::string refusing(const Subject& subject, const char* when = kNoon) {
    Decision decision = charge(subject, when);
    return decision.refused ? decision.refused->scope : "fine";
  }
  std::string refusing(const char* user = "ana", const char* when = kNoon) {
    return refusing({"action", "A", "ana", user}, when);
  }
  // `user ana 2026-01-05 1/2`, a line for each counter.
  std::string counters() {
    std::string out;
    Status looked = store->read([&](StoreReader& reader) {
      return reader.visit_counters([&](const CounterRow& row) {
        out += row.scope + " " + row.key + " " + row.window + " " + std::to_string(row.used) + "/" +
               std::to_string(row.max) + "\n";
        return true;
      });
    });
    REQUIRE(looked);
    return out;
  }
};

}  // namespace

TEST_CASE("the execution at the maximum is let through, the one past it is not") {
  auto max = GENERATE(0, 1, 2, 250);
  Book book({per_user(max)});
  for (int i = 0; i < max; ++i) CHECK_FALSE(book.charge().refused);
  Decision past = book.charge();
  REQUIRE(past.refused);
  CHECK(past.refused->scope == "user");
  CHECK(past.refused->key == "ana");
  CHECK(past.refused->counter == "action executions");
  CHECK(past.refused->count == max);
  CHECK(past.refused->max == max);
  CHECK(text(past.refused->resets_at) == "2026-01-06T00:00:00Z");
}

TEST_CASE("what is refused is charged to no counter") {
  Book book({per_org(1), per_user(5)});
  CHECK(book.refusing() == "fine");
  std::string before = book.counters();
  CHECK(book.refusing() == "org");
  CHECK(book.counters() == before);
}

TEST_CASE("the user's limit is looked at first, then the automation's, then the org's") {
  CHECK(Book({per_org(0), per_action("A", 0), per_user(0)}).refusing() == "user");
  CHECK(Book({per_org(0), per_action("A", 0), per_user(1)}).refusing() == "automation");
  CHECK(Book({per_org(0), per_action("A", 1), per_user(1)}).refusing() == "org");
}

TEST_CASE("counters are those of the scope") {
  Book users({per_user(1)});
  CHECK(users.refusing("ana") == "fine");
  CHECK(users.refusing("bob") == "fine");
  CHECK(users.refusing("ana") == "user");
  Book org({per_org(1)});
  CHECK(org.refusing("ana") == "fine");
  CHECK(org.refusing("bob") == "org");
  Book action({per_action("a", 1)});
  CHECK(action.refusing({"action", "A", "ana", "ana"}) == "fine");
  CHECK(action.refusing({"action", "B", "ana", "ana"}) == "fine");
  CHECK(action.refusing({"flow", "A", "", "ana"}) == "fine");
  CHECK(action.refusing({"action", "A", "ana", "bob"}) == "automation");
}

TEST_CASE("a limit that names an author counts that author's action") {
  Rule rule = per_action("A", 0);
  rule.author = "ANA";
  Book book({rule});
  CHECK(book.refusing({"action", "A", "ana", "ana"}) == "automation");
  CHECK(book.refusing({"action", "A", "bob", "bob"}) == "fine");
}

TEST_CASE("automations of one name have counters of their own, by kind and author") {
  Rule anas = per_action("A", 1);
  anas.author = "ana";
  Rule bobs = per_action("A", 1);
  bobs.author = "bob";
  Rule flows = per_action("A", 1);
  flows.kind = "flow";
  Book book({anas, bobs, flows});
  CHECK(book.refusing({"action", "A", "ana", "ana"}) == "fine");
  CHECK(book.refusing({"action", "A", "bob", "bob"}) == "fine");
  CHECK(book.refusing({"flow", "A", "", ""}) == "fine");
  CHECK(book.refusing({"action", "A", "ana", "ana"}) == "automation");
  CHECK(book.refusing({"action", "A", "bob", "bob"}) == "automation");
  CHECK(book.refusing({"flow", "A", "", ""}) == "automation");
}

TEST_CASE("the system has no user's limit, and actions and flows have counters of their own") {
  Book book({per_user(0)});
  CHECK(book.refusing({"action", "A", "ana", ""}) == "fine");
  CHECK(book.refusing({"flow", "F", "", "ana"}) == "fine");
  Rule flows = per_org(0);
  flows.counter = "flow executions";
  Book org({flows});
  CHECK(org.refusing({"flow", "F", "", ""}) == "org");
  CHECK(org.refusing({"action", "A", "ana", "ana"}) == "fine");
}

TEST_CASE("a counter begins anew with the day of its zone") {
  Book book({per_user(1)}, "America/New_York");
  CHECK(book.refusing("ana", "2026-01-05T05:00:00Z") == "fine");
  Decision last = book.charge("ana", "2026-01-06T04:59:59Z");
  REQUIRE(last.refused);
  CHECK(text(last.refused->resets_at) == "2026-01-06T05:00:00Z");
  CHECK(book.refusing("ana", "2026-01-06T05:00:00Z") == "fine");
}

TEST_CASE("a day is 23 or 25 hours long when the clock changes") {
  struct Row {
    const char* begin;
    const char* last;
    const char* next;
    const char* date;
  };
  auto row = GENERATE(
      Row{"2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00Z", "2026-03-29"},
      Row{"2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00Z",
          "2026-10-25"});
  INFO(row.date);
  Book book({per_user(1)}, "Europe/Paris");
  CHECK(value::date_text(book.ledger.day_of(at(row.begin))) == row.date);
  CHECK(book.refusing("ana", row.begin) == "fine");
  Decision late = book.charge("ana", row.last);
  REQUIRE(late.refused);
  CHECK(text(late.refused->resets_at) == row.next);
  CHECK(book.refusing("ana", row.next) == "fine");
  CHECK(text(book.ledger.next_day_start(at(row.begin))) == row.next);
}

TEST_CASE("a day may start at another time than midnight") {
  Book book({per_user(1)}, "Europe/Paris", *value::parse_time("04:00"));
  CHECK(value::date_text(book.ledger.day_of(at("2026-01-05T02:59:59Z"))) == "2026-01-04");
  CHECK(value::date_text(book.ledger.day_of(at("2026-01-05T03:00:00Z"))) == "2026-01-05");
  CHECK(book.refusing("ana", "2026-01-05T02:59:59Z") == "fine");
  CHECK(book.refusing("ana", "2026-01-05T03:00:00Z") == "fine");
  CHECK(book.refusing("ana", "2026-01-06T02:59:59Z") == "user");
}

TEST_CASE("days are kept apart when the clock is asked to and fro") {
  Book book({per_user(1)});
  CHECK(book.refusing("ana", "2026-01-05T12:00:00Z") == "fine");
  CHECK(book.refusing("ana", "2026-01-06T12:00:00Z") == "fine");
  CHECK(book.refusing("ana", "2026-01-05T12:00:00Z") == "user");
  CHECK(book.refusing("ana", "2026-01-07T00:00:00Z") == "fine");
}

TEST_CASE("a burst slides: each unit is free again after its length of time") {
  Book book({burst(per_user(2), 10)});
  CHECK(book.refusing("ana", "2026-01-05T12:00:00Z") == "fine");
  CHECK(book.refusing("ana", "2026-01-05T12:00:06Z") == "fine");
  Decision third = book.charge("ana", "2026-01-05T12:00:09.999Z");
  REQUIRE(third.refused);
  CHECK(third.refused->count == 2);
  CHECK_FALSE(third.refused->per_day);
  CHECK(text(third.refused->resets_at) == "2026-01-05T12:00:10Z");
  CHECK(book.refusing("ana", "2026-01-05T12:00:10Z") == "fine");
  CHECK(book.refusing("ana", "2026-01-05T12:00:15.999Z") == "user");
  CHECK(book.refusing("ana", "2026-01-05T12:00:16Z") == "fine");
}

TEST_CASE("a burst and a day hold side by side, as do two bursts") {
  Book book({per_user(3), burst(per_user(1), 1), burst(per_user(2), 60)});
  CHECK(book.refusing("ana", "2026-01-05T12:00:00Z") == "fine");
  CHECK(book.refusing("ana", "2026-01-05T12:00:00.500Z") == "user");
  CHECK(book.refusing("ana", "2026-01-05T12:00:01Z") == "fine");
  Decision minute = book.charge("ana", "2026-01-05T12:00:02Z");
  REQUIRE(minute.refused);
  CHECK(minute.refused->max == 2);
  CHECK(text(minute.refused->resets_at) == "2026-01-05T12:01:00Z");
  CHECK(book.refusing("ana", "2026-01-05T12:01:00Z") == "fine");
  Decision day = book.charge("ana", "2026-01-05T12:05:00Z");
  REQUIRE(day.refused);
  CHECK(day.refused->per_day);
  CHECK(day.refused->max == 3);
}

TEST_CASE("the policy of the limit that refuses is told") {
  auto policy = GENERATE(Policy::kDrop, Policy::kDefer, Policy::kRemind, Policy::kFail);
  Rule user = per_user(0);
  user.policy = policy;
  Decision decision = Book({per_org(0), user}).charge();
  REQUIRE(decision.refused);
  CHECK(decision.refused->policy == policy);
}

TEST_CASE("a warning is given once, by the execution that reaches the level") {
  struct Row {
    int64_t max;
    int percent;
    int64_t warned_at;
  };
  auto row = GENERATE(Row{10, 80, 8}, Row{3, 80, 3}, Row{1, 80, 1}, Row{100, 1, 1}, Row{7, 50, 4},
                      Row{4, 100, 4}, Row{200, 99, 198});
  INFO(row.max << " at " << row.percent << "%");
  Rule rule = per_user(row.max);
  rule.warn_percent = row.percent;
  Book book({rule});
  for (int64_t used = 1; used <= row.max; ++used) {
    Decision decision = book.charge();
    INFO(used);
    REQUIRE(decision.warnings.size() == (used == row.warned_at ? 1u : 0u));
    if (used != row.warned_at) continue;
    CHECK(decision.warnings[0].count == used);
    CHECK(decision.warnings[0].max == row.max);
  }
  Decision past = book.charge();
  CHECK(past.refused);
  CHECK(past.warnings.empty());
}

TEST_CASE("a message about a limit names which, whose, count, maximum and reset") {
  Book book({per_user(1)});
  book.charge();
  CHECK(limit_message(*book.charge().refused) ==
        "the limit of user ana on action executions is reached: 1 of 1 a day, free again at "
        "2026-01-06T00:00:00Z");
  CHECK(limit_message(*Book({per_org(0)}).charge().refused) ==
        "the limit of the whole org on action executions is reached: 0 of 0 a day, free again at "
        "2026-01-06T00:00:00Z");
  Book busy({burst(per_action("A", 1), 10)});
  busy.charge();
  CHECK(limit_message(*busy.charge().refused) ==
        "the limit of action \"A\" on executions is reached: 1 of 1, free again at "
        "2026-01-05T12:00:10Z");
}

TEST_CASE("without a limit nothing is counted") {
  Book book({});
  CHECK_FALSE(book.charge().refused);
  CHECK(book.counters() == "");
}

}  // namespace ensue::limits
