#include "adapters/internal/store_paths.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "value/time_text.h"

namespace ensue::adapters {

namespace fs = std::filesystem;

fs::path resolved_link(fs::path path) {
  constexpr int kLinksMax = 40;  // as the system follows
  for (int i = 0; i < kLinksMax; ++i) {
    std::error_code no_link;
    fs::path target = fs::read_symlink(path, no_link);
    if (no_link) break;
    path = path.parent_path() / target;
  }
  return path;
}

fs::path archive_folder(const std::string& store_path) {
  return resolved_link(store_path).string() + ".archive";
}

Result<std::vector<std::string>> archived_days(const std::string& store_path) {
  std::vector<std::string> out;
  fs::path folder = archive_folder(store_path);
  std::error_code error;
  fs::directory_iterator files(folder, error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    std::string day = files->path().stem().string();
    if (files->path().extension() == ".db" && value::parse_date(day)) out.push_back(day);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return {ErrorCode::kIo, "cannot read " + folder.string() + ": " + error.message()};
  std::sort(out.begin(), out.end());
  return out;
}

std::string archive_path(const std::string& store_path, const std::string& day) {
  return (archive_folder(store_path) / (day + ".db")).string();
}

Status sync_path(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  bool done = fd >= 0 && ::fsync(fd) == 0;
  int why = errno;
  if (fd >= 0) ::close(fd);
  if (done) return {};
  return {ErrorCode::kIo, "cannot write " + path.string() + ": " + std::strerror(why)};
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace ensue::adapters
