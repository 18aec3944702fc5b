// Tables by text, asked by a text that is no string of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace ensue::base {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace ensue::base
