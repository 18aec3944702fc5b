// The families of functions, one table each. Private to builtins/.
#pragma once

#include <span>

#include "builtins/builtins.h"

namespace ensue::builtins::internal {

struct Row {
  std::string_view name;
  Body body;
};

std::span<const Row> text_rows();
std::span<const Row> number_rows();
std::span<const Row> date_rows();
std::span<const Row> any_rows();

}  // namespace ensue::builtins::internal
