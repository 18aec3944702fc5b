#include "adapters/internal/owner_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "adapters/internal/store_paths.h"

namespace ensue::adapters {
OwnerLock::~OwnerLock() {
  if (fd_ >= 0) ::close(fd_);
}

Status OwnerLock::take(const std::string& store_path) {
  std::string path = resolved_link(store_path).string() + "-lock";
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
