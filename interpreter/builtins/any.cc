#include "builtins/internal.h"
#include "value/compare.h"

namespace ensue::builtins::internal {
namespace {

using Args = std::span<const Value>;

Result<Value> chosen(Args args, const CallContext& context, value::Ordering wanted) {
  if (args[0].is_blank()) return args[1];
  if (args[1].is_blank()) return args[0];
  // A date beside a date-time counts from the start of its day.
  auto sided = [&](const Value& value, const Value& other) {
    return other.is(Value::Kind::kDatetime) && value.is(Value::Kind::kDate)
               ? Value::datetime(*instant_of_value(value, context))
               : value;
  };
  value::Ordering order = value::compare_order(sided(args[0], args[1]), sided(args[1], args[0]));
  if (order == value::Ordering::kFault)
    return {ErrorCode::kFault, "two currencies cannot be compared"};
  if (order == value::Ordering::kUnordered)
    return {ErrorCode::kFault, "these values have no order"};
  return order == wanted || order == value::Ordering::kEqual ? args[0] : args[1];
}

Result<Value> smaller(Args args, const CallContext& context) {
  return chosen(args, context, value::Ordering::kLess);
}
Result<Value> larger(Args args, const CallContext& context) {
  return chosen(args, context, value::Ordering::kGreater);
}
Result<Value> first_given(Args args, const CallContext&) {
  return args[0].is_blank() ? args[1] : args[0];
}

constexpr Row kRows[] = {{"smaller", smaller}, {"larger", larger}, {"first_given", first_given}};

}  // namespace

std::span<const Row> any_rows() { return kRows; }

}  // namespace ensue::builtins::internal
