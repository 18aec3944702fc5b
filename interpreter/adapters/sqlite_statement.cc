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

Status Statement::prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return sqlite_error(db, code, "preparing a statement");
  db_ = db;
  statement_.reset(raw);
  return {};
}

Result<bool> Statement::step() {
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(db_, code, "the store");
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
  if (bytes != nullptr && sqlite3_column_bytes(statement_.get(), column) == 16) std::memcpy(out.bytes.data(), bytes, 16);
  return out;
}

}  // namespace ensue::adapters
