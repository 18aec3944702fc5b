#include "base/key128.h"

#include <sodium.h>

#include <array>

#include "base/check.h"

namespace ensue::base {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Key128 hash_key(std::initializer_list<std::string_view> parts) {
  // libsodium also chooses its code for the processor at hand here.
  static const bool kReady = sodium_init() >= 0;
  ENSUE_CHECK(kReady);
  crypto_generichash_state state;
  ENSUE_CHECK(crypto_generichash_init(&state, nullptr, 0, 16) == 0);
  for (std::string_view part : parts) {
    uint64_t size = part.size();
    unsigned char length[8];
    for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(size >> (8 * i));
    crypto_generichash_update(&state, length, sizeof length);
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                              part.size());
  }
  Key128 key;
  crypto_generichash_final(&state, key.bytes.data(), key.bytes.size());
  return key;
}

void append_hex(std::string& out, const Key128& key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 2 * sizeof key.bytes> digits;
  for (size_t i = 0; i < key.bytes.size(); ++i) {
    digits[2 * i] = kDigits[key.bytes[i] >> 4];
    digits[2 * i + 1] = kDigits[key.bytes[i] & 15];
  }
  out.append(digits.data(), digits.size());
}

std::string to_hex(const Key128& key) {
  std::string out;
  append_hex(out, key);
  return out;
}

std::optional<Key128> key_from_hex(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  Key128 key;
  for (size_t i = 0; i < 16; ++i) {
    int high = hex_digit(text[2 * i]);
    int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key.bytes[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return key;
}

std::optional<Key128> key_from_bytes(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  Key128 key;
  std::memcpy(key.bytes.data(), bytes.data(), 16);
  return key;
}

std::string short_id(std::string_view prefix, const Key128& key) {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuv";  // 5 bits each
  std::string out(prefix);
  uint64_t high = 0;
  uint64_t low = 0;
  for (int i = 0; i < 8; ++i) high = high << 8 | key.bytes[static_cast<size_t>(i)];
  for (int i = 8; i < 16; ++i) low = low << 8 | key.bytes[static_cast<size_t>(i)];
  for (int i = 0; i < 12; ++i) out.push_back(kDigits[high >> (5 * i) & 31]);
  for (int i = 0; i < 3; ++i) out.push_back(kDigits[low >> (5 * i) & 31]);
  return out;
}

}  // namespace ensue::base
