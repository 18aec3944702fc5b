// Eight bytes of a text looked at together.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
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

// Like memcpy and memcmp where most are short, without a call: words of which the last may lie over
// the one before.
template <class Word>
char* copy_words(char* to, const char* from, size_t size) {
  Word last;
  std::memcpy(&last, from + size - sizeof last, sizeof last);
  for (size_t i = 0; i + sizeof last < size; i += sizeof last)
    std::memcpy(to + i, from + i, sizeof last);
  std::memcpy(to + size - sizeof last, &last, sizeof last);
  return to + size;
}
inline char* copy_bytes(char* to, const char* from, size_t size) {
  if (size > 4 * sizeof(uint64_t)) {
    std::memcpy(to, from, size);
    return to + size;
  }
  if (size >= sizeof(uint64_t)) return copy_words<uint64_t>(to, from, size);
  if (size >= sizeof(uint32_t)) return copy_words<uint32_t>(to, from, size);
  for (size_t i = 0; i < size; ++i) to[i] = from[i];
  return to + size;
}
template <class Word>
bool same_words(const char* a, const char* b, size_t size) {
  auto same = [&](size_t at) {
    Word of_a;
    Word of_b;
    std::memcpy(&of_a, a + at, sizeof of_a);
    std::memcpy(&of_b, b + at, sizeof of_b);
    return of_a == of_b;
  };
  for (size_t i = 0; i + sizeof(Word) < size; i += sizeof(Word)) {
    if (!same(i)) return false;
  }
  return same(size - sizeof(Word));
}
inline bool same_bytes(const char* a, const char* b, size_t size) {
  if (size >= sizeof(uint64_t)) return same_words<uint64_t>(a, b, size);
  if (size >= sizeof(uint32_t)) return same_words<uint32_t>(a, b, size);
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}
inline bool same_bytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_bytes(a.data(), b.data(), b.size());
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
