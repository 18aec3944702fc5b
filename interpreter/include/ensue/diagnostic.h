// What is wrong, or doubtful, in an author's program: a code, a place, a sentence, and where
// possible a fix.
//
// Offsets are half-open byte ranges into the source text. Lines and columns are counted from 1,
// columns in code points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ensue {

enum class Severity : uint8_t { kError, kWarning };

struct Place {
  std::string file;
  uint32_t begin = 0;  // byte offsets
  uint32_t end = 0;
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t end_line = 0;
  uint32_t end_column = 0;
};

struct Label {
  Place place;
  std::string text;
};

// Replacing the bytes of `place` by `replacement` is what the author most likely wants.
struct Fix {
  std::string title;
  Place place;
  std::string replacement;
};

struct Diagnostic {
  std::string code;  // stable, as in `E0203`; see docs/diagnostics.md
  std::string name;  // stable, as in `unknown-field`
  Severity severity = Severity::kError;
  std::string message;  // lower case, no full stop
  Label primary;
  std::vector<Label> labels;
  std::vector<std::string> notes;
  std::optional<Fix> fix;
};

}  // namespace ensue
