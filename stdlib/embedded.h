// The sources of the standard library, as they stand in this folder, inside the program.
#pragma once

#include <span>
#include <string_view>

namespace ensue::stdlib {

struct EmbeddedText {
  std::string_view name;  // `people.ensue`
  std::string_view text;
};

// In the order they are read.
std::span<const EmbeddedText> texts();

}  // namespace ensue::stdlib
