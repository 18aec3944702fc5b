// Everything a person can look at in a store, and everything a runtime can tell about it.
#pragma once

#include <string>

#include "engine/runtime.h"

namespace ensue::fuzz {

// Reads every table through the store's verbs, and renders what has a form of its own; the parts
// are returned for comparing. An error ends its part only.
std::string look_at_everything(Store& store);

// Asks why each automation did or did not start on each of the first records.
std::string explain_everything(engine::Runtime& runtime);

}  // namespace ensue::fuzz
