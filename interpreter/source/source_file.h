// Source texts: bytes, UTF-8 check, and the table from byte offsets to lines and columns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "ensue/diagnostic.h"
#include "source/span.h"

namespace ensue::source {

struct Position {
  uint32_t line = 1;    // from 1
  uint32_t column = 1;  // from 1, in code points
};

// One text, immutable after construction; views into it live as long as the file does.
class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  // O(log lines + length of the line).
  Position position_of(uint32_t offset) const;
  uint32_t line_count() const { return static_cast<uint32_t>(line_starts_.size()); }
  // The line without its line break; `line` from 1.
  std::string_view line_text(uint32_t line) const;
  uint32_t line_start(uint32_t line) const { return line_starts_[line - 1]; }

 private:
  std::string name_;
  std::string text_;
  std::vector<uint32_t> line_starts_;
};

// The first byte that is not part of well-formed UTF-8, if any.
std::optional<size_t> first_invalid_utf8(std::string_view text);

// The sources of one program, in the order they were added, which is the order of diagnostics.
class SourceSet {
 public:
  FileId add(std::string name, std::string text);
  const SourceFile& file(FileId id) const { return *files_[id.index]; }
  size_t size() const { return files_.size(); }
  // The first file of that name; null when there is none. O(1).
  const SourceFile* find(const std::string& name) const;
  std::string_view text(Span span) const;
  Place place(Span span) const;

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
  std::unordered_map<std::string_view, uint32_t> by_name_;  // views of the files' own names
};

}  // namespace ensue::source
