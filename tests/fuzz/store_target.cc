// Damage comes in two kinds. Cells are changed through SQL, which keeps the file sound and reaches
// what the engine makes of its rows; then bytes of the file are changed, which SQLite must notice.
//
// An input is a list of edits, one a line:
//   cell TABLE.COLUMN ROW text|int|blob|null VALUE     the cell of the row at that place, from 0
//   byte OFFSET VALUE                                  a byte of the file
#include <sqlite3.h>

#include <charconv>
#include <memory>
#include <set>
#include <vector>

#include "adapters/sqlite_store.h"
#include "engine/runtime.h"
#include "ensue/sink.h"
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

std::string_view next_word(std::string_view& line) {
  size_t end = std::min(line.find(' '), line.size());
  std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

int64_t number(std::string_view digits) {
  int64_t out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

class SqliteFile {
 public:
  explicit SqliteFile(const std::string& path) { sqlite3_open(path.c_str(), &db_); }
  ~SqliteFile() { sqlite3_close(db_); }
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  void execute(const std::string& sql) {
    sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  // `table.column`, of every column.
  std::set<std::string, std::less<>> columns() {
    std::set<std::string, std::less<>> out;
    auto add = [](void* to, int, char** values, char**) {
      static_cast<std::set<std::string, std::less<>>*>(to)->insert(values[0]);
      return 0;
    };
    sqlite3_exec(db_,
                 "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c "
                 "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
                 add, &out, nullptr);
    return out;
  }
  // Carries out `TABLE.COLUMN ROW TYPE VALUE`; leaves the file alone where a constraint says no.
  void set_cell(std::string_view edit) {
    std::string name(next_word(edit));
    size_t dot = name.find('.');
    std::string table = name.substr(0, dot);
    std::string column = name.substr(dot + 1);
    int64_t row = number(next_word(edit));
    std::string_view type = next_word(edit);
    std::string sql = "UPDATE " + table + " SET " + column + " = ?1 WHERE " + column +
                      " IN (SELECT " + column + " FROM " + table + " LIMIT 1 OFFSET " +
                      std::to_string(row) + ")";
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return;
    int size = static_cast<int>(edit.size());
    if (type == "text") {
      sqlite3_bind_text(statement, 1, edit.data(), size, SQLITE_TRANSIENT);
    } else if (type == "int") {
      sqlite3_bind_int64(statement, 1, number(edit));
    } else if (type == "blob") {
      sqlite3_bind_blob(statement, 1, edit.data(), size, SQLITE_TRANSIENT);
    }
    sqlite3_step(statement);
    sqlite3_finalize(statement);
  }

 private:
  sqlite3* db_ = nullptr;
};

// Takes what it gets, and can be asked.
class WillingSink final : public Sink {
 public:
  SinkClass sink_class() const override { return SinkClass::kAsked; }
  SinkAnswer call(const SinkCall&) override { return {SinkAnswer::Kind::kDone, "taken"}; }
  SinkAnswer ask(const Key128&) override { return {SinkAnswer::Kind::kAgain, ""}; }
};

struct Sound {
  engine::ProgramPtr program;
  std::string file;
  std::set<std::string, std::less<>> columns;  // `table.column`

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
      WillingSink sink;
      engine::RuntimeOptions options;
      options.keep_all_verdicts = true;
      options.sink = &sink;
      engine::Runtime runtime(std::move(*store), options);
      require(bool(runtime.use(program)), "the program can be used");
      // The second half is delivered later: some intents are done, others wait.
      std::vector<std::string> texts = first_lines();
      engine::Runtime::Lines lines = batch(texts);
      engine::Runtime::Lines half = lines;
      half.lines.resize(4);
      require(bool(runtime.submit(half)), "half of the stream can be run");
      require(bool(runtime.deliver()), "what it wrote can be delivered");
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
  constexpr size_t kEditsMax = 16;
  std::string path = kDir.file("damaged.db");
  for (const char* beside : {"", "-wal", "-shm", "-journal", "-lock"})
    std::filesystem::remove(path + beside);
  testing::write_text(path, kSound.file);
  struct Patch {
    size_t at;
    char value;
  };
  std::vector<Patch> patches;
  {
    SqliteFile sqlite(path);
    sqlite.execute("PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON; BEGIN");
    std::vector<std::string> edits = testing::lines_of(input);
    if (edits.size() > kEditsMax) edits.resize(kEditsMax);
    for (std::string_view edit : edits) {
      std::string_view kind = next_word(edit);
      if (kind == "cell" && kSound.columns.count(edit.substr(0, edit.find(' '))) != 0)
        sqlite.set_cell(edit);
      if (kind != "byte") continue;
      auto at = static_cast<size_t>(number(next_word(edit)));
      patches.push_back({at, static_cast<char>(number(edit))});
    }
    sqlite.execute("COMMIT");
  }
  if (!patches.empty()) {
    std::string file = testing::read_text(path);
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
  WillingSink sink;
  engine::RuntimeOptions options;
  options.sink = &sink;
  engine::Runtime runtime(std::move(*store), options);
  if (!runtime.use(kSound.program)) return;
  explain_everything(runtime);
  std::vector<std::string> texts = next_lines();
  engine::Runtime::Lines lines = batch(texts);
  lines.cursor = CursorRow{"crm", 20, 2000, "mark"};
  (void)runtime.submit(lines);
  (void)runtime.advance({runtime.now().ms + 10 * value::kDayMs});
  (void)runtime.deliver();
  look_at_everything(runtime.store());
}

}  // namespace ensue::fuzz
