#include "adapters/recording_sink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "base/key128.h"
#include "value/text.h"

namespace ensue::adapters {
namespace {

constexpr std::string_view kIdBegins = "{\"id\":\"";
constexpr size_t kHexDigits = 32;

// Every line begins with its key. A change and an e-mail are told as they come; a call is wrapped,
// as its arguments are somebody else's object.
std::string line_of(const SinkCall& call) {
  if (call.channel != SinkChannel::kService) return std::string(call.request) + '\n';
  std::string out(kIdBegins);
  out += base::to_hex(call.key) + "\",\"service\":";
  value::append_json_text(out, call.name);
  out += ",\"record\":";
  value::append_json_text(out, call.record);
  out += ",\"arguments\":";
  out += call.request;
  return out + "}\n";
}

class RecordingSink final : public Sink {
 public:
  ~RecordingSink() override {
    if (fd_ >= 0) ::close(fd_);
  }

  Status open(const std::string& path) {
    path_ = path;
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) return failure("cannot write");
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0)
      return {ErrorCode::kStoreLocked, path + ": another process delivers into it"};
    return read_keys();
  }

  SinkClass sink_class() const override { return SinkClass::kAsked; }

  SinkAnswer call(const SinkCall& call) override {
    if (keys_.count(call.key) != 0) return {SinkAnswer::Kind::kDone, ""};
    std::string line = line_of(call);
    size_t written = 0;
    while (written < line.size()) {
      ssize_t part = ::pwrite(fd_, line.data() + written, line.size() - written,
                              end_ + static_cast<off_t>(written));
      if (part < 0 && errno == EINTR) continue;
      if (part <= 0) return undone();
      written += static_cast<size_t>(part);
    }
    // Whether a line is kept that could not be synchronised is not known before the next start.
    if (::fdatasync(fd_) != 0) return {SinkAnswer::Kind::kUnknown, std::strerror(errno)};
    end_ += static_cast<off_t>(line.size());
    keys_.insert(call.key);
    return {SinkAnswer::Kind::kDone, ""};
  }

  SinkAnswer ask(const Key128& key) override {
    return {keys_.count(key) != 0 ? SinkAnswer::Kind::kDone : SinkAnswer::Kind::kAgain, ""};
  }

 private:
  Status failure(const char* doing) const {
    ErrorCode code = errno == ENOSPC ? ErrorCode::kStorageFull : ErrorCode::kIo;
    return {code, path_ + ": " + doing + ": " + std::strerror(errno)};
  }

  // Part of a line may stand there: it goes, so that the file ends with a whole one.
  SinkAnswer undone() {
    std::string reason = std::strerror(errno);
    bool cut = ::ftruncate(fd_, end_) == 0;
    return {cut ? SinkAnswer::Kind::kAgain : SinkAnswer::Kind::kUnknown, reason};
  }

  Status read_keys() {
    std::string line;
    std::string block(1 << 16, '\0');
    off_t read = 0;
    for (;;) {
      ssize_t size = ::pread(fd_, block.data(), block.size(), read);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return failure("cannot read");
      if (size == 0) break;
      read += size;
      std::string_view rest(block.data(), static_cast<size_t>(size));
      while (!rest.empty()) {
        size_t end = rest.find('\n');
        line += rest.substr(0, end);
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
        end_ += static_cast<off_t>(line.size() + 1);
        keep_key(line);
        line.clear();
      }
    }
    if (!line.empty() && ::ftruncate(fd_, end_) != 0)
      return failure("cannot take a torn line away");
    return {};
  }

  void keep_key(std::string_view line) {
    if (line.substr(0, kIdBegins.size()) != kIdBegins) return;  // a line of somebody else's
    if (auto key = base::key_from_hex(line.substr(kIdBegins.size(), kHexDigits)))
      keys_.insert(*key);
  }

  std::string path_;
  int fd_ = -1;
  off_t end_ = 0;  // of the last whole line
  std::unordered_set<Key128> keys_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_recording_sink(const std::string& path) {
  auto sink = std::make_unique<RecordingSink>();
  if (Status opened = sink->open(path); !opened) return opened.error();
  return std::unique_ptr<Sink>(std::move(sink));
}

}  // namespace ensue::adapters
