#include "builtins/internal.h"
#include "value/time_text.h"

namespace ensue::builtins::internal {

std::optional<Instant> instant_of_value(const Value& value, const CallContext& context) {
  if (value.is(Value::Kind::kDatetime)) return value.as_instant();
  if (value.is(Value::Kind::kDate)) return context.zone.day_start(value.as_date());
  return std::nullopt;
}

namespace {

using Args = std::span<const Value>;

std::optional<Date> date_of_value(const Value& value, const CallContext& context) {
  if (value.is(Value::Kind::kDate)) return value.as_date();
  if (value.is(Value::Kind::kDatetime)) return context.zone.date(value.as_instant());
  return std::nullopt;
}

Result<Value> days_between(Args args, const CallContext& context) {
  auto first = date_of_value(args[0], context);
  auto second = date_of_value(args[1], context);
  if (!first || !second) return Value();
  return Value::number(int64_t{second->days} - first->days);
}

// Whole months from the first date to the second: the largest count that, added to the first, is
// not past the second.
Result<Value> months_between(Args args, const CallContext& context) {
  auto first = date_of_value(args[0], context);
  auto second = date_of_value(args[1], context);
  if (!first || !second) return Value();
  bool backward = *second < *first;
  if (backward) std::swap(first, second);
  value::CivilDate a = value::civil(*first);
  value::CivilDate b = value::civil(*second);
  int64_t months = int64_t{b.year - a.year} * 12 + b.month - a.month;
  if (auto reached = value::add_months(*first, months); !reached || *reached > *second) --months;
  return Value::number(backward ? -months : months);
}

Result<Value> hours_between(Args args, const CallContext& context) {
  auto first = instant_of_value(args[0], context);
  auto second = instant_of_value(args[1], context);
  if (!first || !second) return Value();
  return Value::number((second->ms - first->ms) / 3'600'000);
}

template <class Part>
Result<Value> part_of_date(Args args, const CallContext& context, Part part) {
  auto date = date_of_value(args[0], context);
  return date ? Value::number(int64_t{part(*date)}) : Value();
}

Result<Value> year(Args args, const CallContext& context) {
  return part_of_date(args, context, [](Date d) { return value::civil(d).year; });
}
Result<Value> month(Args args, const CallContext& context) {
  return part_of_date(args, context, [](Date d) { return value::civil(d).month; });
}
Result<Value> day(Args args, const CallContext& context) {
  return part_of_date(args, context, [](Date d) { return value::civil(d).day; });
}
Result<Value> weekday(Args args, const CallContext& context) {
  return part_of_date(args, context, [](Date d) { return value::weekday_of(d) + 1; });
}

Result<Value> hour(Args args, const CallContext& context) {
  auto instant = instant_of_value(args[0], context);
  return instant ? Value::number(int64_t{context.zone.local(*instant).time.ms / 3'600'000})
                 : Value();
}

Result<Value> date_of(Args args, const CallContext& context) {
  auto date = date_of_value(args[0], context);
  return date ? Value::date(*date) : Value();
}

constexpr Row kRows[] = {
    {"days_between", days_between},
    {"months_between", months_between},
    {"hours_between", hours_between},
    {"year", year},
    {"month", month},
    {"day", day},
    {"weekday", weekday},
    {"hour", hour},
    {"date_of", date_of},
};

}  // namespace

std::span<const Row> date_rows() { return kRows; }

}  // namespace ensue::builtins::internal
