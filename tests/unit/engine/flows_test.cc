// Flows on a store: batches, versions, faults kept for people, what a deleted record leaves.
#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "base/key128.h"
#include "engine/frame.h"
#include "support/programs.h"
#include "support/sinks.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using testing::Bench;

Instant at(const char* text) { return value::parse_datetime(text)->instant(); }

std::string lead(const std::string& ids, const std::string& event, const std::string& set) {
  return R"({"id":")" + event + R"(","entity":"Lead","ids":[)" + ids +
         R"(],"kind":"create","at":"2026-01-05T14:00:00Z","set":{"LastName":"Roe")" + set + "}}";
}
std::vector<FlowRunRow> waiting(Store& store, const std::string& state = "") {
  std::vector<FlowRunRow> out;
  Status looked = store.read([&](StoreReader& reader) {
    return reader.visit_flow_runs(state, [&](const FlowRunRow& row) {
      out.push_back(row);
      return true;
    });
  });
  REQUIRE(looked.has_value());
  return out;
}

std::string records(Store& store) {
  std::string out;
  Status looked = store.read([&](StoreReader& reader) {
    return reader.visit_records("", [&](const RecordRow& row) {
      out += row.object + "/" + row.id + " " + row.body + (row.deleted ? " deleted" : "") + "\n";
      return true;
    });
  });
  REQUIRE(looked.has_value());
  return out;
}

std::string logs(const BatchReport& report) {
  std::string out;
  for (const Decision& decision : report.decisions) {
    for (const EffectRecord& effect : decision.effects) {
      if (effect.op == "log") out += effect.text + "\n";
    }
  }
  return out;
}

struct World {
  std::shared_ptr<Store> store{adapters::make_memory_store()};
  std::optional<Bench> bench;

  explicit World(const std::string& program, RuntimeOptions options = {}) {
    bench.emplace(testing::program_of(program), store, options);
  }
  BatchReport advance(const char* to) {
    auto report = bench->runtime().advance(at(to));
    REQUIRE(report.has_value());
    return std::move(*report);
  }
};

constexpr const char* kAssign = R"(
flow "Rate before" 
  when Lead is created, before save
  set Industry to "new"
end
flow "Assign"
  when Lead is created
  let rep = find first User where Department is "FR" and IsActive, ordered by Name
  set Owner to rep, Description to "for {rep.Name}"
  create Task with Subject to "call {LastName}", Owner to rep
end
)";

}  // namespace

TEST_CASE(
    "two hundred leads in one event are two hundred leads, and share what is read and written") {
  std::string users =
      R"({"entity":"User","ids":["kim","zoe"],"kind":"snapshot","set":{"Name":"Kim","Username":"k","Department":"FR"}})";
  World one(kAssign);
  one.bench->send(users);
  std::string ids;
  for (int i = 0; i < 200; ++i) ids += (i > 0 ? ",\"L" : "\"L") + std::to_string(1000 + i) + '"';
  BatchReport together = one.bench->send(lead(ids, "e", ""));
  World many(kAssign);
  many.bench->send(users);
  BatchReport alone;
  for (int i = 0; i < 200; ++i) {
    // The same key as in the event of all: the record is part of it.
    alone.add(many.bench->send(lead("\"L" + std::to_string(1000 + i) + '"', "e", "")));
  }
  CHECK(records(*one.store) == records(*many.store));
  CHECK(together.decisions.size() == 400);
  CHECK(testing::decisions_text(together) == testing::decisions_text(alone));
  CHECK(together.queries == 200);
  CHECK(together.query_reads == 1);
  CHECK(together.saves == 400);
  CHECK(together.records_written == 400);
  CHECK(alone.queries == 200);
  UNSCOPED_INFO("together: " << together.query_reads << " reads, " << together.records_written
                             << " writes; alone: " << alone.query_reads << " reads, "
                             << alone.records_written << " writes");
  CHECK(alone.records_written == 400);
}

