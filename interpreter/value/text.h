// Values as text: for people, and as canonical JSON.
#pragma once

#include <string>
#include <string_view>

#include "ensue/value.h"

namespace ensue::value {

// As it stands in a message or in an interpolated text: no quotes; blank is empty; money with its
// currency when it has one; a list joined by `; `; a boolean as true or false.
std::string plain_text(const Value& value);

// As the author would write it: texts in quotes, blank as `blank`, percents with `%`.
std::string source_text(const Value& value);

// Appends the value as compact JSON: numbers with their digits, dates and datetimes as ISO 8601
// texts, lists as arrays, blank as null. Money loses its currency, which the record keeps in a
// field of its own.
void append_json(std::string& out, const Value& value);
// Appends a JSON string literal, with control characters escaped. What is not
// UTF-8, as a damaged store may hold, becomes U+FFFD.
void append_json_text(std::string& out, std::string_view text);
std::string json_text(const Value& value);

}  // namespace ensue::value
