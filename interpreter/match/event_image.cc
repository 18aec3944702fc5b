#include "match/event_image.h"

#include <algorithm>

#include "base/fold.h"

namespace ensue::match {
namespace {

// The kind of value a slot's field holds; numbers, percents and money are one.
bool fits(KeyKind kind, const Value& value) {
  switch (kind) {
    case KeyKind::kText: return value.is(Value::Kind::kText);
    case KeyKind::kNumber: return value.is_numeric();
    case KeyKind::kDate: return value.is(Value::Kind::kDate);
    case KeyKind::kDatetime: return value.is(Value::Kind::kDatetime);
    case KeyKind::kTime: return value.is(Value::Kind::kTime);
    case KeyKind::kBoolean: return value.is(Value::Kind::kBoolean);
    case KeyKind::kNone: return true;
  }
  return false;
}

}  // namespace

bool TextTest::holds(std::string_view in) const {
  if (in.empty() || text.empty()) return false;
  switch (kind) {
    case Kind::kEquals: return exactly ? in == text : base::equal_folded(in, text);
    case Kind::kContains:
      return exactly ? in.find(text) != std::string_view::npos : base::contains_folded(in, text);
    case Kind::kStartsWith:
      return exactly ? in.starts_with(text) : base::starts_with_folded(in, text);
    case Kind::kEndsWith: return exactly ? in.ends_with(text) : base::ends_with_folded(in, text);
  }
  return false;
}

void EventImage::begin(const Layout& layout, uint8_t change, bool is_new) {
  slots_ = layout.slots.size();
  for (size_t i = 0; i < slots_; ++i) {
    const Slot& slot = layout.slots[i];
    keys_[i] = slot.kind == KeyKind::kBoolean ? Key{slot.true_when_blank} : kBlankKey;
    texts_[i] = {};
  }
  changed_ = {};
  change_ = change;
  is_new_ = is_new;
  irregular_ = false;
}

void EventImage::fill(const Layout& layout, const Vocabulary& vocabulary,
                      const types::Record& record, const types::FieldSet& changed, uint8_t change,
                      bool is_new) {
  begin(layout, change, is_new);
  for (size_t i = 0; i < slots_; ++i) {
    const Slot& slot = layout.slots[i];
    auto at = static_cast<uint8_t>(i);
    if (changed.has(slot.field)) set_changed(at);
    if (slot.field == types::kIdField) {
      set_text(at, layout, vocabulary, record.id);
      continue;
    }
    const Value& value = record.raw(slot.field);
    if (value.is_blank()) continue;
    if (!fits(slot.kind, value)) {
      set_irregular();
      continue;
    }
    switch (slot.kind) {
      case KeyKind::kText: set_text(at, layout, vocabulary, value.as_text()); break;
      case KeyKind::kNumber: set_key(at, decimal_key(value.as_decimal())); break;
      case KeyKind::kDate: set_key(at, value.as_date().days); break;
      case KeyKind::kDatetime: set_key(at, value.as_instant().ms); break;
      case KeyKind::kTime: set_key(at, value.as_time().ms); break;
      case KeyKind::kBoolean: set_key(at, value.truth() ? 1 : 0); break;
      case KeyKind::kNone: break;
    }
  }
}

void EventImage::seal(size_t text_tests) {
  for (size_t i = 0; i < slots_; ++i) short_keys_[i] = short_key(keys_[i]);
  if (answers_.size() < text_tests) answers_.resize(text_tests);
  if (++epoch_ > UINT32_MAX / 2) {
    std::fill(answers_.begin(), answers_.end(), 0);
    epoch_ = 1;
  }
}

}  // namespace ensue::match
