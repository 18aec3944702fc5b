// The formatter and the parser on every file of the tree and on broken copies of them: formatting
// twice is formatting once and keeps the tree; a file with mistakes never crashes the parser or the
// checker, and every place they name lies inside it.
#include <catch2/catch.hpp>

#include "source/diagnostic_sink.h"
#include "support/conditions.h"
#include "support/files.h"
#include "support/programs.h"
#include "support/random.h"
#include "syntax/parse.h"
#include "syntax/printer.h"

namespace ensue::testing {
namespace {

struct Parsed {
  source::SourceSet sources;
  source::DiagnosticSink sink;
  syntax::ParsedFile file;
  explicit Parsed(const std::string& text) {
    source::FileId id = sources.add("test.ensue", text);
    file = syntax::parse_file(sources, id, {}, sink);
  }
};

std::vector<std::string> all_sources() {
  std::vector<std::string> out;
  for (const char* folder : {"tests/corpus", "tests/golden", "stdlib", "examples", "flows"}) {
    std::filesystem::path dir = tree_dir() / folder;
    if (!std::filesystem::exists(dir)) continue;
    for (const auto& path : files_below(dir, ".ensue")) out.push_back(read_text(path));
  }
  return out;
}

// False when the text has mistakes, which are not the formatter's matter.
bool check_format(const Parsed& parsed) {
  if (parsed.sink.has_errors()) return false;
  std::string once = syntax::format_tree(*parsed.file.tree);
  Parsed again(once);
  INFO("formatted once:\n" << once);
  REQUIRE_FALSE(again.sink.has_errors());
  CHECK(syntax::dump_tree(*parsed.file.tree) == syntax::dump_tree(*again.file.tree));
  CHECK(syntax::format_tree(*again.file.tree) == once);
  return true;
}

bool inside(const Place& place, size_t size) {
  return place.file != "test.ensue" ||
         (place.begin <= place.end && place.end <= size && place.line >= 1 && place.column >= 1);
}

void check_places(const std::vector<Diagnostic>& diagnostics, const std::string& text) {
  for (const Diagnostic& diagnostic : diagnostics) {
    INFO(diagnostic.code << " " << diagnostic.message);
    CHECK(diagnostic.primary.place.file == "test.ensue");
    CHECK(inside(diagnostic.primary.place, text.size()));
    for (const Label& label : diagnostic.labels) CHECK(inside(label.place, text.size()));
    if (diagnostic.fix) CHECK(inside(diagnostic.fix->place, text.size()));
  }
}

// The tokens of a text, blanks and comments included.
std::vector<std::string> tokens_of(const std::string& text) {
  Parsed parsed(text);
  std::vector<std::string> out;
  for (const syntax::Token& token : parsed.file.tree->tokens())
    out.push_back(text.substr(token.begin, token.end - token.begin));
  return out;
}

std::string mutated(Random& random, std::vector<std::string> tokens,
                    const std::vector<std::string>& others) {
  for (int64_t i = random.between(1, 4); i > 0 && !tokens.empty(); --i) {
    size_t at = random.below(tokens.size());
    auto here = tokens.begin() + static_cast<std::ptrdiff_t>(at);
    switch (random.below(7)) {
      case 0: tokens.erase(here); break;
      case 1: tokens.insert(here, " " + tokens[at] + " "); break;
      case 2: std::swap(tokens[at], tokens[random.below(tokens.size())]); break;
      case 3: tokens[at] = random.pick(others); break;
      case 4: tokens.insert(here, " " + random.pick(others) + " "); break;
      case 5: tokens.resize(at); break;
      default:
        tokens[at] = random.word({"\"",
                                  "(",
                                  ")",
                                  "end",
                                  "{",
                                  "\"{\"",
                                  "\"\"\"",
                                  "[",
                                  "# ",
                                  "2026-02-30",
                                  "1e999",
                                  "99999999999999999999",
                                  "\xC3",
                                  "\xEF\xBB\xBF",
                                  "é",
                                  "\t",
                                  "\r\n",
                                  "\x01",
                                  "not",
                                  "30 days",
                                  "\"\\u{110000}\""});
    }
  }
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

}  // namespace

TEST_CASE("formatting twice is formatting once, and keeps the tree") {
  size_t formatted = 0;
  for (const std::string& text : all_sources()) {
    INFO(text);
    if (check_format(Parsed(text))) ++formatted;
  }
  CHECK(formatted >= 20);
}

TEST_CASE("random conditions survive formatting") {
  Random random(test_seed());
  engine::ProgramPtr library = program_of("");
  const types::Schema& schema = library->schema();
  ConditionOptions options;
  options.tests_max = 9;
  for (uint64_t i = 0; i < 200 * test_effort(); ++i) {
    ConditionWriter writer(schema, random, options);
    std::string object = random.word({"Lead", "Case", "Opportunity", "Contact"});
    Sentence sentence = writer.condition(schema.find_object(object));
    std::string written = random.chance(20) ? writer.numbered(sentence) : sentence.written();
    std::string text =
        "flow \"F\" when " + object + " is created and meets " + written + " log \"x\" end\n";
    INFO("ENSUE_SEED=" << test_seed() << "\n" << text);
    REQUIRE(check_format(Parsed(text)));
  }
}

TEST_CASE("broken files are told about, with places inside them") {
  Random random(test_seed());
  std::vector<std::vector<std::string>> files;
  std::vector<std::string> all;
  for (const std::string& text : all_sources()) {
    if (text.size() > 6'000) continue;  // small files break in more ways a second
    files.push_back(tokens_of(text));
    all.insert(all.end(), files.back().begin(), files.back().end());
  }
  REQUIRE_FALSE(files.empty());
  size_t whole = 0;
  const uint64_t count = 400 * test_effort();
  for (uint64_t i = 0; i < count; ++i) {
    std::string text = mutated(random, random.pick(files), all);
    INFO("ENSUE_SEED=" << test_seed() << ", number " << i << "\n" << text);
    Parsed parsed(text);
    check_places(parsed.sink.diagnostics(parsed.sources), text);
    if (check_format(parsed)) ++whole;
    if (i % 8 == 0) check_places(load(text).diagnostics, text);
  }
  INFO(whole << " of " << count << " had no mistakes");
  CHECK(whole > 0);
  CHECK(whole < count);
}

}  // namespace ensue::testing
