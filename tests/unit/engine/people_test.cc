// Whom a run is for, who may switch it, what a full counter does, and reminders over their whole
// life.
#include <algorithm>
#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "support/files.h"
#include "support/programs.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using testing::Bench;

Instant at(const std::string& iso) { return value::parse_datetime(iso)->instant(); }

std::string user(const std::string& id, const std::string& more = "") {
  return R"({"entity":"User","ids":[")" + id + R"("],"kind":"snapshot","set":{"Username":")" + id +
         "\"" + more + "}}";
}
std::string managed(const std::string& id, const std::string& manager) {
  return user(id, R"(,"ManagerId":")" + manager + "\"");
}
// A change of a lead; `when` is `05T14:00:00`, a day and time of January 2026.
std::string lead(const std::string& kind, const std::string& id, const std::string& when,
                 const std::string& set) {
  static int number = 0;
  return R"({"id":"n)" + std::to_string(++number) + R"(","entity":"Lead","ids":[")" + id +
         R"("],"kind":")" + kind + R"(","at":"2026-01-)" + when + R"(Z","set":{)" + set + "}}";
}
std::string created(const std::string& id, const std::string& when = "05T14:00:00",
                    const std::string& owner = "ana", const std::string& more = "") {
  return lead("create", id, when, R"("LastName":"Roe","OwnerId":")" + owner + "\"" + more);
}
std::string edited(const std::string& id, const std::string& when, const std::string& set) {
  return lead("update", id, when, set);
}

// `Greet 1 ana executed`, a line for each decision.
std::string text(const BatchReport& report) {
  std::string out;
  for (const Decision& row : report.decisions) {
    out += row.automation + " " + row.record.substr(row.record.find('/') + 1) + " " + row.user +
           " " + row.status + "\n";
  }
  return out;
}

BatchReport must(Result<BatchReport> report) {
  if (!report) FAIL(report.error().message);
  return std::move(*report);
}
std::string error(const Status& status) {
  return status ? "" : error_code_name(status.error().code);
}

std::string action(const std::string& head, const std::string& effect,
                   const std::string& condition = "Rating is \"Hot\" or is new",
                   const std::string& scope = "my records") {
  return "action " + head + "\n  when Lead is created or edited\n  for " + scope + "\n  if " +
         condition + "\n  then " + effect + "\nend\n";
}
std::string team_action(const std::string& head, const std::string& effect,
                        const std::string& condition, const std::string& state) {
  return action(head, effect, condition,
                "records of my team\n  activated by assignees, " + state + " by default");
}
std::string limited(int64_t max, const std::string& policy) {
  return "action \"Greet\" by \"ana\"\n  when Lead is created\n  for my records\n  if Rating is "
         "not \"Cold\"\n"
         "  then add it to cadence \"C\"\nend\n"
         "limits \"L\"\n  each user: at most " +
         std::to_string(max) + " action executions per day\n  when reached " + policy + "\nend\n";
}

std::vector<ReminderRow> reminders(Bench& bench) {
  std::vector<ReminderRow> out;
  Status looked = bench.runtime().store().read([&](StoreReader& reader) {
    return reader.visit_reminders("", [&](const ReminderRow& row) {
      out.push_back(row);
      return true;
    });
  });
  REQUIRE(looked);
  return out;
}
// `ana open`, a line for each reminder.
std::string states(Bench& bench) {
  std::string out;
  for (const ReminderRow& row : reminders(bench)) out += row.person + " " + row.state + "\n";
  return out;
}
int64_t charged(Bench& bench, const std::string& key) {
  int64_t used = 0;
  Status looked = bench.runtime().store().read([&](StoreReader& reader) {
    return reader.visit_counters([&](const CounterRow& row) {
      if (row.scope == "user" && row.key == key) used += row.used;
      return true;
    });
  });
  REQUIRE(looked);
  return used;
}

Result<BatchReport> run_reminder(Bench& bench, const std::string& record,
                                 const std::string& person) {
  return bench.runtime().reminder(record, person, [&](Cascade& cascade, const ReminderRow& row) {
    return cascade.run_reminder(row, person);
  });
}
Result<BatchReport> ignore_reminder(Bench& bench, const std::string& record,
                                    const std::string& person) {
  return bench.runtime().reminder(record, person, [](Cascade& cascade, const ReminderRow& row) {
    return cascade.ignore_reminder(row);
  });
}
Result<BatchReport> snooze_reminder(Bench& bench, const std::string& record,
                                    const std::string& person,
                                    std::optional<Instant> until = std::nullopt) {
  return bench.runtime().reminder(record, person, [&](Cascade& cascade, const ReminderRow& row) {
    return cascade.snooze_reminder(row, until);
  });
}
BatchReport advance(Bench& bench, const std::string& when) {
  return must(bench.runtime().advance(at("2026-01-" + when + "Z")));
}

