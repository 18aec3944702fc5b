// Goldens: texts that people read, kept in files and compared byte for byte.
//
// With ENSUE_UPDATE_GOLDENS=1 in the environment the files are written instead of compared (`make
// goldens`); the difference is then reviewed as part of the change.
#pragma once

#include <filesystem>
#include <string_view>

namespace ensue::testing {

// Fails the running Catch2 test, naming the first line that differs, unless the file holds exactly
// `actual`.
void check_golden(const std::filesystem::path& path, std::string_view actual);

}  // namespace ensue::testing
