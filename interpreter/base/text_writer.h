// Texts written piece by piece, where the string's own bookkeeping for each piece would be most of
// the work.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/byte_words.h"

namespace ensue::base {

// Writes over what a string holds. The string has its size once the writer is gone; nobody else
// touches it before.
class TextWriter {
 public:
  explicit TextWriter(std::string& out)
      : out_(out), at_(out.data()), end_(out.data() + out.size()) {}
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;
  ~TextWriter() { out_.resize(size()); }

  size_t size() const { return static_cast<size_t>(at_ - out_.data()); }
  void put(std::string_view bytes) {
    make_room(bytes.size());
    at_ = copy_bytes(at_, bytes.data(), bytes.size());
  }
  // `before`, and `bytes` between two of `mark`.
  void put_between(std::string_view before, char mark, std::string_view bytes) {
    make_room(before.size() + bytes.size() + 2);
    char* at = copy_bytes(at_, before.data(), before.size());
    *at++ = mark;
    at = copy_bytes(at, bytes.data(), bytes.size());
    *at++ = mark;
    at_ = at;
  }

 private:
  void make_room(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) grow(bytes);
  }
  void grow(size_t bytes) {
    size_t used = size();
    out_.resize(std::max(used + bytes, 2 * out_.size()));
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }

  std::string& out_;
  char* at_;
  char* end_;
};

}  // namespace ensue::base
