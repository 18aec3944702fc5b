// Changes on their way out of the process: each key once, whatever breaks off where.
#include "engine/outbox.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "support/files.h"
#include "support/programs.h"
#include "support/sinks.h"

namespace ensue::engine {
namespace {

using testing::Bench;
using testing::RecordingService;

constexpr const char* kProgram = R"(
cadence "C"
  track main
    step "Call" immediately: call
end
action "Greet" by "ana"
  when Lead is created
  for my records
  then add it to cadence "C"
end
action "Stop" by "ana"
  when Lead is created or edited
  for my records
  if Status is "Unqualified"
  then remove it from cadence "C"
end
)";

std::string user() {
  return R"({"entity":"User","ids":["ana"],"kind":"snapshot","set":{"Username":"ana"}})";
}
std::string lead(int number) {
  return R"({"id":"e)" + std::to_string(number) + R"(","entity":"Lead","ids":["L)" +
         std::to_string(number) +
         R"("],"kind":"create","at":"2026-01-05T14:00:00Z","set":{"LastName":"Roe","OwnerId":"ana"}})";
}
std::string unqualified(int number) {
  return R"({"id":"u)" + std::to_string(number) + R"(","entity":"Lead","ids":["L)" +
         std::to_string(number) +
         R"("],"kind":"update","at":"2026-01-05T15:00:00Z","set":{"Status":"Unqualified"}})";
}

struct Died {};

// One store and one service; engines come and go.
struct World {
  std::shared_ptr<Store> store{adapters::make_memory_store()};
  RecordingService service;
  RuntimeOptions options;
  ProgramPtr program = testing::program_of(kProgram);
  std::optional<Bench> bench;

  explicit World(SinkClass sink_class) : service(sink_class) { options.sink = &service; }
  Bench& start() {
    bench.emplace(program, store, options);
    return *bench;
  }
  DeliveryReport deliver() {
    Result<DeliveryReport> report = bench->runtime().deliver();
    if (!report) FAIL(report.error().message);
    return *report;
  }
  std::vector<IntentRow> intents(const char* state = "") {
    std::vector<IntentRow> out;
    Status looked = store->read([&](StoreReader& reader) {
      return reader.visit_intents(state, [&](const IntentRow& row) {
        out.push_back(row);
        return true;
      });
    });
    REQUIRE(looked);
    return out;
  }
  // Every key that is done acted once, and no key twice.
  void check_effects() {
    for (const IntentRow& row : intents("done")) CHECK(service.effects[row.key] == 1);
    for (const auto& [key, times] : service.effects) CHECK(times <= 1);
  }
};

}  // namespace

TEST_CASE(
    "what automations write is delivered once, as native events, in the order of each record") {
  World world(SinkClass::kKeyed);
  Bench& bench = world.start();
  bench.send({user(), lead(1), lead(2)});
  CHECK(world.service.calls.empty());
  size_t intents = world.intents().size();
  CHECK(intents == 4);  // two trackers, two step trackers
  CHECK(world.intents()[0].cause == "action \"Greet\" by \"ana\"");
  DeliveryReport report = world.deliver();
  CHECK(report.calls == 4);
  CHECK(report.done == 4);
  CHECK(world.deliver().calls == 0);
  bench.send(unqualified(1));
  CHECK(world.deliver().done == 2);
  world.check_effects();

  // What was recorded is a stream: another engine's copy becomes the same.
  Bench copy(testing::program_of(""));
  std::vector<std::string> lines;
  for (const IntentRow& row : world.intents()) lines.push_back(row.request);
  BatchReport taken = copy.send(lines);
  CHECK(taken.events == lines.size());
  CHECK(taken.dead_letters.empty());
  auto trackers = [](Store& store) {
    std::string out;
    Status looked = store.read([&](StoreReader& reader) {
      return reader.visit_records("ActionCadenceTracker", [&](const RecordRow& row) {
        out += row.id + " " + row.body + "\n";
        return true;
      });
    });
    REQUIRE(looked);
    return out;
  };
  CHECK(trackers(copy.runtime().store()) == trackers(*world.store));
  // Our own writes, come back, change nothing and start nothing.
  BatchReport back = bench.send(lines);
  CHECK(back.decisions.empty());
}

