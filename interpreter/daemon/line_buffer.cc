#include "daemon/line_buffer.h"

#include <algorithm>
#include <utility>

namespace ensue::daemon {

void LineBuffer::append(std::string_view part) {
  line_.bytes += part.size();
  size_t room = line_bytes_max_ + 1 - std::min(line_bytes_max_ + 1, line_.text.size());
  line_.text += part.substr(0, room);
}

void LineBuffer::add(std::string_view bytes, std::vector<Line>& out) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    append(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    ++line_.bytes;
    out.push_back(std::exchange(line_, {}));
    bytes.remove_prefix(end + 1);
  }
}

void LineBuffer::finish(std::vector<Line>& out) {
  if (line_.bytes > 0) out.push_back(std::exchange(line_, {}));
}

void LineBuffer::clear() { line_ = {}; }

}  // namespace ensue::daemon