TEST_CASE("a waiting run finishes on the version it began with, also in another process") {
  auto program = [](const std::string& word, const std::string& more = "") {
    return more + "subflow \"Say\" gives word as text\n  give word to \"" + word +
           "\"\nend\nflow \"Wait\" version 1\n  when Lead is created\n  wait 1 day\n"
           "  let said = run \"Say\"\n  log \"" +
           word + " {said} {LastName}\"\nend\n";
  };
  World world(program("old"));
  BatchReport begun = world.bench->send(lead("\"1\"", "e1", ""));
  REQUIRE(begun.decisions.size() == 1);
  CHECK(begun.decisions[0].status == "waiting");
  // Another project, with objects of its own, in another process.
  world.bench.emplace(
      testing::program_of(program("new",
                                  "object Thing\n  Size as number\nend\nextend Lead\n  "
                                  "Shoe as text\nend\n")),
      world.store);
  std::string second = lead("\"2\"", "e2", "");
  second.replace(second.find("T14:"), 4, "T15:");
  world.bench->send(second);
  CHECK(logs(world.advance("2026-01-06T15:00:00Z")) == "old old Roe\nnew new Roe\n");
  CHECK(waiting(*world.store).empty());
}

TEST_CASE("a version that does not fit the objects any more ends its run, and says so") {
  World world(
      "extend Lead\n  Shoe as text\nend\nflow \"Wait\"\n  when Lead is created\n"
      "  wait 1 day\n  set Shoe to \"42\"\nend\n");
  world.bench->send(lead("\"1\"", "e1", ""));
  world.bench.emplace(testing::program_of(""), world.store);
  BatchReport report = world.advance("2026-01-07T14:00:00Z");
  REQUIRE(report.decisions.size() == 1);
  CHECK(report.decisions[0].status == "cancelled");
  CHECK(logs(report) ==
        "the version of the flow that the run began with does not fit the objects any more\n");
}

TEST_CASE("a failed run is kept with its trace, and can be done again") {
  World world(
      "flow \"Needs a rep\"\n  when Lead is created\n  log \"begins\"\n"
      "  set Description to \"seen\"\n  let rep = find first User where Title is \"CSM\"\n"
      "  if rep is blank\n    stop with fault \"no CSM\"\n  end\n  set Owner to rep\nend\n");
  BatchReport failed = world.bench->send(lead("\"1\"", "e1", ""));
  REQUIRE(failed.decisions.size() == 1);
  CHECK(failed.decisions[0].status == "failed");
  CHECK(failed.decisions[0].fault == "no CSM");
  CHECK(failed.decisions[0].effects.empty());
  CHECK(failed.decisions[0].trace.substr(0, failed.decisions[0].trace.find('\n')) ==
        "test.ensue:7: stop with fault \"no CSM\"");
  CHECK(records(*world.store).find("Description") == std::string::npos);
  std::vector<FlowRunRow> kept = waiting(*world.store, "failed");
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].detail == "no CSM");
  auto again = [&] {
    auto done = world.bench->runtime().with_run(
        base::to_hex(kept[0].run),
        [](Cascade& cascade, const FlowRunRow& row) { return cascade.retry(row); });
    REQUIRE(done.has_value());
    return std::move(*done);
  };
  BatchReport second = again();
  REQUIRE(second.decisions.size() == 1);
  CHECK(second.decisions[0].status == "failed");
  CHECK(second.decisions[0].part == 1);
  world.bench->send(
      R"({"entity":"User","ids":["kim"],"kind":"snapshot","set":{"Username":"k","Title":"CSM"}})");
  kept = waiting(*world.store, "failed");
  BatchReport third = again();
  CHECK(third.decisions[0].status == "executed");
  CHECK(records(*world.store).find(R"("Description":"seen")") != std::string::npos);
  CHECK(records(*world.store).find(R"("OwnerId":"kim")") != std::string::npos);
  CHECK(waiting(*world.store).empty());
}

