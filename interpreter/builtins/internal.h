// The families of functions, one table each. Private to builtins/.
#pragma once

#include <optional>
#include <span>

#include "builtins/builtins.h"

namespace ensue::builtins::internal {

struct Row {
  std::string_view name;
  Body body;
};

// A date-time, or the start of a date's day in the org's zone. Nothing for other values.
std::optional<Instant> instant_of_value(const Value& value, const CallContext& context);

std::span<const Row> text_rows();
std::span<const Row> number_rows();
std::span<const Row> date_rows();
std::span<const Row> any_rows();

}  // namespace ensue::builtins::internal
