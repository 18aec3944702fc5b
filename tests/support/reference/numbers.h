// Decimal arithmetic of the reference evaluator: the school's methods on wide integers, apart from
// value/decimal.
//
// A decimal has at most 18 significant digits and 0 to 18 digits after the point. What needs more
// is refused; a quotient is rounded once, half to even.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ensue/value.h"

namespace ensue::testing::reference {

enum class Side : uint8_t { kDown, kUp, kNearest };  // nearest: halves away from zero

std::optional<Decimal> sum(Decimal a, Decimal b);
std::optional<Decimal> difference(Decimal a, Decimal b);
std::optional<Decimal> product(Decimal a, Decimal b);
// The divisor is not zero.
std::optional<Decimal> quotient(Decimal a, Decimal b);
std::optional<Decimal> rounded(Decimal a, int digits, Side side);
// Negative, zero or positive.
int compared(Decimal a, Decimal b);
// `-12.50`; empty when the text is no such number. No exponents.
std::optional<Decimal> number_in(std::string_view text);
std::string digits_of(Decimal a);

}  // namespace ensue::testing::reference
