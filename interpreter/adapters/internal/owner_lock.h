// Who owns a store: an exclusive lock on the file `STORE-lock` beside it.
#pragma once

#include <string>

#include "ensue/result.h"

namespace ensue::adapters {

// The system frees the lock when the process ends, however it ends, so a file left behind is never
// in the way; the process id inside is for the message. Two owners in one process exclude each
// other, too. A store reached through a symbolic link has the lock of the file it leads to.
//
// The file stays: whoever removed it could let in a second owner beside one that still holds it.
class OwnerLock {
 public:
  OwnerLock() = default;
  OwnerLock(const OwnerLock&) = delete;
  OwnerLock& operator=(const OwnerLock&) = delete;
  ~OwnerLock();

  // Errors: kStoreLocked with the owner's process id where it is known, kIo.
  Status take(const std::string& store_path);

 private:
  int fd_ = -1;
};

}  // namespace ensue::adapters
