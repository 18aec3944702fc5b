// Files of the tests: the tree they stand in, and folders of their own that go away.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ensue::testing {

// The folder `tests/` of the source tree.
std::filesystem::path tests_dir();
// The root of the source tree.
std::filesystem::path tree_dir();

// Reads a file whole. Throws std::runtime_error when it cannot: a test without its input has
// failed.
std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, std::string_view text);

// The files below `dir` whose name ends with `suffix`, in order of path.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& dir,
                                               std::string_view suffix);
std::vector<std::string> lines_of(std::string_view text);

// An empty folder, removed with all it holds at the end of the scope.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace ensue::testing
