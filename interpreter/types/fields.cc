#include "types/fields.h"

#include <utility>

#include "value/compare.h"

namespace ensue::types {

Fields::Fields(const Fields& other)
    : present_(other.present_), values_(Value::copies(other.values_)) {}

Fields& Fields::operator=(const Fields& other) {
  Fields copy(other);
  return *this = std::move(copy);
}

Fields::~Fields() { Value::clear(values_); }

void Fields::set(FieldId field, Value value) {
  auto at = values_.begin() + static_cast<std::ptrdiff_t>(present_.rank(field));
  if (value.is_blank()) {
    if (!present_.has(field)) return;
    values_.erase(at);
    present_.remove(field);
  } else if (present_.has(field)) {
    *at = std::move(value);
  } else {
    values_.insert(at, std::move(value));
    present_.add(field);
  }
}

void Fields::set_all(std::span<FieldValue> rows) {
  FieldSet whole = present_;
  for (const FieldValue& row : rows) {
    if (row.value.is_blank()) {
      whole.remove(row.field);
    } else {
      whole.add(row.field);
    }
  }
  std::vector<Value> values(whole.size());
  size_t old = 0;
  if (!values_.empty()) {
    present_.for_each([&](FieldId field) {
      Value& value = values_[old++];
      if (whole.has(field)) values[whole.rank(field)] = std::move(value);
    });
  }
  for (FieldValue& row : rows) {
    if (!row.value.is_blank() && whole.has(row.field))
      values[whole.rank(row.field)] = std::move(row.value);
  }
  present_ = std::move(whole);
  values_ = std::move(values);
}

FieldSet differing(const Fields& a, const Fields& b) {
  FieldSet either = a.present();
  either.add_all(b.present());
  FieldSet out;
  either.for_each([&](FieldId field) {
    if (!value::same_stored(a[field], b[field])) out.add(field);
  });
  return out;
}

}  // namespace ensue::types
