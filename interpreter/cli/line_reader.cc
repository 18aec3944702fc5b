#include "cli/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/file_place.h"

namespace ensue::cli {
namespace {

constexpr size_t kChunk = 1 << 20;

}  // namespace

Result<LineReader> LineReader::open(const std::string& path, size_t line_bytes_max) {
  if (path == "-") return LineReader(STDIN_FILENO, false, std::nullopt, line_bytes_max);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {ErrorCode::kIo, "cannot read " + path + ": " + std::strerror(errno)};
  struct stat info {};
  bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  if (S_ISDIR(info.st_mode)) {
    ::close(fd);
    return {ErrorCode::kIo, path + " is a folder"};
  }
  std::optional<uint64_t> size;
  if (regular) size = static_cast<uint64_t>(info.st_size);
  return LineReader(fd, regular, size, line_bytes_max);
}

LineReader::LineReader(LineReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      is_file_(other.is_file_),
      size_(other.size_),
      line_bytes_max_(other.line_bytes_max_),
      buffer_(std::move(other.buffer_)),
      at_(other.at_),
      ended_(other.ended_),
      line_(other.line_),
      offset_(other.offset_) {}

LineReader::~LineReader() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
}

// More bytes behind those not yet given. False at the end.
Result<bool> LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  size_t before = buffer_.size();
  buffer_.resize(before + kChunk);
  ssize_t got = ::read(fd_, buffer_.data() + before, kChunk);
  int error = errno;
  buffer_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) {
    if (error == EINTR) return Error{ErrorCode::kCancelled, "interrupted"};
    return Error{ErrorCode::kIo, std::string("cannot read events: ") + std::strerror(error)};
  }
  if (got == 0) ended_ = true;
  return got > 0;
}

bool LineReader::would_wait() {
  while (!is_file_ && !ended_ && buffer_.find('\n', at_) == std::string::npos &&
         buffer_.size() - at_ <= line_bytes_max_) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 0) <= 0) return true;
    if (!fill()) return false;  // `next` meets the error again
  }
  return false;
}

Result<std::optional<std::string_view>> LineReader::next() {
  bool cut = false;
  for (;;) {
    size_t end = buffer_.find('\n', at_);
    if (end == std::string::npos && !ended_ && buffer_.size() - at_ > line_bytes_max_ + kChunk) {
      // Far too long: keep its beginning, skip the rest in pieces.
      if (!cut) long_line_ = buffer_.substr(at_, line_bytes_max_ + 1);
      cut = true;
      offset_ += buffer_.size() - at_;
      buffer_.clear();
      at_ = 0;
    }
    if (end == std::string::npos && !ended_) {
      Result<bool> more = fill();
      if (!more) return more.error();
      continue;
    }
    bool last = end == std::string::npos;
    if (last) end = buffer_.size();
    std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
    if (last && line.empty() && !cut) return std::optional<std::string_view>();
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (offset_ == 0 && line.substr(0, kByteOrderMark.size()) == kByteOrderMark)
      line.remove_prefix(kByteOrderMark.size());
    size_t used = end - at_ + (last ? 0 : 1);
    at_ += used;
    offset_ += used;
    ++line_;
    if (cut) return std::optional<std::string_view>(long_line_);
    return std::optional<std::string_view>(line);
  }
}

std::string LineReader::fingerprint() const {
  if (!is_file_) return {};
  Result<std::string> hash = adapters::fingerprint_before(fd_, offset_);
  return hash ? *hash : std::string();
}

Result<bool> LineReader::resume(const CursorRow& cursor) {
  if (!is_file_ || cursor.fingerprint.empty() || !size_ || *size_ < cursor.offset) return false;
  Result<std::string> hash = adapters::fingerprint_before(fd_, cursor.offset);
  if (!hash) return hash.error();
  if (*hash != cursor.fingerprint) return false;
  if (::lseek(fd_, static_cast<off_t>(cursor.offset), SEEK_SET) < 0) return false;
  line_ = cursor.line;
  offset_ = cursor.offset;
  return true;
}

}  // namespace ensue::cli
