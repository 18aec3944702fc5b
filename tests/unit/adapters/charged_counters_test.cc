// The counters of limits in a SQLite file: as in the store in memory, whatever is rolled back,
// looked at and reopened between.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "base/key128.h"
#include "support/files.h"
#include "support/random.h"

namespace ensue::adapters {
namespace {

enum class Step : uint8_t { kCharge, kMark, kRollback, kRelease, kLook };
struct Action {
  Step step = Step::kCharge;
  std::vector<Charge> charges;
};

std::vector<Charge> charges_at(testing::Random& random, int64_t now) {
  std::vector<Charge> out;
  std::string user = "005" + std::to_string(random.below(4));
  int64_t max = random.between(1, 12);
  out.push_back({"user", user, "action executions", "2026-01-05", max, 0, {now}});
  for (int64_t seconds : {1, 10}) {
    if (random.chance(30)) continue;
    std::string window = std::to_string(seconds) + " s";
    out.push_back({"user", user, "action executions", window, max, seconds * 1000, {now}});
  }
  if (random.chance(80))
    out.push_back({"org", "", "action executions", "2026-01-05", 60, 0, {now}});
  return out;
}

std::vector<Action> transaction(testing::Random& random, int64_t& now) {
  std::vector<Action> out;
  int open = 0;
  for (int64_t left = random.between(1, 14); left > 0; --left) {
    if (random.chance(70)) now += random.between(0, 900);
    if (random.chance(20)) out.push_back({Step::kMark, {}}), ++open;
    out.push_back({Step::kCharge, charges_at(random, now)});
    if (random.chance(5)) out.push_back({Step::kLook, {}});
    if (open > 0 && random.chance(30))
      out.push_back({random.chance(50) ? Step::kRollback : Step::kRelease, {}}), --open;
  }
  for (; open > 0; --open) out.push_back({Step::kRelease, {}});
  return out;
}

std::string counters(StoreReader& reader) {
  std::string out;
  REQUIRE(reader.visit_proofs([&](const CounterProof& proof) {
    const CounterRow& row = proof.counter;
    out += row.scope + "|" + row.key + "|" + row.window + "|" + std::to_string(row.used) + "|" +
           std::to_string(row.max) + "|" + std::to_string(proof.charges) +
           (proof.agrees() ? "\n" : " is wrong\n");
    return true;
  }));
  return out;
}

// What the store answered, and what its counters are at the end.
std::string done_by(Store& store, const std::vector<Action>& actions, bool fails, uint64_t& run) {
  std::string out;
  Status done = store.commit([&](StoreTxn& txn) -> Status {
    for (const Action& action : actions) {
      switch (action.step) {
        case Step::kMark: REQUIRE(txn.savepoint()); break;
        case Step::kRollback: REQUIRE(txn.rollback_savepoint()); break;
        case Step::kRelease: REQUIRE(txn.release_savepoint()); break;
        case Step::kLook: out += counters(txn); break;
        case Step::kCharge: {
          auto result = txn.charge(base::hash_key({"run", std::to_string(++run)}), action.charges);
          REQUIRE(result);
          out += result->refused ? "refused " + std::to_string(*result->refused) : "charged";
          for (int64_t used : result->used) out += " " + std::to_string(used);
          if (result->free_at) out += " until " + std::to_string(result->free_at->ms);
          out += "\n";
          break;
        }
      }
    }
    if (fails) return {ErrorCode::kInvalidArgument, "taken back"};
    return {};
  });
  CHECK(static_cast<bool>(done) == !fails);
  REQUIRE(store.read([&](StoreReader& reader) {
    out += counters(reader);
    return Status();
  }));
  return out;
}

std::unique_ptr<Store> opened(const std::string& path) {
  auto store = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE(store);
  return std::move(*store);
}

}  // namespace

TEST_CASE("counters in a file are those in memory, and are what was charged") {
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    testing::Random random(seed);
    CAPTURE(seed);
    testing::TempDir dir;
    std::unique_ptr<Store> memory = make_memory_store();
    std::unique_ptr<Store> file = opened(dir.file("s.db"));
    int64_t now = 1'767'600'000'000;
    uint64_t run = 0;
    for (int batch = 0; batch < 25; ++batch) {
      std::vector<Action> actions = transaction(random, now);
      bool fails = random.chance(15);
      uint64_t same_run = run;
      std::string wanted = done_by(*memory, actions, fails, run);
      CHECK(wanted.find("wrong") == std::string::npos);
      REQUIRE(done_by(*file, actions, fails, same_run) == wanted);
      if (!random.chance(15)) continue;
      file.reset();
      file = opened(dir.file("s.db"));
    }
  }
}

}  // namespace ensue::adapters
