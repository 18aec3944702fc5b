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

void Fields::set_all(FieldValues given) {
  if (present_.empty()) {
    *this = std::move(given.values_);
    return;
  }
  FieldSet whole;
  present_.for_each([&](FieldId field) {
    if (!given.named_.has(field)) whole.add(field);
  });
  whole.add_all(given.values_.present_);
  std::vector<Value> values(whole.size());
  auto move_in = [&](Fields& from) {
    Value* value = from.values_.data();
    bool own = &from == this;
    from.present_.for_each([&](FieldId field) {
      if (!own || !given.named_.has(field)) values[whole.rank(field)] = std::move(*value);
      ++value;
    });
  };
  move_in(*this);
  move_in(given.values_);
  present_ = std::move(whole);
  std::swap(values_, values);
  Value::clear(values);
}

void FieldValuesMaker::grow(FieldId field) { values_.resize(field.index + size_t{1}); }

FieldValues FieldValuesMaker::take() {
  FieldValues out;
  if (named_.empty()) return out;
  constexpr size_t kSpare = 1;
  std::vector<Value>& values = out.values_.values_;
  FieldSet& present = out.values_.present_;
  values.reserve(named_.size() + kSpare);
  present = named_;
  named_.for_each([&](FieldId field) {
    Value& value = values_[field.index];
    if (value.is_blank()) {
      present.remove(field);
    } else {
      values.push_back(std::move(value));
    }
  });
  out.named_ = std::exchange(named_, {});
  return out;
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
