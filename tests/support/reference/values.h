// Values of the reference evaluator: reading, comparing, calculating, showing. Private to
// reference/.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/reference/evaluator.h"

namespace ensue::testing::reference {

// A fault of the condition at hand; caught where an Answer is made.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A field as a condition reads it: a boolean without a value is its default, else false; money has
// its own currency, else the record's, else the org's.
Value read(const types::Schema& schema, const types::Record& record, types::FieldId field,
           const Org& org);
// By name, stored name or label, ignoring case; `PrimaryContact` of a Case is its Contact.
types::FieldId field_called(const types::Schema& schema, types::ObjectId object,
                            std::string_view name);

bool same_letters(std::string_view a, std::string_view b, bool exactly);
// `is` and `is not`, `=` and `!=`. Throws Fault for two currencies.
bool equal(const Value& a, const Value& b, bool exactly, const Org& org);
// The order of two values; empty when there is none (one is blank). Throws Fault for two
// currencies.
std::optional<int> order(const Value& a, const Value& b, const Org& org);

Value calculated(char op, const Value& a, const Value& b);
Value negated(const Value& a);
Value moved(const Value& when, const Duration& duration, bool back, const Org& org);
Value shown(const Value& value);
std::string show(const Value& value);
std::optional<Date> as_day(const Value& value, const Org& org);
std::optional<Instant> as_moment(const Value& value, const Org& org);

// Functions of the library by name (functions.cc).
Value call_function(std::string_view name, const std::vector<Value>& args, const Org& org);

}  // namespace ensue::testing::reference
