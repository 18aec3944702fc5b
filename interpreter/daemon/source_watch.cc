#include "daemon/source_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace ensue::daemon {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;

}  // namespace

Result<std::unique_ptr<SourceWatch>> SourceWatch::make(std::vector<std::string> paths) {
  int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return {ErrorCode::kIo, std::string("cannot watch files: ") + std::strerror(errno)};
  std::unique_ptr<SourceWatch> out(new SourceWatch(std::move(paths), fd));
  if (Status watched = out->renew(); !watched) return watched.error();
  return out;
}

SourceWatch::~SourceWatch() { ::close(fd_); }

Status SourceWatch::watch(const std::string& folder) {
  if (::inotify_add_watch(fd_, folder.c_str(), kEvents | IN_ONLYDIR) >= 0) return {};
  // Gone between the look and the watch: its parent tells.
  if (errno == ENOENT || errno == ENOTDIR) return {};
  return {ErrorCode::kIo, "cannot watch " + folder + ": " + std::strerror(errno)};
}

Status SourceWatch::renew() {
  names_.clear();
  for (const std::string& path : paths_) {
    fs::path given(path);
    std::error_code error;
    fs::path parent = given.has_parent_path() ? given.parent_path() : fs::path(".");
    if (!fs::is_directory(given, error)) {
      names_.insert(given.filename().string());
      if (Status watched = watch(parent.string()); !watched) return watched;
      continue;
    }
    if (Status watched = watch(path); !watched) return watched;
    fs::recursive_directory_iterator at(given, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      std::error_code unknown;
      if (!at->is_directory(unknown)) continue;
      if (Status watched = watch(at->path().string()); !watched) return watched;
    }
  }
  return {};
}

bool SourceWatch::take() {
  bool changed = false;
  alignas(inotify_event) std::array<char, 16384> bytes;
  for (;;) {
    ssize_t got = ::read(fd_, bytes.data(), bytes.size());
    if (got <= 0) return changed;
    for (size_t at = 0; at < static_cast<size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      std::string_view name(event.len == 0 ? "" : bytes.data() + at + sizeof event);
      // A name that begins with two dots: how folders of mounted configuration are swapped.
      changed = changed ||
                (event.mask & (IN_ISDIR | IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0 ||
                name.ends_with(".ensue") || name.starts_with("..") ||
                names_.count(std::string(name)) != 0;
      at += sizeof event + event.len;
    }
  }
}

}  // namespace ensue::daemon
