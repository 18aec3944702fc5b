// Pages that are generated from the program's own tables: docs/diagnostics.md, docs/functions.md
// and docs/limits.md. The test fails when a page is not what the tables say; `make goldens` writes
// them anew. The examples of the functions are run.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "engine/test_runner.h"
#include "ensue/options.h"
#include "source/diagnostic_sink.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/programs.h"

namespace ensue::testing {
namespace {

namespace fs = std::filesystem;

std::string grouped(uint64_t number) {
  std::string out = std::to_string(number);
  for (size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

// The file in tests/golden/diagnostics/ that shows a kind, without its ending; empty when there is
// none.
fs::path shown_by(const source::DiagnosticKindRow& row) {
  std::string name = row.name;
  std::replace(name.begin(), name.end(), '-', '_');
  fs::path path = tests_dir() / "golden" / "diagnostics" / fmt::format("{}_{}.txt", row.code, name);
  return fs::exists(path) ? path : fs::path();
}

bool valid_utf8_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\n' || static_cast<unsigned char>(c) >= 0x20; });
}

std::string diagnostics_page() {
  std::string out =
      "# Diagnostics\n\n"
      "Every problem that `ensue check` can find, with its code, why it is one, and how it looks. "
      "Codes are stable: they are never\n"
      "reused for something else. `E` is an error: nothing runs. `W` is a warning: it runs, and "
      "`--strict` refuses it.\n\n"
      "This page is generated from `interpreter/source/diagnostic_kinds.def` and "
      "`tests/golden/diagnostics/`.\n";
  for (const source::DiagnosticKindRow& row : source::diagnostic_kinds()) {
    out += fmt::format("\n## {} {}\n\n{}\n", row.code, row.name, row.explanation);
    fs::path path = shown_by(row);
    if (path.empty()) continue;
    std::string text = read_text(path);
    if (!valid_utf8_text(text)) continue;
    // The first finding is the one the file is about, up to the blank line after it.
    std::string first;
    for (const std::string& line : lines_of(text)) {
      if (line.empty() && !first.empty()) break;
      first += line + "\n";
    }
    out += "\n```text\n" + first + "```\n";
  }
  return out;
}

std::string limits_page() {
  std::string out =
      "# Limits\n\n"
      "Two kinds of numbers stand on this page. Bounds keep one source, one event or one run from "
      "taking more than its share;\n"
      "crossing one is an ordinary error with a message. Counters are the daily limits of the "
      "people and the org; a project sets\n"
      "its own in a `limits` declaration.\n\n"
      "This page is generated from `interpreter/include/ensue/options.h` and "
      "`stdlib/limits.ensue`.\n\n"
      "## Bounds\n\n| name | at most | of | why |\n|---|---:|---|---|\n";
#define ENSUE_BOUND_ROW(type, name, value, unit, reason) \
  out += fmt::format("| `{}` | {} | {} | {} |\n", #name, grouped(value), unit, reason);
  ENSUE_BOUNDS(ENSUE_BOUND_ROW)
#undef ENSUE_BOUND_ROW
  out += "\n## Counters, unless a project says otherwise\n\n```ensue\n";
  for (const std::string& line : lines_of(read_text(tree_dir() / "stdlib" / "limits.ensue"))) {
    if (line.rfind("#", 0) != 0) out += line + "\n";
  }
  out += "```\n";
  return out;
}

std::string functions_page(const types::FunctionTable& functions) {
  std::string out =
      "# Functions\n\n"
      "The functions of the library. Names ignore case; a blank argument gives a blank, unless the "
      "sentence says otherwise.\n\n"
      "This page is generated from `stdlib/functions.ensue`; the examples are run as tests.\n";
  for (size_t i = 0; i < functions.size(); ++i) {
    const types::Signature& row = functions.row(types::FunctionId(i));
    out += fmt::format("\n## {}\n\n{}\n", row.text(), row.prose);
    if (row.examples.empty()) continue;
    out += "\n```ensue\n";
    for (const std::string& example : row.examples) out += example + "\n";
    out += "```\n";
  }
  return out;
}

}  // namespace

TEST_CASE("docs/diagnostics.md is what the registry says") {
  check_golden(tree_dir() / "docs" / "diagnostics.md", diagnostics_page());
}

TEST_CASE("docs/limits.md is what the tables say") {
  check_golden(tree_dir() / "docs" / "limits.md", limits_page());
}

TEST_CASE("docs/functions.md is what the library declares") {
  engine::Loaded library = load("");
  check_golden(tree_dir() / "docs" / "functions.md", functions_page(library.module->functions));
}

TEST_CASE("every function of the library has an example, and it holds") {
  engine::Loaded library = load("");
  const types::FunctionTable& functions = library.module->functions;
  REQUIRE(functions.size() > 20);
  std::string text;
  for (size_t i = 0; i < functions.size(); ++i) {
    const types::Signature& row = functions.row(types::FunctionId(i));
    if (row.examples.empty()) FAIL_CHECK(row.name << " has no example");
    for (const std::string& example : row.examples) {
      text += fmt::format(
          "test \"{} {}\"\n  given Lead \"l1\" with LastName to \"Roe\"\n  expect \"l1\" has "
          "({})\nend\n\n",
          row.name, text.size(), example);
    }
  }
  engine::Loaded loaded = load(text);
  INFO(shown(loaded));
  REQUIRE_FALSE(loaded.has_errors);
  for (const engine::TestResult& result :
       engine::run_tests(loaded.program, *loaded.module,
                         {"", 1, nullptr, [] { return adapters::make_memory_store(); }})) {
    INFO(result.name << ": " << (result.failure ? result.failure->message : result.world));
    CHECK(result.passed);
  }
}

}  // namespace ensue::testing
