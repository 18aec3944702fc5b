// 128-bit keys for everything whose identity is computed: events, runs, actions, rules (ENGINE
// section 8).
//
// A key is the first 16 bytes of BLAKE2b over its parts, each preceded by its length, so that
// ("ab","c") and ("a","bc") differ. BLAKE2b because event ids come from outside: two events must
// not be made to share a key on purpose.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "ensue/key.h"

namespace ensue::base {

using ensue::Key128;

// About 0.2 microseconds for short parts.
Key128 hash_key(std::initializer_list<std::string_view> parts);

// 32 lower-case hexadecimal digits.
std::string to_hex(const Key128& key);
void append_hex(std::string& out, const Key128& key);
std::optional<Key128> key_from_hex(std::string_view text);
std::optional<Key128> key_from_bytes(std::string_view bytes);

// A short printable identity made of a key, for records the engine creates: `prefix` and 15 letters
// and digits.
std::string short_id(std::string_view prefix, const Key128& key);

}  // namespace ensue::base
