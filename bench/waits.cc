// Pending waits: what each costs to add, to keep and to wake, in memory and in a file, next to a
// bare SQLite table that holds the same rows under one ordered index.
//
//   bench_waits [--waits N] [--wake N]
//
// What a wait costs is a difference: the same events are sent to a flow that waits and to one that
// ends at once, each in a process of its own. The bare table gets the rows that stand in the
// engine's file, in commits of the same size; to wake one is to find it by its time, read it and
// take it out.
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "ensue/engine.h"
#include "ensue/stores.h"
#include "recorded_writes.h"

namespace ensue::bench {
namespace {

constexpr size_t kBatch = 500;
constexpr size_t kSaves = 2000;
constexpr int64_t kStart = 1'767'600'000'000;  // 2026-01-05T08:00:00Z
constexpr int64_t kDay = 86'400'000;

constexpr const char* kWaits = R"(
flow "Chase"
  when Lead is created
  wait until Status is "Contacted" for at most 30 days
  set Title to "chased"
end
)";
constexpr const char* kEnds = R"(
flow "Chase"
  when Lead is created
  log "chased"
end
)";

double resident_bytes() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  long whole = 0;
  long resident = 0;
  bool read = file != nullptr && std::fscanf(file, "%ld %ld", &whole, &resident) == 2;
  if (file != nullptr) std::fclose(file);
  if (!read) fail("/proc/self/statm cannot be read");
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

struct Figures {
  double add = 0;     // seconds
  double bytes = 0;   // of memory, grown by adding
  double reopen = 0;  // seconds, of a file
  double saves = 0;   // seconds of kSaves, each of a record of its own, each a commit
  double wake = 0;    // seconds
  double woken = 0;
};

// In a process of its own, so that its memory is its own.
template <class Work>
Figures apart(const Work& work) {
  int ends[2];
  if (pipe(ends) != 0) fail("no pipe");
  pid_t child = fork();
  if (child < 0) fail("no process");
  if (child == 0) {
    close(ends[0]);
    Figures figures = work();
    bool told = write(ends[1], &figures, sizeof figures) == static_cast<ssize_t>(sizeof figures);
    _exit(told ? 0 : 3);
  }
  close(ends[1]);
  Figures figures;
  bool heard = read(ends[0], &figures, sizeof figures) == static_cast<ssize_t>(sizeof figures);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!heard || status != 0) fail("a side has failed");
  return figures;
}

