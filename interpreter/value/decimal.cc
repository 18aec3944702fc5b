#include "value/decimal.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace ensue::value {
namespace {

__extension__ using Wide = __int128;

constexpr int kWideDigitsMax = 37;

Wide power_of_ten(int exponent) {
  Wide out = 1;
  for (int i = 0; i < exponent; ++i) out *= 10;
  return out;
}

Wide magnitude(Wide w) { return w < 0 ? -w : w; }

// The exact decimal, after dropping trailing zeros when it would not fit otherwise.
std::optional<Decimal> fit(Wide coefficient, int scale) {
  while (scale > 0 && (magnitude(coefficient) > kCoefficientMax || scale > kScaleMax)) {
    if (coefficient % 10 != 0) return std::nullopt;
    coefficient /= 10;
    --scale;
  }
  if (magnitude(coefficient) > kCoefficientMax || scale > kScaleMax) return std::nullopt;
  return Decimal{static_cast<int64_t>(coefficient), static_cast<int8_t>(scale)};
}

// Of nothing but digits, few enough for a coefficient.
std::optional<int64_t> whole_number(std::string_view text) {
  if (text.empty() || text.size() > kCoefficientDigitsMax) return std::nullopt;
  int64_t out = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + (c - '0');
  }
  return out;
}

// Both coefficients at the larger scale. At most 36 digits each.
struct Aligned {
  Wide a;
  Wide b;
  int scale;
};
Aligned align(Decimal a, Decimal b) {
  int scale = std::max(a.scale, b.scale);
  return {a.coefficient * power_of_ten(scale - a.scale),
          b.coefficient * power_of_ten(scale - b.scale), scale};
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
  if (auto whole = whole_number(text)) return Decimal{*whole, 0};  // most numbers
  size_t at = 0;
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  Wide coefficient = 0;
  int digits = 0;
  int scale = 0;
  bool any = false;
  bool point = false;
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (c == '.') {
      if (point || !any) return std::nullopt;
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    any = true;
    if (point) ++scale;
    if (coefficient == 0 && c == '0') continue;
    if (++digits > kWideDigitsMax) return std::nullopt;
    coefficient = coefficient * 10 + (c - '0');
  }
  if (!any || (point && scale == 0)) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    bool minus = false;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) minus = text[at++] == '-';
    if (at >= text.size()) return std::nullopt;
    int exponent = 0;
    for (; at < text.size(); ++at) {
      if (text[at] < '0' || text[at] > '9') return std::nullopt;
      exponent = std::min(exponent * 10 + (text[at] - '0'), 1000);
    }
    scale += minus ? exponent : -exponent;
  }
  if (at != text.size()) return std::nullopt;
  if (coefficient == 0) return Decimal{0, static_cast<int8_t>(std::clamp(scale, 0, kScaleMax))};
  while (scale < 0) {
    if (++digits > kWideDigitsMax) return std::nullopt;
    coefficient *= 10;
    ++scale;
  }
  return fit(negative ? -coefficient : coefficient, scale);
}

DecimalText::DecimalText(Decimal d) {
  char digits[20];
  bool negative = d.coefficient < 0;
  auto magnitude = static_cast<uint64_t>(d.coefficient);
  if (negative) magnitude = -magnitude;
  auto count = static_cast<size_t>(std::to_chars(digits, std::end(digits), magnitude).ptr - digits);
  auto scale = static_cast<size_t>(d.scale);
  char* at = bytes_;
  if (negative) *at++ = '-';
  size_t whole = count > scale ? count - scale : 0;  // digits before the point
  if (whole == 0) *at++ = '0';
  at = std::copy_n(digits, whole, at);
  if (scale > 0) {
    *at++ = '.';
    if (count < scale) at = std::fill_n(at, scale - count, '0');
    at = std::copy_n(digits + whole, count - whole, at);
  }
  size_ = static_cast<size_t>(at - bytes_);
}

