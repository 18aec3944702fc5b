// Damage comes in two kinds. Cells are changed through SQL, which keeps the file sound and reaches
// what the engine makes of its rows; then bytes of the file are changed, which SQLite must notice.
//
// The input is a list of edits. One starts with a byte: even, and a cell is set; odd, and a byte of
// the file is.
#include <sqlite3.h>

#include <memory>
#include <vector>

#include "adapters/sqlite_store.h"
#include "engine/runtime.h"
#include "fuzz/bytes.h"
#include "fuzz/look.h"
#include "fuzz/targets.h"
#include "support/files.h"
#include "value/time_text.h"

namespace ensue::fuzz {
namespace {

// Something in every table: runs of each status, counters of both windows, reminders, timers.
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
action "Offer" by "ana"
  when Lead is created or edited
  for my records
  if Status is "Open"
  then remind me within 2 days, expiring after 5 days to add it to cadence "Outreach"
end
action "Part" by "mona"
  when Lead is created or edited
  for records of my team
  activated by assignees, on by default
  and newly meets Status is "Unqualified"
  then remove it from all cadences
end
limits "Small"
  each user: at most 2 action executions per day
  action "Greet": at most 10 executions per 10 seconds
  when reached defer
end
)";

std::string lead(const std::string& number, const char* rating, const char* status,
                 const char* kind, const char* minute) {
  return R"({"id":"e)" + number + kind + R"(","entity":"Lead","ids":["00Q)" + number +
         R"("],"kind":")" + kind + R"(","at":"2026-01-05T14:)" + minute +
         R"(:00Z","set":{"LastName":"Roe","Rating":")" + rating + R"(","Status":")" + status +
         R"(","AnnualRevenue":12.50,"OwnerId":"ana"}})";
}

std::vector<std::string> first_lines() {
  return {R"({"entity":"User","ids":["mona"],"kind":"snapshot","set":{"Username":"mona"}})",
          R"({"entity":"User","ids":["ana"],"kind":"snapshot","set":{"Username":"ana",)"
          R"("ManagerId":"mona","TimeZoneSidKey":"Europe/Paris"}})",
          lead("1", "Hot", "Open", "create", "00"),
          lead("2", "Hot", "Working", "create", "01"),
          lead("3", "Hot", "Open", "create", "02"),
          lead("1", "Hot", "Unqualified", "update", "03"),
          "{\"half\":"};
}

std::vector<std::string> next_lines() {
  return {lead("2", "Hot", "Unqualified", "update", "30"), lead("4", "Hot", "Open", "create", "31"),
          R"({"id":"o","entity":"Lead","ids":["00Q3"],"kind":"update","at":"2026-01-06T09:00:00Z",)"
          R"("set":{"OwnerId":"mona"}})"};
}

// Points into `lines`.
engine::Runtime::Lines batch(const std::vector<std::string>& lines) {
  engine::Runtime::Lines out;
  out.source = "crm";
  for (size_t i = 0; i < lines.size(); ++i) out.lines.push_back({lines[i], i + 1});
  return out;
}

// A table's column, as the edits of cells name them.
struct Column {
  std::string table;
  std::string name;
};

class SqliteFile {
 public:
  explicit SqliteFile(const std::string& path) { sqlite3_open(path.c_str(), &db_); }
  ~SqliteFile() { sqlite3_close(db_); }
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  void execute(const std::string& sql) {
    sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  std::vector<Column> columns() {
    std::vector<Column> out;
    auto add = [](void* to, int, char** values, char**) {
      static_cast<std::vector<Column>*>(to)->push_back({values[0], values[1]});
      return 0;
    };
    sqlite3_exec(db_,
                 "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
                 "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
                 add, &out, nullptr);
    return out;
  }
  // Sets the cell of the row at a place in the table's order. Fails silently where the file says
  // no.
  void set(const Column& column, unsigned row, Bytes& bytes) {
    std::string sql = "UPDATE " + column.table + " SET " + column.name + " = ?1 WHERE (" +
                      column.name + ") IN (SELECT " + column.name + " FROM " + column.table +
                      " LIMIT 1 OFFSET " + std::to_string(row) + ")";
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return;
    switch (bytes.byte() % 5) {
      case 0: sqlite3_bind_null(statement, 1); break;
      case 1: sqlite3_bind_int64(statement, 1, static_cast<int64_t>(bytes.number(8))); break;
      case 2: sqlite3_bind_int64(statement, 1, static_cast<int8_t>(bytes.byte())); break;
      case 3: {
        std::string_view text = bytes.take(bytes.byte());
        sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT);
        break;
      }
      default: {
        std::string_view blob = bytes.take(bytes.byte());
        sqlite3_bind_blob(statement, 1, blob.data(), static_cast<int>(blob.size()),
                          SQLITE_TRANSIENT);
      }
    }
    sqlite3_step(statement);
    sqlite3_finalize(statement);
  }

