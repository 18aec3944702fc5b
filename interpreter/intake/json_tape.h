// JSON as a flat tape: what intake needs and a general tree does not give.
//
// Numbers stay the digits of the text, so that 1.10 and eighteen-digit amounts survive; keys and
// values are views into the line or into the parser's buffer; nodes are reused from line to line.
// Tokens are found by simdjson and walked once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ensue/result.h"

namespace ensue::intake {

enum class JsonKind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

struct JsonNode {
  JsonKind kind = JsonKind::kNull;
  bool truth = false;        // of kBoolean
  bool plain = false;        // of kString: as written, for it holds no escape
  uint32_t next = 0;         // the node after this one and all it holds: the next sibling, if any
  uint32_t child_count = 0;  // of arrays and objects
  std::string_view key;      // of a member of an object; unescaped
  std::string_view text;     // of strings: unescaped; of numbers: the digits as written
};

// One parsed line. Views are valid until the next parse. Not shared between threads.
class JsonTape {
 public:
  struct Bounds {
    size_t bytes_max;
    size_t nesting_max;
  };

  explicit JsonTape(Bounds bounds);
  ~JsonTape();
  JsonTape(JsonTape&&) noexcept;
  JsonTape& operator=(JsonTape&&) noexcept;

  // Parses one JSON value. The message of an error says what is wrong.
  Status parse(std::string_view line);

  const JsonNode& node(uint32_t index) const { return nodes_[index]; }
  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = UINT32_MAX;

  // A member of an object by its exact key; kNone when there is none, or the node is no object.
  // O(members).
  uint32_t find(uint32_t object, std::string_view key) const;
  // The text of a string or a number; empty otherwise.
  std::string_view text(uint32_t node) const;
  std::string_view text(uint32_t object, std::string_view key) const;  // of a member
  // Calls `visit(index)` for each child.
  template <class Visit>
  void for_each(uint32_t parent, Visit visit) const {
    uint32_t child = parent + 1;
    for (uint32_t i = 0; i < nodes_[parent].child_count; ++i, child = nodes_[child].next)
      visit(child);
  }

 private:
  struct Parser;
  Bounds bounds_;
  std::unique_ptr<Parser> parser_;
  std::vector<JsonNode> nodes_;  // of this line, and behind them what lines before have left
};

}  // namespace ensue::intake