const std::string kRemind =
    action("\"Nudge\" by \"ana\"",
           "remind me within 1 day, expiring after 2 days to add it to cadence \"C\"",
           "Rating is \"Hot\"");
const std::string kHot = R"(,"Rating":"Hot")";

}  // namespace

// ---- Attribution ------------------------------------------------------------------------------

TEST_CASE("own records are the author's; others' start nothing") {
  Bench bench(testing::program_of(action("\"Greet\" by \"ana\"", "add it to cadence \"C\"")));
  BatchReport report =
      bench.send({user("ana"), user("bob"), created("1"), created("2", "05T14:00:01", "bob"),
                  created("3", "05T14:00:02", "x")});
  CHECK(text(report) == "Greet 1 ana executed\n");
  CHECK(report.decisions[0].effects[0].assignee == "ana");
}

TEST_CASE("a team action is for the owner of the record and charged to him, never to its author") {
  Bench bench(testing::program_of(
      team_action("\"Stop\" by \"mona\"", "add it to cadence \"C\"", "is new", "on")));
  BatchReport report =
      bench.send({user("mona"), managed("ana", "mona"), managed("tim", "ana"), user("zoe"),
                  created("1"), created("2", "05T14:00:01", "tim"),
                  created("3", "05T14:00:02", "mona"), created("4", "05T14:00:03", "zoe")});
  CHECK(text(report) == "Stop 1 ana executed\nStop 2 tim executed\n");
  CHECK(charged(bench, "ana") == 1);
  CHECK(charged(bench, "tim") == 1);
  CHECK(charged(bench, "mona") == 0);
}

TEST_CASE("an author is found by id, then by username, then by address") {
  auto name = GENERATE(as<std::string>(), "005x", "Ana@crm", "ana@x.test");
  Bench bench(
      testing::program_of(action("\"Greet\" by \"" + name + "\"", "add it to cadence \"C\"")));
  BatchReport report = bench.send(
      {R"({"entity":"User","ids":["005x"],"kind":"snapshot","set":{"Username":"ana@crm","Email":"ANA@x.test"}})",
       created("1", "05T14:00:00", "005x")});
  CHECK(text(report) == "Greet 1 005x executed\n");
}

TEST_CASE("only leads are filtered by the author's territory") {
  struct Row {
    const char* mine;
    const char* its;
    bool runs;
  };
  auto row = GENERATE(Row{"", "", true}, Row{"North", "north", true}, Row{"North", "South", false},
                      Row{"North", "", false}, Row{"", "North", false});
  Bench bench(testing::program_of(action("\"Greet\" by \"ana\"", "add it to cadence \"C\"")));
  BatchReport report = bench.send(
      {user("ana", std::string(R"(,"SalesTerritory":")") + row.mine + "\""),
       created("1", "05T14:00:00", "ana", std::string(R"(,"SalesTerritory":")") + row.its + "\"")});
  INFO(row.mine << " and " << row.its);
  CHECK(report.unknown_fields.empty());
  CHECK(text(report) == (row.runs ? "Greet 1 ana executed\n" : ""));
}

// ---- Activation -------------------------------------------------------------------------------

TEST_CASE("the author alone switches an action that the creator activates") {
  Bench bench(testing::program_of(action("\"Greet\" by \"ana\"", "add it to cadence \"C\"")));
  bench.send({user("ana"), user("bob")});
  Runtime& runtime = bench.runtime();
  CHECK(error(runtime.set_active("Greet", "", "bob", false)) == "not_permitted");
  CHECK(error(runtime.set_active("Greet", "", "zoe", false)) == "not_found");
  CHECK(error(runtime.set_active("Greed", "", "ana", false)) == "not_found");
  CHECK(text(bench.send(created("1"))) == "Greet 1 ana executed\n");
  CHECK(error(runtime.set_active("greet", "ANA", "ana", false)) == "");
  CHECK(text(bench.send(created("2", "05T14:01:00"))) == "");
  CHECK(error(runtime.set_active("Greet", "", "ana", true)) == "");
  CHECK(text(bench.send(created("3", "05T14:02:00"))) == "Greet 3 ana executed\n");
}

