// Characters of UTF-8: how long they are, and where a text may be cut.
#pragma once

#include <cstddef>
#include <string_view>

namespace ensue::base {

// The bytes of the character that `text` begins with; 0 when it begins with none (RFC 3629).
size_t character_bytes(std::string_view text);

// The longest beginning of at most `bytes` bytes that ends between two characters: for showing a
// part of a long text.
std::string_view excerpt(std::string_view text, size_t bytes);

}  // namespace ensue::base
