// Decimal arithmetic, pair by pair: exact or refused, and quotients rounded once.
#include <catch2/catch.hpp>

#include "support/random.h"
#include "support/reference/numbers.h"
#include "value/decimal.h"

namespace ensue::testing {
namespace {

Decimal some_decimal(Random& random) {
  int64_t most = 1;
  for (int64_t digits = random.between(1, 18); digits > 0; --digits) most *= 10;
  int64_t coefficient = random.chance(10) ? most - 1 : random.between(0, most - 1);
  if (random.chance(5)) coefficient = 0;
  auto scale = static_cast<int8_t>(random.chance(50) ? 0 : random.between(0, 18));
  return {random.chance(30) ? -coefficient : coefficient, scale};
}

std::string shown(const std::optional<Decimal>& number) {
  return number ? value::decimal_text(*number) : "refused";
}

}  // namespace

TEST_CASE("decimals are calculated as by hand") {
  Random random(test_seed());
  size_t refused = 0;
  const uint64_t count = 20'000 * test_effort();
  for (uint64_t i = 0; i < count; ++i) {
    Decimal a = some_decimal(random);
    Decimal b = some_decimal(random);
    INFO("ENSUE_SEED=" << test_seed() << ": " << value::decimal_text(a) << " and "
                       << value::decimal_text(b));
    std::optional<Decimal> sum = reference::sum(a, b);
    if (!sum) ++refused;
    REQUIRE(shown(value::add_decimals(a, b)) == shown(sum));
    REQUIRE(shown(value::subtract_decimals(a, b)) == shown(reference::difference(a, b)));
    REQUIRE(shown(value::multiply_decimals(a, b)) == shown(reference::product(a, b)));
    if (b.coefficient != 0) {
      REQUIRE(shown(value::divide_decimals(a, b)) == shown(reference::quotient(a, b)));
    }
    int digits = static_cast<int>(random.between(0, 18));
    using value::Rounding;
    REQUIRE(shown(value::round_decimal(a, digits, Rounding::kDown)) ==
            shown(reference::rounded(a, digits, reference::Side::kDown)));
    REQUIRE(shown(value::round_decimal(a, digits, Rounding::kUp)) ==
            shown(reference::rounded(a, digits, reference::Side::kUp)));
    REQUIRE(shown(value::round_decimal(a, digits, Rounding::kHalfAwayFromZero)) ==
            shown(reference::rounded(a, digits, reference::Side::kNearest)));
    std::strong_ordering order = value::compare_decimals(a, b);
    REQUIRE((order < 0 ? -1 : order > 0 ? 1 : 0) == reference::compared(a, b));
    REQUIRE(shown(value::parse_decimal(value::decimal_text(a))) ==
            shown(reference::number_in(reference::digits_of(a))));
  }
  CHECK(refused * 2 < count);
}

}  // namespace ensue::testing
