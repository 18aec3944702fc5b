#include "adapters/file_place.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/key128.h"

namespace ensue::adapters {
namespace {

constexpr uint64_t kFingerprinted = 4096;

}  // namespace

Result<std::string> fingerprint_before(int fd, uint64_t offset) {
  uint64_t size = std::min(offset, kFingerprinted);
  std::string bytes(size, '\0');
  ssize_t got = ::pread(fd, bytes.data(), size, static_cast<off_t>(offset - size));
  if (got < 0)
    return Error{ErrorCode::kIo, std::string("cannot read events: ") + std::strerror(errno)};
  bytes.resize(static_cast<size_t>(got));
  return base::to_hex(base::hash_key({"fingerprint", bytes}));
}

}  // namespace ensue::adapters
