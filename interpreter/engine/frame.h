// A frame: where a run stands. It names instructions, not addresses, so that it can be written to
// the store at a wait or a call and taken up by another process, with the same plan.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ensue/key.h"
#include "ensue/result.h"
#include "ensue/value.h"

namespace ensue::engine {

// An open `try`.
struct Handler {
  uint32_t begun = 0;  // its instruction
  uint32_t tries = 0;  // retries taken
};

// A flow, or a subflow on top of what runs it.
struct Activation {
  Key128 rule;
  uint32_t at = 0;  // instruction
  std::vector<Value> locals;
  std::vector<Handler> handlers;
  uint32_t first_ordinal = 0;  // of the frame, when it began
};

struct Frame {
  std::vector<Activation> stack;  // innermost last
  // How many effects have been given a key. A statement that is done again gives the same keys.
  uint32_t ordinal = 0;
  std::optional<Instant> deadline;  // of the wait at hand
  // Of the present part only, never written.
  uint64_t steps = 0;
  bool answered = false;  // the service has answered
  bool fired = false;     // a person let the time come
  const std::vector<std::pair<std::string, Value>>* answers = nullptr;  // what a person answered
};

// Compact and versioned; the first byte says which version. What this version writes every later
// one reads.
std::string encode_frame(const Frame& frame);
// kStoreDamaged when the bytes are no frame.
Result<Frame> decode_frame(std::string_view bytes);

}  // namespace ensue::engine
