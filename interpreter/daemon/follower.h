// A file that another program appends to, followed through rotation and truncation.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "daemon/line_buffer.h"
#include "ensue/result.h"
#include "ensue/store.h"

namespace ensue::daemon {

// Gives the lines of a file once they are complete. Not shared between threads.
//
// - A file that is renamed and written anew is read to its end first; the new one is turned to when
//   there is something in it, for until then its writer may still hold the old one.
// - A file that is cut (`copytruncate`), also one that has grown again since, is known by the bytes
//   before the cursor. What was not read before the cut is looked for in its copy.
// - After a pause the same: files beside it whose names go on with a number or a date are looked
//   through for the one the cursor was taken in, and read in the order of their last changes.
// Line numbers go on through all of these, so that each line has a number of its own.
class Follower {
 public:
  Follower(std::string path, std::string source, size_t line_bytes_max);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  const std::string& source() const { return source_; }
  // Goes on where a cursor stands.
  void resume(const CursorRow& cursor);

  struct Batch {
    std::vector<std::string> lines;
    uint64_t first_number = 1;
    CursorRow cursor;  // after them
  };
  // The next lines, at most `most`, and of so many bytes unless one alone is longer. Empty: none is
  // complete now, or there is no file yet. The same lines are not given again. Errors: kIo.
  Result<std::optional<Batch>> next(size_t most, size_t bytes_most);

  // What happened to the file since the last call, for the log.
  std::vector<std::string> take_notices();

 private:
  struct Place {
    std::string path;
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t changed_ns = 0;
  };
  bool open(const std::string& path, uint64_t offset);
  void close();
  void restart_at(const CursorRow& cursor);
  bool holds(int fd, const CursorRow& cursor) const;
  std::vector<Place> siblings() const;
  Result<bool> fill();
  bool live_is_another() const;
  bool next_file();
  void queue_after(const Place& place);
  CursorRow cursor() const;

  std::string path_;
  std::string source_;
  int fd_ = -1;
  Place place_;                    // of the file that is open
  bool live_ = false;              // it is the one at the path
  bool leaving_ = false;           // another stands there now
  std::deque<std::string> older_;  // to be read before the one at the path
  uint64_t read_offset_ = 0;       // bytes read
  uint64_t offset_ = 0;            // bytes of lines that were given
  uint64_t line_ = 0;              // lines given
  std::string fingerprint_;        // of the bytes before offset_
  LineBuffer buffer_;
  std::deque<LineBuffer::Line> lines_;  // complete, not given yet
  std::vector<std::string> notices_;
};

}  // namespace ensue::daemon
