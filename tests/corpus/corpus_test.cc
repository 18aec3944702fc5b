// The corpus: one fact of the language a file, told by the file itself.
//
// What a file expects stands in its comments:
//   # error E0202                    on this line a diagnostic of this code has its primary place
//   # error E0202 "no field"         … whose message contains this text
//   # error E0110 on line 7          the same for another line (where no comment can stand)
//   # warning W0801                  likewise for warnings
//   # fails "text"                   the sentence of a test on this line does not hold, and says so
//   # option zone Europe/Paris       the file is checked and run with this option (zone, currency,
//   as) # clean                          nothing is wrong, and that is the fact (a file without
//   tests or diagnostics says so)
// Every diagnostic must be expected and every expectation met. Tests run; those without `fails`
// pass. A file free of errors is also formatted: twice is once, and the tree stays the same.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <regex>
#include <set>

#include "adapters/memory_store.h"
#include "engine/test_runner.h"
#include "source/render.h"
#include "support/files.h"
#include "support/programs.h"
#include "syntax/parse.h"
#include "syntax/printer.h"

namespace ensue::testing {
namespace {

struct Expectation {
  std::string code;  // empty: `fails`
  uint32_t line = 0;
  std::string text;
  bool met = false;
};

struct Script {
  std::vector<Expectation> diagnostics;
  std::vector<Expectation> failures;
  ProgramOptions options;
  bool clean = false;
};

Script read_script(const std::string& text) {
  static const std::regex diagnostic(
      R"re(#\s*(error|warning)\s+([EW]\d{4})(?:\s+"([^"]*)")?(?:\s+on line (\d+))?)re");
  static const std::regex failure(R"re(#\s*fails\s+"([^"]*)")re");
  static const std::regex option(R"re(#\s*option\s+(\w+)\s+(\S+))re");
  static const std::regex clean(R"re(#\s*clean\b)re");
  Script script;
  uint32_t number = 0;
  for (const std::string& line : lines_of(text)) {
    ++number;
    for (std::sregex_iterator it(line.begin(), line.end(), diagnostic), end; it != end; ++it) {
      std::smatch match = *it;
      CHECK((match[1] == "error") == (match[2].str()[0] == 'E'));
      uint32_t at = match[4].matched ? static_cast<uint32_t>(std::stoul(match[4])) : number;
      script.diagnostics.push_back({match[2], at, match[3], false});
    }
    std::smatch match;
    if (std::regex_search(line, match, failure))
      script.failures.push_back({"", number, match[1], false});
    if (std::regex_search(line, match, option)) {
      if (match[1] == "zone") {
        script.options.zone = match[2];
      } else if (match[1] == "currency") {
        script.options.currency = match[2];
      } else if (match[1] == "as") {
        script.options.author = match[2];
      } else {
        FAIL_CHECK("line " << number << ": no option is called " << match[1]);
      }
    }
    if (std::regex_search(line, match, clean)) script.clean = true;
  }
  return script;
}

Expectation* find(std::vector<Expectation>& expectations, std::string_view code, uint32_t line,
                  std::string_view message) {
  for (Expectation& expectation : expectations) {
    bool fits = !expectation.met && expectation.code == code && expectation.line == line &&
                message.find(expectation.text) != std::string_view::npos;
    if (fits) return &expectation;
  }
  return nullptr;
}

void check_diagnostics(const engine::Loaded& loaded, Script& script) {
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    Expectation* expected = find(script.diagnostics, diagnostic.code, diagnostic.primary.place.line,
                                 diagnostic.message);
    if (expected != nullptr) {
      expected->met = true;
    } else {
      FAIL_CHECK("not expected:\n"
                 << source::render_text(std::span(&diagnostic, 1), *loaded.sources, {}));
    }
  }
  for (const Expectation& expectation : script.diagnostics) {
    if (!expectation.met)
      FAIL_CHECK("line " << expectation.line << ": no " << expectation.code << " \""
                         << expectation.text << "\"");
  }
}

void check_tests(const engine::Loaded& loaded, Script& script) {
  engine::TestOptions options;
  options.make_store = [] { return std::shared_ptr<Store>(adapters::make_memory_store()); };
  for (const engine::TestResult& result :
       engine::run_tests(loaded.program, *loaded.module, options)) {
    INFO("test \"" << result.name << "\"");
    CHECK(result.world == "");
    if (!result.failure) continue;
    uint32_t line = loaded.sources->place(result.failure->span).line;
    Expectation* expected = find(script.failures, "", line, result.failure->message);
    if (expected != nullptr) {
      expected->met = true;
    } else {
      FAIL_CHECK("line " << line << ": " << result.failure->message);
    }
  }
  for (const Expectation& expectation : script.failures) {
    if (!expectation.met)
      FAIL_CHECK("line " << expectation.line << ": does not fail with \"" << expectation.text
                         << "\"");
  }
}

// The tree's dump and its formatted text.
std::pair<std::string, std::string> formatted(const std::string& text) {
  source::SourceSet sources;
  source::FileId file = sources.add("formatted.ensue", text);
  source::DiagnosticSink sink;
  syntax::ParsedFile parsed = syntax::parse_file(sources, file, {}, sink);
  REQUIRE_FALSE(sink.has_errors());
  return {syntax::dump_tree(*parsed.tree), syntax::format_tree(*parsed.tree)};
}

void check_format(const std::string& text) {
  auto [tree, once] = formatted(text);
  auto [tree_again, twice] = formatted(once);
  CHECK(tree == tree_again);
  CHECK(once == twice);
}

void check_file(const std::filesystem::path& path) {
  std::string text = read_text(path);
  Script script = read_script(text);
  engine::Loaded loaded = load(text, script.options);
  check_diagnostics(loaded, script);
  if (!loaded.has_errors) {
    check_tests(loaded, script);
    check_format(text);
  }
  bool tells = script.clean || !script.diagnostics.empty() ||
               (loaded.module && !loaded.module->tests.empty());
  if (!tells)
    FAIL_CHECK(
        "the file shows nothing: it has no test, no expected diagnostic, and does not say `# "
        "clean`");
}

}  // namespace

TEST_CASE("the corpus holds") {
  // ENSUE_CORPUS names another folder, to try files that are being written.
  const char* given = std::getenv("ENSUE_CORPUS");
  size_t count = 0;
  for (const std::filesystem::path& path :
       files_below(given != nullptr ? given : tests_dir() / "corpus", ".ensue")) {
    ++count;
    INFO(path.string());
    check_file(path);
  }
  // An empty folder would pass.
  CHECK(count > 0);
}

}  // namespace ensue::testing