std::string decimal_text(Decimal d) { return std::string(DecimalText(d).view()); }

std::strong_ordering compare_decimals(Decimal a, Decimal b) {
  if (a.scale == b.scale) return a.coefficient <=> b.coefficient;
  Aligned both = align(a, b);
  if (both.a == both.b) return std::strong_ordering::equal;
  return both.a < both.b ? std::strong_ordering::less : std::strong_ordering::greater;
}

std::optional<Decimal> add_decimals(Decimal a, Decimal b) {
  Aligned both = align(a, b);
  return fit(both.a + both.b, both.scale);
}

std::optional<Decimal> subtract_decimals(Decimal a, Decimal b) {
  return add_decimals(a, {-b.coefficient, b.scale});
}

std::optional<Decimal> multiply_decimals(Decimal a, Decimal b) {
  return fit(static_cast<Wide>(a.coefficient) * b.coefficient, a.scale + b.scale);
}

std::optional<Decimal> divide_decimals(Decimal a, Decimal b) {
  if (b.coefficient == 0) return std::nullopt;
  // Enough digits for 18 significant ones, at a scale between 0 and 18.
  Wide divisor = magnitude(b.coefficient);
  Wide dividend =
      b.coefficient < 0 ? -static_cast<Wide>(a.coefficient) : static_cast<Wide>(a.coefficient);
  int scale = a.scale - b.scale;
  while (scale < kScaleMax && magnitude(dividend) <= power_of_ten(36)) {
    dividend *= 10;
    ++scale;
  }
  Wide quotient = magnitude(dividend) / divisor;
  bool rest = magnitude(dividend) % divisor != 0;
  // Digits beyond the eighteenth go in one step, half to even by what was there: not digit by
  // digit, which rounds twice.
  int drop = 0;
  Wide kept = quotient;
  while (scale - drop > kScaleMax || (scale - drop > 0 && kept > kCoefficientMax)) {
    kept /= 10;
    ++drop;
  }
  Wide unit = power_of_ten(drop);
  Wide lost = quotient % unit;
  Wide twice = drop > 0 ? lost * 2 : (magnitude(dividend) % divisor) * 2;
  Wide whole = drop > 0 ? unit : divisor;
  bool beyond = drop > 0 && rest;
  bool up = twice > whole || (twice == whole && (beyond || kept % 2 != 0));
  quotient = up ? kept + 1 : kept;
  scale -= drop;
  if (scale > 0 && quotient > kCoefficientMax) {
    quotient /= 10;  // 99…9 was rounded up to 100…0
    --scale;
  }
  if (dividend < 0) quotient = -quotient;
  while (scale < 0) {
    if (magnitude(quotient) > kCoefficientMax) return std::nullopt;
    quotient *= 10;
    ++scale;
  }
  while (scale > 0 && quotient % 10 == 0) {
    quotient /= 10;
    --scale;
  }
  return fit(quotient, scale);
}

std::optional<Decimal> round_decimal(Decimal d, int digits, Rounding rounding) {
  if (digits < 0 || digits > kScaleMax) return std::nullopt;
  if (d.scale <= digits) return d;
  Wide divisor = power_of_ten(d.scale - digits);
  Wide quotient = d.coefficient / divisor;
  Wide rest = d.coefficient % divisor;
  switch (rounding) {
    case Rounding::kHalfAwayFromZero:
      if (magnitude(rest) * 2 >= divisor) quotient += d.coefficient < 0 ? -1 : 1;
      break;
    case Rounding::kDown:
      if (rest < 0) --quotient;
      break;
    case Rounding::kUp:
      if (rest > 0) ++quotient;
      break;
  }
  return fit(quotient, digits);
}

Decimal trimmed(Decimal d) {
  while (d.scale > 0 && d.coefficient % 10 == 0) {
    d.coefficient /= 10;
    --d.scale;
  }
  return d;
}

}  // namespace ensue::value
