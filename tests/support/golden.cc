#include "support/golden.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/files.h"

namespace ensue::testing {
namespace {

std::string first_difference(const std::string& expected, std::string_view actual) {
  std::vector<std::string> want = lines_of(expected);
  std::vector<std::string> have = lines_of(actual);
  for (size_t i = 0; i < want.size() || i < have.size(); ++i) {
    std::string a = i < want.size() ? want[i] : "(end of text)";
    std::string b = i < have.size() ? have[i] : "(end of text)";
    if (a != b) return "line " + std::to_string(i + 1) + "\n  kept: " + a + "\n  now:  " + b;
  }
  return "only the end of the last line differs";
}

}  // namespace

void check_golden(const std::filesystem::path& path, std::string_view actual) {
  const char* update = std::getenv("ENSUE_UPDATE_GOLDENS");
  if (update != nullptr && std::string_view(update) == "1") {
    write_text(path, actual);
    return;
  }
  INFO("golden " << path.string() << " (make goldens writes it anew)");
  if (!std::filesystem::exists(path)) {
    FAIL_CHECK("there is no such golden; the text is now:\n" << actual);
    return;
  }
  std::string expected = read_text(path);
  if (expected != actual) FAIL_CHECK(first_difference(expected, actual));
}

}  // namespace ensue::testing
