// A stream at work: batches, cursors, duplicates, dead letters, and a store that is opened again
// half-way.
#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "engine/runtime.h"
#include "support/files.h"
#include "support/programs.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using testing::Bench;

const char* const kProgram = R"(
cadence "Outreach"
  track main
    step "Call" after 1 day: call
end
action "Greet" by "ana"
  when Lead is created
  for my records
  if Rating is "Hot"
  then add it to cadence "Outreach"
end
action "Part" by "ana"
  when Lead is created or edited
  for my records
  and newly meets Status is "Unqualified"
  then remove it from all cadences
end
limits "Small"
  each user: at most 3 action executions per day
end
)";

std::string user(const std::string& id) {
  return R"({"entity":"User","ids":[")" + id + R"("],"kind":"snapshot","set":{"Username":")" + id +
         R"("}})";
}
std::string lead(const std::string& id, const std::string& minute, const std::string& event = "",
                 const std::string& owner = "ana") {
  return R"({"id":"e-)" + (event.empty() ? id : event) + R"(","entity":"Lead","ids":[")" + id +
         R"("],"kind":"create","at":"2026-01-05T14:)" + minute +
         R"(:00Z","set":{"LastName":"Roe","Rating":"Hot","OwnerId":")" + owner + R"("}})";
}
std::string parted(const std::string& id, const std::string& minute) {
  return R"({"id":"p-)" + id + R"(","entity":"Lead","ids":[")" + id +
         R"("],"kind":"update","at":"2026-01-05T15:)" + minute +
         R"(:00Z","set":{"Status":"Unqualified"}})";
}

std::vector<std::string> stream() {
  return {user("ana"),     lead("1", "00"), lead("2", "01"),   "{\"half\":",   parted("1", "00"),
          lead("3", "02"), lead("2", "01"), parted("2", "30"), lead("4", "59")};
}

// What a person would look at: runs, records, counters, dead letters, totals.
std::string contents(Store& store) {
  std::string out;
  Status looked = store.read([&](StoreReader& reader) -> Status {
    Status status = reader.visit_runs({}, [&](const RunRow& row) {
      out += std::to_string(row.seq) + " " + row.automation + " " + row.record + " " + row.user +
             " " + row.status + " " + row.detail + "\n";
      return true;
    });
    if (!status) return status;
    status = reader.visit_records("", [&](const RecordRow& row) {
      out += row.object + "/" + row.id + " " + row.body + " " + row.last_change + "\n";
      return true;
    });
    if (!status) return status;
    status = reader.visit_counters([&](const CounterRow& row) {
      out += row.scope + " " + row.key + " " + row.window + " " + std::to_string(row.used) + "\n";
      return true;
    });
    if (!status) return status;
    status = reader.visit_dead_letters([&](const DeadLetterRow& row) {
      out += "dead " + std::to_string(row.line) + " " + row.reason + "\n";
      return true;
    });
    if (!status) return status;
    for (const char* name : {"lines", "events", "duplicates", "executed", "suppressed",
                             "dead letters", "active_targets"}) {
      Result<int64_t> total = reader.total(name);
      if (!total) return total.error();
      out += std::string(name) + " " + std::to_string(*total) + "\n";
    }
    Result<std::optional<std::string>> clock = reader.meta("clock");
    if (!clock) return clock.error();
    out += "clock " + clock->value_or("none") + "\n";
    return {};
  });
  REQUIRE(looked);
  return out;
}

Runtime::Lines batch(const std::vector<std::string>& lines, size_t begin, size_t end) {
  Runtime::Lines out;
  out.source = "crm";
  for (size_t i = begin; i < end; ++i) out.lines.push_back({lines[i], i + 1});
  out.cursor = CursorRow{"crm", end, end * 100, "mark " + std::to_string(end)};
  return out;
}

std::optional<CursorRow> cursor(Store& store) {
  std::optional<CursorRow> out;
  Status looked = store.read([&](StoreReader& reader) -> Status {
    Result<std::optional<CursorRow>> row = reader.cursor("crm");
    if (!row) return row.error();
    out = *row;
    return {};
  });
  REQUIRE(looked);
  return out;
}

