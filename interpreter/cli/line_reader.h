// Reading a stream line by line: from a file, with its place, or from standard input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ensue/result.h"
#include "ensue/store.h"

namespace ensue::cli {

// Not shared between threads. A line longer than `line_bytes_max` is given cut after that many
// bytes; the rest is skipped.
class LineReader {
 public:
  // `path` is a file, or `-` for standard input.
  static Result<LineReader> open(const std::string& path, size_t line_bytes_max);
  LineReader(LineReader&& other) noexcept;
  LineReader& operator=(LineReader&&) = delete;
  ~LineReader();

  // The next line without its line break; empty at the end. The view is valid until the next call.
  // An interrupted read (Ctrl-C) gives kCancelled.
  Result<std::optional<std::string_view>> next();

  // Whether `next` would wait for somebody to write. Never of a file.
  bool would_wait();

  uint64_t line_number() const { return line_; }          // of the line given last, from 1
  uint64_t offset() const { return offset_; }             // bytes behind
  std::optional<uint64_t> size() const { return size_; }  // of a file

  // Goes on where a cursor stands, if the file is still the one it was made of.
  Result<bool> resume(const CursorRow& cursor);
  // What a cursor remembers of the file: a hash of the bytes right before the present place. Empty
  // for standard input.
  std::string fingerprint() const;

 private:
  LineReader(int fd, bool is_file, std::optional<uint64_t> size, size_t line_bytes_max)
      : fd_(fd), is_file_(is_file), size_(size), line_bytes_max_(line_bytes_max) {}
  Result<bool> fill();

  int fd_ = -1;
  bool is_file_ = false;
  std::optional<uint64_t> size_;
  size_t line_bytes_max_;
  std::string buffer_;
  size_t at_ = 0;
  bool ended_ = false;
  uint64_t line_ = 0;
  uint64_t offset_ = 0;
  std::string long_line_;
};

}  // namespace ensue::cli
