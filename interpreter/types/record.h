// Records at run time: an object, an id, and a value for each field of the object.
#pragma once

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
    if (word >= words_.size()) words_.resize(word + 1);
    words_[word] |= uint64_t{1} << (field.index % 64);
  }
  bool has(FieldId field) const {
    size_t word = field.index / 64;
    return word < words_.size() && (words_[word] >> (field.index % 64) & 1) != 0;
  }
  bool empty() const {
    for (uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }

 private:
  std::vector<uint64_t> words_;
};

// What a condition reads from a field: booleans are never blank (LANGUAGE section 1), money carries
// the record's currency, else the org's.
Value read_field(const Schema& schema, const Record& record, FieldId field, Currency org_currency);

}  // namespace ensue::types
