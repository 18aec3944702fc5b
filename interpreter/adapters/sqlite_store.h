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

// What a store needs from the disk before a commit is done.
enum class StoreSync : unsigned char {
  kFull,    // what is committed survives the loss of power
  kNormal,  // the last commits may be lost; for the test that shows that this is found
};

struct SqliteOptions {
  // A file system that SQLite knows by this name; empty: the machine's. One that is named has no
  // lock file: whoever names it sees to it that the store has one owner.
  std::string vfs;
  StoreSync sync = StoreSync::kFull;
  // Pages of the WAL after which a commit also moves them into the file.
  int checkpoint_pages = 4000;
  // Keys of events that are kept as they came, before they are sorted among the older ones.
  size_t recent_keys = 65'536;
};

// Opens the file, making it when it is owned and missing. Errors: kStoreLocked (another process
// owns it), kStoreTooNew, kStoreDamaged (not a store, or damaged), kStorageFull, kIo (also kLook of
// a missing file).
//
// After an I/O error in a commit, nobody knows what the disk holds: the store tells that error for
// each later commit. Open it anew to go on from what was committed. A full disk is no such error:
// once there is room, the same store goes on.
Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path, StoreAccess access,
                                                 const SqliteOptions& options = {});

// A copy of the file in memory, to try things on. The file is only read.
Result<std::unique_ptr<Store>> copy_sqlite_store(const std::string& path);

}  // namespace ensue::adapters
