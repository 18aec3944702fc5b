#include "source/diagnostic_sink.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"

namespace ensue::source {
namespace {

constexpr DiagnosticKindRow kRows[] = {
#define ENSUE_DIAGNOSTIC(code, kind, name, severity, message, explanation) \
  {DiagnosticKind::kind, #code, name, Severity::severity, message, explanation},
#include "source/diagnostic_kinds.def"
#undef ENSUE_DIAGNOSTIC
};

std::string fill(std::string_view message, std::initializer_list<std::string_view> words) {
  std::string out;
  for (size_t i = 0; i < message.size(); ++i) {
    bool hole = message[i] == '{' && i + 2 < message.size() && message[i + 2] == '}';
    if (!hole) {
      out.push_back(message[i]);
      continue;
    }
    auto number = static_cast<size_t>(message[i + 1] - '0');
    ENSUE_CHECK(number < words.size());
    out += *(words.begin() + number);
    i += 2;
  }
  return out;
}

bool same(const Diagnostic& a, const Diagnostic& b) {
  return a.code == b.code && a.primary.place.file == b.primary.place.file &&
         a.primary.place.begin == b.primary.place.begin && a.message == b.message;
}

}  // namespace

std::span<const DiagnosticKindRow> diagnostic_kinds() { return kRows; }

const DiagnosticKindRow& row_of(DiagnosticKind kind) { return kRows[static_cast<size_t>(kind)]; }

Finding& Finding::here(std::string text) {
  here_ = std::move(text);
  return *this;
}

Finding& Finding::label(Span span, std::string text) {
  if (span.valid()) labels_.push_back({span, std::move(text)});
  return *this;
}

Finding& Finding::note(std::string text) {
  notes_.push_back(std::move(text));
  return *this;
}

Finding& Finding::fix(Span span, std::string replacement, std::string title) {
  fix_ = SpanFix{span, std::move(replacement), std::move(title)};
  return *this;
}

Finding& Finding::suggest(const std::optional<std::string>& replacement) {
  if (replacement) fix(span_, *replacement, "did you mean `" + *replacement + "`?");
  return *this;
}

Finding& Finding::suggest_quoted(const std::optional<std::string>& replacement) {
  if (replacement) fix(span_, "\"" + *replacement + "\"", "did you mean \"" + *replacement + "\"?");
  return *this;
}

Finding& DiagnosticSink::report(DiagnosticKind kind, Span span,
                                std::initializer_list<std::string_view> words) {
  const DiagnosticKindRow& row = row_of(kind);
  ++(row.severity == Severity::kError ? error_count_ : warning_count_);
  if (findings_.size() >= kFindingsMax) findings_.pop_back();
  return findings_.emplace_back(kind, span, fill(row.message, words));
}

void DiagnosticSink::merge(DiagnosticSink&& other) {
  for (Finding& finding : other.findings_) {
    if (findings_.size() < kFindingsMax) findings_.push_back(std::move(finding));
  }
  error_count_ += other.error_count_;
  warning_count_ += other.warning_count_;
  other = {};
}

std::vector<Diagnostic> DiagnosticSink::diagnostics(const SourceSet& sources) const {
  std::vector<const Finding*> order;
  for (const Finding& finding : findings_) order.push_back(&finding);
  std::stable_sort(order.begin(), order.end(), [](const Finding* a, const Finding* b) {
    return std::tie(a->span_.file, a->span_.begin) < std::tie(b->span_.file, b->span_.begin);
  });
  std::vector<Diagnostic> out;
  for (const Finding* finding : order) {
    const DiagnosticKindRow& row = row_of(finding->kind_);
    Diagnostic diagnostic{row.code,
                          row.name,
                          row.severity,
                          finding->message_,
                          {sources.place(finding->span_), finding->here_},
                          {},
                          finding->notes_,
                          std::nullopt};
    for (const auto& label : finding->labels_) {
      diagnostic.labels.push_back({sources.place(label.span), label.text});
    }
    if (finding->fix_) {
      diagnostic.fix =
          Fix{finding->fix_->title, sources.place(finding->fix_->span), finding->fix_->replacement};
    }
    if (out.empty() || !same(out.back(), diagnostic)) out.push_back(std::move(diagnostic));
  }
  return out;
}

}  // namespace ensue::source