TEST_CASE("what a faulting run caused goes with it, and its charge stays") {
  World world(
      "limits \"L\"\n  flow \"Makes a task\": at most 5 executions per day\nend\n"
      "flow \"Makes a task\"\n  when Lead is created\n"
      "  create Task with Subject to \"t\"\n  stop with fault \"no\"\nend\n"
      "flow \"Hears of tasks\"\n  when Task is created\n  log \"heard\"\nend\n");
  BatchReport report = world.bench->send(lead("\"1\"", "e1", ""));
  REQUIRE(report.decisions.size() == 1);
  CHECK(report.decisions[0].status == "failed");
  int64_t used = 0;
  Status looked = world.store->read([&](StoreReader& reader) {
    return reader.visit_counters([&](const CounterRow& row) {
      if (row.scope == "automation") used = row.used;
      return true;
    });
  });
  CHECK(looked.has_value());
  CHECK(used == 1);
}

TEST_CASE("a deleted record ends its waits, with a line") {
  World world("flow \"Wait\"\n  when Lead is created\n  wait 1 day\n  log \"never\"\nend\n");
  world.bench->send(lead("\"1\"", "e1", ""));
  CHECK(waiting(*world.store).size() == 1);
  BatchReport report = world.bench->send(
      R"({"id":"e2","entity":"Lead","ids":["1"],"kind":"delete","at":"2026-01-05T15:00:00Z"})");
  REQUIRE(report.decisions.size() == 1);
  CHECK(report.decisions[0].status == "cancelled");
  CHECK(logs(report) == "Lead/1 was deleted\n");
  CHECK(waiting(*world.store).empty());
  Status looked = world.store->read([&](StoreReader& reader) -> Status {
    CHECK_FALSE(reader.next_timer()->has_value());
    return {};
  });
  CHECK(looked.has_value());
}

TEST_CASE("a call is made once with its key, whatever ends between, and its answer goes on") {
  testing::RecordingService service(SinkClass::kKeyed);
  service.answers = [](const SinkCall& call) {
    CHECK(call.channel == SinkChannel::kService);
    CHECK(call.name == "erp.create");
    CHECK(call.request == R"({"Name":"Roe","Size":2.50})");
    return SinkAnswer{call.attempt == 1 ? SinkAnswer::Kind::kUnknown : SinkAnswer::Kind::kDone, "",
                      R"({"Number":12.50})"};
  };
  RuntimeOptions options;
  options.services = &service;
  World world(
      "flow \"Call\"\n  when Lead is created\n"
      "  let answer = call service \"erp.create\" with Name to LastName, Size to 2.50\n"
      "  log \"{answer.Number} {answer.Nothing}\"\nend\n",
      options);
  BatchReport begun = world.bench->send(lead("\"1\"", "e1", ""));
  CHECK(begun.decisions[0].status == "waiting");
  REQUIRE(world.bench->runtime().deliver().has_value());
  CHECK(waiting(*world.store, "calling").size() == 1);
  // Another process calls again, with the same key.
  world.bench.emplace(
      testing::program_of("flow \"Call\"\n  when Lead is created\n  log \"x\"\nend\n"), world.store,
      options);
  REQUIRE(world.bench->runtime().deliver().has_value());
  CHECK(service.calls.size() == 2);
  CHECK(service.effects.size() == 1);
  CHECK(logs(world.advance("2026-01-05T14:00:00Z")) == "12.50 \n");
  CHECK(waiting(*world.store).empty());
}

