// Values as a test writes them.
#pragma once

#include <string_view>

#include "ensue/value.h"
#include "value/decimal.h"
#include "value/time_text.h"

namespace ensue::testing {

inline Value t(std::string_view bytes) { return Value::text(bytes); }
inline Value n(const char* digits) { return Value::number(*value::parse_decimal(digits)); }
inline Value percent(const char* digits) { return Value::percent(*value::parse_decimal(digits)); }
inline Value usd(const char* digits) {
  return Value::money(*value::parse_decimal(digits), Currency::of("USD"));
}
inline Value eur(const char* digits) {
  return Value::money(*value::parse_decimal(digits), Currency::of("EUR"));
}
inline Value day(const char* iso) { return Value::date(*value::parse_date(iso)); }
inline Value instant(const char* iso) {
  return Value::datetime(value::parse_datetime(iso)->instant());
}

}  // namespace ensue::testing
