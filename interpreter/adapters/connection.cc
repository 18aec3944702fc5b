#include "adapters/internal/connection.h"

namespace ensue::adapters {

Connection::~Connection() { sqlite3_close_v2(db_); }

Status Connection::open(const std::string& path, int flags) {
  int code = sqlite3_open_v2(path.c_str(), &db_,
                             flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) return sqlite_error(db_, code, path + ": cannot open it");
  sqlite3_busy_timeout(db_, 5000);
  // Work on a whole file reads indexes in random order: 128 MiB of pages, in KiB.
  return execute("PRAGMA cache_size = -131072");
}

Status Connection::execute(const std::string& sql) {
  int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(db_, code, store_name(db_));
  return {};
}

Result<int64_t> Connection::integer(const char* sql) {
  int64_t out = 0;
  Status read = each_row(db_, sql, [&](const Statement& row) {
    out = row.integer(0);
    return false;
  });
  if (!read) return read.error();
  return out;
}

Status each_row(sqlite3* db, const char* sql, const std::function<bool(const Statement&)>& visit) {
  Statement query;
  if (Status prepared = query.prepare(db, sql); !prepared) return prepared;
  return each(query, visit);
}

}  // namespace ensue::adapters
