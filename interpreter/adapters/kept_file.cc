#include "adapters/kept_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "adapters/internal/store_paths.h"

namespace ensue::adapters {

std::optional<std::string> read_kept_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat about {};
  std::optional<std::string> out;
  if (::fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
    out.emplace(static_cast<size_t>(about.st_size), '\0');
    size_t done = 0;
    while (done < out->size()) {
      ssize_t got = ::read(fd, out->data() + done, out->size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    out->resize(done);
  }
  ::close(fd);
  return out;
}

bool write_kept_file(const std::string& path, std::string_view bytes) {
  std::string beside = path + "-new";
  int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool written = true;
  while (written && !bytes.empty()) {
    ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    written = put > 0;
    if (written) bytes.remove_prefix(static_cast<size_t>(put));
  }
  written = written && ::fsync(fd) == 0;
  written = ::close(fd) == 0 && written;
  written = written && ::rename(beside.c_str(), path.c_str()) == 0;
  if (!written) ::unlink(beside.c_str());
  return written && sync_path(folder_of(path)).has_value();
}

}  // namespace ensue::adapters
