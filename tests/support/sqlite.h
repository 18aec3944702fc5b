// Looking into a SQLite file beside the store that owns it.
#pragma once

#include <cstdint>
#include <string>

namespace ensue::testing {

// The number in the first row. The test fails where there is none.
int64_t number(const std::string& path, const char* sql);

}  // namespace ensue::testing
