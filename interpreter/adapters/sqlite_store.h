// A store in one SQLite file, in WAL mode with full synchronisation: what is committed survives the
// loss of power.
#pragma once

#include <memory>
#include <string>

#include "ensue/store.h"

namespace ensue::adapters {

enum class StoreAccess : unsigned char {
  kOwn,   // read and write; one process at a time
  kLook,  // read only, beside an owner that writes
};

// Opens the file, making it when it is owned and missing. Errors: kStoreLocked (another process
// owns it), kStoreTooNew, kStoreDamaged (not a store, or damaged), kStorageFull, kIo, kNotFound
// (kLook of a missing file).
Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path, StoreAccess access);

// A copy of the file in memory, to try things on. The file is only read.
Result<std::unique_ptr<Store>> copy_sqlite_store(const std::string& path);

}  // namespace ensue::adapters
