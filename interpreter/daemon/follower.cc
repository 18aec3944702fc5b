#include "daemon/follower.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "adapters/file_place.h"

namespace ensue::daemon {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChunk = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// `.1`, `-20260105`, `.2026-01-05T10`, `.old`: what rotation adds to a name. Compressed files and
// those that other programs keep beside it have other endings.
bool rotated_ending(std::string_view ending) {
  if (ending == ".old") return true;
  if (ending.size() < 2 || (ending[0] != '.' && ending[0] != '-')) return false;
  return ending[1] >= '0' && ending[1] <= '9' &&
         ending.find_first_not_of("0123456789.-_:TtZz", 1) == std::string_view::npos;
}

int64_t changed_at(const struct stat& info) {
  return info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec;
}

int open_file(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }

}  // namespace

Follower::Follower(std::string path, std::string source, size_t line_bytes_max)
    : path_(std::move(path)), source_(std::move(source)), buffer_(line_bytes_max) {}

Follower::~Follower() { close(); }

void Follower::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool Follower::open(const std::string& path, uint64_t offset) {
  close();
  fd_ = open_file(path);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
    close();
    return false;
  }
  place_ = {path, info.st_dev, info.st_ino, 0};
  live_ = path == path_;
  leaving_ = false;
  read_offset_ = offset_ = offset;
  buffer_.clear();
  lines_.clear();
  Result<std::string> hash = adapters::fingerprint_before(fd_, offset_);
  fingerprint_ = hash ? *hash : std::string();
  return true;
}

// Whether the file is the one the cursor was taken in.
bool Follower::holds(int fd, const CursorRow& cursor) const {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || static_cast<uint64_t>(info.st_size) < cursor.offset) return false;
  Result<std::string> hash = adapters::fingerprint_before(fd, cursor.offset);
  return hash && *hash == cursor.fingerprint;
}

// The files beside it that may be what it was before, from the oldest to the newest.
std::vector<Follower::Place> Follower::siblings() const {
  std::vector<Place> out;
  fs::path path(path_);
  std::string name = path.filename().string();
  fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::string other = at->path().filename().string();
    if (!other.starts_with(name) || !rotated_ending(std::string_view(other).substr(name.size())))
      continue;
    struct stat info {};
    if (::stat(at->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    out.push_back({at->path().string(), info.st_dev, info.st_ino, changed_at(info)});
  }
  std::sort(out.begin(), out.end(), [](const Place& a, const Place& b) {
    return std::pair(a.changed_ns, b.path) < std::pair(b.changed_ns, a.path);
  });
  return out;
}

// Files that came after it and before the one at the path.
void Follower::queue_after(const Place& place) {
  older_.clear();
  bool after = false;
  for (const Place& other : siblings()) {
    if (after) older_.push_back(other.path);
    after = after || (other.device == place.device && other.inode == place.inode);
  }
}

void Follower::resume(const CursorRow& cursor) {
  line_ = cursor.line;
  restart_at(cursor);
}

void Follower::restart_at(const CursorRow& cursor) {
  older_.clear();
  int fd = open_file(path_);
  bool same = fd >= 0 && holds(fd, cursor);
  if (fd >= 0) ::close(fd);
  if (same) {
    open(path_, cursor.offset);
    return;
  }
  std::vector<Place> others = siblings();
  for (auto other = others.rbegin(); other != others.rend(); ++other) {
    fd = open_file(other->path);
    same = fd >= 0 && holds(fd, cursor);
    if (fd >= 0) ::close(fd);
    if (!same) continue;
    notices_.push_back("goes on in " + other->path + ", which it was before");
    queue_after(*other);
    open(other->path, cursor.offset);
    return;
  }
  if (cursor.offset > 0) {
    notices_.push_back(
        "is another file than the one read before, which is not beside it; it is read from its "
        "start");
  }
  close();
  next_file();
}

// Opens the next of the older files, else the one at the path.
bool Follower::next_file() {
  while (!older_.empty()) {
    std::string path = older_.front();
    older_.pop_front();
    if (open(path, 0)) return true;
  }
  return open(path_, 0);
}

bool Follower::live_is_another() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0 || info.st_size == 0) return false;
  return info.st_dev != place_.device || info.st_ino != place_.inode;
}

// Reads on. False when nothing more is there now.
Result<bool> Follower::fill() {
  struct stat info {};
  if (::fstat(fd_, &info) != 0)
    return Error{ErrorCode::kIo, "cannot read " + place_.path + ": " + std::strerror(errno)};
  auto size = static_cast<uint64_t>(info.st_size);
  int64_t changed_ns = changed_at(info);
  // Cut and grown again to the very size, it is another one all the same.
  if (size == read_offset_ && changed_ns == place_.changed_ns) return false;
  if (size < read_offset_ || !holds(fd_, cursor())) {
    notices_.push_back("was cut");
    restart_at(cursor());
    return fd_ >= 0;
  }
  place_.changed_ns = changed_ns;
  if (size == read_offset_) return false;
  std::string bytes(std::min<uint64_t>(kChunk, size - read_offset_), '\0');
  ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(read_offset_));
  if (got < 0)
    return Error{ErrorCode::kIo, "cannot read " + place_.path + ": " + std::strerror(errno)};
  bytes.resize(static_cast<size_t>(got));
  read_offset_ += bytes.size();
  std::vector<LineBuffer::Line> lines;
  buffer_.add(bytes, lines);
  lines_.insert(lines_.end(), std::make_move_iterator(lines.begin()),
                std::make_move_iterator(lines.end()));
  return got > 0;
}

CursorRow Follower::cursor() const { return {source_, line_, offset_, fingerprint_}; }

Result<std::optional<Follower::Batch>> Follower::next(size_t most, size_t bytes_most) {
  if (fd_ < 0 && !next_file()) return std::optional<Batch>();
  while (lines_.size() < most && (lines_.empty() || read_offset_ - offset_ < bytes_most)) {
    Result<bool> more = fill();
    if (!more) return more.error();
    if (*more) continue;
    if (fd_ < 0) return std::optional<Batch>();
    if (live_ && !leaving_) {
      // Looked at first and read once more after: what was written in between counts.
      leaving_ = live_is_another();
      if (leaving_) continue;
      break;
    }
    std::vector<LineBuffer::Line> last;
    buffer_.finish(last);
    lines_.insert(lines_.end(), last.begin(), last.end());
    if (!lines_.empty()) break;
    if (leaving_) {
      notices_.push_back("was rotated");
      queue_after(place_);
    }
    close();
    if (!next_file()) return std::optional<Batch>();
  }
  if (lines_.empty()) return std::optional<Batch>();
  Batch out;
  out.first_number = line_ + 1;
  uint64_t bytes = 0;
  while (!lines_.empty() && out.lines.size() < most) {
    LineBuffer::Line& line = lines_.front();
    bytes += line.bytes;
    if (bytes > bytes_most && !out.lines.empty()) break;
    if (offset_ == 0 && line.text.starts_with(kByteOrderMark))
      line.text.erase(0, kByteOrderMark.size());
    offset_ += line.bytes;
    ++line_;
    out.lines.push_back(std::move(line.text));
    lines_.pop_front();
  }
  Result<std::string> hash = adapters::fingerprint_before(fd_, offset_);
  if (!hash) return hash.error();
  fingerprint_ = *hash;
  out.cursor = cursor();
  return std::optional(std::move(out));
}

std::vector<std::string> Follower::take_notices() { return std::exchange(notices_, {}); }

}  // namespace ensue::daemon
