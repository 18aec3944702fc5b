// What a condition needs of an event: a formula over keys that holds whenever the condition is true
// or faults.
//
// A condition that is false starts nothing and leaves no trace; one that faults does (the run is
// told as failed). So the formula may leave out an event only where the condition is false without
// a fault: terms after one that may fault do not count, and what the index does not understand (a
// related record, `has`, a function) counts as true. `exact` says that nothing was left out: the
// formula then holds exactly when the condition is true.
#pragma once

#include <vector>

#include "match/event_image.h"
#include "plan/plan.h"

namespace ensue::match {

// One test of one slot. What it asks for depends on the kind.
struct Atom {
  enum class Kind : uint8_t {
    kIn,       // low <= key <= high
    kOneOf,    // the key is one of keys[first] to keys[first + count - 1], which are sorted
    kText,     // text test `text`
    kChanged,  // the field was changed by this save
    kNew,      // the record is new
    kTouched,  // no edit, or one of the fields changed: keys[first] … are words of slots
  };
  Kind kind = Kind::kIn;
  bool negated = false;
  uint8_t slot = 0;
  uint32_t text = 0;  // of kText
  union {
    Key low = 0;     // of kIn
    uint32_t first;  // of kOneOf and kTouched
  };
  union {
    Key high = 0;
    uint32_t count;
  };

  bool has_keys() const { return kind == Kind::kOneOf || kind == Kind::kTouched; }
  bool is_point() const { return kind == Kind::kIn && !negated && low == high; }
};

struct FormulaNode {
  enum class Kind : uint8_t { kTrue, kFalse, kAtom, kAnd, kOr };
  Kind kind = Kind::kTrue;
  uint32_t a = 0;  // the atom; or the two nodes
  uint32_t b = 0;
};

struct Formula {
  std::vector<FormulaNode> nodes;  // the last is the root
  std::vector<Atom> atoms;
  std::vector<Key> keys;
  bool exact = true;

  uint32_t root() const { return static_cast<uint32_t>(nodes.size() - 1); }
  bool holds(uint32_t node, EventImage& image, TextTests tests) const;
};

// Where a formula's slots, texts and text tests come from.
class Names {
 public:
  virtual ~Names() = default;
  // The slot of a field; kNoSlot when the object has no more.
  virtual uint8_t slot(types::ObjectId object, types::FieldId field) = 0;
  virtual const Layout& layout(types::ObjectId object) const = 0;
  virtual Key text(types::ObjectId object, uint8_t slot, std::string_view text) = 0;
  virtual uint32_t text_test(types::ObjectId object, const TextTest& test) = 0;
};

// What a rule needs: its condition, and on an edit that one of the fields `watched` was changed
// (`watches` says whether it asks for that).
struct Needs {
  types::ObjectId object;
  const plan::Code* code = nullptr;
  plan::ProgramRange condition;
  bool watches = false;
  const std::vector<types::FieldId>* watched = nullptr;
  uint64_t steps_max = UINT64_MAX;  // a condition that may take more may fault
};

// O(steps).
Formula formula_of(const Needs& needs, Names& names);

}  // namespace ensue::match
