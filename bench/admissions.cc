// Durable admissions: events that each run an action, committed one by one and in groups, next to a
// bare SQLite loop that writes the same rows.
//
//   bench_admissions [--events N] [--rounds N] [--clients N]
//
// What the bare loop writes is not chosen by hand. A first, untimed pass of the engine is watched
// through SQLite's own trace; every INSERT, UPDATE, DELETE, BEGIN and COMMIT it made is kept with
// its values, and the loop runs them again as prepared statements on a fresh store. The files are
// compared afterwards: both must hold the same rows.
#include <fmt/format.h>
#include <sqlite3.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "ensue/engine.h"
#include "ensue/stores.h"
#include "ensue/writer.h"

namespace ensue::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kRules = R"(
cadence "Outreach"
  track main
    step "Call" immediately: call
end
action "Start" by "ana@x.test"
  when Lead is created or edited
  for my records
  if NumberOfEmployees >= 100 and LeadSource is "Web"
  then add it to cadence "Outreach"
end
limits "Bench"
  each user: at most 10_000_000 action executions per day
  whole org: at most 10_000_000 action executions per day
end
)";

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "bench_admissions: {}\n", why);
  std::exit(3);
}

std::string lead(size_t n) {
  return fmt::format(
      R"({{"id":"e{0}","entity":"Lead","ids":["00Q{0:07}"],"kind":"create","at":"2026-01-05T14:{1:02}:{2:02}Z","by":"005ana","set":{{"LastName":"Roe {0}","Company":"Firm {3}","LeadSource":"Web","NumberOfEmployees":{4},"Email":"l{0}@x.test","OwnerId":"005ana"}}}})",
      n, n / 60 % 60, n % 60, n % 20'000, 100 + n % 900);
}

// ---- What the engine writes, seen from SQLite -------------------------------------------------

struct BoundValue {
  enum class Kind : uint8_t { kNull, kInteger, kText, kBlob } kind = Kind::kNull;
  int64_t integer = 0;
  std::string bytes;
};

struct Write {
  size_t statement = 0;
  std::vector<BoundValue> values;
};

struct Recording {
  std::vector<std::string> statements;  // text with `?`
  std::map<std::string, size_t> numbers;
  std::vector<Write> writes;
  bool on = false;
};

Recording recording;

int hex_digit(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

// Reads one literal as sqlite3_expanded_sql writes it.
BoundValue read_literal(const char*& at) {
  BoundValue out;
  if (std::strncmp(at, "NULL", 4) == 0) {
    at += 4;
  } else if (*at == '\'') {
    out.kind = BoundValue::Kind::kText;
    for (++at; *at != '\'' || at[1] == '\''; ++at) {
      out.bytes += *at;
      if (*at == '\'') ++at;
    }
    ++at;
  } else if (*at == 'x') {
    out.kind = BoundValue::Kind::kBlob;
    for (at += 2; *at != '\''; at += 2)
      out.bytes += static_cast<char>(hex_digit(at[0]) * 16 + hex_digit(at[1]));
    ++at;
  } else {
    char* end = nullptr;
    out.kind = BoundValue::Kind::kInteger;
    out.integer = std::strtoll(at, &end, 10);
    if (end == at) fail(fmt::format("a value that cannot be read: {}", at));
    at = end;
  }
  return out;
}

bool writes(const std::string& sql) {
  for (const char* word : {"INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT"})
    if (sql.rfind(word, 0) == 0) return true;
  return false;
}

int on_statement(unsigned, void*, void* statement, void*) {
  auto* prepared = static_cast<sqlite3_stmt*>(statement);
  if (!recording.on) return 0;
  std::string sql = sqlite3_sql(prepared);
  if (!writes(sql)) return 0;
  char* expanded = sqlite3_expanded_sql(prepared);
  auto [number, fresh] = recording.numbers.try_emplace(sql, recording.statements.size());
  if (fresh) recording.statements.push_back(sql);
  Write write{number->second, {}};
  const char* at = expanded;
  for (char c : sql) {
    if (c == '?')
      write.values.push_back(read_literal(at));
    else if (*at++ != c)
      fail("a statement that cannot be read: " + sql);
  }
  sqlite3_free(expanded);
  recording.writes.push_back(std::move(write));
  return 0;
}

int watch(sqlite3* db, char**, const struct sqlite3_api_routines*) {
  return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, on_statement, nullptr);
}

// ---- Two sides --------------------------------------------------------------------------------

struct Side {
  std::vector<double> seconds;    // of the rounds
  std::vector<double> latencies;  // of admissions, all rounds
  uint64_t commits = 0;
};

void remove_store(const std::string& path) {
  for (const char* ending : {"", "-wal", "-shm", "-lock", "-ballast"})
    std::filesystem::remove(path + ending);
}

struct Engines {
  std::shared_ptr<Store> store;
  std::unique_ptr<Engine> engine;
};

Engines open_engine(const std::string& path) {
  remove_store(path);
  Engines out;
  Result<std::shared_ptr<Store>> store = open_store(path);
  if (!store) fail(store.error().message);
  out.store = *store;
  Result<std::unique_ptr<Engine>> engine = Engine::open(out.store, {});
  if (!engine) fail(engine.error().message);
  out.engine = std::move(*engine);
  if (!out.engine->load({{"bench.ensue", kRules}}).ok) fail("the rules have errors");
  std::string user =
      R"({"entity":"User","ids":["005ana"],"kind":"snapshot","set":{"Username":"ana@x.test","IsActive":true}})";
  if (auto done = out.engine->submit("users", {{user, 1}}); !done) fail(done.error().message);
  return out;
}

void engine_singly(const std::string& path, const std::vector<std::string>& lines, Side& side) {
  Engines engines = open_engine(path);
  recording.on = recording.statements.empty();
  auto begin = SteadyClock::now();
  for (size_t i = 0; i < lines.size(); ++i) {
    auto from = SteadyClock::now();
    Result<BatchReport> report = engines.engine->submit("crm", {{lines[i], i + 1}});
    if (!report) fail(report.error().message);
    if (report->statuses["executed"] != 1) fail("an event that ran nothing");
    side.latencies.push_back(Seconds(SteadyClock::now() - from).count());
  }
  side.seconds.push_back(Seconds(SteadyClock::now() - begin).count());
  side.commits += lines.size();
  recording.on = false;
}

// Clients that wait for their answer before they send the next line.
void engine_grouped(const std::string& path, const std::vector<std::string>& lines, size_t clients,
                    Side& side) {
  Engines engines = open_engine(path);
  std::vector<std::vector<double>> latencies(clients);
  auto begin = SteadyClock::now();
  {
    Writer writer(*engines.engine);
    std::vector<std::thread> threads;
    for (size_t client = 0; client < clients; ++client) {
      threads.emplace_back([&, client] {
        for (size_t i = client; i < lines.size(); i += clients) {
          auto from = SteadyClock::now();
          Result<BatchReport> report =
              writer.submit({fmt::format("crm {}", client), {lines[i]}, i + 1, {}}).get();
          if (!report) fail(report.error().message);
          latencies[client].push_back(Seconds(SteadyClock::now() - from).count());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    side.commits += writer.commits();
  }
  side.seconds.push_back(Seconds(SteadyClock::now() - begin).count());
  for (const auto& of_client : latencies)
    side.latencies.insert(side.latencies.end(), of_client.begin(), of_client.end());
}

class BareLoop {
 public:
  explicit BareLoop(const std::string& path) {
    open_engine(path);  // and closed: an empty store of the same layout
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) fail(sqlite3_errmsg(db_));
    // As the engine's own connection.
    for (const char* sql : {"PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON",
                            "PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 4000"})
      if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
    statements_.resize(recording.statements.size());
    for (size_t i = 0; i < statements_.size(); ++i)
      if (sqlite3_prepare_v2(db_, recording.statements[i].c_str(), -1, &statements_[i], nullptr) !=
          SQLITE_OK)
        fail(sqlite3_errmsg(db_));
  }
  ~BareLoop() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  BareLoop(const BareLoop&) = delete;
  BareLoop& operator=(const BareLoop&) = delete;

  // The recorded writes, `group` admissions in one commit.
  void run(size_t admissions, size_t group, Side& side) {
    auto begin = SteadyClock::now();
    auto from = begin;
    size_t done = 0;
    bool open = false;
    for (const Write& write : recording.writes) {
      const std::string& sql = recording.statements[write.statement];
      if (sql[0] == 'B') {
        if (!open) step(write);
        open = true;
      } else if (sql[0] == 'C') {
        if (++done % group != 0 && done != admissions) continue;
        step(write);
        open = false;
        ++side.commits;
        auto now = SteadyClock::now();
        size_t together = done % group == 0 ? group : done % group;
        side.latencies.insert(side.latencies.end(), together, Seconds(now - from).count());
        from = now;
      } else {
        step(write);
      }
    }
    side.seconds.push_back(Seconds(SteadyClock::now() - begin).count());
  }

 private:
  void step(const Write& write) {
    sqlite3_stmt* statement = statements_[write.statement];
    for (size_t i = 0; i < write.values.size(); ++i) {
      const BoundValue& value = write.values[i];
      int place = static_cast<int>(i) + 1;
      int size = static_cast<int>(value.bytes.size());
      switch (value.kind) {
        case BoundValue::Kind::kNull: sqlite3_bind_null(statement, place); break;
        case BoundValue::Kind::kInteger: sqlite3_bind_int64(statement, place, value.integer); break;
        case BoundValue::Kind::kText:
          sqlite3_bind_text(statement, place, value.bytes.data(), size, SQLITE_STATIC);
          break;
        case BoundValue::Kind::kBlob:
          sqlite3_bind_blob(statement, place, value.bytes.data(), size, SQLITE_STATIC);
          break;
      }
    }
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE && code != SQLITE_ROW) fail(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
  }

  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

// Rows of each table of a file.
std::map<std::string, int64_t> row_counts(const std::string& path) {
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) fail(sqlite3_errmsg(db));
  auto each_row = [&](const std::string& sql, auto&& visit) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      fail(sqlite3_errmsg(db));
    while (sqlite3_step(statement) == SQLITE_ROW) visit(statement);
    sqlite3_finalize(statement);
  };
  std::vector<std::string> tables;
  each_row("SELECT name FROM sqlite_master WHERE type = 'table'", [&](sqlite3_stmt* row) {
    tables.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(row, 0)));
  });
  std::map<std::string, int64_t> out;
  for (const std::string& table : tables)
    each_row("SELECT count(*) FROM \"" + table + "\"",
             [&](sqlite3_stmt* row) { out[table] = sqlite3_column_int64(row, 0); });
  sqlite3_close(db);
  return out;
}

// ---- The table --------------------------------------------------------------------------------

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(part * static_cast<double>(values.size())))];
}

