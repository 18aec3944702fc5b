// The workload as files, for programs in other languages: one folder holds
//
//   events.ndjson  one event a line, byte for byte what this side reads
//   rules.ndjson   one rule a line: {"rule":0,"owner":"…","on":["create","update"],"if":CONDITION}
//   expected.txt   one event a line: how many rules it starts, and the sum of their pair_hash
//   fields.json    [{"name":"City","type":"text","read":true}, …]; read: some rule may name it
//
// A CONDITION is {"and":[…]}, {"or":[…]}, {"not":…}, or a test: {"field":"City", OPERATOR:VALUE}
// with the operator is, oneOf (a list), atLeast, atMost, startsWith, isBlank or isTrue (both:
// true). Numbers are JSON numbers, dates are "YYYY-MM-DD", whose order is that of their text. A
// test of a null is false, but for isBlank; `not` turns false into true, there is no third answer.
//
// Ensue ignores case where it compares texts. The workload spells each value in one way, in events
// and in rules, so that an exact comparison finds the same.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "workload.h"

namespace ensue::bench {

struct Expected {
  size_t rules = 0;
  uint64_t sum = 0;
};

// Rule `i` of an owned workload is that of user `i / 50`. False when a file
// cannot be written; what it was is printed.
bool export_workload(const std::string& folder, bool owned, const std::vector<Rule>& rules,
                     const std::vector<Event>& events, const std::vector<Expected>& expected);

}  // namespace ensue::bench
