// A value stored in a field: converted to the field's type, where the language allows that (`types::assignable`).
#pragma once

#include "calendar/zone.h"
#include "ensue/result.h"
#include "ensue/value.h"
#include "types/schema.h"

namespace ensue::engine {

// Numbers become the field's kind of number; a date in a datetime field is the start of that day in `zone`, a datetime in a date
// field its date; a text in a multipicklist is split at `;`..
Result<Value> coerce(const Value& value, const types::Type& type, const calendar::Zone& zone);

}  // namespace ensue::engine
