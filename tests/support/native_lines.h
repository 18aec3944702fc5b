// Saves as lines of the native form of events (ENGINE section 4).
#pragma once

#include <string>

#include "types/record.h"

namespace ensue::testing {

// `kind` is create, update, delete or snapshot. An update names the fields that differ from
// `before`; everything else names all fields that have values.
std::string native_line(const types::Schema& schema, const std::string& id, const std::string& kind,
                        Instant at, const types::Record* before, const types::Record& after);

}  // namespace ensue::testing