void print(const char* name, const Side& side, size_t lines, const Side* against) {
  std::string ratio = "";
  if (against != nullptr) {
    std::vector<double> ratios;
    for (size_t i = 0; i < side.seconds.size(); ++i)
      ratios.push_back(side.seconds[i] / against->seconds[i]);
    ratio = fmt::format("{:8.2f}", median(ratios));
  }
  double admissions = static_cast<double>(lines * side.seconds.size());
  fmt::print("  {:<34}{:10.0f}{:10.2f}{:10.2f}{:12.1f}{}\n", name,
             static_cast<double>(lines) / median(side.seconds),
             percentile(side.latencies, 0.5) * 1000, percentile(side.latencies, 0.99) * 1000,
             admissions / static_cast<double>(side.commits), ratio);
}

int run(size_t events, size_t rounds, size_t clients) {
  std::filesystem::path folder = std::filesystem::current_path() / "bench_admissions.tmp";
  std::filesystem::create_directories(folder);
  std::string engine_path = folder / "engine.db";
  std::string bare_path = folder / "bare.db";
  std::vector<std::string> lines;
  for (size_t i = 0; i < events; ++i) lines.push_back(lead(i));

  sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch));
  Side unmeasured;
  engine_singly(engine_path, lines, unmeasured);
  sqlite3_reset_auto_extension();
  size_t written = recording.writes.size() - 2 * events;
  { BareLoop(bare_path).run(events, 1, unmeasured); }
  if (row_counts(engine_path) != row_counts(bare_path)) fail("the two have not written the same");

  Side bare_single;
  Side engine_single;
  Side bare_group;
  Side engine_group;
  for (size_t round = 0; round < rounds; ++round) {
    auto bare = [&](Side& side, size_t group) { BareLoop(bare_path).run(events, group, side); };
    if (round % 2 == 0) bare(bare_single, 1);
    engine_singly(engine_path, lines, engine_single);
    if (round % 2 == 1) bare(bare_single, 1);
    engine_grouped(engine_path, lines, clients, engine_group);
    // As many together as the engine had.
    bare(bare_group, std::max<uint64_t>(1, events * (round + 1) / engine_group.commits));
  }
  fmt::print(
      "Durable admissions: {} events, each runs an action ({:.1f} rows written by each); {} rounds "
      "in turn, medians;\nSQLite {} in WAL mode, synchronous = FULL, on the disk of {}\n\n",
      events, static_cast<double>(written) / static_cast<double>(events), rounds,
      sqlite3_libversion(), std::filesystem::current_path().filename().string());
  fmt::print("  {:<34}{:>10}{:>10}{:>10}{:>12}{:>8}\n", "", "per s", "p50 ms", "p99 ms", "a commit",
             "ratio");
  print("bare SQLite loop, one by one", bare_single, events, nullptr);
  print("Engine::submit, one by one", engine_single, events, &bare_single);
  print("bare SQLite loop, grouped", bare_group, events, nullptr);
  print(fmt::format("Writer, {} clients", clients).c_str(), engine_group, events, &bare_group);
  fmt::print("\n  ratio: time against the bare loop above, median of the rounds\n\n");
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace ensue::bench

int main(int count, char** words) {
  size_t events = 4000;
  size_t rounds = 5;
  size_t clients = 64;
  CLI::App app("Durable admissions next to a bare SQLite loop", "bench_admissions");
  app.add_option("--events", events)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rounds", rounds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--clients", clients)->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, count, words);
  return ensue::bench::run(events, rounds, clients);
}