BatchReport must(Result<BatchReport> report) {
  if (!report) FAIL(report.error().message);
  return std::move(*report);
}
void use(Runtime& runtime, const ProgramPtr& program) {
  Status used = runtime.use(program);
  if (!used) FAIL(used.error().message);
}

// A store whose commits can be made to fail after their work, as a full disk does.
class FailingStore final : public Store {
 public:
  explicit FailingStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}
  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    return inner_->commit([&](StoreTxn& txn) -> Status {
      if (Status written = write(txn); !written) return written;
      if (fail_next) return {ErrorCode::kStorageFull, "the disk is full"};
      return {};
    });
  }
  Status read(const std::function<Status(StoreReader&)>& look) override {
    return inner_->read(look);
  }
  bool fail_next = false;

 private:
  std::unique_ptr<Store> inner_;
};

}  // namespace

TEST_CASE("a stream does the same in one batch or in many") {
  ProgramPtr program = testing::program_of(kProgram);
  std::vector<std::string> lines = stream();
  auto size = GENERATE(size_t{1}, size_t{2}, size_t{4}, size_t{9});
  auto run = [&](size_t batch_size) {
    std::shared_ptr<Store> store = adapters::make_memory_store();
    Runtime runtime(store, {});
    use(runtime, program);
    for (size_t at = 0; at < lines.size(); at += batch_size) {
      must(runtime.submit(batch(lines, at, std::min(at + batch_size, lines.size()))));
    }
    return contents(*store);
  };
  std::string at_once = run(lines.size());
  INFO(at_once);
  CHECK(run(size) == at_once);
  CHECK(at_once.find("Greet Lead/2 ana executed") != std::string::npos);
  CHECK(at_once.find("duplicates 1\n") != std::string::npos);
}

TEST_CASE("a store that is opened again after any batch goes on where it stood") {
  testing::TempDir dir;
  ProgramPtr program = testing::program_of(kProgram);
  std::vector<std::string> lines = stream();
  auto run = [&](const std::string& path, size_t reopened_after) {
    std::shared_ptr<Store> store;
    std::unique_ptr<Runtime> runtime;
    auto open = [&] {
      runtime.reset();
      store.reset();
      auto opened = adapters::open_sqlite_store(path, adapters::StoreAccess::kOwn);
      REQUIRE(opened);
      store = std::move(*opened);
      runtime = std::make_unique<Runtime>(store, RuntimeOptions{});
      use(*runtime, program);
    };
    open();
    for (size_t at = 0; at < lines.size(); ++at) {
      if (at == reopened_after) {
        open();
        // What a command does: it goes on from the cursor.
        CHECK(cursor(*store).value_or(CursorRow{}).line == at);
      }
      must(runtime->submit(batch(lines, at, at + 1)));
    }
    return contents(*store);
  };
  std::string unbroken = run(dir.file("unbroken.db"), SIZE_MAX);
  for (size_t at = 0; at < lines.size(); ++at) {
    INFO("opened again after " << at << " batches");
    CHECK(run(dir.file(std::to_string(at) + ".db"), at) == unbroken);
  }
}

TEST_CASE("a batch that fails to commit leaves nothing, in the store or in memory") {
  ProgramPtr program = testing::program_of(kProgram);
  std::vector<std::string> lines = stream();
  std::shared_ptr<Store> clean = adapters::make_memory_store();
  Runtime reference(clean, {});
  use(reference, program);
  for (size_t at = 0; at < lines.size(); ++at) must(reference.submit(batch(lines, at, at + 1)));

  auto store = std::make_shared<FailingStore>(adapters::make_memory_store());
  Runtime runtime(store, {});
  use(runtime, program);
  for (size_t at = 0; at < lines.size(); ++at) {
    INFO("line " << at + 1);
    std::string before = contents(*store);
    Instant clock = runtime.now();
    store->fail_next = true;
    Result<BatchReport> failed = runtime.submit(batch(lines, at, at + 1));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::kStorageFull);
    CHECK(contents(*store) == before);
    CHECK(cursor(*store).value_or(CursorRow{}).line == at);
    CHECK(runtime.now() == clock);
    CHECK((runtime.directory().find("ana") != nullptr) == (at > 0));
    store->fail_next = false;
    must(runtime.submit(batch(lines, at, at + 1)));
  }
  CHECK(contents(*store) == contents(*clean));
}

