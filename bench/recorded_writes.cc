#include "recorded_writes.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "measure.h"

namespace ensue::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using SteadyClock = std::chrono::steady_clock;

// SQLite's callbacks have no other way to whom they serve.
struct Watched {
  bool on = false;
  Recording recording;
  std::map<std::string, size_t> numbers;
};
Watched watched;  // NOLINT

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
  if (!watched.on) return 0;
  std::string sql = sqlite3_sql(prepared);
  if (!writes(sql)) return 0;
  char* expanded = sqlite3_expanded_sql(prepared);
  Recording& recording = watched.recording;
  auto [number, fresh] = watched.numbers.try_emplace(sql, recording.statements.size());
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

}  // namespace

void fail(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(3);
}

void remove_store(const std::string& path) {
  for (const char* ending : {"", "-wal", "-shm", "-lock", "-ballast"})
    std::filesystem::remove(path + ending);
}

size_t Recording::rows() const {
  return static_cast<size_t>(std::count_if(writes.begin(), writes.end(), [&](const Write& write) {
    return sql(write)[0] != 'B' && sql(write)[0] != 'C';
  }));
}

Recording Recording::row_by_row() const {
  Recording out;
  std::vector<size_t> rows;  // of each statement
  for (const std::string& statement : statements) {
    constexpr std::string_view kNext = "), (";
    size_t first = statement.find(kNext);
    rows.push_back(1);
    std::string one = statement;
    if (first != std::string::npos) {
      size_t last = first;
      for (size_t at = first; at != std::string::npos; at = statement.find(kNext, at + 1)) {
        ++rows.back();
        last = at;
      }
      one = statement.substr(0, first) + statement.substr(statement.find(')', last + kNext.size()));
    }
    out.statements.push_back(one);
  }
  for (const Write& write : writes) {
    size_t values = write.values.size() / rows[write.statement];
    for (size_t row = 0; row < rows[write.statement]; ++row) {
      auto begin = write.values.begin() + static_cast<std::ptrdiff_t>(row * values);
      out.writes.push_back({write.statement, {begin, begin + static_cast<std::ptrdiff_t>(values)}});
    }
  }
  return out;
}

void Recording::save(const std::string& path) const {
  std::ofstream out(path, std::ios::binary);
  auto number = [&](int64_t n) { out.write(reinterpret_cast<const char*>(&n), sizeof n); };
  auto text = [&](const std::string& bytes) {
    number(static_cast<int64_t>(bytes.size()));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  };
  number(static_cast<int64_t>(statements.size()));
  for (const std::string& statement : statements) text(statement);
  number(static_cast<int64_t>(writes.size()));
  for (const Write& write : writes) {
    number(static_cast<int64_t>(write.statement));
    number(static_cast<int64_t>(write.values.size()));
    for (const BoundValue& value : write.values) {
      number(static_cast<int64_t>(value.kind));
      number(value.integer);
      text(value.bytes);
    }
  }
  if (!out.flush()) fail("cannot write " + path);
}

Recording Recording::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  auto number = [&] {
    int64_t n = 0;
    if (!in.read(reinterpret_cast<char*>(&n), sizeof n)) fail("cannot read " + path);
    return n;
  };
  auto text = [&] {
    std::string bytes(static_cast<size_t>(number()), '\0');
    if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
      fail("cannot read " + path);
    return bytes;
  };
  Recording out;
  out.statements.resize(static_cast<size_t>(number()));
  for (std::string& statement : out.statements) statement = text();
  out.writes.resize(static_cast<size_t>(number()));
  for (Write& write : out.writes) {
    write.statement = static_cast<size_t>(number());
    write.values.resize(static_cast<size_t>(number()));
    for (BoundValue& value : write.values) {
      value.kind = static_cast<BoundValue::Kind>(number());
      value.integer = number();
      value.bytes = text();
    }
  }
  return out;
}

Recorder::Recorder() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch)); }

Recorder::~Recorder() {
  sqlite3_reset_auto_extension();
  watched = {};
}

void Recorder::start() { watched.on = true; }

Recording Recorder::stop() {
  watched.on = false;
  return std::move(watched.recording);
}

BareLoop::BareLoop(const std::string& path, const Recording& recording) : recording_(recording) {
  for (const Write& write : recording.writes) commits_ += recording.sql(write)[0] == 'C' ? 1 : 0;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
  for (const char* sql : {"PRAGMA synchronous = FULL", "PRAGMA foreign_keys = OFF",
                          "PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 4000"})
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
  statements_.resize(recording.statements.size());
  for (size_t i = 0; i < statements_.size(); ++i)
    if (sqlite3_prepare_v2(db_, recording.statements[i].c_str(), -1, &statements_[i], nullptr) !=
        SQLITE_OK)
      fail(sqlite3_errmsg(db_));
}

BareLoop::~BareLoop() {
  for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void BareLoop::run(size_t group, Side& side) {
  auto begin = SteadyClock::now();
  double processor = processor_seconds();
  auto from = begin;
  size_t done = 0;
  bool open = false;
  for (const Write& write : recording_.writes) {
    const std::string& sql = recording_.sql(write);
    if (sql[0] == 'B') {
      if (!open) step(write);
      open = true;
    } else if (sql[0] == 'C') {
      if (++done % group != 0 && done != commits_) continue;
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
  side.processor.push_back(processor_seconds() - processor);
}

void BareLoop::next_commit() {
  while (next_ < recording_.writes.size()) {
    const Write& write = recording_.writes[next_++];
    step(write);
    if (recording_.sql(write)[0] == 'C') return;
  }
}

void BareLoop::step(const Write& write) {
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

}  // namespace ensue::bench
