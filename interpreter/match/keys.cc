#include "match/keys.h"

#include <algorithm>

namespace ensue::match {
namespace {

constexpr int kDigits = 4;                           // after the point
constexpr int64_t kFar = 2'000'000'000'000'000'000;  // in ten-thousandths

int64_t power_of_ten(int exponent) {
  int64_t out = 1;
  for (int i = 0; i < exponent; ++i) out *= 10;
  return out;
}

}  // namespace

KeyKind key_kind(const types::Type& type) {
  if (type.list) return KeyKind::kNone;
  if (type.textual() || type.is(types::TypeKind::kRecord)) return KeyKind::kText;
  if (type.numeric()) return KeyKind::kNumber;
  switch (type.kind) {
    case types::TypeKind::kBoolean: return KeyKind::kBoolean;
    case types::TypeKind::kDate: return KeyKind::kDate;
    case types::TypeKind::kDatetime: return KeyKind::kDatetime;
    case types::TypeKind::kTime: return KeyKind::kTime;
    default: return KeyKind::kNone;
  }
}

Key decimal_key(Decimal number) {
  int64_t units = number.coefficient;
  bool more = false;
  if (number.scale <= kDigits) {
    int64_t factor = power_of_ten(kDigits - number.scale);
    if (units > kFar / factor) return 2 * kFar + 1;
    if (units < -kFar / factor) return -2 * kFar - 1;
    units *= factor;
  } else {
    int64_t divisor = power_of_ten(number.scale - kDigits);
    int64_t rest = units % divisor;
    units /= divisor;
    if (rest < 0) --units;  // toward minus infinity
    more = rest != 0;
  }
  return 2 * units + (more ? 1 : 0);
}

std::optional<Key> exact_decimal_key(Decimal number) {
  Key key = decimal_key(number);
  return key % 2 == 0 ? std::optional(key) : std::nullopt;
}

}  // namespace ensue::match
