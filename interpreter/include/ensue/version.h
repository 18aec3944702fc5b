// The version of the library, the program and the file formats they write.
#pragma once

#include <cstdint>

namespace ensue {

// Follows semantic versioning. Printed by `ensue --version`.
inline constexpr const char* kVersion = "0.1.0";

// The language version this build reads (LANGUAGE version 1).
inline constexpr int kLanguageVersion = 1;

// The layout of a store file. A store with a higher number is refused; one with a lower number is
// migrated forward.
inline constexpr int32_t kStoreFormatVersion = 4;

}  // namespace ensue
