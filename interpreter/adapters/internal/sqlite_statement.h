// A prepared statement of SQLite: bind, step, read. A thin wrapper so that the store reads as
// verbs.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ensue/key.h"
#include "ensue/result.h"
#include "ensue/value.h"

namespace ensue::adapters {

// What SQLite's result codes mean to us.
Error sqlite_error(sqlite3* db, int code, std::string_view doing);
// `the store <path>`
std::string store_name(sqlite3* db);

class Statement {
 public:
  Statement() = default;

  // Compiles `sql`, which lives as long as the statement does. After an error every step tells it
  // again.
  Status prepare(sqlite3* db, const char* sql);
  // Compiles it the first time; a failure shows at the first step.
  Statement& once(sqlite3* db, const char* sql) {
    if (statement_ == nullptr && !broken_) (void)prepare(db, sql);
    return *this;
  }

  // Binding, from index 1. Texts and keys must stay alive until the step.
  Statement& bind(int index, int64_t value) {
    sqlite3_bind_int64(statement_.get(), index, value);
    return *this;
  }
  Statement& bind(int index, std::string_view text) {
    sqlite3_bind_text(statement_.get(), index, text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Statement& bind(int index, const Key128& key) {
    sqlite3_bind_blob(statement_.get(), index, key.bytes.data(), static_cast<int>(key.bytes.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Statement& bind_blob(int index, std::string_view bytes) {
    sqlite3_bind_blob(statement_.get(), index, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Statement& bind(int index, Instant instant) { return bind(index, instant.ms); }
  Statement& bind(int index, std::optional<Instant> instant) {
    if (instant) return bind(index, instant->ms);
    sqlite3_bind_null(statement_.get(), index);
    return *this;
  }

  // True when there is a row to read. Afterwards, or after an error, call reset.
  Result<bool> step();
  // Runs a statement that gives no rows, and resets it.
  Status run();
  void reset();

  // Reading, from column 0.
  int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  // A number that is counted on from. One that a damaged store has made negative, or so large that
  // the next would not fit, is cut.
  int64_t count(int column) const {
    return std::clamp(integer(column), int64_t{0}, int64_t{1} << 53);
  }
  std::string text(int column) const;
  Key128 key(int column) const;
  Instant instant(int column) const { return {integer(column)}; }
  std::optional<Instant> optional_instant(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return instant(column);
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* db_ = nullptr;
  std::optional<Error> broken_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Steps through the rows of a bound statement, and resets it. `visit` returns false to stop.
Status each(Statement& query, const std::function<bool(Statement&)>& visit);

}  // namespace ensue::adapters
