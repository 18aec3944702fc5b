// From text to tree. The only door to the ANTLR grammar: nothing outside this folder's parse and
// build files sees it.
#pragma once

#include <cstdint>
#include <memory>

#include "source/diagnostic_sink.h"
#include "source/source_file.h"
#include "syntax/ast.h"

namespace ensue::syntax {

struct ParseBounds {
  uint32_t source_bytes_max = 16u << 20;  // a larger file is not a source
  uint32_t nesting_max = 200;  // parentheses and blocks; keeps the recursion of the parser small
};

// A declaration that could not be parsed: its word and its name, so that references to it are not
// called unknown.
struct BrokenDeclaration {
  std::string word;  // `object`, `cadence`, …
  std::string name;
};

struct ParsedFile {
  std::shared_ptr<Tree> tree;  // never null; holds the declarations that could be parsed
  std::vector<BrokenDeclaration> broken;
};

// Parses a file of `sources`. Mistakes go to `sink`, at most one for each declaration; the
// declarations around a broken one are parsed (a new one is recognised by its word in column 1).
// Never throws; O(size) for any input.
ParsedFile parse_file(const source::SourceSet& sources, source::FileId file,
                      const ParseBounds& bounds, source::DiagnosticSink& sink);

struct ParsedSession {
  std::shared_ptr<Tree>
      tree;  // root: a declaration, a test statement or an expression; invalid after a mistake
  bool incomplete = false;  // the text may go on: more lines could make it whole
};

// Parses what a person typed into the REPL.
ParsedSession parse_session(const source::SourceSet& sources, source::FileId file,
                            const ParseBounds& bounds, source::DiagnosticSink& sink);

}  // namespace ensue::syntax