TEST_CASE("each assignee switches a team action for himself") {
  auto on = GENERATE(true, false);
  Bench bench(testing::program_of(
      team_action("\"Team\" by \"mona\"", "add it to cadence \"C\"", "is new", on ? "on" : "off")));
  bench.send({user("mona"), managed("ana", "mona"), managed("bob", "mona"), user("zoe")});
  CHECK(error(bench.runtime().set_active("Team", "", "mona", !on)) == "not_permitted");
  CHECK(error(bench.runtime().set_active("Team", "", "zoe", !on)) == "not_permitted");
  CHECK(error(bench.runtime().set_active("Team", "", "ana", !on)) == "");
  BatchReport report = bench.send({created("1"), created("2", "05T14:00:01", "bob")});
  CHECK(text(report) == (on ? "Team 2 bob executed\n" : "Team 1 ana executed\n"));
}

TEST_CASE("a draft stays off") {
  Bench bench(testing::program_of(action("\"Greet\" by \"ana\" draft", "add it to cadence \"C\"")));
  CHECK(text(bench.send({user("ana"), created("1")})) == "");
  CHECK(error(bench.runtime().set_active("Greet", "", "ana", true)) == "not_permitted");
}

TEST_CASE("what was switched off is off when the store is opened again") {
  testing::TempDir dir;
  ProgramPtr program =
      testing::program_of(action("\"Greet\" by \"ana\"", "add it to cadence \"C\""));
  auto open = [&] {
    auto opened = adapters::open_sqlite_store(dir.file("s.db"), adapters::StoreAccess::kOwn);
    REQUIRE(opened);
    return std::shared_ptr<Store>(std::move(*opened));
  };
  {
    Bench bench(program, open());
    bench.send(user("ana"));
    CHECK(error(bench.runtime().set_active("Greet", "", "ana", false)) == "");
  }
  Bench again(program, open());
  CHECK(text(again.send(created("1"))) == "");
}

// ---- Full counters ----------------------------------------------------------------------------

TEST_CASE("what is dropped is written down with the limit that refused it") {
  Bench bench(testing::program_of(limited(1, "drop")));
  BatchReport report = bench.send({user("ana"), created("1"), created("2", "05T14:00:01")});
  CHECK(text(report) == "Greet 1 ana executed\nGreet 2 ana suppressed\n");
  REQUIRE(report.decisions[1].limit);
  CHECK(report.decisions[1].limit->scope == "user");
  CHECK(report.decisions[1].limit->key == "ana");
  CHECK(report.decisions[1].limit->count == 1);
  CHECK(report.decisions[1].limit->max == 1);
  CHECK(report.decisions[1].effects.empty());
  CHECK(text(bench.send(created("3", "06T00:00:00"))) == "Greet 3 ana executed\n");
}

TEST_CASE("a refused run fails where the limit says so") {
  Bench bench(testing::program_of(limited(1, "fail")));
  BatchReport report = bench.send({user("ana"), created("1"), created("2", "05T14:00:01")});
  CHECK(text(report) == "Greet 1 ana executed\nGreet 2 ana failed\n");
  CHECK(report.decisions[1].fault ==
        "the limit of user ana on action executions is reached: 1 of 1 a day, free again at "
        "2026-01-06T00:00:00Z");
}

TEST_CASE("a refused run becomes a reminder where the limit says so, and running it is charged") {
  Bench bench(testing::program_of(limited(1, "remind")));
  BatchReport report = bench.send({user("ana"), created("1"), created("2", "05T14:00:01")});
  CHECK(text(report) == "Greet 1 ana executed\nGreet 2 ana reminded\n");
  CHECK(states(bench) == "ana open\n");
  Result<BatchReport> refused = run_reminder(bench, "2", "ana");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimitReached);
  CHECK(states(bench) == "ana open\n");
  advance(bench, "06T00:00:00");
  CHECK(text(must(run_reminder(bench, "2", "ana"))) == "Greet 2 ana executed\n");
  CHECK(states(bench) == "ana run\n");
  CHECK(charged(bench, "ana") == 2);
}

