// A fuzzer's bytes, taken apart from the front. At the end everything is zero or empty.
#pragma once

#include <cstdint>
#include <string_view>

namespace ensue::fuzz {

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  uint8_t byte() {
    std::string_view one = take(1);
    return one.empty() ? uint8_t{0} : static_cast<uint8_t>(one[0]);
  }
  // Little endian.
  uint64_t number(size_t size) {
    uint64_t out = 0;
    for (size_t i = 0; i < size; ++i) out |= uint64_t{byte()} << (8 * i);
    return out;
  }
  std::string_view take(size_t size) {
    std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(out.size());
    return out;
  }

 private:
  std::string_view rest_;
};

}  // namespace ensue::fuzz
