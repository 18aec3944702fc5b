// Showing diagnostics: to people with the line and carets, to machines as JSON.
#pragma once

#include <span>
#include <string>

#include "ensue/diagnostic.h"
#include "source/source_file.h"

namespace ensue::source {

struct RenderOptions {
  bool color = false;
  size_t shown_max = 20;  // diagnostics beyond this many are counted in one line; 0 shows all
};

// Each diagnostic with its source line, carets, labels, notes and fix.
std::string render_text(std::span<const Diagnostic> diagnostics, const SourceSet& sources,
                        const RenderOptions& options);

// One JSON array, compact; the schema is in docs/formats.md.
std::string render_json(std::span<const Diagnostic> diagnostics);

// "2 errors and 1 warning", "no problems".
std::string render_counts(std::span<const Diagnostic> diagnostics);

}  // namespace ensue::source
