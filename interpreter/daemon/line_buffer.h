// Bytes as they come, cut into lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ensue::daemon {

// A line longer than `line_bytes_max` is cut after that many bytes and one more, so that whoever
// reads it sees that it is too long; the rest is skipped. Not shared between threads.
class LineBuffer {
 public:
  explicit LineBuffer(size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  struct Line {
    std::string text;    // without its line break
    uint64_t bytes = 0;  // it took in the stream, the line break included
  };
  // Adds the lines that are complete now to `out`.
  void add(std::string_view bytes, std::vector<Line>& out);
  // The stream ended: what stands without a line break is the last line.
  void finish(std::vector<Line>& out);
  void clear();
  // Bytes taken in that belong to no line yet.
  uint64_t pending() const { return line_.bytes; }

 private:
  void append(std::string_view part);

  size_t line_bytes_max_;
  Line line_;
};

}  // namespace ensue::daemon
