#include <sqlite3.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "adapters/internal/sqlite_sql.h"
#include "adapters/sqlite_store.h"
#include "adapters/system_clock.h"
#include "ensue/version.h"
#include "support/files.h"

namespace ensue::adapters {
namespace {

ErrorCode open_error(const std::string& path, StoreAccess access) {
  auto opened = open_sqlite_store(path, access);
  REQUIRE_FALSE(opened);
  INFO(opened.error().message);
  CHECK(opened.error().message.find(path) != std::string::npos);
  return opened.error().code;
}

void execute(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

}  // namespace

TEST_CASE("one owner at a time, and readers beside it") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  auto owner = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE(owner);
  auto second = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kStoreLocked);
  auto reader = open_sqlite_store(path, StoreAccess::kLook);
  REQUIRE(reader);
  CHECK((*owner)->commit([](StoreTxn& txn) { return txn.put_meta("a", "b"); }));
  CHECK((*reader)->read([](StoreReader& look) -> Status {
    auto value = look.meta("a");
    CHECK(value);
    CHECK(*value == "b");
    return {};
  }));
  CHECK_FALSE((*reader)->commit([](StoreTxn& txn) { return txn.put_meta("a", "c"); }));
  owner->reset();
  CHECK(open_sqlite_store(path, StoreAccess::kOwn));
}

TEST_CASE("a store has one owner, by whatever name it is reached") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  std::filesystem::create_directory(dir.path() / "folder");
  std::filesystem::create_symlink("store.db", dir.path() / "link.db");
  std::filesystem::create_symlink("../link.db", dir.path() / "folder/link.db");
  // A link that leads to nothing yet is the store that is made through it.
  for (const char* first : {"link.db", "store.db"}) {
    auto owner = open_sqlite_store(dir.file(first), StoreAccess::kOwn);
    REQUIRE(owner);
    for (const char* name : {"store.db", "link.db", "folder/link.db", "folder/../store.db"}) {
      INFO(first << ", then " << name);
      auto second = open_sqlite_store(dir.file(name), StoreAccess::kOwn);
      REQUIRE_FALSE(second);
      CHECK(second.error().code == ErrorCode::kStoreLocked);
      CHECK(second.error().message.find("in use by process " + std::to_string(::getpid()) + ";") !=
            std::string::npos);
    }
  }
}

TEST_CASE("a lock left behind is no lock, whatever it says") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  // Longer than a process id, so that what is left of it would show.
  testing::write_text(path + "-lock", "4194304000000");
  auto owner = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE(owner);
  CHECK(testing::read_text(path + "-lock") == std::to_string(::getpid()));
  // An owner that could not write its id down.
  std::filesystem::resize_file(path + "-lock", 0);
  auto second = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE_FALSE(second);
  CHECK(second.error().message == "the store is in use; one process owns a store at a time");
}

TEST_CASE("what is no store is refused and left alone") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  CHECK(open_error(path, StoreAccess::kLook) == ErrorCode::kIo);
  std::string garbage(10'000, 'x');
  testing::write_text(path, garbage);
  CHECK(open_error(path, StoreAccess::kOwn) == ErrorCode::kStoreDamaged);
  CHECK(testing::read_text(path) == garbage);
  std::string other = dir.file("other.db");
  execute(other, "CREATE TABLE notes (text TEXT)");
  CHECK(open_error(other, StoreAccess::kOwn) == ErrorCode::kStoreDamaged);
  CHECK(open_error(other, StoreAccess::kLook) == ErrorCode::kStoreDamaged);
  CHECK(open_error(dir.path().string() + "/no/such/folder/store.db", StoreAccess::kOwn) ==
        ErrorCode::kIo);
}

TEST_CASE("a store of a later version is refused, with both numbers") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  REQUIRE(open_sqlite_store(path, StoreAccess::kOwn));
  execute(path, "PRAGMA user_version = " + std::to_string(kStoreFormatVersion + 1));
  CHECK(open_error(path, StoreAccess::kOwn) == ErrorCode::kStoreTooNew);
  CHECK(open_error(path, StoreAccess::kLook) == ErrorCode::kStoreTooNew);
}

