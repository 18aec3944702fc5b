// Stores of earlier formats: what they hold is there afterwards, and what came later works on it.
#include <sqlite3.h>

#include <catch2/catch.hpp>

#include "adapters/sqlite_store.h"
#include "base/key128.h"
#include "ensue/version.h"
#include "support/files.h"
#include "support/sqlite.h"

namespace ensue::adapters {
namespace {

using testing::number;

Key128 key(unsigned char byte) {
  Key128 out;
  out.bytes.fill(byte);
  return out;
}

std::string store_of_format_2(const testing::TempDir& dir) {
  std::string path = dir.file("store.db");
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  std::string sql = testing::read_text(testing::tests_dir() / "unit/adapters/format_2.sql");
  char* error = nullptr;
  int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error);
  INFO((error != nullptr ? error : ""));
  REQUIRE(code == SQLITE_OK);
  sqlite3_close(db);
  return path;
}

// What a store of format 2 told, in words.
std::string told(Store& store) {
  std::string out;
  Status looked = store.read([&](StoreReader& reader) -> Status {
    REQUIRE(reader.visit_records("", [&](const RecordRow& row) {
      out += row.object + "/" + row.id + " " + row.body + "\n";
      return true;
    }));
    REQUIRE(reader.visit_runs({}, [&](const RunRow& row) {
      out += row.automation + " " + row.record + " " + row.status + "\n";
      return true;
    }));
    REQUIRE(reader.visit_counters([&](const CounterRow& row) {
      out += row.key + " " + std::to_string(row.used) + "\n";
      return true;
    }));
    REQUIRE(reader.visit_intents("", [&](const IntentRow& row) {
      out += row.channel + " " + row.state + " " + row.name + row.answer +
             (row.run.is_zero() ? "" : " run") + "\n";
      return true;
    }));
    REQUIRE(reader.visit_reminders("open", [&](const ReminderRow& row) {
      out += row.effect + "\n";
      return true;
    }));
    auto timers = reader.due_timers(Instant{INT64_MAX / 2}, 10);
    REQUIRE(timers);
    for (const TimerRow& row : *timers) out += row.kind + "\n";
    auto linked = reader.linked("Lead", "OwnerId", "u1", 10);
    REQUIRE(linked);
    for (const std::string& id : *linked) out += "linked " + id + "\n";
    auto cursor = reader.cursor("crm");
    REQUIRE(cursor);
    REQUIRE(cursor->has_value());
    out += "line " + std::to_string((*cursor)->line) + "\n";
    auto clock = reader.meta("clock");
    REQUIRE(clock);
    out += clock->value_or("no clock") + "\n";
    REQUIRE(reader.visit_flow_runs("", [&](const FlowRunRow& row) {
      out += "waits " + row.automation + "\n";
      return true;
    }));
    return {};
  });
  REQUIRE(looked);
  return out;
}

constexpr const char* kHeld = R"(Lead/L1 {"LastName":"Roe","Status":"Open","OwnerId":"u1"}
User/u1 {"Username":"ana@x.test"}
Hot leads Lead/L1 executed
u1 1
record done 
record ready 
record failed 
add it
reminder_expiry
linked L1
line 2
2026-01-05T14:00:00Z
)";

}  // namespace

TEST_CASE("a store of format 2 is looked at as it is, and brought forward by its owner") {
  testing::TempDir dir;
  std::string path = store_of_format_2(dir);
  {
    auto looking = open_sqlite_store(path, StoreAccess::kLook);
    REQUIRE(looking);
    CHECK(told(**looking) == kHeld);
  }
  CHECK(number(path, "PRAGMA user_version") == 2);
  {
    auto owner = open_sqlite_store(path, StoreAccess::kOwn);
    REQUIRE(owner);
    CHECK(told(**owner) == kHeld);
    Store& store = **owner;
    // What it has done before is not done again; what was ready is claimed; a run may wait in it.
    REQUIRE(store.commit([&](StoreTxn& txn) -> Status {
      auto admitted = txn.admit(key(1));
      REQUIRE(admitted);
      CHECK_FALSE(*admitted);
      auto claimed = txn.claim_intents({1'767'621'600'000}, 4, 10, "");
      REQUIRE(claimed);
      REQUIRE(claimed->size() == 1);
      CHECK(claimed->front().key == key(21));
      FlowRunRow row;
      row.run = key(30);
      row.automation = "Chase";
      row.record = "Lead/L1";
      row.state = "waiting";
      return txn.put_flow_run(row);
    }));
  }
  CHECK(number(path, "PRAGMA user_version") == kStoreFormatVersion);
  CHECK(number(path, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'") ==
        0);
  auto again = open_sqlite_store(path, StoreAccess::kOwn);
  REQUIRE(again);
  std::string held = told(**again);
  CHECK(held.find("waits Chase") != std::string::npos);
  CHECK(held.find("record claimed") != std::string::npos);
}

TEST_CASE("a copy to try things on is brought forward, the file is not") {
  testing::TempDir dir;
  std::string path = store_of_format_2(dir);
  auto copy = copy_sqlite_store(path);
  REQUIRE(copy);
  CHECK(told(**copy) == kHeld);
  REQUIRE((*copy)->commit([&](StoreTxn& txn) -> Status {
    auto known = txn.admit(key(1));
    REQUIRE(known);
    CHECK_FALSE(*known);
    auto fresh = txn.admit(key(99));
    REQUIRE(fresh);
    CHECK(*fresh);
    return {};
  }));
  CHECK(number(path, "PRAGMA user_version") == 2);
}

TEST_CASE("a store brought forward has the tables of a new one") {
  testing::TempDir dir;
  std::string path = store_of_format_2(dir);
  std::string fresh = dir.file("fresh.db");
  REQUIRE(open_sqlite_store(path, StoreAccess::kOwn));
  REQUIRE(open_sqlite_store(fresh, StoreAccess::kOwn));
  auto shape = [&](const std::string& file) {
    std::string out;
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    int code = sqlite3_exec(
        db,
        "SELECT m.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_master m LEFT JOIN "
        "pragma_table_info(m.name) c WHERE m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid",
        [](void* text, int count, char** columns, char**) {
          for (int i = 0; i < count; ++i) {
            *static_cast<std::string*>(text) += columns[i] != nullptr ? columns[i] : "-";
            *static_cast<std::string*>(text) += ' ';
          }
          *static_cast<std::string*>(text) += '\n';
          return 0;
        },
        &out, nullptr);
    REQUIRE(code == SQLITE_OK);
    sqlite3_close(db);
    return out;
  };
  CHECK(shape(path) == shape(fresh));
}

}  // namespace ensue::adapters
