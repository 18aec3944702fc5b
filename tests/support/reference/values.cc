#include "support/reference/values.h"

#include <algorithm>

#include "support/reference/numbers.h"
#include "support/reference/texts.h"
#include "value/time_text.h"

namespace ensue::testing::reference {

using Kind = Value::Kind;

Value read(const types::Schema& schema, const types::Record& record, types::FieldId field,
           const Org& org) {
  const types::Object& object = schema.object(record.object);
  const types::Field& shape = object.fields[field.index];
  if (same_letters(shape.name, "Id", false)) return Value::text(record.id);
  Value stored = record.raw(field);
  if (shape.type.kind == types::TypeKind::kBoolean && stored.is_blank()) {
    return Value::boolean(!shape.default_value.is_blank() && shape.default_value.truth());
  }
  if (shape.type.kind == types::TypeKind::kMoney && stored.is_numeric() &&
      !stored.as_currency().given()) {
    Currency currency = org.currency;
    for (size_t i = 0; i < object.fields.size(); ++i) {
      const Value& value = record.raw(types::FieldId(i));
      bool names_it = object.fields[i].name == "CurrencyIsoCode" && !value.is_blank();
      if (names_it) currency = Currency::of(value.as_text());
    }
    return Value::money(stored.as_decimal(), currency);
  }
  return stored;
}

types::FieldId field_called(const types::Schema& schema, types::ObjectId id,
                            std::string_view name) {
  const types::Object& object = schema.object(id);
  for (size_t i = 0; i < object.fields.size(); ++i) {
    const types::Field& field = object.fields[i];
    if (same_letters(field.name, name, false) || same_letters(field.stored_as, name, false))
      return types::FieldId(i);
  }
  for (size_t i = 0; i < object.fields.size(); ++i) {
    if (same_letters(object.fields[i].label, name, false)) return types::FieldId(i);
  }
  bool contact = object.name == "Case" && same_letters(name, "PrimaryContact", false);
  return contact ? field_called(schema, id, "Contact") : types::FieldId();
}

bool same_letters(std::string_view a, std::string_view b, bool exactly) {
  return exactly ? a == b : small(letters_of(a)) == small(letters_of(b));
}

// ---- Comparing --------------------------------------------------------------------------------

namespace {

void refuse_two_currencies(const Value& a, const Value& b) {
  if (!a.is(Kind::kMoney) || !b.is(Kind::kMoney)) return;
  bool two = a.as_currency().given() && b.as_currency().given() &&
             a.as_currency().code() != b.as_currency().code();
  if (two) throw Fault("two currencies: " + show(a) + ", " + show(b));
}

bool date_with_moment(const Value& a, const Value& b) {
  return (a.is(Kind::kDate) && b.is(Kind::kDatetime)) ||
         (a.is(Kind::kDatetime) && b.is(Kind::kDate));
}

bool list_has(const Value& list, const Value& item, bool exactly) {
  auto items = list.as_list();
  return std::any_of(items.begin(), items.end(), [&](const Value& one) {
    return same_letters(one.as_text(), item.as_text(), exactly);
  });
}

template <class T>
int compare_plain(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

bool equal(const Value& a, const Value& b, bool exactly, const Org& org) {
  if (a.is_blank() || b.is_blank()) return a.is_blank() && b.is_blank();
  refuse_two_currencies(a, b);
  if (date_with_moment(a, b)) return as_moment(a, org)->ms == as_moment(b, org)->ms;
  if (a.is_numeric() && b.is_numeric()) return compared(a.as_decimal(), b.as_decimal()) == 0;
  if (a.is(Kind::kList) && b.is(Kind::kText)) return list_has(a, b, exactly);
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kText)) return same_letters(a.as_text(), b.as_text(), exactly);
  return !stored_differs(a, b);
}

std::optional<int> order(const Value& a, const Value& b, const Org& org) {
  if (a.is_blank() || b.is_blank()) return std::nullopt;
  refuse_two_currencies(a, b);
  if (date_with_moment(a, b)) return compare_plain(as_moment(a, org)->ms, as_moment(b, org)->ms);
  if (a.is_numeric() && b.is_numeric()) return compared(a.as_decimal(), b.as_decimal());
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::kText:
      return compare_plain(small(letters_of(a.as_text())), small(letters_of(b.as_text())));
    case Kind::kDate: return compare_plain(a.as_date().days, b.as_date().days);
    case Kind::kDatetime: return compare_plain(a.as_instant().ms, b.as_instant().ms);
    case Kind::kTime: return compare_plain(a.as_time().ms, b.as_time().ms);
    default: return std::nullopt;
  }
}

bool stored_differs(const Value& a, const Value& b) {
  if (a.is_numeric() && b.is_numeric()) return compared(a.as_decimal(), b.as_decimal()) != 0;
  if (a.kind() != b.kind()) return true;
  switch (a.kind()) {
    case Kind::kBlank: return false;
    case Kind::kBoolean: return a.truth() != b.truth();
    case Kind::kText: return a.as_text() != b.as_text();
    case Kind::kDate: return a.as_date().days != b.as_date().days;
    case Kind::kDatetime: return a.as_instant().ms != b.as_instant().ms;
    case Kind::kTime: return a.as_time().ms != b.as_time().ms;
    case Kind::kList: {
      auto x = a.as_list();
      auto y = b.as_list();
      if (x.size() != y.size()) return true;
      for (size_t i = 0; i < x.size(); ++i) {
        if (stored_differs(x[i], y[i])) return true;
      }
      return false;
    }
    default: return true;
  }
}

