#include "support/reference/numbers.h"

#include <algorithm>

namespace ensue::testing::reference {
namespace {

__extension__ using Wide = __int128;

constexpr int kDigits = 18;

Wide ten_to(int exponent) { return exponent == 0 ? 1 : 10 * ten_to(exponent - 1); }

Wide size_of(Wide w) { return w < 0 ? -w : w; }

bool fits(Wide coefficient, int scale) {
  return size_of(coefficient) < ten_to(kDigits) && scale >= 0 && scale <= kDigits;
}

// Zeros at the end are given up only where the number would not fit with them.
std::optional<Decimal> exactly(Wide coefficient, int scale) {
  while (!fits(coefficient, scale) && scale > 0 && coefficient % 10 == 0) {
    coefficient /= 10;
    --scale;
  }
  if (!fits(coefficient, scale)) return std::nullopt;
  return Decimal{static_cast<int64_t>(coefficient), static_cast<int8_t>(scale)};
}

Wide scaled(Decimal a, int scale) { return a.coefficient * ten_to(scale - a.scale); }

int digit_count(Wide w) {
  int count = 0;
  for (; w != 0; w /= 10) ++count;
  return count;
}

}  // namespace

std::optional<Decimal> sum(Decimal a, Decimal b) {
  int scale = std::max(a.scale, b.scale);
  return exactly(scaled(a, scale) + scaled(b, scale), scale);
}

std::optional<Decimal> difference(Decimal a, Decimal b) {
  int scale = std::max(a.scale, b.scale);
  return exactly(scaled(a, scale) - scaled(b, scale), scale);
}

std::optional<Decimal> product(Decimal a, Decimal b) {
  return exactly(static_cast<Wide>(a.coefficient) * b.coefficient, a.scale + b.scale);
}

// Long division, digit by digit, until 18 digits count or 18 stand after the point.
std::optional<Decimal> quotient(Decimal a, Decimal b) {
  Wide dividend = size_of(a.coefficient) * ten_to(b.scale);
  Wide divisor = size_of(b.coefficient) * ten_to(a.scale);
  Wide whole = dividend / divisor;
  Wide rest = dividend % divisor;
  int scale = 0;
  while (rest != 0 && scale < kDigits && digit_count(whole) < kDigits) {
    rest *= 10;
    whole = whole * 10 + rest / divisor;
    rest %= divisor;
    ++scale;
  }
  if (rest * 2 > divisor || (rest * 2 == divisor && whole % 2 != 0)) ++whole;
  while (scale > 0 && whole % 10 == 0) {
    whole /= 10;
    --scale;
  }
  bool negative = (a.coefficient < 0) != (b.coefficient < 0);
  return exactly(negative ? -whole : whole, scale);
}

std::optional<Decimal> rounded(Decimal a, int digits, Side side) {
  if (a.scale <= digits) return a;
  Wide unit = ten_to(a.scale - digits);
  Wide below = a.coefficient / unit * unit;
  if (below > a.coefficient) below -= unit;
  Wide above = below == a.coefficient ? below : below + unit;
  Wide out = side == Side::kDown ? below : above;
  if (side == Side::kNearest) {
    Wide down = a.coefficient - below;
    Wide up = above - a.coefficient;
    out = down < up || (down == up && a.coefficient < 0) ? below : above;
  }
  return exactly(out / unit, digits);
}

int compared(Decimal a, Decimal b) {
  int scale = std::max(a.scale, b.scale);
  Wide x = scaled(a, scale);
  Wide y = scaled(b, scale);
  return x < y ? -1 : x > y ? 1 : 0;
}

std::optional<Decimal> number_in(std::string_view text) {
  bool negative = !text.empty() && text[0] == '-';
  Wide coefficient = 0;
  int scale = 0;
  bool point = false;
  bool digit = false;
  for (char c : negative ? text.substr(1) : text) {
    if (c == '.' && digit && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      coefficient = coefficient * 10 + (c - '0');
      digit = true;
      if (point) ++scale;
    } else {
      return std::nullopt;
    }
  }
  if (!digit || text.back() == '.') return std::nullopt;
  return exactly(negative ? -coefficient : coefficient, scale);
}

std::string digits_of(Decimal a) {
  std::string out = std::to_string(a.coefficient < 0 ? -a.coefficient : a.coefficient);
  while (out.size() <= static_cast<size_t>(a.scale)) out = "0" + out;
  if (a.scale > 0) out.insert(out.size() - static_cast<size_t>(a.scale), ".");
  return a.coefficient < 0 ? "-" + out : out;
}

}  // namespace ensue::testing::reference
