// Many threads hand in, one commits what is queued together.
#include "ensue/writer.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "support/files.h"

namespace ensue {
namespace {

constexpr const char* kProgram = R"(
limits "Few"
  each user: at most 60 action executions per day
end
action "Greet" by "ana"
  when Lead is created
  for my records
  then remove it from all cadences
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

std::unique_ptr<Engine> engine_on(std::shared_ptr<Store> store) {
  auto engine = Engine::open(std::move(store), {});
  REQUIRE(engine);
  REQUIRE((*engine)->load({{"test.ensue", kProgram}}).ok);
  return std::move(*engine);
}

// A store that counts its commits, holds the first until it is let go, and can fail.
class GatedStore final : public Store {
 public:
  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    while (held) std::this_thread::yield();
    if (fails) return {ErrorCode::kStorageFull, "no room"};
    ++commits;
    return inner_->commit(write);
  }
  Status read(const std::function<Status(StoreReader&)>& look) override {
    return inner_->read(look);
  }
  Status when_idle() override {
    ++idle;
    return {};
  }
  std::atomic<bool> held{false};
  std::atomic<bool> fails{false};
  std::atomic<int> commits{0};
  std::atomic<int> idle{0};

 private:
  std::unique_ptr<Store> inner_ = adapters::make_memory_store();
};

}  // namespace

TEST_CASE("what is queued while a commit is at work goes into the next one together") {
  auto store = std::make_shared<GatedStore>();
  auto engine = engine_on(store);
  Writer writer(*engine);
  REQUIRE(writer.submit({"crm", {user()}, 1, {}}).get());
  store->held = true;
  int before = store->commits;
  std::vector<std::future<Result<BatchReport>>> futures;
  for (int i = 0; i < 100; ++i)
    futures.push_back(writer.submit({"crm", {lead(i)}, static_cast<uint64_t>(i + 2), {}}));
  futures.push_back(writer.submit({"crm", {lead(7), "no event"}, 500, {}}));
  store->held = false;
  int executed = 0;
  int suppressed = 0;
  for (int i = 0; i < 100; ++i) {
    Result<BatchReport> report = futures[static_cast<size_t>(i)].get();
    REQUIRE(report);
    // Each hears of its own lines only.
    REQUIRE(report->decisions.size() == 1);
    CHECK(report->decisions[0].record == "Lead/L" + std::to_string(i));
    executed += report->statuses["executed"] != 0 ? 1 : 0;
    suppressed += report->statuses["suppressed"] != 0 ? 1 : 0;
  }
  CHECK(executed == 60);
  CHECK(suppressed == 40);
  Result<BatchReport> last = futures.back().get();
  REQUIRE(last);
  CHECK(last->duplicates == 1);
  CHECK(last->dead_letters.size() == 1);
  // At most what was taken before the gate closed, and the rest.
  CHECK(store->commits - before <= 2);
  // Totals count every submission once.
  writer
      .with_engine([](Engine& inside) {
        REQUIRE(inside.store().read([](StoreReader& reader) -> Status {
          CHECK(*reader.total("executed") == 60);
          CHECK(*reader.total("suppressed") == 40);
          CHECK(*reader.total("duplicates") == 1);
          CHECK(*reader.total("dead letters") == 1);
          CHECK(*reader.total("lines") == 103);
          return {};
        }));
      })
      .get();
}

TEST_CASE("a commit takes what waits up to its bounds, and a submission is never divided") {
  auto store = std::make_shared<GatedStore>();
  auto engine = engine_on(store);
  std::vector<size_t> together;  // used on the writer's thread until it has ended
  std::string long_line(900, 'x');
  {
    Writer writer(*engine, {4, 1000, [&](size_t lines) { together.push_back(lines); }});
    std::vector<std::future<Result<BatchReport>>> futures;
    uint64_t number = 0;
    auto hand_in = [&](std::vector<std::string> lines) {
      uint64_t first = number + 1;
      number += lines.size();
      futures.push_back(writer.submit({"crm", std::move(lines), first, {}}));
    };
    store->held = true;
    auto first = writer.with_engine([&](Engine&) {
      while (store->held) std::this_thread::yield();
    });
    for (int i = 0; i < 6; ++i) hand_in({"{}"});          // four, and two
    hand_in({"{}", "{}", "{}", "{}", "{}", "{}", "{}"});  // over the bound, alone
    for (int i = 0; i < 2; ++i) hand_in({long_line});     // each nearly fills a commit
    hand_in({"{}"});                                      // fits with the second
    hand_in({long_line + long_line});                     // over the bound, alone
    hand_in({"{}"});
    store->held = false;
    first.get();
    for (auto& future : futures) CHECK(future.get());
    CHECK(writer.commits() == 7);
  }
  CHECK(together == std::vector<size_t>{4, 2, 7, 1, 2, 1, 1});
}

