// Comparing values: equality, order and text tests, each defined once (LANGUAGE section 4).
//
// | left and right            | equal                                | order |
// |---------------------------|--------------------------------------|---------------------------------|
// | blank and anything        | only blank equals blank              | none: every ordering is
// false   | | numbers, percents, money  | by amount, 1.50 = 1.5                | by amount | |
// money of two currencies   | a fault                              | a fault | | text | ignoring
// case, or exactly            | by folded code points           | | dates and datetimes       |
// same kind only; the checker converts | chronological                   | | list and text | a list
// contains the text (`is`)      | none                            | | other pairs of kinds      |
// unequal                              | none                            |
#pragma once

#include <cstdint>

#include "ensue/value.h"

namespace ensue::value {

enum class TextCase : uint8_t { kIgnored, kExact };

// The result of comparing two values in the sense of the language.
enum class Ordering : uint8_t { kLess, kEqual, kGreater, kUnordered, kFault };

// Whether a stored value differs: exact, letter case included; numbers by amount (1.50 and 1.5 are
// the same). This is what "changed" means.
bool same_stored(const Value& a, const Value& b);

// kEqual or kUnordered, or kFault for money of two currencies.
Ordering compare_equal(const Value& a, const Value& b, TextCase text_case);

// The order of two values; kUnordered when either is blank or their kinds have no order.
Ordering compare_order(const Value& a, const Value& b);

enum class TextTest : uint8_t { kContains, kStartsWith, kEndsWith };
// False when either side is blank. On a list (multipicklist) `contains` asks for one of its items.
bool test_text(const Value& text, TextTest test, const Value& part, TextCase text_case);

// A total order for `ordered by` and for output: blank first, then by kind, then by value; texts by
// folded form, then exact.
int total_order(const Value& a, const Value& b);

}  // namespace ensue::value
