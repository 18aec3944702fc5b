#include "adapters/maildir.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "adapters/mail_message.h"
#include "base/key128.h"

namespace ensue::adapters {
namespace {

namespace fs = std::filesystem;

std::string reason(const fs::path& path) {
  return "cannot write " + path.string() + ": " + std::strerror(errno);
}

class Maildir final : public Sink {
 public:
  explicit Maildir(MailConfig config) : config_(std::move(config)), folder_(config_.maildir) {}

  SinkClass sink_class() const override { return SinkClass::kKeyed; }

  SinkAnswer call(const SinkCall& call) override {
    Result<MailMessage> message = mail_message(call, config_);
    if (!message) return {SinkAnswer::Kind::kRefused, message.error().message};
    std::string name = base::to_hex(call.key) + ".ensue";
    if (call.attempt > 1 && was_read(name)) return {SinkAnswer::Kind::kDone, ""};
    fs::path written = folder_ / "tmp" / name;
    if (!write(written, message->text)) return {SinkAnswer::Kind::kAgain, reason(written)};
    fs::path shown = folder_ / "new" / name;
    if (::rename(written.c_str(), shown.c_str()) != 0 || !sync(folder_ / "new"))
      return {SinkAnswer::Kind::kAgain, reason(shown)};
    return {SinkAnswer::Kind::kDone, ""};
  }

 private:
  // Readers add their marks to the name: `…:2,S`.
  bool was_read(const std::string& name) const {
    std::error_code error;
    for (fs::directory_iterator at(folder_ / "cur", error), end; !error && at != end;
         at.increment(error)) {
      if (at->path().filename().string().starts_with(name)) return true;
    }
    return false;
  }

  static bool write(const fs::path& path, std::string_view text) {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool fine = true;
    while (fine && !text.empty()) {
      ssize_t part = ::write(fd, text.data(), text.size());
      fine = part > 0;
      if (fine) text.remove_prefix(static_cast<size_t>(part));
    }
    fine = fine && ::fsync(fd) == 0;
    int error = errno;
    ::close(fd);
    errno = error;
    return fine;
  }

  static bool sync(const fs::path& folder) {
    int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool fine = ::fsync(fd) == 0;
    ::close(fd);
    return fine;
  }

  MailConfig config_;
  fs::path folder_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_maildir(MailConfig config) {
  for (const char* name : {"tmp", "new", "cur"}) {
    std::error_code error;
    fs::create_directories(fs::path(config.maildir) / name, error);
    if (error)
      return {ErrorCode::kIo, "cannot make the maildir " + config.maildir + ": " + error.message()};
  }
  return std::unique_ptr<Sink>(std::make_unique<Maildir>(std::move(config)));
}

}  // namespace ensue::adapters
