// The fields of one record: which of them there are, and what each of them holds.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ensue/value.h"
#include "types/type.h"

namespace ensue::types {

// Fields of one object.
class FieldSet {
 public:
  void add(FieldId field) { word_to_write(field.index / kBits) |= bit(field); }
  void remove(FieldId field) {
    if (has(field)) word_to_write(field.index / kBits) &= ~bit(field);
  }
  bool has(FieldId field) const { return (word(field.index / kBits) & bit(field)) != 0; }
  bool empty() const {
    bool none = first_ == decltype(first_){};
    for (uint64_t more : rest_) none = none && more == 0;
    return none;
  }
  size_t size() const {
    size_t out = 0;
    for (size_t i = 0; i < words(); ++i) out += static_cast<size_t>(std::popcount(word(i)));
    return out;
  }
  // How many of the set come before a field. O(fields / 64).
  size_t rank(FieldId field) const {
    size_t last = field.index / kBits;
    auto out = static_cast<size_t>(std::popcount(word(last) & (bit(field) - 1)));
    for (size_t i = 0; i < last; ++i) out += static_cast<size_t>(std::popcount(word(i)));
    return out;
  }
  void add_all(const FieldSet& other) {
    for (size_t i = 0; i < other.words(); ++i) {
      if (uint64_t more = other.word(i); more != 0) word_to_write(i) |= more;
    }
  }
  // Calls `visit(field)` for each, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (size_t i = 0; i < words(); ++i) {
      for (uint64_t left = word(i); left != 0; left &= left - 1)
        visit(FieldId(i * kBits + static_cast<size_t>(std::countr_zero(left))));
    }
  }

 private:
  static constexpr size_t kBits = 64;
  static uint64_t bit(FieldId field) { return uint64_t{1} << (field.index % kBits); }
  size_t words() const { return first_.size() + rest_.size(); }
  uint64_t word(size_t i) const {
    if (i < first_.size()) return first_[i];
    i -= first_.size();
    return i < rest_.size() ? rest_[i] : 0;
  }
  uint64_t& word_to_write(size_t i) {
    if (i < first_.size()) return first_[i];
    i -= first_.size();
    if (i >= rest_.size()) rest_.resize(i + 1);
    return rest_[i];
  }

  std::array<uint64_t, 2> first_{};  // of 128 fields: most objects have fewer
  std::vector<uint64_t> rest_;
};

class FieldValues;
struct Object;

// The values of a record, without the blank ones: most records leave most fields of their object
// blank. Reading is O(1) for the first 128 fields of an object.
class Fields {
 public:
  Fields() = default;
  Fields(const Fields& other);
  Fields(Fields&&) noexcept = default;
  Fields& operator=(const Fields& other);
  Fields& operator=(Fields&&) noexcept = default;
  ~Fields() {
    if (!values_.empty()) Value::clear(values_);
  }

  // Blank for a field that has no value.
  const Value& operator[](FieldId field) const {
    static const Value kBlank{};
    return present_.has(field) ? values_[present_.rank(field)] : kBlank;
  }
  // O(values) where the field had no value or gets a blank one.
  void set(FieldId field, Value value);
  // O(values).
  void set_all(FieldValues given);

  // Their JSON object as a store keeps it (types/member_writer.h), where they were made with it and
  // none has been set since; empty otherwise.
  std::string_view row() const { return row_.as_text(); }

  // The fields that have a value.
  const FieldSet& present() const { return present_; }
  // Calls `visit(field, value)` for each that is not blank, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    const Value* value = values_.data();
    present_.for_each([&](FieldId field) { visit(field, *value++); });
  }

 private:
  friend class FieldValuesMaker;
  FieldSet present_;
  std::vector<Value> values_;  // of `present_`, in order
  Value row_;                  // a text; blank where it is not known
};

// Values for some fields of a record: what a change sets, or what was there before it. A field that
// is named may have a blank value.
class FieldValues {
 public:
  bool empty() const { return named_.empty(); }
  size_t size() const { return named_.size(); }
  const FieldSet& named() const { return named_; }
  // Blank for a field that is not named.
  const Value& operator[](FieldId field) const { return values_[field]; }
  // O(values).
  void set(FieldId field, Value value) {
    named_.add(field);
    values_.set(field, std::move(value));
  }
  // Calls `visit(field, value)` for each that is named, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    named_.for_each([&](FieldId field) { visit(field, values_[field]); });
  }

 private:
  friend class Fields;
  friend class FieldValuesMaker;
  FieldSet named_;
  Fields values_;
};

// Makes FieldValues of values that come in any order; of a field set twice the last value counts.
// Setting is O(1); keeps its room from one to the next.
class FieldValuesMaker {
 public:
  void set(FieldId field, Value value) {
    Slot& slot = slot_of(field);
    slot.value = std::move(value);
    slot.text = {};
  }
  // A text that is not empty and not longer than kTextMax, all of whose bytes stand in JSON as they
  // are. They are looked at until take(), which puts the texts of a record into one allocation.
  // Longer ones have one each, so that a short one does not keep them.
  static constexpr size_t kTextMax = 256;
  void set_text(FieldId field, std::string_view bytes) { slot_of(field).text = bytes; }

  const FieldSet& named() const { return named_; }
  // Whether set_text() has set it.
  bool has_text(FieldId field) const {
    return named_.has(field) && !slots_[field.index].text.empty();
  }
  // The text of a field, empty where it has none.
  std::string_view text(FieldId field) const {
    if (!named_.has(field)) return {};
    const Slot& slot = slots_[field.index];
    return slot.text.empty() ? slot.value.as_text() : slot.text;
  }

  // What was set so far, with room for one value more; begins anew. O(values). `whole` is the
  // object of the fields where they are a whole record's: they then know their row.
  FieldValues take(const Object* whole = nullptr);

 private:
  struct Slot {
    Value value;
    std::string_view text;  // counts where it is not empty
  };
  Slot& slot_of(FieldId field) {
    if (field.index >= slots_.size()) grow(field);
    named_.add(field);
    return slots_[field.index];
  }
  void grow(FieldId field);
  template <class PutText, class PutOther>
  void move_to(Fields& fields, PutText put_text, PutOther put_other);
  void take_values(Fields& out);
  void take_row(const Object& object, Fields& out);

  FieldSet named_;
  std::vector<Slot> slots_;  // by field; blank where it is not named
  std::string bytes_;        // what becomes the one allocation
  std::vector<Value::Part> parts_;
};

// The fields whose values differ, as value::same_stored compares them.
FieldSet differing(const Fields& a, const Fields& b);

}  // namespace ensue::types
