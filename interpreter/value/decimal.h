// Decimal arithmetic: exact or refused.
//
// A decimal has at most 18 significant digits and a scale of 0 to 18. Sums, differences and
// products that need more are refused; quotients are rounded to 18 significant digits, half to
// even.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "ensue/value.h"

namespace ensue::value {

inline constexpr int64_t kCoefficientMax = 999'999'999'999'999'999;
inline constexpr size_t kCoefficientDigitsMax = 18;
inline constexpr int kScaleMax = 18;

// Reads `-12.50`, `1e3`, `1.5E-2`: the number grammar of JSON, with any leading zeros or a plus.
// Digits after the point are kept as written (`12.50` has scale 2). Empty when the text is no
// number or does not fit.
std::optional<Decimal> parse_decimal(std::string_view text);

// As written by a person: `12.50`, `-3`, `0.05`. Never in exponent form.
std::string decimal_text(Decimal d);
// The same without an allocation.
class DecimalText {
 public:
  explicit DecimalText(Decimal d);
  std::string_view view() const { return {bytes_, std::min(size_, sizeof bytes_)}; }

 private:
  char bytes_[24];  // a sign, a zero, a point, and the digits of a coefficient or of a scale
  size_t size_;
};

std::strong_ordering compare_decimals(Decimal a, Decimal b);
inline bool equal_decimals(Decimal a, Decimal b) {
  return compare_decimals(a, b) == std::strong_ordering::equal;
}

// Empty when the result does not fit, or the divisor is zero.
std::optional<Decimal> add_decimals(Decimal a, Decimal b);
std::optional<Decimal> subtract_decimals(Decimal a, Decimal b);
std::optional<Decimal> multiply_decimals(Decimal a, Decimal b);
std::optional<Decimal> divide_decimals(Decimal a, Decimal b);

enum class Rounding {
  kHalfAwayFromZero,
  kDown,
  kUp
};  // down and up are toward minus and plus infinity
// Rounds to `digits` after the point (0 to 18). Empty when the result does not fit.
std::optional<Decimal> round_decimal(Decimal d, int digits, Rounding rounding);

// Trailing zeros after the point dropped: 1.50 becomes 1.5.
Decimal trimmed(Decimal d);

}  // namespace ensue::value
