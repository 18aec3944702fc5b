#include "exec/arithmetic.h"

#include "value/decimal.h"

namespace ensue::exec {
namespace {

using plan::Op;
using Kind = Value::Kind;

Result<Value> fault(const char* message) { return {ErrorCode::kFault, message}; }

// A percent used as a factor or beside another kind: 20% is 0.20.
std::optional<Decimal> as_factor(const Value& value) {
  if (!value.is(Kind::kPercent)) return value.as_decimal();
  return value::divide_decimals(value.as_decimal(), {100, 0});
}

}  // namespace

Value negate(const Value& value) {
  if (!value.is_numeric()) return Value();
  Decimal d{-value.as_decimal().coefficient, value.as_decimal().scale};
  if (value.is(Kind::kMoney)) return Value::money(d, value.as_currency());
  return value.is(Kind::kPercent) ? Value::percent(d) : Value::number(d);
}

Result<Value> calculate(Op op, const Value& left, const Value& right) {
  if (!left.is_numeric() || !right.is_numeric()) return Value();
  bool money_left = left.is(Kind::kMoney);
  bool money_right = right.is(Kind::kMoney);
  bool clash = money_left && money_right && left.as_currency().given() &&
               right.as_currency().given() && !(left.as_currency() == right.as_currency());
  if (clash) return fault("two currencies cannot be calculated with each other");
  bool additive = op == Op::kAdd || op == Op::kSubtract;
  bool percents = additive && left.is(Kind::kPercent) && right.is(Kind::kPercent);
  std::optional<Decimal> a = percents ? left.as_decimal() : as_factor(left);
  std::optional<Decimal> b = percents ? right.as_decimal() : as_factor(right);
  if (!a || !b) return fault("a number leaves the range of 18 digits");
  if (op == Op::kDivide && b->coefficient == 0) return fault("division by zero");
  std::optional<Decimal> out = op == Op::kAdd        ? value::add_decimals(*a, *b)
                               : op == Op::kSubtract ? value::subtract_decimals(*a, *b)
                               : op == Op::kMultiply ? value::multiply_decimals(*a, *b)
                                                     : value::divide_decimals(*a, *b);
  if (!out) return fault("a number leaves the range of 18 digits");
  if (percents) return Value::percent(*out);
  bool money = op == Op::kDivide ? money_left && !money_right : money_left || money_right;
  if (!money) return Value::number(*out);
  bool of_left = money_left && (left.as_currency().given() || !money_right);
  return Value::money(*out, of_left ? left.as_currency() : right.as_currency());
}

}  // namespace ensue::exec
