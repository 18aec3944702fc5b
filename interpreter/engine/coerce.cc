#include "engine/coerce.h"

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
    if (first != std::string_view::npos) items.push_back(Value::text(item.substr(first, item.find_last_not_of(' ') - first + 1)));
    at = end + 1;
  }
  return Value::list(std::move(items));
}

}  // namespace

Result<Value> coerce(const Value& value, const types::Type& type, const calendar::Zone& zone) {
  if (value.is_blank()) return value;
  switch (type.kind) {
    case TypeKind::kNumber: return value.is_numeric() ? Value::number(value.as_decimal()) : value;
    case TypeKind::kPercent: return value.is_numeric() ? Value::percent(value.as_decimal()) : value;
    // The record's currency stands in a field of its own; the stored amount carries none.
    case TypeKind::kMoney: return value.is_numeric() ? Value::money(value.as_decimal(), {}) : value;
    case TypeKind::kDate: return value.is(Value::Kind::kDatetime) ? Value::date(zone.date(value.as_instant())) : value;
    case TypeKind::kDatetime: return value.is(Value::Kind::kDate) ? Value::datetime(zone.day_start(value.as_date())) : value;
    case TypeKind::kMultipicklist: return value.is(Value::Kind::kText) ? split(value.as_text()) : value;
    default: return value;
  }
}

}  // namespace ensue::engine
