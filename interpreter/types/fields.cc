#include "types/fields.h"

#include <cstring>
#include <utility>

#include "types/member_writer.h"
#include "value/compare.h"

namespace ensue::types {

Fields::Fields(const Fields& other)
    : present_(other.present_), values_(Value::copies(other.values_)), row_(other.row_) {}

Fields& Fields::operator=(const Fields& other) {
  Fields copy(other);
  return *this = std::move(copy);
}

void Fields::set(FieldId field, Value value) {
  auto at = values_.begin() + static_cast<std::ptrdiff_t>(present_.rank(field));
  if (value.is_blank() && !present_.has(field)) return;
  row_ = {};
  if (value.is_blank()) {
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
  if (given.empty()) return;
  row_ = {};
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

void FieldValuesMaker::grow(FieldId field) { slots_.resize(field.index + size_t{1}); }

// Calls `put_text(field, bytes)` for what was set as a text, which gives where it stands in
// `bytes_`, and `put_other(field, value)` for other values, in order.
template <class PutText, class PutOther>
void FieldValuesMaker::move_to(Fields& fields, PutText put_text, PutOther put_other) {
  size_t count = named_.size();
  constexpr size_t kSpare = 1;
  fields.values_.reserve(count + kSpare);
  fields.values_.resize(count);
  fields.present_ = named_;
  parts_.resize(count);
  Value* value = fields.values_.data();
  Value::Part* part = parts_.data();
  named_.for_each([&](FieldId field) {
    Slot& slot = slots_[field.index];
    if (!slot.text.empty()) {
      auto size = static_cast<uint16_t>(slot.text.size());
      size_t begin = put_text(field, std::exchange(slot.text, {}));
      *part++ = {value++, static_cast<uint32_t>(begin), size};
      if (!slot.value.is_blank()) slot.value = {};
    } else if (slot.value.is_blank()) {
      fields.present_.remove(field);
    } else {
      put_other(field, slot.value);
      *value++ = std::move(slot.value);
    }
  });
  fields.values_.resize(static_cast<size_t>(value - fields.values_.data()));
  parts_.resize(static_cast<size_t>(part - parts_.data()));
}

void FieldValuesMaker::take_row(const Object& object, Fields& out) {
  {
    MemberWriter writer(object, bytes_);
    auto put_text = [&](FieldId field, std::string_view text) {
      return writer.put_plain(field, text);
    };
    move_to(out, put_text, [&](FieldId field, const Value& value) { writer.put(field, value); });
    writer.close();
  }
  // A long row is written when it is stored: a short text would keep it once it is no longer true.
  constexpr size_t kRowMax = 4096;
  if (bytes_.size() <= kRowMax) {
    out.row_ = Value::text_with_parts(bytes_, parts_);
    return;
  }
  size_t used = 0;
  for (Value::Part& part : parts_) {
    std::memmove(bytes_.data() + used, bytes_.data() + part.begin, part.size);
    part.begin = static_cast<uint32_t>(used);
    used += part.size;
  }
  Value::text_with_parts({bytes_.data(), used}, parts_);
}

void FieldValuesMaker::take_values(Fields& out) {
  bytes_.clear();
  auto put_text = [&](FieldId, std::string_view text) {
    bytes_ += text;
    return bytes_.size() - text.size();
  };
  move_to(out, put_text, [](FieldId, const Value&) {});
  Value::text_with_parts(bytes_, parts_);
}

FieldValues FieldValuesMaker::take(const Object* whole) {
  FieldValues out;
  if (named_.empty()) return out;
  if (whole != nullptr) {
    take_row(*whole, out.values_);
  } else {
    take_values(out.values_);
  }
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
