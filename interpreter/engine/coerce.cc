#include "engine/coerce.h"

#include <fmt/format.h>

#include <algorithm>

namespace ensue::engine {
namespace {

using types::TypeKind;

Value split(std::string_view text) {
  std::vector<Value> items;
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(';', at), text.size());
    std::string_view item = text.substr(at, end - at);
    size_t first = item.find_first_not_of(' ');
    if (first != std::string_view::npos)
      items.push_back(Value::text(item.substr(first, item.find_last_not_of(' ') - first + 1)));
    at = end + 1;
  }
  return Value::list(std::move(items));
}

Result<Value> listed(const Value& value, const types::Field& field, const types::Schema& schema) {
  const types::Picklist& picklist = schema.picklist(field.type.picklist);
  const std::string* known =
      value.is(Value::Kind::kText) ? picklist.find(value.as_text()) : nullptr;
  if (known != nullptr) return Value::text(*known);
  if (picklist.open || !value.is(Value::Kind::kText)) return value;
  return {ErrorCode::kFault, fmt::format("{} has no value \"{}\"", field.name, value.as_text())};
}

}  // namespace

Result<Value> coerce(const Value& value, const types::Field& field, const Storing& storing) {
  if (value.is_blank()) return value;
  switch (field.type.kind) {
    case TypeKind::kNumber: return value.is_numeric() ? Value::number(value.as_decimal()) : value;
    case TypeKind::kPercent: return value.is_numeric() ? Value::percent(value.as_decimal()) : value;
    case TypeKind::kMoney: {
      if (!value.is_numeric()) return value;
      bool other = value.is(Value::Kind::kMoney) && value.as_currency().given() &&
                   value.as_currency() != storing.currency;
      return Value::money(value.as_decimal(), other ? value.as_currency() : Currency());
    }
    case TypeKind::kDate:
      return value.is(Value::Kind::kDatetime) ? Value::date(storing.zone.date(value.as_instant()))
                                              : value;
    case TypeKind::kDatetime:
      return value.is(Value::Kind::kDate) ? Value::datetime(storing.zone.day_start(value.as_date()))
                                          : value;
    case TypeKind::kPicklist: return listed(value, field, storing.schema);
    case TypeKind::kMultipicklist:
      return value.is(Value::Kind::kText) ? split(value.as_text()) : value;
    default: return value;
  }
}

}  // namespace ensue::engine
