// Collecting diagnostics: every stage reports here and goes on; nothing is thrown.
//
// The kinds stand in diagnostic_kinds.def, one row each: code, name, severity, message, and the
// prose of docs/diagnostics.md. A message has numbered holes, {0} {1} …, filled by the reporter's
// words.
#pragma once

#include <deque>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ensue/diagnostic.h"
#include "source/source_file.h"
#include "source/span.h"

namespace ensue::source {

enum class DiagnosticKind : uint16_t {
#define ENSUE_DIAGNOSTIC(code, kind, name, severity, message, explanation) kind,
#include "source/diagnostic_kinds.def"
#undef ENSUE_DIAGNOSTIC
};

struct DiagnosticKindRow {
  DiagnosticKind kind;
  const char* code;
  const char* name;
  Severity severity;
  const char* message;
  const char* explanation;  // one paragraph for docs/diagnostics.md: why it is refused and what to
                            // write instead
};

// All rows, by code.
std::span<const DiagnosticKindRow> diagnostic_kinds();
const DiagnosticKindRow& row_of(DiagnosticKind kind);

// One finding while it is being described. Returned by reference so that labels and notes can be
// chained.
class Finding {
 public:
  Finding(DiagnosticKind kind, Span span, std::string message)
      : kind_(kind), span_(span), message_(std::move(message)) {}

  // What stands under the carets of the primary place.
  Finding& here(std::string text);
  // Another place that explains this one.
  Finding& label(Span span, std::string text);
  Finding& note(std::string text);
  Finding& fix(Span span, std::string replacement, std::string title);
  // A fix that replaces the primary place, titled "did you mean `…`", when there is a suggestion.
  Finding& suggest(const std::optional<std::string>& replacement);
  // The same, for a name inside quotes.
  Finding& suggest_quoted(const std::optional<std::string>& replacement);

  DiagnosticKind kind() const { return kind_; }
  Span span() const { return span_; }
  Severity severity() const { return row_of(kind_).severity; }
  const std::string& message() const { return message_; }

 private:
  friend class DiagnosticSink;
  struct SpanLabel {
    Span span;
    std::string text;
  };
  struct SpanFix {
    Span span;
    std::string replacement;
    std::string title;
  };

  DiagnosticKind kind_;
  Span span_;
  std::string message_;
  std::string here_;
  std::vector<SpanLabel> labels_;
  std::vector<std::string> notes_;
  std::optional<SpanFix> fix_;
};

// Not for use by several threads at once: a parallel stage fills one sink a file and merges them.
class DiagnosticSink {
 public:
  // Findings beyond this many are counted and dropped: a garbage file must not cost memory in
  // proportion.
  static constexpr size_t kFindingsMax = 10'000;

  Finding& report(DiagnosticKind kind, Span span,
                  std::initializer_list<std::string_view> words = {});
  void merge(DiagnosticSink&& other);

  size_t error_count() const { return error_count_; }
  size_t warning_count() const { return warning_count_; }
  bool has_errors() const { return error_count_ > 0; }
  const std::deque<Finding>& findings() const { return findings_; }

  // Sorted by file and offset, stably, with exact repetitions dropped.
  std::vector<Diagnostic> diagnostics(const SourceSet& sources) const;

 private:
  std::deque<Finding> findings_;
  size_t error_count_ = 0;
  size_t warning_count_ = 0;
};

}  // namespace ensue::source
