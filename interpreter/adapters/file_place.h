// A place in a file that grows, and whether the file is still the one it was taken in.
#pragma once

#include <cstdint>
#include <string>

#include "ensue/result.h"

namespace ensue::adapters {

// A hash of the bytes right before `offset`, 4 KiB at most: what a cursor remembers of a file.
// Errors: kIo.
Result<std::string> fingerprint_before(int fd, uint64_t offset);

}  // namespace ensue::adapters