TEST_CASE("threads hand in at once, and every line is durable when its future is there") {
  testing::TempDir dir;
  auto open = [&] {
    auto opened = adapters::open_sqlite_store(dir.file("s.db"), adapters::StoreAccess::kOwn);
    if (!opened) FAIL(opened.error().message);
    return std::shared_ptr<Store>(std::move(*opened));
  };
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  {
    auto engine = engine_on(open());
    Writer writer(*engine);
    REQUIRE(writer.submit({"crm", {user()}, 1, {}}).get());
    std::atomic<int> fine{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          std::string source = "s" + std::to_string(t);
          auto number = static_cast<uint64_t>(i + 1);
          Submission one{
              source, {lead(t * kEach + i)}, number, CursorRow{source, number, number, "f"}};
          if (writer.submit(std::move(one)).get()) ++fine;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(fine == kThreads * kEach);
    CHECK(writer.commits() <= kThreads * kEach + 1);
  }
  std::shared_ptr<Store> store = open();
  REQUIRE(store->read([&](StoreReader& reader) -> Status {
    CHECK(*reader.total("events") == kThreads * kEach);
    CHECK(*reader.total("executed") == 60);
    for (int t = 0; t < kThreads; ++t)
      CHECK((*reader.cursor("s" + std::to_string(t)))->line == kEach);
    return {};
  }));
}

TEST_CASE("when a commit fails everybody in it hears of it, nothing is kept, and again is safe") {
  auto store = std::make_shared<GatedStore>();
  auto engine = engine_on(store);
  Writer writer(*engine);
  REQUIRE(writer.submit({"crm", {user()}, 1, {}}).get());
  store->held = true;
  store->fails = true;
  auto first = writer.submit({"crm", {lead(1)}, 2, {}});
  auto second = writer.submit({"crm", {lead(2)}, 3, {}});
  store->held = false;
  for (auto* future : {&first, &second}) {
    Result<BatchReport> report = future->get();
    REQUIRE_FALSE(report);
    CHECK(report.error().code == ErrorCode::kStorageFull);
  }
  store->fails = false;
  Result<BatchReport> again = writer.submit({"crm", {lead(1), lead(2)}, 2, {}}).get();
  REQUIRE(again);
  CHECK(again->duplicates == 0);
  CHECK(again->statuses["executed"] == 2);
}

TEST_CASE("a writer that ends commits what is queued; an idle one lets the store tidy up") {
  auto store = std::make_shared<GatedStore>();
  auto engine = engine_on(store);
  std::vector<std::future<Result<BatchReport>>> futures;
  {
    Writer writer(*engine);
    futures.push_back(writer.submit({"crm", {user()}, 1, {}}));
    for (int i = 0; i < 20; ++i)
      futures.push_back(writer.submit({"crm", {lead(i)}, static_cast<uint64_t>(i + 2), {}}));
    while (store->idle == 0) std::this_thread::yield();
    store->held = true;
    futures.push_back(writer.submit({"crm", {lead(99)}, 100, {}}));
    store->held = false;
  }
  for (auto& future : futures) CHECK(future.get());
  CHECK(store->idle >= 1);
}

TEST_CASE("work on the engine keeps its turn, and its exceptions are its own") {
  auto engine = engine_on(std::make_shared<GatedStore>());
  Writer writer(*engine);
  auto before = writer.submit({"crm", {user(), lead(1)}, 1, {}});
  int64_t seen = 0;
  auto looked = writer.with_engine([&](Engine& inside) {
    REQUIRE(inside.store().read([&](StoreReader& reader) -> Status {
      seen = *reader.total("executed");
      return {};
    }));
  });
  auto broken = writer.with_engine([](Engine&) { throw std::runtime_error("no"); });
  auto after = writer.submit({"crm", {lead(2)}, 3, {}});
  looked.get();
  CHECK(seen == 1);
  CHECK_THROWS_WITH(broken.get(), "no");
  CHECK(after.get());
  CHECK(before.get());
}

}  // namespace ensue
