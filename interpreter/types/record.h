// Records at run time: an object, an id, and a value for each field of the object.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ensue/value.h"
#include "types/schema.h"
#include "types/type.h"

namespace ensue::types {

// One image of a record. Images are immutable and shared: a change makes a new one, and the image
// before it stays with whoever still needs it. `fields` is as long as the object has fields; a
// field without a value is blank.
struct Record {
  ObjectId object;
  std::string id;
  std::vector<Value> fields;
  bool deleted = false;

  // Blank for a field this image has never had.
  const Value& raw(FieldId field) const {
    static const Value kBlank{};
    return field.index < fields.size() ? fields[field.index] : kBlank;
  }
};
using RecordPtr = std::shared_ptr<const Record>;

// The fields of one record that a save changed.
class FieldSet {
 public:
  void add(FieldId field) {
    size_t word = field.index / 64;
    uint64_t bit = uint64_t{1} << (field.index % 64);
    if (word < first_.size()) {
      first_[word] |= bit;
      return;
    }
    word -= first_.size();
    if (word >= rest_.size()) rest_.resize(word + 1);
    rest_[word] |= bit;
  }
  bool has(FieldId field) const {
    size_t word = field.index / 64;
    size_t bit = field.index % 64;
    if (word < first_.size()) return (first_[word] >> bit & 1) != 0;
    word -= first_.size();
    return word < rest_.size() && (rest_[word] >> bit & 1) != 0;
  }
  bool empty() const {
    // A word of the rest is there for a field that was added.
    return rest_.empty() && first_ == decltype(first_){};
  }

 private:
  std::array<uint64_t, 2> first_{};  // of 128 fields: most objects have fewer
  std::vector<uint64_t> rest_;
};

// What a condition reads from a field: booleans are never blank (LANGUAGE section 1), money carries
// the record's currency, else the org's.
Value read_field(const Schema& schema, const Record& record, FieldId field, Currency org_currency);

}  // namespace ensue::types