TEST_CASE("without a sink nothing is kept for one, and nothing is delivered") {
  Bench bench(testing::program_of(kProgram));
  bench.send({user(), lead(1)});
  Result<DeliveryReport> report = bench.runtime().deliver();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("an engine that ends in a call: keyed and asked sinks act once, blind ones are parked") {
  auto sink_class = GENERATE(SinkClass::kKeyed, SinkClass::kAsked, SinkClass::kBlind);
  bool happened = GENERATE(false, true);  // the engine ended after the effect, or before it
  INFO(sink_class_name(sink_class) << (happened ? ", after the effect" : ", before it"));
  World world(sink_class);
  Bench& bench = world.start();
  bench.send({user(), lead(1), lead(2)});
  size_t call = 0;
  auto die = [&](const SinkCall&) {
    if (++call == 2) throw Died();
  };
  if (happened) {
    world.service.dies = die;
  } else {
    world.service.answers = [&](const SinkCall& c) {
      die(c);
      return SinkAnswer{};
    };
  }
  CHECK_THROWS_AS(bench.runtime().deliver(), Died);
  world.service.dies = nullptr;
  world.service.answers = nullptr;
  // Calls were made, and no result was kept.
  CHECK(world.intents("claimed").size() == 4);

  world.start();
  DeliveryReport report = world.deliver();
  CHECK(report.recovered == 4);
  if (sink_class == SinkClass::kBlind) {
    // Nobody knows of any of them: at most once.
    CHECK(world.intents("unknown").size() == 4);
    CHECK(world.service.effects.size() == (happened ? 2 : 1));
  } else {
    CHECK(world.intents("done").size() == 4);
    CHECK(world.service.effects.size() == 4);
  }
  world.check_effects();
}

TEST_CASE("an asked sink is asked before it is called again, whatever ended the call before") {
  bool happened = GENERATE(false, true);
  INFO("the call that broke off " << (happened ? "had its effect" : "had none"));
  World world(SinkClass::kAsked);
  world.service.happens_before_unknown = happened;
  world.start().send({user(), lead(1)});
  world.service.answers = [&](const SinkCall& call) {
    return SinkAnswer{call.attempt == 1 ? SinkAnswer::Kind::kUnknown : SinkAnswer::Kind::kDone, ""};
  };
  CHECK(world.deliver().again == 2);
  world.start();
  DeliveryReport report = world.deliver();
  CHECK(report.done == 2);
  CHECK(report.calls == (happened ? 0 : 2));
  CHECK(world.service.asked == 2);
  world.check_effects();
}

TEST_CASE("a blind sink is called again only where the host says so") {
  World world(SinkClass::kBlind);
  world.options.call_again_when_unknown = true;
  world.start().send({user(), lead(1)});
  world.service.dies = [](const SinkCall&) { throw Died(); };
  CHECK_THROWS_AS(world.bench->runtime().deliver(), Died);
  world.service.dies = nullptr;
  world.start();
  world.deliver();
  CHECK(world.intents("done").size() == 2);
  // At least once: the first one happened twice.
  CHECK(world.service.effects[world.intents()[0].key] == 2);
}

TEST_CASE("a parked change holds back its record until a person settles it") {
  auto what = GENERATE(Settle::kRetry, Settle::kDone, Settle::kDrop);
  World world(SinkClass::kBlind);
  Bench& bench = world.start();
  bench.send({user(), lead(1)});
  world.service.answers = [](const SinkCall& call) {
    bool tracker = call.record.starts_with("ActionCadenceTracker");
    return SinkAnswer{tracker ? SinkAnswer::Kind::kUnknown : SinkAnswer::Kind::kDone, "timed out"};
  };
  CHECK(world.deliver().unknown == 1);
  bench.send(unqualified(1));
  world.service.answers = nullptr;
  CHECK(world.deliver().done == 1);  // the step's; the tracker's waits
  std::vector<IntentRow> parked = world.intents("unknown");
  REQUIRE(parked.size() == 1);
  CHECK(parked[0].result == "timed out");
  std::string key = base::to_hex(parked[0].key);

  auto code = [&](const std::string& text) {
    Result<IntentRow> row = settle_intent(*world.store, text, what, {});
    return row ? ErrorCode::kIo : row.error().code;
  };
  CHECK(code("0000000000") == ErrorCode::kNotFound);
  CHECK(code(key.substr(0, 5)) == ErrorCode::kInvalidArgument);
  CHECK(code(base::to_hex(world.intents("done")[0].key)) == ErrorCode::kInvalidArgument);
  Result<IntentRow> settled = settle_intent(*world.store, key.substr(0, 12), what, {});
  REQUIRE(settled);
  CHECK(settled->state == (what == Settle::kRetry  ? "ready"
                           : what == Settle::kDone ? "done"
                                                   : "dropped"));
  world.deliver();
  CHECK(world.intents("ready").empty());
  CHECK(world.intents("done").size() == (what == Settle::kDrop ? 3 : 4));
}

TEST_CASE("a refused change is parked and holds nothing back; a failing one is tried ten times") {
  bool refused = GENERATE(true, false);
  World world(SinkClass::kKeyed);
  struct Steps : Clock {
    Instant at{1'767'621'600'000};
    Instant now() override { return at; }
  } clock;
  world.options.clock = &clock;
  world.start().send({user(), lead(1)});
  world.service.answers = [&](const SinkCall&) {
    return SinkAnswer{refused ? SinkAnswer::Kind::kRefused : SinkAnswer::Kind::kAgain,
                      std::string(300, 'x')};
  };
  std::vector<int64_t> waits;
  Instant begin = clock.at;
  for (int i = 0; i < 20'000 && world.intents("failed").size() < 2; ++i) {
    size_t before = world.service.calls.size();
    world.deliver();
    if (world.service.calls.size() > before) waits.push_back((clock.at.ms - begin.ms) / 1000);
    clock.at.ms += 1000;
  }
  std::vector<IntentRow> failed = world.intents("failed");
  REQUIRE(failed.size() == 2);
  CHECK(failed[0].result == std::string(200, 'x'));
  if (refused) {
    CHECK(waits == std::vector<int64_t>{0});
  } else {
    CHECK(failed[0].attempt == 10);
    CHECK(waits == std::vector<int64_t>{0, 1, 5, 21, 85, 341, 1365, 4965, 8565, 12165});
  }
  CHECK(world.service.effects.empty());
}

TEST_CASE("the result of an engine that was replaced is not kept") {
  World world(SinkClass::kAsked);
  Bench& first = world.start();
  first.send({user(), lead(1)});
  Outbox second(*world.store, OutboxSinks{&world.service}, {});
  bool replaced = false;
  world.service.answers = [&](const SinkCall&) {
    if (!replaced) {
      replaced = true;
      CHECK(second.deliver({INT64_MAX / 2}, 100));
    }
    return SinkAnswer{};
  };
  DeliveryReport report = world.deliver();
  CHECK(report.fenced == 2);
  CHECK(report.done == 0);
  CHECK(world.intents("done").size() == 2);
  // From here on it claims nothing.
  world.bench->send(lead(2));
  Result<DeliveryReport> late = world.bench->runtime().deliver();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::kStoreLocked);
}