TEST_CASE("a copy takes what the file holds and gives nothing back") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  auto owner = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE((*owner)->commit([](StoreTxn& txn) { return txn.put_meta("a", "b"); }));
  auto copy = copy_sqlite_store(path);
  REQUIRE(copy);
  REQUIRE((*copy)->commit([](StoreTxn& txn) { return txn.put_meta("a", "changed"); }));
  auto meta = [](Store& store) {
    std::string out;
    Status status = store.read([&](StoreReader& reader) -> Status {
      out = reader.meta("a")->value_or("");
      return {};
    });
    CHECK(status);
    return out;
  };
  CHECK(meta(**copy) == "changed");
  CHECK(meta(**owner) == "b");
  // Of a file that is not there, an empty one.
  auto empty = copy_sqlite_store(dir.file("missing.db"));
  REQUIRE(empty);
  CHECK(meta(**empty).empty());
}

TEST_CASE("what an event or a question about a record asks reads no whole table") {
  // These show or count everything, or read a table that stays small; the intents that are ready
  // have an index of their own.
  std::set<Sql> whole{
      Sql::kRecordsAll,     Sql::kRunList,          Sql::kRunListNewest,  Sql::kVerdictList,
      Sql::kQuotaList,      Sql::kReminderList,     Sql::kTimersDue,      Sql::kTimerNext,
      Sql::kDeadLetterList, Sql::kIntentsOf,        Sql::kActivationList, Sql::kIntentsReady,
      Sql::kTimerCount,     Sql::kIntentsOfFormat2, Sql::kFlowRunList,    Sql::kIntentsReadyList};
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  REQUIRE(open_sqlite_store(path, StoreAccess::kOwn));
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  size_t plans = 0;
  for (size_t i = 0; i < kSql.size(); ++i) {
    if (whole.count(static_cast<Sql>(i)) != 0) continue;
    INFO(kSql[i]);
    std::string found;
    int code = sqlite3_exec(
        db, (std::string("EXPLAIN QUERY PLAN ") + kSql[i]).c_str(),
        [](void* out, int, char** columns, char**) {
          *static_cast<std::string*>(out) += std::string(columns[3]) + "\n";
          return 0;
        },
        &found, nullptr);
    REQUIRE(code == SQLITE_OK);
    plans += !found.empty();
    INFO(found);
    CHECK(found.find("SCAN") == std::string::npos);
    CHECK(found.find("TEMP B-TREE") == std::string::npos);
  }
  CHECK(plans > 20);
  sqlite3_close(db);
}

TEST_CASE("the database itself holds a counter below its maximum") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  auto owner = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE(owner);
  Charge charge{"user", "ana", "action executions", "2026-01-05", 3, 0, {}};
  REQUIRE((*owner)->commit([&](StoreTxn& txn) -> Status {
    auto charged = txn.charge({}, {charge});
    return charged ? Status() : Status(charged.error());
  }));
  owner->reset();
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "UPDATE quota SET used = 3", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "UPDATE quota SET used = 4", nullptr, nullptr, nullptr) ==
        SQLITE_CONSTRAINT);
  CHECK(sqlite3_exec(db, "UPDATE quota SET used = -1", nullptr, nullptr, nullptr) ==
        SQLITE_CONSTRAINT);
  sqlite3_close(db);
}

