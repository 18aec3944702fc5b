// Residuals: what remains to be asked of a rule once the index has found it, as compact code.
//
// Words of 64 bits: an instruction and, behind it, the keys it compares with. Each instruction
// names where to go when it holds and when it does not, as a place in the code or as the answer.
//
//   bits 0-7 op, 8-15 slot, 16-23 where to when it holds, 24-31 when not, 32-63 operand
#pragma once

#include <cstdint>
#include <vector>

#include "match/formula.h"

namespace ensue::match {

enum class ResidualOp : uint8_t {
  kShort,  // the key is the operand
  kIn,     // words: the lowest key, and how many above it
  kOneOf,  // operand: how many words, sorted
  kText,   // operand: the text test
  kChanged,
  kNew,
  kTouched,  // operand: how many words of slots
};
inline constexpr uint8_t kAccept = 255;
inline constexpr uint8_t kReject = 254;
inline constexpr size_t kResidualWordsMax = 250;

// Appends the code that asks for all of `atoms` and `nodes` of a formula. False when it would be
// too long; nothing is appended then.
bool append_residual(const Formula& formula, const std::vector<uint32_t>& atoms,
                     const std::vector<uint32_t>& nodes, std::vector<uint64_t>& out);

// Runs the code. O(its length).
inline bool accepts(const uint64_t* code, EventImage& image, TextTests tests) {
  for (uint32_t at = 0;;) {
    const uint64_t word = code[at];
    const auto slot = static_cast<uint8_t>(word >> 8);
    const auto operand = static_cast<uint32_t>(word >> 32);
    const uint64_t* words = code + at + 1;
    bool holds = false;
    switch (static_cast<ResidualOp>(word & 0xFF)) {
      case ResidualOp::kShort: holds = image.key(slot) == static_cast<Key>(operand); break;
      case ResidualOp::kIn:
        holds = static_cast<uint64_t>(image.key(slot)) - words[0] <= words[1];
        break;
      case ResidualOp::kOneOf:
        for (uint32_t i = 0; i < operand && !holds; ++i)
          holds = image.key(slot) == static_cast<Key>(words[i]);
        break;
      case ResidualOp::kText: holds = image.holds(operand, test_at(tests, operand)); break;
      case ResidualOp::kChanged: holds = image.changed(slot); break;
      case ResidualOp::kNew: holds = image.is_new(); break;
      case ResidualOp::kTouched:
        holds = image.change() != plan::kEdited;
        for (uint32_t i = 0; i < operand && !holds; ++i)
          holds = (image.changed_words()[i] & words[i]) != 0;
        break;
    }
    const auto next = static_cast<uint8_t>(word >> (holds ? 16 : 24));
    if (next >= kReject) return next == kAccept;
    at = next;
  }
}

}  // namespace ensue::match