// ---- Events that end the process --------------------------------------------------------------

namespace {

// A store under a process that ends whenever a commit has taken in a certain record.
class DeadlyStore final : public Store {
 public:
  DeadlyStore(std::shared_ptr<Store> store, std::string record)
      : store_(std::move(store)), record_(std::move(record)) {}
  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    return store_->commit([&](StoreTxn& txn) -> Status {
      Status done = write(txn);
      Result<std::optional<RecordRow>> row = txn.record("Lead", record_);
      if (row && row->has_value()) throw Died();
      return done;
    });
  }
  Status read(const std::function<Status(StoreReader&)>& look) override {
    return store_->read(look);
  }

 private:
  std::shared_ptr<Store> store_;
  std::string record_;
};

}  // namespace

TEST_CASE("an event that ends the process five times is parked, and the stream goes on") {
  testing::TempDir dir;
  // SQLite: the exception leaves its transaction to be rolled back by the next opening.
  auto open = [&] {
    auto opened = adapters::open_sqlite_store(dir.file("s.db"), adapters::StoreAccess::kOwn);
    if (!opened) FAIL(opened.error().message);
    return std::shared_ptr<Store>(std::move(*opened));
  };
  ProgramPtr program = testing::program_of(kProgram);
  std::vector<std::string> texts{user()};
  for (int i = 1; i <= 10; ++i) texts.push_back(lead(i));
  Runtime::Lines batch;
  batch.source = "crm";
  for (size_t i = 0; i < texts.size(); ++i) batch.lines.push_back({texts[i], i + 1});
  batch.cursor = CursorRow{"crm", texts.size(), 1000, "f"};
  int deaths = 0;
  BatchReport last;
  for (int start = 0; start < 10 && last.lines == 0; ++start) {
    auto store = std::make_shared<DeadlyStore>(open(), "L6");
    Runtime runtime(store, {});
    REQUIRE(runtime.use(program));
    try {
      Result<BatchReport> report = runtime.submit(batch);
      REQUIRE(report);
      last = std::move(*report);
      REQUIRE(runtime.rest());
    } catch (const Died&) {
      ++deaths;
    }
  }
  CHECK(deaths == 5);
  // The lines before it were done one by one; they are not told as duplicates.
  CHECK(last.lines == 5);
  CHECK(last.duplicates == 0);
  REQUIRE(last.dead_letters.size() == 1);
  CHECK(last.dead_letters[0].line == 7);
  CHECK(last.dead_letters[0].reason == "the process ended 5 times at work on it");
  std::shared_ptr<Store> store = open();
  REQUIRE(store->read([](StoreReader& reader) -> Status {
    CHECK(*reader.total("executed") == 9);
    CHECK(*reader.total("duplicates") == 0);
    CHECK((*reader.cursor("crm"))->line == 11);
    CHECK_FALSE((*reader.attempt("crm"))->running);
    return {};
  }));
}

TEST_CASE("ends in good order and errors of the store do not count as attempts") {
  std::shared_ptr<Store> store(adapters::make_memory_store());
  ProgramPtr program = testing::program_of(kProgram);
  for (int i = 1; i <= 8; ++i) {
    Runtime runtime(store, {});
    REQUIRE(runtime.use(program));
    Runtime::Lines batch;
    batch.source = "crm";
    std::string text = lead(i);
    batch.lines = {{text, static_cast<uint64_t>(i)}};
    batch.cursor = CursorRow{"crm", static_cast<uint64_t>(i), 1, "f"};
    REQUIRE(runtime.submit(batch));
    REQUIRE(runtime.rest());
  }
  REQUIRE(store->read([](StoreReader& reader) -> Status {
    CHECK((*reader.attempt("crm"))->count == 0);
    CHECK(*reader.total("dead letters") == 0);
    return {};
  }));
}

}  // namespace ensue::engine
