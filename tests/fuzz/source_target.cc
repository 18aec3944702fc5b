#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "check/check.h"
#include "embedded.h"
#include "fuzz/targets.h"
#include "graph/trigger_graph.h"
#include "lower/lower.h"
#include "source/render.h"
#include "syntax/parse.h"
#include "syntax/printer.h"

namespace ensue::fuzz {
namespace {

// The library, parsed once: it is the same for every input, and ten times as long as most.
struct Library {
  source::SourceSet sources;  // what the trees' views point into
  std::vector<syntax::ParsedFile> files;

  Library() {
    source::DiagnosticSink sink;
    for (const stdlib::EmbeddedText& text : stdlib::texts()) {
      source::FileId file = sources.add(std::string(text.name), std::string(text.text));
      files.push_back(syntax::parse_file(sources, file, {}, sink));
    }
  }
};

const Library& library() {
  static const Library kLibrary;
  return kLibrary;
}

struct Parsed {
  source::SourceSet sources;
  source::DiagnosticSink sink;
  syntax::ParsedFile file;

  explicit Parsed(std::string_view text) {
    source::FileId id = sources.add("input.ensue", std::string(text));
    file = syntax::parse_file(sources, id, {}, sink);
  }
};

std::vector<std::string> comments(const syntax::Tree& tree) {
  std::vector<std::string> out;
  for (const syntax::Token& token : tree.tokens()) {
    if (token.token_class != syntax::TokenClass::kComment) continue;
    std::string_view text = tree.source_text().substr(token.begin, token.end - token.begin);
    out.emplace_back(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
  }
  return out;
}

// The tokens are the source, and formatting twice is formatting once.
void check_format(std::string_view text) {
  Parsed first(text);
  std::string joined;
  for (const syntax::Token& token : first.file.tree->tokens())
    joined += text.substr(token.begin, token.end - token.begin);
  bool refused_whole = first.file.tree->tokens().empty();
  require(refused_whole || joined == text, "the tokens of a file are the file");
  if (first.sink.has_errors()) return;
  std::string once = syntax::format_tree(*first.file.tree);
  Parsed second(once);
  require(!second.sink.has_errors(), "a formatted text can be parsed");
  require(syntax::dump_tree(*first.file.tree) == syntax::dump_tree(*second.file.tree),
          "formatting keeps the tree");
  require(comments(*first.file.tree) == comments(*second.file.tree),
          "formatting keeps the comments");
  require(syntax::format_tree(*second.file.tree) == once, "formatting twice is formatting once");
}

void check_diagnostics(const source::DiagnosticSink& sink, const source::SourceSet& sources) {
  std::vector<Diagnostic> diagnostics = sink.diagnostics(sources);
  require(diagnostics.empty() == (sink.error_count() + sink.warning_count() == 0),
          "what is counted is shown");
  std::string json = source::render_json(diagnostics);
  require(nlohmann::json::accept(json), "diagnostics are JSON");
  std::string shown = source::render_text(diagnostics, sources, {false, 0});
  require(!source::first_invalid_utf8(shown), "diagnostics are UTF-8");
}

}  // namespace

void fuzz_source(std::string_view bytes) {
  check_format(bytes);

  auto sources = std::make_shared<source::SourceSet>();
  check::CheckInput input;
  source::DiagnosticSink sink;
  for (const stdlib::EmbeddedText& text : stdlib::texts())
    sources->add(std::string(text.name), std::string(text.text));
  input.files = library().files;
  input.library_files = input.files.size();
  source::FileId file = sources->add("input.ensue", std::string(bytes));
  input.files.push_back(syntax::parse_file(*sources, file, {}, sink));
  input.sources = sources;
  auto module = check::check_program(input, sink);
  if (!sink.has_errors())
    graph::report_graph_findings(*module, graph::build_trigger_graph(*module), sink);
  check_diagnostics(sink, *sources);
  if (sink.has_errors()) return;
  lower::Calendars calendars(*module);
  for (const check::Automation& automation : module->automations) {
    if (automation.runnable) lower::lower_automation(*module, automation, calendars);
  }
}

}  // namespace ensue::fuzz
