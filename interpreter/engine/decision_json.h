// Decisions as JSON: the line of `run --output ndjson`, and the detail a store keeps.
#pragma once

#include <string>

#include "engine/matching.h"
#include "ensue/engine.h"

namespace ensue::engine {

// The part of a decision that has no column of its own: effects, limit, fault.
std::string decision_detail(const Decision& decision);
// A kept run as a decision again.
Decision decision_of(const RunRow& row);
// `condition`, `not newly`, …: stable words for verdicts.
const char* stop_name(Stop stop);

}  // namespace ensue::engine
