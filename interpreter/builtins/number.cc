#include "builtins/internal.h"
#include "value/decimal.h"

namespace ensue::builtins::internal {
namespace {

using Args = std::span<const Value>;
using value::Rounding;

Result<Value> too_large() { return {ErrorCode::kFault, "a number leaves the range of 18 digits"}; }

// The same kind of value (number, percent, money with its currency) with another amount.
Value with_amount(const Value& like, Decimal amount) {
  if (like.is(Value::Kind::kPercent)) return Value::percent(amount);
  if (like.is(Value::Kind::kMoney)) return Value::money(amount, like.as_currency());
  return Value::number(amount);
}

Result<Value> rounded(const Value& value, int digits, Rounding rounding) {
  if (!value.is_numeric()) return Value();
  auto out = value::round_decimal(value.as_decimal(), digits, rounding);
  if (!out) return too_large();
  return with_amount(value, *out);
}

Result<Value> number_of(Args args, const CallContext&) {
  if (args[0].is_numeric()) return Value::number(args[0].as_decimal());
  auto parsed = value::parse_decimal(args[0].as_text());
  return parsed ? Value::number(*parsed) : Value();
}

Result<Value> abs(Args args, const CallContext&) {
  if (!args[0].is_numeric()) return Value();
  Decimal d = args[0].as_decimal();
  return with_amount(args[0], {d.coefficient < 0 ? -d.coefficient : d.coefficient, d.scale});
}

Result<Value> round(Args args, const CallContext&) {
  int digits = 0;
  if (args[1].is_numeric()) {
    Decimal d = value::trimmed(args[1].as_decimal());
    if (d.scale != 0 || d.coefficient < 0 || d.coefficient > value::kScaleMax) {
      return {ErrorCode::kFault, "round takes 0 to 18 digits after the point"};
    }
    digits = static_cast<int>(d.coefficient);
  }
  return rounded(args[0], digits, Rounding::kHalfAwayFromZero);
}

Result<Value> floor(Args args, const CallContext&) { return rounded(args[0], 0, Rounding::kDown); }
Result<Value> ceiling(Args args, const CallContext&) { return rounded(args[0], 0, Rounding::kUp); }

constexpr Row kRows[] = {
    {"number", number_of}, {"abs", abs}, {"round", round}, {"floor", floor}, {"ceiling", ceiling},
};

}  // namespace

std::span<const Row> number_rows() { return kRows; }

}  // namespace ensue::builtins::internal
