// Where something stands in the sources: a file and a half-open byte range.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace ensue::source {

struct FileTag {};
using FileId = base::Id<FileTag>;

struct Span {
  FileId file;
  uint32_t begin = 0;
  uint32_t end = 0;

  bool valid() const { return file.valid(); }
  uint32_t size() const { return end - begin; }
  friend bool operator==(const Span&, const Span&) = default;
};

// The smallest span that covers both. Both must be of one file.
inline Span cover(Span a, Span b) {
  return {a.file, a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

}  // namespace ensue::source
