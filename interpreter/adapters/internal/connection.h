// A connection to a store file beside the store's own, for work on the file as a whole.
//
// It neither locks nor looks at the format: whoever opens one holds a store of open_sqlite_store,
// which has done both.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "adapters/internal/sqlite_statement.h"
#include "ensue/result.h"

namespace ensue::adapters {

class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // `flags` as for sqlite3_open_v2: SQLITE_OPEN_READONLY and the like.
  Status open(const std::string& path, int flags);
  Status execute(const std::string& sql);
  // The number in the first row; 0 without one.
  Result<int64_t> integer(const char* sql);
  sqlite3* get() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

// Steps through the rows of a query. `visit` returns false to stop.
Status each_row(sqlite3* db, const char* sql, const std::function<bool(const Statement&)>& visit);

}  // namespace ensue::adapters
