// Eight bytes of a text looked at together.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ensue::base {

inline constexpr size_t kWordBytes = sizeof(uint64_t);
inline constexpr uint64_t kWordOnes = 0x0101010101010101;
inline constexpr uint64_t kWordHighBits = kWordOnes * 0x80;

// The bytes from `at` on, the first one lowest.
inline uint64_t word_at(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// The high bits of the bytes that are `c`. Bytes behind the first of them may be marked as well.
inline uint64_t marks_of(uint64_t word, char c) {
  uint64_t other = word ^ (kWordOnes * static_cast<unsigned char>(c));
  return (other - kWordOnes) & ~other & kWordHighBits;
}

// Like memcpy and memcmp where most are short, without a call: from eight bytes on, words that may
// lie over each other.
inline char* copy_bytes(char* to, const char* from, size_t size) {
  if (size > 4 * kWordBytes) {
    std::memcpy(to, from, size);
    return to + size;
  }
  if (size >= kWordBytes) {
    uint64_t last;
    std::memcpy(&last, from + size - kWordBytes, kWordBytes);
    for (size_t i = 0; i + kWordBytes < size; i += kWordBytes)
      std::memcpy(to + i, from + i, kWordBytes);
    std::memcpy(to + size - kWordBytes, &last, kWordBytes);
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = from[i];
  }
  return to + size;
}
inline bool same_bytes(const char* a, const char* b, size_t size) {
  uint64_t of_a;
  uint64_t of_b;
  if (size < kWordBytes) {
    for (size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  for (size_t i = 0; i + kWordBytes < size; i += kWordBytes) {
    std::memcpy(&of_a, a + i, kWordBytes);
    std::memcpy(&of_b, b + i, kWordBytes);
    if (of_a != of_b) return false;
  }
  std::memcpy(&of_a, a + size - kWordBytes, kWordBytes);
  std::memcpy(&of_b, b + size - kWordBytes, kWordBytes);
  return of_a == of_b;
}

// The first byte from `at` on that is `a` or `b`. Bytes up to 15 behind it are read.
inline const char* find_either(const char* at, char a, char b) {
#if defined(__SSE2__)
  const __m128i every_a = _mm_set1_epi8(a);
  const __m128i every_b = _mm_set1_epi8(b);
  for (;; at += sizeof(__m128i)) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, every_a), _mm_cmpeq_epi8(bytes, every_b));
    auto found = static_cast<unsigned>(_mm_movemask_epi8(marks));
    if (found != 0) return at + std::countr_zero(found);
  }
#else
  for (;; at += kWordBytes) {
    uint64_t word = word_at(at);
    uint64_t marks = marks_of(word, a) | marks_of(word, b);
    if (marks != 0) return at + std::countr_zero(marks) / 8;
  }
#endif
}

}  // namespace ensue::base
