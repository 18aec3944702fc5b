// The keys of events in a SQLite store: however they are kept, each is admitted once.
#include <sqlite3.h>
#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>

#include "adapters/internal/admitted_keys.h"
#include "adapters/sqlite_store.h"
#include "base/key128.h"
#include "support/files.h"
#include "support/random.h"
#include "support/sqlite.h"

namespace ensue::adapters {
namespace {

using testing::number;

Key128 key(uint64_t number) {
  return number == 0 ? Key128{} : base::hash_key({"event", std::to_string(number)});
}

std::unique_ptr<Store> opened(const std::string& path, size_t recent_keys) {
  SqliteOptions options;
  options.recent_keys = recent_keys;
  auto store = open_sqlite_store(path, StoreAccess::kOwn, options);
  REQUIRE(store);
  return std::move(*store);
}

}  // namespace

TEST_CASE("a set of keys holds what was put into it, the zero key too") {
  KeySet set;
  CHECK_FALSE(set.has(key(0)));
  CHECK_FALSE(set.has(key(1)));
  for (uint64_t i = 0; i < 5000; ++i) CHECK(set.insert(key(i)));
  for (uint64_t i = 0; i < 5000; ++i) CHECK_FALSE(set.insert(key(i)));
  for (uint64_t i = 0; i < 10'000; ++i) CHECK(set.has(key(i)) == (i < 5000));
  set.clear();
  for (uint64_t i = 0; i < 10; ++i) CHECK_FALSE(set.has(key(i)));
}

TEST_CASE("keys are admitted once, whatever is rolled back, reopened and sorted between") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    testing::Random random(seed);
    CAPTURE(seed);
    testing::TempDir dir;
    std::string path = dir.file("s.db");
    auto recent_keys = static_cast<size_t>(random.between(1, 60));
    std::unique_ptr<Store> store = opened(path, recent_keys);
    std::set<uint64_t> known;
    for (int batch = 0; batch < 60; ++batch) {
      std::set<uint64_t> now = known;
      std::set<uint64_t> marked;
      bool open_mark = false;
      bool fails = random.chance(15);
      auto count = random.between(0, 12);
      Status done = store->commit([&](StoreTxn& txn) -> Status {
        for (int64_t i = 0; i < count; ++i) {
          if (!open_mark && random.chance(10)) {
            REQUIRE(txn.savepoint());
            marked = now;
            open_mark = true;
          }
          uint64_t which = random.below(400);
          auto admitted = txn.admit(key(which));
          REQUIRE(admitted);
          CHECK(*admitted == now.insert(which).second);
          if (open_mark && random.chance(30)) {
            open_mark = false;
            if (random.chance(50)) {
              REQUIRE(txn.rollback_savepoint());
              now = marked;
            } else {
              REQUIRE(txn.release_savepoint());
            }
          }
        }
        if (open_mark) REQUIRE(txn.release_savepoint());
        if (fails) return {ErrorCode::kInvalidArgument, "taken back"};
        return {};
      });
      CHECK(static_cast<bool>(done) == !fails);
      if (!fails) known = now;
      if (random.chance(10)) {
        store.reset();
        store = opened(path, random.chance(50) ? recent_keys : 65'536);
      }
    }
    store.reset();
    // None was lost and none came to be: in the tree, or in the rows, or being moved.
    CHECK(number(path,
                 "WITH RECURSIVE each (keys, at) AS (SELECT keys, 1 FROM admitted UNION ALL SELECT "
                 "keys, at + 16 FROM each WHERE at + 16 <= length(keys)) SELECT count(*) FROM "
                 "(SELECT substr(keys, at, 16) FROM each UNION SELECT event FROM dedupe)") ==
          static_cast<int64_t>(known.size()));
  }
}

TEST_CASE("older keys go into the tree, and their rows away, before as many have come again") {
  testing::TempDir dir;
  std::string path = dir.file("s.db");
  std::unique_ptr<Store> store = opened(path, 100);
  uint64_t next = 1;
  auto admit = [&](int count) {
    REQUIRE(store->commit([&](StoreTxn& txn) -> Status {
      for (int i = 0; i < count; ++i) REQUIRE(*txn.admit(key(next++)));
      return {};
    }));
  };
  for (int i = 0; i < 10; ++i) admit(10);
  CHECK(number(path, "SELECT count(*) FROM dedupe") == 0);
  CHECK(number(path, "SELECT count(*) FROM admitted") == 10);
  admit(10);
  CHECK(number(path, "SELECT count(*) FROM dedupe") == 40);
  CHECK(number(path, "SELECT count(*) FROM admitted") == 11);
  admit(10);
  admit(10);
  CHECK(number(path, "SELECT count(*) FROM dedupe") == 100);
  CHECK(number(path, "SELECT count(*) FROM admitted") == 3);
  // A batch of only known keys writes nothing.
  REQUIRE(store->commit([&](StoreTxn& txn) -> Status {
    for (uint64_t i = 1; i < next; ++i) CHECK_FALSE(*txn.admit(key(i)));
    return {};
  }));
  CHECK(number(path, "SELECT count(*) FROM admitted") == 3);
}

TEST_CASE("a row of keys that is not whole is told") {
  testing::TempDir dir;
  std::string path = dir.file("s.db");
  opened(path, 100).reset();
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, "INSERT INTO admitted (keys) VALUES (x'0102')", nullptr, nullptr,
                       nullptr) == SQLITE_OK);
  sqlite3_close(db);
  std::unique_ptr<Store> store = opened(path, 100);
  Status done = store->commit([&](StoreTxn& txn) -> Status {
    auto admitted = txn.admit(key(1));
    if (!admitted) return admitted.error();
    return {};
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kStoreDamaged);
  CHECK(done.error().message.find("s.db: the keys of events in row 1") != std::string::npos);
}

}  // namespace ensue::adapters