// ---- Calculating ------------------------------------------------------------------------------

namespace {

Value checked_number(std::optional<Decimal> number) {
  if (!number) throw Fault("more than 18 digits");
  return Value::number(*number);
}

// 20% counts as 0.20 beside anything but another percent.
Decimal factor(const Value& value) {
  if (!value.is(Kind::kPercent)) return value.as_decimal();
  return checked_number(quotient(value.as_decimal(), {100, 0})).as_decimal();
}

}  // namespace

Value calculated(char op, const Value& a, const Value& b) {
  if (!a.is_numeric() || !b.is_numeric()) return Value();
  refuse_two_currencies(a, b);
  bool percents = a.is(Kind::kPercent) && b.is(Kind::kPercent) && (op == '+' || op == '-');
  Decimal x = percents ? a.as_decimal() : factor(a);
  Decimal y = percents ? b.as_decimal() : factor(b);
  if (op == '/' && y.coefficient == 0) throw Fault("division by zero");
  Decimal out = checked_number(op == '+'   ? sum(x, y)
                               : op == '-' ? difference(x, y)
                               : op == '*' ? product(x, y)
                                           : quotient(x, y))
                    .as_decimal();
  if (percents) return Value::percent(out);
  bool money = a.is(Kind::kMoney) || b.is(Kind::kMoney);
  if (op == '/') money = a.is(Kind::kMoney) && !b.is(Kind::kMoney);
  if (!money) return Value::number(out);
  return Value::money(out, a.is(Kind::kMoney) ? a.as_currency() : b.as_currency());
}

Value negated(const Value& a) {
  if (!a.is_numeric()) return Value();
  Decimal out = *difference({0, 0}, a.as_decimal());
  if (a.is(Kind::kPercent)) return Value::percent(out);
  return a.is(Kind::kMoney) ? Value::money(out, a.as_currency()) : Value::number(out);
}

Value moved(const Value& when, const Duration& duration, bool back, const Org& org) {
  if (!when.is(Kind::kDate) && !when.is(Kind::kDatetime)) return Value();
  Duration by = duration;
  if (back) by.amount = -by.amount;
  if (by.business) {
    // Over a date alone business days step from noon, shorter units from the start of its day.
    TimeOfDay from{by.unit < DurationUnit::kDay ? 0 : 12 * 3'600'000};
    const calendar::Zone& zone = org.calendar->zone;
    Instant at = when.is(Kind::kDate) ? zone.instant(when.as_date(), from) : when.as_instant();
    std::optional<Instant> there = calendar::add_business(at, by, *org.calendar);
    if (!there) throw Fault("no such business time");
    return when.is(Kind::kDate) ? Value::date(zone.date(*there)) : Value::datetime(*there);
  }
  if (when.is(Kind::kDate)) {
    std::optional<Date> there = calendar::add(when.as_date(), by);
    if (!there) throw Fault("outside the years 1 to 9999");
    return Value::date(*there);
  }
  std::optional<Instant> there = calendar::add(when.as_instant(), by, org.zone);
  if (!there) throw Fault("outside the years 1 to 9999");
  return Value::datetime(*there);
}

std::optional<Date> as_day(const Value& value, const Org& org) {
  if (value.is(Kind::kDate)) return value.as_date();
  if (value.is(Kind::kDatetime)) return org.zone.date(value.as_instant());
  return std::nullopt;
}

std::optional<Instant> as_moment(const Value& value, const Org& org) {
  if (value.is(Kind::kDatetime)) return value.as_instant();
  if (value.is(Kind::kDate)) return org.zone.day_start(value.as_date());
  return std::nullopt;
}

// ---- Showing ----------------------------------------------------------------------------------

std::string show(const Value& value) {
  switch (value.kind()) {
    case Kind::kBlank: return "";
    case Kind::kBoolean: return value.truth() ? "true" : "false";
    case Kind::kNumber: return digits_of(value.as_decimal());
    case Kind::kPercent: return digits_of(value.as_decimal()) + "%";
    case Kind::kMoney: {
      std::string currency = value.as_currency().given() ? " " + value.as_currency().code() : "";
      return digits_of(value.as_decimal()) + currency;
    }
    case Kind::kText: return std::string(value.as_text());
    case Kind::kDate: return value::date_text(value.as_date());
    case Kind::kDatetime: return value::instant_text(value.as_instant());
    case Kind::kTime: return value::time_text(value.as_time());
    case Kind::kDuration: return value::duration_text(value.as_duration());
    case Kind::kList: {
      std::string out;
      for (const Value& item : value.as_list()) out += (out.empty() ? "" : "; ") + show(item);
      return out;
    }
  }
  return "";
}

Value shown(const Value& value) { return Value::text(show(value)); }

}  // namespace ensue::testing::reference
