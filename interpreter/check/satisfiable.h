// Whether a condition can ever hold, judged by its picklists, numbers, dates and blanks.
//
// The condition is brought into alternatives of plain tests (a bounded disjunctive normal form). An
// alternative is impossible when the tests of one field exclude each other: two different values, a
// value outside a range, an empty range, blank and a value, all values of a closed picklist denied.
// The condition is never true when every alternative is impossible. Tests of other kinds (texts,
// functions, `changed`, `has`) are taken as possible, so the answer "never" is certain, and silence
// is not.
#pragma once

#include <optional>

#include "check/checked_module.h"

namespace ensue::check {

struct ConditionView {
  const CheckedModule& module;
  const syntax::Tree& tree;
  const Facts& facts;
};

struct Contradiction {
  source::Span first;
  source::Span second;
};

// Two tests that exclude each other, from the first alternative of a condition that can never be
// true; empty when the condition may hold, or when it has more than 64 alternatives. With `denied`,
// the same for the condition's opposite: an answer means that the condition is always true.
std::optional<Contradiction> find_contradiction(const ConditionView& view, NodeId condition,
                                                bool denied = false);

struct HiddenAlternative {
  source::Span alternatives;
  source::Span first;
  source::Span second;
};

// An `or` whose sides can hold together, under `and newly meets`: the second becoming true while
// the first holds starts nothing. Sides that exclude each other (two stages of one field) hide
// nothing.
std::optional<HiddenAlternative> find_hidden_alternative(const ConditionView& view,
                                                         NodeId condition);

// Whether a condition may hold when a field of the record in hand has this value.
bool may_hold_with(const ConditionView& view, NodeId condition, types::FieldRef field,
                   const Value& value);

// Whether two conditions on records of one object may hold for the same record. An absent one
// always holds.
bool may_hold_together(const CheckedModule& module, NodeRef a, NodeRef b);

}  // namespace ensue::check
