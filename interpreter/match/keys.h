// Keys: what the index compares instead of values.
//
// A key is 64 bits that keep the order and the equality of the values of one field: the number of
// an interned text, a number in units of half a ten-thousandth, days, milliseconds, 0 or 1. So the
// index compares a decimal without scaling it, and a text without reading it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ensue/value.h"
#include "types/type.h"

namespace ensue::match {

using Key = int64_t;
inline constexpr Key kBlankKey = INT64_MIN;
inline constexpr Key kKeyMax = INT64_MAX;
inline constexpr Key kOtherText = 0;  // a text that no rule names

// How values of a field become keys. Fields of kNone have none: lists, durations.
enum class KeyKind : uint8_t { kNone, kText, kNumber, kDate, kDatetime, kTime, kBoolean };
KeyKind key_kind(const types::Type& type);

// Twice the number in ten-thousandths, plus one when digits are cut off below that, and no more
// than a bound far out. A number whose key is exact therefore compares with any other number as
// their keys do.
Key decimal_key(Decimal number);
// Empty when the number has more than four digits after the point, or is out of range.
std::optional<Key> exact_decimal_key(Decimal number);

// 32 bits of a key: all there is to keys of texts and of booleans, a hash of the others.
inline uint32_t short_key(Key key) {
  auto bits = static_cast<uint64_t>(key);
  return static_cast<uint32_t>(bits) ^ static_cast<uint32_t>(bits >> 32);
}

// Spreads 64 bits over 64 bits.
inline uint64_t mixed(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15ull) * (b ^ 0xD6E8FEB86659FD93ull);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace ensue::match