TEST_CASE(
    "deferred runs are tried once at the next day's start, in their first order, before that day's "
    "events") {
  Bench bench(testing::program_of(limited(2, "defer")));
  BatchReport first = bench.send({user("ana"), created("1"), created("2", "05T14:00:01"),
                                  created("4", "05T14:00:02"), created("3", "05T14:00:03"),
                                  created("5", "05T14:00:04")});
  CHECK(text(first) ==
        "Greet 1 ana executed\nGreet 2 ana executed\nGreet 4 ana deferred\nGreet 3 ana "
        "deferred\nGreet 5 ana deferred\n");
  BatchReport last_of_day = bench.send(edited("1", "05T23:59:59", R"("Title":"x")"));
  CHECK(last_of_day.timers == 0);
  BatchReport next = bench.send(created("6", "06T00:00:00"));
  CHECK(next.timers == 3);
  // Two fit; the third is refused again and dropped, and so is the day's own event, which waits for
  // the day after.
  CHECK(
      text(next) ==
      "Greet 4 ana executed\nGreet 3 ana executed\nGreet 5 ana suppressed\nGreet 6 ana deferred\n");
  CHECK(value::instant_text(next.decisions[0].at) == "2026-01-06T00:00:00Z");
  CHECK(text(advance(bench, "08T00:00:00")) == "Greet 6 ana executed\n");
}

TEST_CASE("a deferred run is counted once, whatever the batches") {
  auto batch = GENERATE(size_t{1}, size_t{4});
  Bench bench(testing::program_of(limited(1, "defer")));
  std::vector<std::string> lines = {user("ana"), created("1"), created("2", "05T14:00:01"),
                                    created("3", "05T14:00:02")};
  for (size_t at = 0; at < lines.size(); at += batch) {
    auto begin = lines.begin() + static_cast<std::ptrdiff_t>(at);
    bench.send(std::vector<std::string>(begin, begin + static_cast<std::ptrdiff_t>(batch)));
  }
  Status looked = bench.runtime().store().read([](StoreReader& reader) -> Status {
    CHECK(*reader.total("deferred") == 2);
    return {};
  });
  CHECK(looked);
}

TEST_CASE("a deferred run looks at the condition and the record again") {
  struct Row {
    const char* what;
    std::string change;
    const char* next;
  };
  auto row = GENERATE(values<Row>({
      {"nothing", edited("2", "05T15:00:00", R"("Title":"x")"), "Greet 2 ana executed\n"},
      {"condition", edited("2", "05T15:00:00", R"("Rating":"Cold")"), ""},
      {"deletion", lead("delete", "2", "05T15:00:00", ""), ""},
  }));
  INFO(row.what);
  Bench bench(testing::program_of(limited(1, "defer")));
  BatchReport first =
      bench.send({user("ana"), created("1"), created("2", "05T14:00:01"), row.change});
  CHECK(text(first) == "Greet 1 ana executed\nGreet 2 ana deferred\n");
  CHECK(text(advance(bench, "06T00:00:00")) == row.next);
  CHECK(text(advance(bench, "07T00:00:00")) == "");
}

TEST_CASE("a deferred run that was switched off meanwhile is not tried") {
  Bench bench(testing::program_of(limited(1, "defer")));
  bench.send({user("ana"), created("1"), created("2", "05T14:00:01")});
  CHECK(error(bench.runtime().set_active("Greet", "", "ana", false)) == "");
  CHECK(text(advance(bench, "06T00:00:00")) == "");
}

TEST_CASE("deferred runs outlive the store's closing") {
  testing::TempDir dir;
  ProgramPtr program = testing::program_of(limited(1, "defer"));
  auto open = [&] {
    auto opened = adapters::open_sqlite_store(dir.file("s.db"), adapters::StoreAccess::kOwn);
    REQUIRE(opened);
    return std::shared_ptr<Store>(std::move(*opened));
  };
  { Bench(program, open()).send({user("ana"), created("1"), created("2", "05T14:00:01")}); }
  {
    CHECK(text(advance(*std::make_unique<Bench>(program, open()), "06T00:00:00")) ==
          "Greet 2 ana executed\n");
  }
  CHECK(text(advance(*std::make_unique<Bench>(program, open()), "07T00:00:00")) == "");
}

