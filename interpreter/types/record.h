// Records at run time: an object, an id, and a value for each field of the object.
#pragma once

#include <memory>
#include <string>

#include "ensue/value.h"
#include "types/fields.h"
#include "types/schema.h"
#include "types/type.h"

namespace ensue::types {

// One image of a record. Images are immutable and shared: a change makes a new one, and the image
// before it stays with whoever still needs it.
struct Record {
  ObjectId object;
  std::string id;
  Fields fields;
  bool deleted = false;

  // The value as it is stored; blank for a field this image has never had.
  const Value& raw(FieldId field) const { return fields[field]; }
};
using RecordPtr = std::shared_ptr<const Record>;

// What a condition reads from a field: booleans are never blank (LANGUAGE section 1), money carries
// the record's currency, else the org's.
Value read_field(const Schema& schema, const Record& record, FieldId field, Currency org_currency);

}  // namespace ensue::types
