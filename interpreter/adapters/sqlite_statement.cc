#include "adapters/internal/sqlite_statement.h"

#include <cstring>

namespace ensue::adapters {

Error sqlite_error(sqlite3* db, int code, std::string_view doing) {
  std::string what = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  std::string message = std::string(doing) + ": " + what;
  switch (code & 0xFF) {
    case SQLITE_FULL: return {ErrorCode::kStorageFull, std::string(doing) + ": the disk is full"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {ErrorCode::kStoreLocked, message};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {ErrorCode::kStoreDamaged, message};
    case SQLITE_CONSTRAINT: return {ErrorCode::kStoreDamaged, message};
    default: return {ErrorCode::kIo, message};
  }
}

std::string store_name(sqlite3* db) {
  const char* path = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
  // A store in memory has an empty one.
  return path != nullptr && *path != 0 ? std::string("the store ") + path
                                       : std::string("the store");
}

Status Statement::prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  db_ = db;
  statement_.reset(raw);
  broken_.reset();
  if (code == SQLITE_OK) return {};
  broken_ = sqlite_error(db, code, store_name(db));
  // Our statements are right, so the file lacks a table or a column.
  if ((code & 0xFF) == SQLITE_ERROR) broken_->code = ErrorCode::kStoreDamaged;
  return *broken_;
}

void Statement::reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

Result<bool> Statement::step() {
  if (broken_) return *broken_;
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(db_, code, store_name(db_));
}

Status Statement::run() {
  Result<bool> stepped = step();
  reset();
  if (!stepped) return stepped.error();
  return {};
}

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<size_t>(size));
}

Key128 Statement::key(int column) const {
  Key128 out;
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  if (bytes != nullptr && sqlite3_column_bytes(statement_.get(), column) == 16)
    std::memcpy(out.bytes.data(), bytes, 16);
  return out;
}

Status each(Statement& query, const std::function<bool(Statement&)>& visit) {
  struct Reset {
    Statement& query;
    ~Reset() { query.reset(); }
  } reset{query};
  for (;;) {
    Result<bool> row = query.step();
    if (!row) return row.error();
    if (!*row || !visit(query)) return {};
  }
}

}  // namespace ensue::adapters
