// Why an automation ran on a record, and why it did not.
//
// A run that was made keeps its verdict, and a verdict kept with `--verdicts all` is told as it
// was. Otherwise the last change of the record is matched again from the images the store keeps, by
// the same function the engine matches with; the answer says which. Every test of the condition is
// evaluated, also those the engine did not need.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/runtime.h"

namespace ensue::engine {

// One question of the match, or one test of the condition.
struct Finding {
  bool passed = false;
  bool asked = true;     // false: not reached
  std::string question;  // `it belongs to ana`, or the test in the author's words
  std::string seen;      // the value it saw
  bool test = false;
};

struct Explanation {
  std::string automation;  // `action "Hot leads" by "ana"`
  std::string record;
  std::optional<Decision> decision;  // the last run, when there is one
  std::vector<Decision> runs;        // since the time asked for, newest first, at most 10
  uint64_t run_count = 0;
  std::vector<std::string> verdicts;  // kept ones, oldest first
  std::string headline;               // one sentence
  std::vector<Finding> findings;
  std::vector<std::string> remedies;  // the smallest change that would have fired it
  std::string basis;                  // what the answer was made from

  bool started() const {
    return decision && (decision->status == "executed" || decision->status == "reminded");
  }
  std::string text() const;
  std::string json() const;
};

// `record` is Object/id. Errors: kNotFound for an automation or a record that is not there, with a
// near miss.
Result<Explanation> explain(Runtime& runtime, const std::string& automation,
                            const std::string& record, std::optional<Instant> since);

}  // namespace ensue::engine
