// The one layout of the language (`ensue fmt`).
#pragma once

#include <string>

#include "syntax/ast.h"

namespace ensue::syntax {

// The text of `tree` in the one layout: two blanks a level, a clause or statement a line, a blank
// line between declarations, keywords in lower case, comments kept where they stand, lines over 100
// columns broken before `and` and `or` and after commas. Texts, numbers and names stay as written.
//
// The tree must come from a file without syntax errors. Formatting the result gives the result; its
// tree dumps like `tree`.
std::string format_tree(const Tree& tree);

}  // namespace ensue::syntax