 private:
  sqlite3* db_ = nullptr;
};

struct Sound {
  engine::ProgramPtr program;
  std::string file;
  std::vector<Column> columns;

  Sound() {
    engine::Loaded loaded =
        engine::load_program({{{"store.ensue", kProgram}}, {}, nullptr, nullptr});
    require(!loaded.has_errors, "the program of the store is sound");
    program = loaded.program;
    testing::TempDir dir;
    std::string path = dir.file("sound.db");
    {
      auto store = adapters::open_sqlite_store(path, adapters::StoreAccess::kOwn);
      require(bool(store), "a store can be made");
      engine::RuntimeOptions options;
      options.keep_all_verdicts = true;
      engine::Runtime runtime(std::move(*store), options);
      require(bool(runtime.use(program)), "the program can be used");
      std::vector<std::string> texts = first_lines();
      engine::Runtime::Lines lines = batch(texts);
      lines.cursor = CursorRow{"crm", lines.lines.size(), 1000, "mark"};
      require(bool(runtime.submit(lines)), "the stream can be run");
      require(bool(runtime.set_active("Part", "mona", "ana", true)), "an action can be switched");
    }
    SqliteFile sqlite(path);
    sqlite.execute("PRAGMA journal_mode = DELETE");  // all of it in one file
    columns = sqlite.columns();
    file = testing::read_text(path);
  }
};

}  // namespace

void fuzz_store(std::string_view input) {
  static const Sound kSound;
  static const testing::TempDir kDir;
  constexpr int kEditsMax = 16;
  std::string path = kDir.file("damaged.db");
  std::string file = kSound.file;
  Bytes bytes(input);
  struct Patch {
    size_t at;
    char value;
  };
  std::vector<Patch> patches;
  for (const char* beside : {"", "-wal", "-shm", "-journal", "-lock"})
    std::filesystem::remove(path + beside);
  testing::write_text(path, file);
  {
    SqliteFile sqlite(path);
    sqlite.execute("PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON; BEGIN");
    for (int i = 0; i < kEditsMax && !bytes.empty(); ++i) {
      if (bytes.byte() % 2 == 0) {
        const Column& column = kSound.columns[bytes.byte() % kSound.columns.size()];
        unsigned row = bytes.byte() % 8;
        sqlite.set(column, row, bytes);
      } else {
        size_t at = bytes.number(3) % file.size();
        patches.push_back({at, static_cast<char>(bytes.byte())});
      }
    }
    sqlite.execute("COMMIT");
  }
  if (!patches.empty()) {
    file = testing::read_text(path);
    for (const Patch& patch : patches) file[patch.at % file.size()] = patch.value;
    testing::write_text(path, file);
  }

  auto looked_at = adapters::open_sqlite_store(path, adapters::StoreAccess::kLook);
  if (looked_at) look_at_everything(**looked_at);
  auto store = adapters::open_sqlite_store(path, adapters::StoreAccess::kOwn);
  if (!store) {
    require(!store.error().message.empty(), "a refusal has a reason");
    return;
  }
  engine::Runtime runtime(std::move(*store), {});
  if (!runtime.use(kSound.program)) return;
  explain_everything(runtime);
  std::vector<std::string> lines = next_lines();
  (void)runtime.submit(batch(lines));
  (void)runtime.advance({runtime.now().ms + 10 * value::kDayMs});
  look_at_everything(runtime.store());
}

}  // namespace ensue::fuzz
