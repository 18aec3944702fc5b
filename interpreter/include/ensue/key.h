// 128-bit keys: the computed identities of events, runs and rules.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>

namespace ensue {

struct Key128 {
  std::array<unsigned char, 16> bytes{};

  friend auto operator<=>(const Key128&, const Key128&) = default;
  friend bool operator==(const Key128& a, const Key128& b) {
    uint64_t words[2][2];
    std::memcpy(words[0], a.bytes.data(), sizeof words[0]);
    std::memcpy(words[1], b.bytes.data(), sizeof words[1]);
    return words[0][0] == words[1][0] && words[0][1] == words[1][1];
  }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  bool is_zero() const { return *this == Key128{}; }
};

}  // namespace ensue

template <>
struct std::hash<ensue::Key128> {
  size_t operator()(const ensue::Key128& key) const noexcept {
    size_t out;
    std::memcpy(&out, key.bytes.data(), sizeof out);
    return out;
  }
};
