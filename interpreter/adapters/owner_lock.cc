#include "adapters/internal/owner_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace ensue::adapters {
namespace {

namespace fs = std::filesystem;

// Where the path leads, also while nothing stands there. Folders on the way need no resolving: a
// lock file in them is the same by any name.
fs::path resolved(fs::path path) {
  constexpr int kLinksMax = 40;  // as the system follows
  for (int i = 0; i < kLinksMax; ++i) {
    std::error_code no_link;
    fs::path target = fs::read_symlink(path, no_link);
    if (no_link) break;
    path = path.parent_path() / target;
  }
  return path;
}

}  // namespace

OwnerLock::~OwnerLock() {
  if (fd_ >= 0) ::close(fd_);
}

Status OwnerLock::take(const std::string& store_path) {
  std::string path = resolved(store_path).string() + "-lock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) return {ErrorCode::kIo, "cannot write " + path + ": " + std::strerror(errno)};
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    ssize_t size = ::pread(fd_, owner, sizeof owner - 1, 0);
    std::string who =
        size > 0 ? " by process " + std::string(owner, static_cast<size_t>(size)) : "";
    return {ErrorCode::kStoreLocked,
            "the store is in use" + who + "; one process owns a store at a time"};
  }
  std::string pid = std::to_string(::getpid());
  // What the lock says is a courtesy: when the disk is full it is empty, and the lock still holds.
  if (::ftruncate(fd_, 0) == 0) (void)!::pwrite(fd_, pid.data(), pid.size(), 0);
  return {};
}

}  // namespace ensue::adapters
