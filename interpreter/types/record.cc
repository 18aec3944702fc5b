#include "types/record.h"

namespace ensue::types {

Value read_field(const Schema& schema, const Record& record, FieldId field, Currency org_currency) {
  if (field == kIdField) return Value::text(record.id);
  const Object& object = schema.object(record.object);
  const Field& shape = object.field(field);
  const Value& raw = record.raw(field);
  if (shape.type.is(TypeKind::kBoolean) && raw.is_blank()) {
    return shape.default_value.is_blank() ? Value::boolean(false) : shape.default_value;
  }
  if (shape.type.is(TypeKind::kMoney) && !raw.is_blank() && !raw.as_currency().given()) {
    FieldId currency_field = object.find_stored("CurrencyIsoCode");
    Currency own = currency_field ? Currency::of(record.raw(currency_field).as_text()) : Currency();
    return raw.with_currency(own.given() ? own : org_currency);
  }
  return raw;
}

}  // namespace ensue::types