TEST_CASE("the cursor is kept with its batch, and each source has its own") {
  ProgramPtr program = testing::program_of("");
  std::shared_ptr<Store> store = adapters::make_memory_store();
  Runtime runtime(store, {});
  use(runtime, program);
  CHECK_FALSE(cursor(*store));
  must(runtime.submit(batch({user("ana"), user("bob")}, 0, 2)));
  REQUIRE(cursor(*store));
  CHECK(cursor(*store)->line == 2);
  CHECK(cursor(*store)->offset == 200);
  CHECK(cursor(*store)->fingerprint == "mark 2");
  Runtime::Lines other;
  other.source = "other";
  other.cursor = CursorRow{"other", 7, 70, ""};
  must(runtime.submit(other));
  CHECK(cursor(*store)->line == 2);
  Runtime::Lines without;
  without.source = "crm";
  must(runtime.submit(without));
  CHECK(cursor(*store)->line == 2);
}

TEST_CASE(
    "an event seen twice acts once, in its batch, in another, and after opening the store again") {
  testing::TempDir dir;
  ProgramPtr program = testing::program_of(kProgram);
  auto open = [&] {
    auto opened = adapters::open_sqlite_store(dir.file("s.db"), adapters::StoreAccess::kOwn);
    REQUIRE(opened);
    return std::shared_ptr<Store>(std::move(*opened));
  };
  {
    Bench bench(program, open());
    BatchReport report = bench.send({user("ana"), lead("1", "00"), lead("1", "00")});
    CHECK(report.events == 1);
    CHECK(report.duplicates == 1);
    CHECK(report.decision_count() == 1);
    CHECK(bench.send(lead("1", "00")).duplicates == 1);
  }
  Bench again(program, open());
  BatchReport report = again.send(lead("1", "00"));
  CHECK(report.duplicates == 1);
  CHECK(report.events == 0);
  CHECK(report.decision_count() == 0);
  CHECK(again.send(lead("1", "00", "another")).events == 1);
}

TEST_CASE("of an event with two records, one seen before, the other is new") {
  Bench bench(testing::program_of(kProgram));
  std::string one =
      R"({"id":"e","entity":"Lead","ids":["1"],"kind":"create","at":"2026-01-05T14:00:00Z"})";
  std::string both =
      R"({"id":"e","entity":"Lead","ids":["1","2"],"kind":"create","at":"2026-01-05T14:00:00Z"})";
  bench.send(one);
  BatchReport report = bench.send(both);
  CHECK(report.events == 1);
  CHECK(report.duplicates == 1);
}

TEST_CASE("poison lines become dead letters with reason and line, and stop nothing") {
  Bench bench(testing::program_of(kProgram));
  BatchReport report =
      bench.send({user("ana"), "{\"entity\":\"Lead\",",
                  R"({"entity":"Leed","ids":["1"],"kind":"create","at":1})", lead("1", "00"),
                  R"({"entity":"Lead","ids":["1"],"kind":"update","at":1,"set":{"Score":"x"}})"});
  CHECK(report.lines == 5);
  CHECK(report.events == 1);
  CHECK(report.decision_count() == 1);
  REQUIRE(report.dead_letters.size() == 3);
  CHECK(report.dead_letters[0].line == 2);
  CHECK(report.dead_letters[0].reason ==
        "this is not JSON: the line ends in the middle of a value");
  CHECK(report.dead_letters[0].text == "{\"entity\":\"Lead\",");
  CHECK(report.dead_letters[0].source == "test");
  CHECK(report.dead_letters[1].line == 3);
  CHECK(report.dead_letters[1].reason == "unknown object \"Leed\"");
  CHECK(report.dead_letters[2].line == 5);
  CHECK(value::instant_text(report.dead_letters[2].at) == "2026-01-05T14:00:00Z");
  CHECK(contents(bench.runtime().store()).find("dead 3 unknown object \"Leed\"\n") !=
        std::string::npos);
}