TEST_CASE("a counter that was altered is told, and how it should stand") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  auto owner = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE(owner);
  REQUIRE((*owner)->commit([&](StoreTxn& txn) -> Status {
    Charge day{"user", "ana", "action executions", "2026-01-05", 5, 0, {}};
    for (int64_t at : {100, 200, 200}) {
      Charge burst{"automation", "flow \"W\"", "executions", "10 s", 5, 10'000, {at}};
      if (auto charged = txn.charge({}, {day, burst}); !charged) return charged.error();
    }
    return {};
  }));
  // Beside the owner, as of one moment.
  auto looker = open_sqlite_store(path, StoreAccess::kLook);
  REQUIRE(looker);
  auto wrong = [&] {
    std::vector<CounterProof> out;
    Status looked = (*looker)->read([&](StoreReader& reader) {
      return reader.visit_proofs([&](const CounterProof& proof) {
        if (!proof.agrees()) out.push_back(proof);
        return true;
      });
    });
    CHECK(looked);
    return out;
  };
  CHECK(wrong().empty());
  struct Alteration {
    const char* sql;
    const char* scope;
    int64_t used, counted, instants_wrong;
  };
  for (const Alteration& a : std::initializer_list<Alteration>{
           {"UPDATE quota SET used = 4 WHERE scope = 'user'", "user", 4, 3, 0},
           {"UPDATE quota SET used = 3 WHERE scope = 'user';"
            "INSERT INTO charge (run, quota, at) SELECT run, quota, 300 FROM charge WHERE n = 1",
            "user", 3, 4, 0},
           {"DELETE FROM charge WHERE at = 300; UPDATE burst SET n = n + (at = 100) - (at = 200)",
            "automation", 3, 3, 2},
           {"UPDATE burst SET n = n - (at = 100) + (at = 200);"
            "PRAGMA ignore_check_constraints = ON; UPDATE quota SET lim = 2 WHERE scope = 'user'",
            "user", 3, 3, 0},
           {"UPDATE quota SET lim = 5; PRAGMA foreign_keys = OFF;"
            "UPDATE charge SET quota = 99 WHERE n = (SELECT max(n) FROM charge);"
            "DELETE FROM burst; UPDATE quota SET used = 0 WHERE scope = 'automation'",
            "", 0, 1, 0}}) {
    INFO(a.sql);
    execute(path, a.sql);
    std::vector<CounterProof> found = wrong();
    REQUIRE(found.size() == 1);
    CHECK(found[0].counter.scope == a.scope);
    CHECK(found[0].counter.used == a.used);
    CHECK(found[0].counted == a.counted);
    CHECK(found[0].instants_wrong == a.instants_wrong);
  }
}

// As a charge that was refused left it, before windows were tidied now and then.
TEST_CASE("a window that has lost its oldest unit without a charge is as it should be") {
  testing::TempDir dir;
  std::string path = dir.file("store.db");
  auto charge = [&](int64_t at) {
    auto owner = open_sqlite_store(path, StoreAccess::kOwn);
    REQUIRE(owner);
    REQUIRE((*owner)->commit([&](StoreTxn& txn) -> Status {
      Charge burst{"automation", "flow \"W\"", "executions", "10 s", 5, 10'000, {at}};
      auto charged = txn.charge({}, {burst});
      return charged ? Status() : Status(charged.error());
    }));
  };
  auto proofs = [&] {
    std::string out;
    auto looker = open_sqlite_store(path, StoreAccess::kLook);
    REQUIRE(looker);
    REQUIRE((*looker)->read([&](StoreReader& reader) {
      return reader.visit_proofs([&](const CounterProof& proof) {
        out += std::to_string(proof.counter.used) + (proof.agrees() ? " fine" : " wrong");
        return true;
      });
    }));
    return out;
  };
  charge(0);
  charge(5'000);
  CHECK(proofs() == "2 fine");
  execute(path, "DELETE FROM burst WHERE at = 0; UPDATE quota SET used = 1");
  CHECK(proofs() == "1 fine");
  execute(path, "UPDATE quota SET used = 2");
  CHECK(proofs() == "2 wrong");
  charge(12'000);
  CHECK(proofs() == "2 fine");
}

TEST_CASE("the machine's clock tells the time") {
  SystemClock clock;
  CHECK(clock.now() > Instant{1'700'000'000'000});
}

}  // namespace ensue::adapters
