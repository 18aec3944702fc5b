#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "source/render.h"

namespace ensue::source {
namespace {

constexpr size_t kLineShownMax = 200;  // a longer source line is cut around its carets

struct Style {
  const char* on;
  const char* off;
};

class TextRenderer {
 public:
  TextRenderer(const SourceSet& sources, const RenderOptions& options)
      : sources_(sources), options_(options) {}

  void render(const Diagnostic& diagnostic) {
    bool error = diagnostic.severity == Severity::kError;
    Style headline = style(error ? "\033[1;31m" : "\033[1;33m");
    Style bold = style("\033[1m");
    out_ += fmt::format("{}{}[{}]{}: {}{}{}\n", headline.on, error ? "error" : "warning",
                        diagnostic.code, headline.off, bold.on, diagnostic.message, bold.off);
    gutter_ = gutter_width(diagnostic);
    if (diagnostic.primary.place.line > 0)
      excerpt(diagnostic.primary, '^', error ? "\033[31m" : "\033[33m");
    for (const Label& label : diagnostic.labels) excerpt(label, '-', "\033[34m");
    for (const std::string& note : diagnostic.notes) remark("note", note);
    if (diagnostic.fix) remark("help", help_text(*diagnostic.fix));
    out_ += '\n';
  }

  std::string take() { return std::move(out_); }

 private:
  Style style(const char* on) const {
    return options_.color ? Style{on, "\033[0m"} : Style{"", ""};
  }

  static size_t gutter_width(const Diagnostic& diagnostic) {
    uint32_t last = diagnostic.primary.place.line;
    for (const Label& label : diagnostic.labels) last = std::max(last, label.place.line);
    return fmt::format("{}", last).size();
  }

  static std::string help_text(const Fix& fix) {
    size_t first = fix.replacement.find_first_not_of(' ');
    if (first == std::string::npos) return fix.title;
    std::string words =
        fix.replacement.substr(first, fix.replacement.find_last_not_of(' ') + 1 - first);
    bool says_it =
        words.find('\n') != std::string::npos || fix.title.find(words) != std::string::npos;
    return says_it ? fix.title : fmt::format("{}: `{}`", fix.title, words);
  }

  const SourceFile* file_of(const Place& place) const {
    for (size_t i = 0; i < sources_.size(); ++i) {
      const SourceFile& file = sources_.file(FileId(i));
      if (file.name() == place.file) return &file;
    }
    return nullptr;
  }

  void remark(const char* kind, const std::string& text) {
    Style bold = style("\033[1m");
    std::string indented;
    for (char c : text) {
      indented += c;
      if (c == '\n') indented.append(gutter_ + 3 + std::char_traits<char>::length(kind) + 2, ' ');
    }
    out_ += fmt::format("{:>{}} = {}{}{}: {}\n", "", gutter_, bold.on, kind, bold.off, indented);
  }

  void excerpt(const Label& label, char mark, const char* color) {
    Style blue = style("\033[34m");
    Style marks = style(color);
    const Place& place = label.place;
    if (place.end == 0) {  // about the file as a whole
      out_ += fmt::format("{:>{}}{}-->{} {}\n", "", gutter_, blue.on, blue.off, place.file);
      return;
    }
    out_ += fmt::format("{:>{}}{}-->{} {}:{}:{}\n", "", gutter_, blue.on, blue.off, place.file,
                        place.line, place.column);
    const SourceFile* file = file_of(place);
    if (file == nullptr) return;
    std::string_view line = file->line_text(place.line);
    size_t size = code_points(line);
    size_t begin = place.column;
    size_t end = place.end_line == place.line ? place.end_column : size + 1;
    size_t width = std::max<size_t>(1, end > begin ? end - begin : 1);
    size_t from = begin > kLineShownMax ? begin - kLineShownMax / 2 : 1;  // the first column shown
    std::string shown = shown_part(line, from);
    if (from > 1) shown.insert(0, "…");
    if (size >= from + kLineShownMax) shown += "…";
    size_t indent = begin - from + (from > 1 ? 1 : 0);
    width = std::min(width, from + kLineShownMax - begin);
    out_ += fmt::format("{:>{}} {}|{}\n", "", gutter_, blue.on, blue.off);
    out_ += fmt::format("{}{:>{}} |{} {}\n", blue.on, place.line, gutter_, blue.off, shown);
    std::string text = label.text.empty() ? "" : " " + label.text;
    out_ += fmt::format("{:>{}} {}|{} {:>{}}{}{}{}{}\n", "", gutter_, blue.on, blue.off, "", indent,
                        marks.on, std::string(width, mark), text, marks.off);
  }

  static size_t code_points(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), starts_code_point));
  }
  static bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

  // As much of a line as is shown, from a column on. Tabs become one space, so that columns line up
  // with carets; control bytes become a dot, bytes that are not UTF-8 a question mark.
  static std::string shown_part(std::string_view line, size_t from) {
    std::string part;
    size_t column = 0;
    for (char c : line) {
      if (starts_code_point(c)) ++column;
      if (column >= from + kLineShownMax) break;
      bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
      if (column >= from) part += c == '\t' ? ' ' : control ? '.' : c;
    }
    while (auto bad = first_invalid_utf8(part)) part[*bad] = '?';
    return part;
  }

  const SourceSet& sources_;
  const RenderOptions& options_;
  size_t gutter_ = 1;
  std::string out_;
};

std::string counted(size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string render_text(std::span<const Diagnostic> diagnostics, const SourceSet& sources,
                        const RenderOptions& options) {
  TextRenderer renderer(sources, options);
  size_t shown =
      options.shown_max == 0 ? diagnostics.size() : std::min(options.shown_max, diagnostics.size());
  for (size_t i = 0; i < shown; ++i) renderer.render(diagnostics[i]);
  std::string out = renderer.take();
  if (shown < diagnostics.size())
    out += fmt::format("… and {} more\n\n", diagnostics.size() - shown);
  return out;
}

std::string render_counts(std::span<const Diagnostic> diagnostics) {
  size_t errors = 0;
  for (const Diagnostic& diagnostic : diagnostics)
    errors += diagnostic.severity == Severity::kError ? 1 : 0;
  size_t warnings = diagnostics.size() - errors;
  if (errors == 0 && warnings == 0) return "no problems";
  if (warnings == 0) return counted(errors, "error");
  if (errors == 0) return counted(warnings, "warning");
  return counted(errors, "error") + " and " + counted(warnings, "warning");
}

}  // namespace ensue::source