TEST_CASE(
    "a dead letter tried again leaves the table, or comes back when it still cannot be read") {
  std::shared_ptr<Store> store = adapters::make_memory_store();
  std::string line =
      R"({"id":"w","entity":"Widget","ids":["1"],"kind":"create","at":"2026-01-05T14:00:00Z"})";
  Bench before(testing::program_of(""), store);
  before.send(line);
  auto letters = [&] {
    std::vector<DeadLetterRow> out;
    Status looked = store->read([&](StoreReader& reader) {
      return reader.visit_dead_letters([&](const DeadLetterRow& row) {
        out.push_back(row);
        return true;
      });
    });
    REQUIRE(looked);
    return out;
  };
  auto retry = [&](Runtime& runtime, int64_t seq) {
    Runtime::Lines lines;
    lines.source = "test";
    lines.lines = {{line, 1}};
    lines.dead_letter = seq;
    return runtime.submit(lines);
  };
  REQUIRE(letters().size() == 1);
  must(retry(before.runtime(), letters()[0].seq));
  REQUIRE(letters().size() == 1);
  CHECK(letters()[0].reason == "unknown object \"Widget\"");
  Bench after(testing::program_of("object Widget\n  Size as number\nend\n"), store);
  CHECK(must(retry(after.runtime(), letters()[0].seq)).events == 1);
  CHECK(letters().empty());
  Result<BatchReport> gone = retry(after.runtime(), 1);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::kNotFound);
}

TEST_CASE("the clock is the latest time seen: it never goes back, and snapshots do not move it") {
  Bench bench(testing::program_of(kProgram));
  bench.send({user("ana"),
              R"({"entity":"Lead","ids":["s"],"kind":"snapshot","at":"2030-01-01T00:00:00Z"})"});
  CHECK(bench.runtime().now() == Instant{});
  bench.send(lead("1", "30"));
  CHECK(value::instant_text(bench.runtime().now()) == "2026-01-05T14:30:00Z");
  BatchReport late = bench.send(lead("2", "10"));
  CHECK(value::instant_text(bench.runtime().now()) == "2026-01-05T14:30:00Z");
  // The decision still says when its event happened.
  REQUIRE(late.decision_count() == 1);
  CHECK(value::instant_text(late.decisions[0].at) == "2026-01-05T14:10:00Z");
}

TEST_CASE(
    "a snapshot fills the copy and starts nothing; one that says the same is not taken in again") {
  Bench bench(testing::program_of(kProgram));
  std::string hot =
      R"({"entity":"Lead","ids":["1"],"kind":"snapshot","set":{"LastName":"Roe","Rating":"Hot","OwnerId":"ana"}})";
  BatchReport report = bench.send({user("ana"), hot});
  CHECK(report.snapshots == 2);
  CHECK(report.events == 0);
  CHECK(report.decision_count() == 0);
  // The status was blank in the copy, so it newly meets.
  CHECK(bench.send(parted("1", "00")).decision_count() == 1);
}

TEST_CASE("gaps are counted and named") {
  Bench bench(testing::program_of(kProgram));
  auto gap = [](const std::string& id, const std::string& type) {
    return R"({"ChangeEventHeader":{"entityName":"Lead","recordIds":[")" + id +
           R"("],"changeType":")" + type + R"(","commitTimestamp":1767621600000}})";
  };
  BatchReport report = bench.send({gap("00Q1", "GAP_UPDATE"), gap("x", "GAP_OVERFLOW")});
  CHECK(report.gaps == 2);
  CHECK(report.events == 0);
  CHECK(report.notices ==
        std::vector<std::string>{"line 1: a change of 00Q1 was lost at the source",
                                 "line 2: changes of Lead were lost at the source"});
}

TEST_CASE("a user who comes later makes an author's actions his from then on") {
  Bench bench(testing::program_of(kProgram));
  CHECK(bench.send(lead("1", "00")).decision_count() == 0);
  BatchReport report = bench.send({user("ana"), lead("2", "01")});
  REQUIRE(report.decision_count() == 1);
  CHECK(report.decisions[0].record == "Lead/2");
}

}  // namespace ensue::engine