TEST_CASE("a limit of a service that pauses makes the call later") {
  testing::RecordingService service(SinkClass::kKeyed);
  RuntimeOptions options;
  options.services = &service;
  World world(
      "limits \"L\"\n  service \"s\": at most 1 calls per 10 seconds\n"
      "  when reached pause\nend\n"
      "flow \"Call\"\n  when Lead is created\n  call service \"s\"\n"
      "  log \"{LastName} called\"\nend\n",
      options);
  world.bench->send(lead("\"1\",\"2\"", "e1", ""));
  REQUIRE(world.bench->runtime().deliver().has_value());
  CHECK(service.calls.size() == 1);
  CHECK(waiting(*world.store, "retrying").size() == 1);
  CHECK(logs(world.advance("2026-01-05T14:00:09Z")) == "Roe called\n");
  world.advance("2026-01-05T14:00:11Z");
  REQUIRE(world.bench->runtime().deliver().has_value());
  CHECK(service.calls.size() == 2);
  CHECK(logs(world.advance("2026-01-05T14:00:12Z")) == "Roe called\n");
}

TEST_CASE("schedules missed by a process that was down follow their policy") {
  struct TestClock final : Clock {
    Instant now() override { return time; }
    Instant time = at("2026-01-05T06:30:00Z");
  };
  auto runs = [](const char* policy) {
    TestClock clock;
    RuntimeOptions options;
    options.clock = &clock;
    auto store = std::shared_ptr<Store>(adapters::make_memory_store());
    auto program = testing::program_of(std::string("flow \"Hourly\"\n  every day at 07:00, 08:00, "
                                                   "09:00, 10:00, 11:00 in \"UTC\" catch up ") +
                                       policy + "\n  log \"tick\"\nend\n");
    std::string out;
    auto step = [&](const char* to, bool down) {
      static std::optional<Bench> bench;
      if (down || !bench) bench.emplace(program, store, options);
      clock.time = at(to);
      auto report = bench->runtime().advance(clock.time);
      REQUIRE(report.has_value());
      out += std::to_string(report->decisions.size()) + " ";
      if (std::string(to) == "2026-01-05T11:00:01Z") bench.reset();
    };
    step("2026-01-05T06:30:00Z", true);
    step("2026-01-05T07:00:00Z", false);
    // Down for three hours.
    step("2026-01-05T10:30:00Z", true);
    step("2026-01-05T11:00:01Z", false);
    return out;
  };
  CHECK(runs("all") == "0 1 3 1 ");
  CHECK(runs("once") == "0 1 1 1 ");
  CHECK(runs("never") == "0 1 0 1 ");
}

TEST_CASE("a frame is read as it was written, and nothing else is") {
  Frame frame;
  frame.ordinal = 300;
  frame.deadline = Instant{-5};
  for (int i = 0; i < 2; ++i) {
    Activation& row = frame.stack.emplace_back();
    row.rule = base::hash_key({"rule", std::to_string(i)});
    row.at = 7;
    row.first_ordinal = 3;
    row.handlers.push_back({2, 1});
    row.locals = {Value(),
                  Value::boolean(true),
                  Value::number({-1250, 2}),
                  Value::percent({20, 0}),
                  Value::money({999'999'999'999'999'999, 18}, Currency::of("USD")),
                  Value::text(std::string(300, 'x')),
                  Value::date({-719'162}),
                  Value::datetime({253'402'300'799'999}),
                  Value::time({86'399'999}),
                  Value::duration({5, DurationUnit::kDay, true}),
                  Value::list({Value::text("a"), Value(), Value::list({Value::number(1)})})};
  }
  std::string bytes = encode_frame(frame);
  Result<Frame> read = decode_frame(bytes);
  REQUIRE(read.has_value());
  CHECK(encode_frame(*read) == bytes);
  CHECK(read->stack[1].locals[4].as_currency().code() == "USD");
  CHECK(read->stack[1].locals[10].as_list().size() == 3);
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK_FALSE(decode_frame(std::string_view(bytes).substr(0, cut)).has_value());
  CHECK_FALSE(decode_frame(bytes + "x").has_value());
  std::string later = bytes;
  later[0] = 2;
  CHECK_FALSE(decode_frame(later).has_value());
}

}  // namespace ensue::engine