// Seconds of the processor: what else the machine does is not counted, nor waiting for the disk.
double since(std::clock_t begin) {
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

std::unique_ptr<Engine> engine_on(const std::shared_ptr<Store>& store, const char* program) {
  Result<std::unique_ptr<Engine>> engine = Engine::open(store, {});
  if (!engine) fail(engine.error().message);
  if (!(*engine)->load({{"bench.ensue", program}}).ok) fail("the flow has errors");
  return std::move(*engine);
}

std::shared_ptr<Store> store_at(const std::string& path) {
  if (path.empty()) return make_memory_store();
  Result<std::shared_ptr<Store>> store = open_store(path);
  if (!store) fail(store.error().message);
  return *store;
}

BatchReport must(Result<BatchReport> report) {
  if (!report) fail(report.error().message);
  return std::move(*report);
}

// Ten milliseconds between one lead and the next, so that as many are due at a time as one likes.
Figures engine_side(const std::string& path, const char* program, size_t count, size_t wake) {
  Figures out;
  std::shared_ptr<Store> store = store_at(path);
  std::unique_ptr<Engine> engine = engine_on(store, program);
  double before = resident_bytes();
  std::clock_t begin = std::clock();
  std::vector<std::string> texts;
  for (size_t n = 0; n < count;) {
    texts.clear();
    std::vector<InputLine> lines;
    for (; texts.size() < kBatch && n < count; ++n) {
      texts.push_back(fmt::format(
          R"({{"id":"e{0}","entity":"Lead","ids":["00Q{0:07}"],"kind":"create","at":{1},"set":{{"LastName":"Roe {0}","Company":"Firm","Status":"Open"}}}})",
          n, kStart + static_cast<int64_t>(n) * 10));
    }
    for (size_t i = 0; i < texts.size(); ++i) lines.push_back({texts[i], n - texts.size() + i + 1});
    if (must(engine->submit("crm", lines)).events != lines.size()) fail("an event got lost");
  }
  out.add = since(begin);
  out.bytes = resident_bytes() - before;
  int64_t end = kStart + static_cast<int64_t>(count) * 10;
  begin = std::clock();
  for (size_t i = 0; i < kSaves; ++i) {
    std::string text = fmt::format(
        R"({{"id":"s{0}","entity":"Lead","ids":["00Q{1:07}"],"kind":"update","at":{2},"set":{{"City":"C{0}"}}}})",
        i, count - 1 - i, end);
    must(engine->submit("crm", {{text, i + 1}}));
  }
  out.saves = since(begin);
  begin = std::clock();
  Instant due{kStart + 30 * kDay + static_cast<int64_t>(wake - 1) * 10};
  BatchReport woken = must(engine->advance(due));
  out.wake = since(begin);
  out.woken = static_cast<double>(woken.timers);
  return out;
}

Figures opened_again(const std::string& path) {
  Figures out;
  double before = resident_bytes();
  std::clock_t begin = std::clock();
  std::shared_ptr<Store> store = store_at(path);
  std::unique_ptr<Engine> engine = engine_on(store, kWaits);
  out.reopen = since(begin);
  out.bytes = resident_bytes() - before;
  return out;
}

// ---- SQLite -----------------------------------------------------------------------------------

class Database {
 public:
  explicit Database(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) fail(sqlite3_errmsg(db_));
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* out = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &out, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
    return out;
  }
  // True: there is a row.
  bool step(sqlite3_stmt* statement) {
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(sqlite3_errmsg(db_));
    return code == SQLITE_ROW;
  }
  int64_t number(const char* sql) {
    sqlite3_stmt* query = prepare(sql);
    if (!step(query)) fail("no row");
    int64_t out = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

constexpr const char* kColumns =
    "run, rule, automation, record, user, state, since, due, wakes, program, frame, detail";

// What the bare table is given, and how long it takes: the rows of `from`, in commits of kBatch.
Figures bare_side(const std::string& from, const std::string& path, size_t wake) {
  Figures out;
  Database database(path);
  database.run(
      "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;"
      "CREATE TABLE wait (seq INTEGER PRIMARY KEY, run BLOB NOT NULL, rule BLOB NOT NULL,"
      " automation TEXT NOT NULL, record TEXT NOT NULL, user TEXT NOT NULL,"
      " state TEXT NOT NULL, since INTEGER NOT NULL, due INTEGER, wakes INTEGER NOT NULL,"
      " program TEXT NOT NULL, frame BLOB NOT NULL, detail TEXT NOT NULL);"
      "CREATE INDEX wait_by_due ON wait (due, run)");
  Database source(from);
  sqlite3_stmt* rows =
      source.prepare(fmt::format("SELECT {} FROM flow_run ORDER BY seq", kColumns).c_str());
  sqlite3_stmt* add = database.prepare(
      fmt::format("INSERT INTO wait ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kColumns)
          .c_str());
  size_t count = 0;
  std::clock_t begin = std::clock();
  while (source.step(rows)) {
    if (count++ % kBatch == 0) database.run("BEGIN");
    for (int i = 0; i < 12; ++i) sqlite3_bind_value(add, i + 1, sqlite3_column_value(rows, i));
    database.step(add);
    sqlite3_reset(add);
    if (count % kBatch == 0) database.run("COMMIT");
  }
  if (count % kBatch != 0) database.run("COMMIT");
  out.add = since(begin);
  sqlite3_finalize(rows);
  sqlite3_finalize(add);
  sqlite3_stmt* find =
      database.prepare("SELECT seq, run, frame FROM wait ORDER BY due, run LIMIT 256");
  sqlite3_stmt* remove = database.prepare("DELETE FROM wait WHERE seq = ?");
  begin = std::clock();
  database.run("BEGIN");
  for (size_t woken = 0; woken < wake;) {
    std::vector<int64_t> due;
    while (database.step(find)) due.push_back(sqlite3_column_int64(find, 0));
    sqlite3_reset(find);
    for (size_t i = 0; i < due.size() && woken < wake; ++i, ++woken) {
      sqlite3_bind_int64(remove, 1, due[i]);
      database.step(remove);
      sqlite3_reset(remove);
    }
  }
  database.run("COMMIT");
  out.wake = since(begin);
  sqlite3_finalize(find);
  sqlite3_finalize(remove);
  return out;
}

// Bytes of the pages of tables and their indexes.
double bytes_of(const std::string& path, const char* tables) {
  Database database(path);
  std::string sql = fmt::format(
      "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master "
      "WHERE tbl_name IN ({}))",
      tables);
  return static_cast<double>(database.number(sql.c_str()));
}

// ---- The table --------------------------------------------------------------------------------

int run(size_t count, size_t wake) {
  std::filesystem::path folder = std::filesystem::current_path() / "bench_waits.tmp";
  std::filesystem::create_directories(folder);
  std::string waits_path = folder / "waits.db";
  std::string ends_path = folder / "ends.db";
  std::string few_path = folder / "few.db";
  std::string bare_path = folder / "bare.db";
  std::string kept_path = folder / "kept.db";
  for (const std::string& path : {waits_path, ends_path, few_path, bare_path, kept_path})
    remove_store(path);
  size_t few = std::max(count / 100, kSaves);

  Figures memory_ends = apart([&] { return engine_side("", kEnds, count, wake); });
  Figures memory_waits = apart([&] { return engine_side("", kWaits, count, wake); });
  Figures file_ends = apart([&] { return engine_side(ends_path, kEnds, count, wake); });
  Figures file_few = apart([&] { return engine_side(few_path, kWaits, few, std::min(few, wake)); });
  // All of them waiting, before some are woken: for the bare table, and to be weighed.
  apart([&] {
    engine_side(kept_path, kWaits, count, 0);
    return Figures();
  });
  double engine_bytes = bytes_of(kept_path, "'flow_run', 'timer'");
  Figures many_again = apart([&] { return opened_again(kept_path); });
  Figures few_again = apart([&] { return opened_again(few_path); });
  Figures bare = apart([&] { return bare_side(kept_path, bare_path, wake); });
  remove_store(kept_path);
  Figures file_waits = apart([&] { return engine_side(waits_path, kWaits, count, wake); });
  // Nothing was taken out of the pages that the first ones filled but rows.
  double bare_bytes = bytes_of(bare_path, "'wait'");
  if (memory_waits.woken != static_cast<double>(wake) ||
      file_waits.woken != static_cast<double>(wake))
    fail("other waits than those that are due were woken");

  auto waits = static_cast<double>(count);
  auto each = [&](double seconds) { return seconds / waits * 1e6; };
  fmt::print(
      "{} pending waits, one of each record; {} lines a commit; SQLite {}, WAL, "
      "synchronous = FULL; seconds of the processor\n\n",
      count, kBatch, sqlite3_libversion());
  fmt::print("  {:<48}{:>12}{:>14}{:>14}\n", "to add", "seconds", "us a record", "bytes a wait");
  auto row = [&](const char* name, double seconds, const std::string& bytes) {
    fmt::print("  {:<48}{:>12.2f}{:>14.2f}{:>14}\n", name, seconds, each(seconds), bytes);
  };
  row("in memory, a flow that ends", memory_ends.add, "");
  row("in memory, a flow that waits", memory_waits.add,
      fmt::format("{:.0f}", (memory_waits.bytes - memory_ends.bytes) / waits));
  row("in a file, a flow that ends", file_ends.add, "");
  row("in a file, a flow that waits", file_waits.add, fmt::format("{:.0f}", engine_bytes / waits));
  row("bare SQLite, the same rows, one ordered index", bare.add,
      fmt::format("{:.0f}", bare_bytes / waits));
  fmt::print("  a wait in a file / a bare row: bytes {:.2f}, time to add {:.2f}\n\n",
             engine_bytes / bare_bytes, (file_waits.add - file_ends.add) / bare.add);
  fmt::print(
      "  the file opened again: {:.0f} ms and {:.1f} MiB with {} waits, {:.0f} ms and {:.1f} MiB "
      "with {}\n\n",
      many_again.reopen * 1e3, many_again.bytes / 1048576, count, few_again.reopen * 1e3,
      few_again.bytes / 1048576, few);
  fmt::print(
      "  {} saves of records, a commit each: {:.3f} s where none waits, {:.3f} s among {} "
      "waits, {:.3f} s among {}: {:.2f}\n",
      kSaves, file_ends.saves, file_few.saves, few, file_waits.saves, count,
      file_waits.saves / file_few.saves);
  fmt::print("    in memory {:.3f} s where none waits, {:.3f} s among {}\n\n", memory_ends.saves,
             memory_waits.saves, count);
  fmt::print(
      "  {} woken when due, their flows run to the end: {:.3f} s in memory, {:.3f} s in a "
      "file; as many found and taken out of the bare table: {:.3f} s; ratio {:.1f}\n\n",
      wake, memory_waits.wake, file_waits.wake, bare.wake, file_waits.wake / bare.wake);
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace ensue::bench

int main(int count, char** words) {
  size_t waits = 1'000'000;
  size_t wake = 10'000;
  CLI::App app("Pending waits next to a bare SQLite table", "bench_waits");
  app.add_option("--waits", waits)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--wake", wake)->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, count, words);
  if (waits < 2 * wake || waits < 4000) {
    fmt::print(stderr, "bench_waits: at least 4000 waits, and twice as many as are woken\n");
    return 2;
  }
  return ensue::bench::run(waits, wake);
}