TEST_CASE("a warning is told once, when the level is reached") {
  Bench bench(testing::program_of(limited(5, "drop")));
  bench.send(user("ana"));
  for (int i = 1; i <= 5; ++i) {
    BatchReport report =
        bench.send(created(std::to_string(i), "05T14:0" + std::to_string(i) + ":00"));
    INFO(i);
    CHECK(report.notices ==
          (i == 4 ? std::vector<std::string>{"user ana: 4 of 5 action executions used"}
                  : std::vector<std::string>{}));
  }
}

// ---- Reminders --------------------------------------------------------------------------------

TEST_CASE(
    "a reminder is offered, with its due time and its end, and costs nothing until it is run") {
  Bench bench(testing::program_of(kRemind));
  BatchReport report = bench.send({user("ana"), created("1", "05T14:00:00", "ana", kHot)});
  CHECK(text(report) == "Nudge 1 ana reminded\n");
  CHECK(report.decisions[0].effects[0].outcome == "offered");
  REQUIRE(reminders(bench).size() == 1);
  ReminderRow row = reminders(bench)[0];
  CHECK(row.effect == "add it to cadence \"C\"");
  CHECK(value::instant_text(*row.due_at) == "2026-01-06T14:00:00Z");
  CHECK(value::instant_text(*row.expires_at) == "2026-01-07T14:00:00Z");
  CHECK(charged(bench, "ana") == 0);
  BatchReport run = must(run_reminder(bench, "Lead/1", "ana"));
  CHECK(text(run) == "Nudge 1 ana executed\n");
  CHECK(run.decisions[0].effects[0].outcome == "added");
  CHECK(charged(bench, "ana") == 1);
  CHECK(states(bench) == "ana run\n");
  CHECK_FALSE(run_reminder(bench, "Lead/1", "ana"));
}

TEST_CASE("a reminder expires at its time, not before") {
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana"), created("1", "05T14:00:00", "ana", kHot)});
  advance(bench, "07T13:59:59.999");
  CHECK(states(bench) == "ana open\n");
  CHECK(advance(bench, "07T14:00:00").timers == 1);
  CHECK(states(bench) == "ana expired\n");
  CHECK_FALSE(run_reminder(bench, "Lead/1", "ana"));
}

TEST_CASE("a new match refreshes the open reminder, and its time counts anew") {
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana"), created("1", "05T14:00:00", "ana", kHot)});
  BatchReport report = bench.send({edited("1", "06T10:00:00", R"("Rating":"Cold")"),
                                   edited("1", "06T14:00:00", R"("Rating":"Hot")")});
  CHECK(report.decisions.back().effects[0].outcome == "refreshed");
  CHECK(reminders(bench).size() == 1);
  advance(bench, "07T14:00:00");
  CHECK(states(bench) == "ana open\n");
  advance(bench, "08T14:00:00");
  CHECK(states(bench) == "ana expired\n");
  // After its end a new match opens it again.
  report = bench.send({edited("1", "09T10:00:00", R"("Rating":"Cold")"),
                       edited("1", "09T14:00:00", R"("Rating":"Hot")")});
  CHECK(report.decisions.back().effects[0].outcome == "offered");
  CHECK(states(bench) == "ana open\n");
}

TEST_CASE("only the person reminded runs, ignores or snoozes it") {
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana"), user("bob"), created("1", "05T14:00:00", "ana", kHot)});
  Result<BatchReport> by_record = ignore_reminder(bench, "Lead/1", "bob");
  REQUIRE_FALSE(by_record);
  CHECK(by_record.error().code == ErrorCode::kNotFound);
  Result<BatchReport> by_id = ignore_reminder(bench, base::to_hex(reminders(bench)[0].id), "bob");
  REQUIRE_FALSE(by_id);
  CHECK(by_id.error().code == ErrorCode::kNotPermitted);
  CHECK(states(bench) == "ana open\n");
  must(ignore_reminder(bench, base::to_hex(reminders(bench)[0].id), "ana"));
  CHECK(states(bench) == "ana ignored\n");
  CHECK_FALSE(snooze_reminder(bench, base::to_hex(reminders(bench)[0].id), "ana"));
}

TEST_CASE(
    "a snoozed reminder comes back at the start of the person's next day while its condition "
    "holds") {
  auto still_hot = GENERATE(true, false);
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana", R"(,"TimeZoneSidKey":"Europe/Paris")"),
              created("1", "05T14:00:00", "ana", kHot)});
  must(snooze_reminder(bench, "1", "ana"));
  CHECK(states(bench) == "ana snoozed\n");
  CHECK(value::instant_text(*reminders(bench)[0].snoozed_until) == "2026-01-05T23:00:00Z");
  if (!still_hot) bench.send(edited("1", "05T15:00:00", R"("Rating":"Cold")"));
  advance(bench, "05T22:59:59");
  CHECK(states(bench) == "ana snoozed\n");
  advance(bench, "05T23:00:00");
  CHECK(states(bench) == (still_hot ? "ana open\n" : "ana expired\n"));
}

