// Copies of whole stores, and stores written anew.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "adapters/internal/connection.h"
#include "adapters/internal/store_paths.h"
#include "adapters/sqlite_store.h"
#include "adapters/store_care.h"

namespace ensue::adapters {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code unknown;
  return fs::exists(fs::symlink_status(path, unknown));
}

uint64_t size_of(const fs::path& path) {
  std::error_code none;
  uintmax_t size = fs::file_size(path, none);
  return none ? 0 : size;
}

// The file a copy is written to before it has its name. Two copies to one target exclude each
// other; what a killed process left is written over.
class PartFile {
 public:
  explicit PartFile(const std::string& target) : path_(target + ".part") {}
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() {
    if (kept_) ::unlink(path_.c_str());
    if (fd_ >= 0) ::close(fd_);
  }

  Status make() {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) return failed("cannot write ");
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0)
      return {ErrorCode::kStoreLocked, "another process is writing " + path_};
    kept_ = true;
    if (::ftruncate(fd_, 0) != 0) return failed("cannot write ");
    return {};
  }

  // Written through, then renamed; nothing is replaced.
  Status become(const std::string& target) {
    if (::fsync(fd_) != 0) return failed("cannot write ");
    int renamed = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
    // Some file systems cannot refuse to replace by themselves.
    if (renamed != 0 && errno == EINVAL && !is_there(target))
      renamed = ::rename(path_.c_str(), target.c_str());
    if (renamed != 0) return failed("cannot rename to " + target + ": ");
    kept_ = false;
    return sync_path(folder_of(target));
  }

  const std::string& path() const { return path_; }

 private:
  Status failed(const std::string& doing) const {
    ErrorCode code = errno == ENOSPC ? ErrorCode::kStorageFull : ErrorCode::kIo;
    return {code, doing + path_ + ": " + std::strerror(errno)};
  }

  std::string path_;
  int fd_ = -1;
  bool kept_ = false;  // under the name of a part, to be removed
};

// One read transaction for all pages: a moment of the store, whatever its owner commits meanwhile.
Status copy_pages(Connection& from, const std::string& target) {
  Connection to;
  if (Status opened = to.open(target, SQLITE_OPEN_READWRITE); !opened) return opened;
  // Nobody sees the file before it is whole, so it needs neither journal nor order.
  Status fast = to.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  if (!fast) return fast;
  if (Status begun = from.execute("BEGIN; SELECT count(*) FROM sqlite_master"); !begun)
    return begun;
  sqlite3_backup* backup = sqlite3_backup_init(to.get(), "main", from.get(), "main");
  if (backup == nullptr)
    return sqlite_error(to.get(), sqlite3_errcode(to.get()), "cannot write " + target);
  sqlite3_backup_step(backup, -1);
  int code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK) return sqlite_error(to.get(), code, "cannot write " + target);
  return from.execute("COMMIT");
}

}  // namespace

Result<uint64_t> back_up_store(const std::string& path, const std::string& target) {
  auto store = open_sqlite_store(path, StoreAccess::kLook);
  if (!store) return store.error();
  if (is_there(target))
    return {ErrorCode::kIo, target + " is there already; a backup replaces nothing"};
  for (const char* left : {"-wal", "-journal"}) {
    // SQLite would take what stands in it for a part of the copy.
    if (size_of(target + left) > 0)
      return {ErrorCode::kIo, target + left + " is there already, left by another database"};
  }
  Connection from;
  if (Status opened = from.open(path, SQLITE_OPEN_READONLY); !opened) return opened.error();
  PartFile part(target);
  if (Status made = part.make(); !made) return made.error();
  if (Status copied = copy_pages(from, part.path()); !copied) return copied.error();
  if (Status named = part.become(target); !named) return named.error();
  return size_of(target);
}

Result<Compaction> compact_store(const std::string& path) {
  // Owning would make a missing store.
  if (!is_there(path)) return {ErrorCode::kIo, "there is no store " + path};
  auto owner = open_sqlite_store(path, StoreAccess::kOwn);
  if (!owner) return owner.error();
  fs::path file = resolved_link(path);
  auto bytes = [&] { return size_of(file) + size_of(file.string() + "-wal"); };
  Compaction out;
  Connection db;
  if (Status opened = db.open(path, SQLITE_OPEN_READWRITE); !opened) return opened.error();
  Status ready = db.execute("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
  if (!ready) return ready.error();
  out.bytes_before = bytes();
  if (Status done = db.execute("VACUUM"); !done) return done.error();
  // Into the file; while somebody looks at the old pages they stay until the next checkpoint.
  if (Status done = db.execute("PRAGMA wal_checkpoint(TRUNCATE)"); !done) return done.error();
  out.bytes_after = bytes();
  return out;
}

}  // namespace ensue::adapters
