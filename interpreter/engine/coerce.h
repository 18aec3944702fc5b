// A value stored in a field: converted to the field's type, where the language allows that
// (`types::assignable`).
#pragma once

#include "calendar/zone.h"
#include "ensue/result.h"
#include "ensue/value.h"
#include "types/schema.h"

namespace ensue::engine {

struct Storing {
  const types::Schema& schema;
  const calendar::Zone& zone;
  Currency currency;  // of the record, else of the org
};

// Numbers become the field's kind of number; money of the record's currency is stored plain, money
// of another keeps its own; a date in a datetime field is the start of that day, a datetime in a
// date field its date; a text in a multipicklist is split at
// `;`. A text that a closed picklist lacks is a fault (LANGUAGE section 2).
Result<Value> coerce(const Value& value, const types::Field& field, const Storing& storing);

}  // namespace ensue::engine
