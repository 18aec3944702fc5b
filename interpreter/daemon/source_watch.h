// Sees when automations on disk may have changed.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ensue/result.h"

namespace ensue::daemon {

// Watches folders, with all below them, and files, by way of the folders they stand in: editors
// put a new file in the place of the old one. Not shared between threads.
class SourceWatch {
 public:
  // Errors: kIo when the machine gives no watch. A path that is not there (yet) is watched as soon
  // as `renew` finds it.
  static Result<std::unique_ptr<SourceWatch>> make(std::vector<std::string> paths);
  ~SourceWatch();
  SourceWatch(const SourceWatch&) = delete;
  SourceWatch& operator=(const SourceWatch&) = delete;

  // Readable when something happened; to be waited for with others.
  int fd() const { return fd_; }
  // Takes what happened. True when a source may have changed; other files do not count.
  bool take();
  // Watches the folders that are there now. Errors: kIo when one cannot be watched.
  Status renew();

 private:
  SourceWatch(std::vector<std::string> paths, int fd) : paths_(std::move(paths)), fd_(fd) {}
  Status watch(const std::string& folder);

  std::vector<std::string> paths_;
  std::set<std::string> names_;  // of the files that are watched by name
  int fd_;
};

}  // namespace ensue::daemon