TEST_CASE("a reminder is snoozed until a later time only, and again until another") {
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana"), created("1", "05T14:00:00", "ana", kHot)});
  CHECK_FALSE(snooze_reminder(bench, "1", "ana", at("2026-01-05T14:00:00Z")));
  must(snooze_reminder(bench, "1", "ana", at("2026-01-05T15:00:00Z")));
  must(snooze_reminder(bench, "1", "ana", at("2026-01-05T16:00:00Z")));
  advance(bench, "05T15:30:00");
  CHECK(states(bench) == "ana snoozed\n");
  advance(bench, "05T16:00:00");
  CHECK(states(bench) == "ana open\n");
}

TEST_CASE("a reminder expires while it is snoozed") {
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana"), created("1", "05T14:00:00", "ana", kHot)});
  must(snooze_reminder(bench, "1", "ana", at("2026-01-20T00:00:00Z")));
  advance(bench, "07T14:00:00");
  CHECK(states(bench) == "ana expired\n");
  CHECK(advance(bench, "21T00:00:00").timers == 0);
  CHECK(states(bench) == "ana expired\n");
}

TEST_CASE("a reminder of one's own records expires when the record goes to somebody else") {
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana"), user("bob"), created("1", "05T14:00:00", "ana", kHot),
              edited("1", "05T15:00:00", R"("OwnerId":"bob")")});
  CHECK(states(bench) == "ana expired\n");
}

TEST_CASE("a reminder for a team moves with the record, inside the team") {
  struct Row {
    const char* owner;
    const char* states;
  };
  auto row = GENERATE(Row{"bob", "ana expired\nbob open\n"}, Row{"zoe", "ana expired\n"},
                      Row{"nobody", "ana expired\n"});
  Bench bench(testing::program_of(
      team_action("\"Nudge\" by \"mona\"",
                  "remind me within 1 day, expiring after 2 days to add it to cadence \"C\"",
                  "Rating is \"Hot\"", "on")));
  bench.send({user("mona"), managed("ana", "mona"), managed("bob", "mona"), user("zoe"),
              created("1", "05T14:00:00", "ana", kHot),
              edited("1", "05T15:00:00", std::string(R"("OwnerId":")") + row.owner + "\"")});
  std::vector<std::string> lines = testing::lines_of(states(bench));
  std::sort(lines.begin(), lines.end());
  INFO(row.owner);
  CHECK(lines == testing::lines_of(row.states));
  advance(bench, "07T14:00:00");
  CHECK(states(bench).find("open") == std::string::npos);
}

TEST_CASE("a reminder about a record that is deleted expires") {
  Bench bench(testing::program_of(kRemind));
  bench.send({user("ana"), created("1", "05T14:00:00", "ana", kHot),
              lead("delete", "1", "05T15:00:00", "")});
  CHECK(states(bench) == "ana expired\n");
}

TEST_CASE("reminders and their ends outlive the store's closing") {
  testing::TempDir dir;
  ProgramPtr program = testing::program_of(kRemind);
  auto open = [&] {
    auto opened = adapters::open_sqlite_store(dir.file("s.db"), adapters::StoreAccess::kOwn);
    REQUIRE(opened);
    return std::shared_ptr<Store>(std::move(*opened));
  };
  {
    Bench(program, open())
        .send({user("ana"), created("1", "05T14:00:00", "ana", kHot),
               created("2", "05T15:00:00", "ana", kHot)});
  }
  {
    Bench bench(program, open());
    CHECK(text(must(run_reminder(bench, "Lead/2", "ana"))) == "Nudge 2 ana executed\n");
    advance(bench, "06T00:00:00");
  }
  Bench bench(program, open());
  CHECK(advance(bench, "07T14:00:00").timers == 1);
  std::vector<std::string> lines = testing::lines_of(states(bench));
  std::sort(lines.begin(), lines.end());
  CHECK(lines == std::vector<std::string>{"ana expired", "ana run"});
}

}  // namespace ensue::engine
