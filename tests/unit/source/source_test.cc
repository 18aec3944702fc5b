#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "source/diagnostic_sink.h"
#include "source/render.h"
#include "source/source_file.h"

namespace ensue::source {

TEST_CASE("lines and columns count from 1, columns in code points") {
  SourceFile file("a.ensue", "ab\né = 1\r\n\nlast");
  auto at = [&](uint32_t offset) {
    Position p = file.position_of(offset);
    return std::pair(p.line, p.column);
  };
  CHECK(at(0) == std::pair(1u, 1u));
  CHECK(at(2) == std::pair(1u, 3u));  // the line break itself
  CHECK(at(3) == std::pair(2u, 1u));
  CHECK(at(5) == std::pair(2u, 2u));  // after é, which is two bytes
  CHECK(at(11) == std::pair(3u, 1u));
  CHECK(at(16) == std::pair(4u, 5u));  // the end of the text
  CHECK(file.line_count() == 4);
  CHECK(file.line_text(2) == "é = 1");
  CHECK(file.line_text(4) == "last");
}

TEST_CASE("an empty file has one line") {
  SourceFile file("a.ensue", "");
  CHECK(file.line_count() == 1);
  CHECK(file.line_text(1).empty());
  CHECK(file.position_of(0).line == 1);
}

TEST_CASE("the first byte that is not UTF-8 is found") {
  CHECK_FALSE(first_invalid_utf8(""));
  CHECK_FALSE(first_invalid_utf8("abc é € 😀"));
  CHECK(first_invalid_utf8("ab\xe9") == 2);             // Latin-1
  CHECK(first_invalid_utf8("a\xc0\x80") == 1);          // overlong
  CHECK(first_invalid_utf8("\xed\xa0\x80") == 0);       // a surrogate
  CHECK(first_invalid_utf8("x\xf4\x90\x80\x80") == 1);  // beyond U+10FFFF
  CHECK(first_invalid_utf8("x\xe2\x82") == 1);          // cut short
}

TEST_CASE("every kind of diagnostic has its own code and name") {
  std::set<std::string> codes;
  std::set<std::string> names;
  std::string last;
  for (const DiagnosticKindRow& row : diagnostic_kinds()) {
    INFO(row.code);
    CHECK(codes.insert(row.code).second);
    CHECK(names.insert(row.name).second);
    CHECK(last < row.code);
    last = row.code;
    CHECK((row.code[0] == 'E') == (row.severity == Severity::kError));
    std::string message = row.message;
    CHECK(message.back() != '.');
    CHECK(!(message[0] >= 'A' && message[0] <= 'Z'));
    std::string explanation = row.explanation;
    CHECK(explanation.size() > 20);
    CHECK(explanation.back() == '.');
  }
}

TEST_CASE("findings are sorted by file and place, repetitions dropped") {
  SourceSet sources;
  FileId a = sources.add("a.ensue", "one two three");
  FileId b = sources.add("b.ensue", "four");
  DiagnosticSink sink;
  sink.report(DiagnosticKind::kUnknownObject, {b, 0, 4}, {"four"});
  sink.report(DiagnosticKind::kUnknownObject, {a, 4, 7}, {"two"});
  sink.report(DiagnosticKind::kUnknownObject, {a, 0, 3}, {"one"}).here("no such object");
  sink.report(DiagnosticKind::kUnknownObject, {a, 4, 7}, {"two"});
  std::vector<Diagnostic> found = sink.diagnostics(sources);
  REQUIRE(found.size() == 3);
  CHECK(found[0].message == "there is no object `one`");
  CHECK(found[0].primary.text == "no such object");
  CHECK(found[1].primary.place.column == 5);
  CHECK(found[2].primary.place.file == "b.ensue");
}

TEST_CASE("a garbage file does not cost memory in proportion") {
  SourceSet sources;
  FileId file = sources.add("a.ensue", std::string(100, 'x'));
  DiagnosticSink sink;
  for (uint32_t i = 0; i < 3 * DiagnosticSink::kFindingsMax; ++i)
    sink.report(DiagnosticKind::kStrayCharacter, {file, i % 100, i % 100 + 1}, {"x"});
  CHECK(sink.findings().size() <= DiagnosticSink::kFindingsMax);
  CHECK(sink.error_count() == 3 * DiagnosticSink::kFindingsMax);
}

TEST_CASE("sinks merge") {
  SourceSet sources;
  FileId file = sources.add("a.ensue", "one");
  DiagnosticSink a;
  DiagnosticSink b;
  b.report(DiagnosticKind::kUnknownObject, {file, 0, 3}, {"one"});
  a.merge(std::move(b));
  CHECK(a.error_count() == 1);
  CHECK(a.diagnostics(sources).size() == 1);
}

TEST_CASE("diagnostics are shown with their line and carets") {
  SourceSet sources;
  FileId file = sources.add("a.ensue", "when Leed is\tcreated\n");
  DiagnosticSink sink;
  sink.report(DiagnosticKind::kUnknownObject, {file, 5, 9}, {"Leed"})
      .here("not declared")
      .label({file, 13, 20}, "the event")
      .note("objects are declared")
      .suggest(std::string("Lead"));
  std::vector<Diagnostic> found = sink.diagnostics(sources);
  CHECK(render_text(found, sources, {}) ==
        "error[E0201]: there is no object `Leed`\n"
        " --> a.ensue:1:6\n"
        "  |\n"
        "1 | when Leed is created\n"
        "  |      ^^^^ not declared\n"
        " --> a.ensue:1:14\n"
        "  |\n"
        "1 | when Leed is created\n"
        "  |              ------- the event\n"
        "  = note: objects are declared\n"
        "  = help: did you mean `Lead`?\n"
        "\n");
  auto json = nlohmann::json::parse(render_json(found));
  CHECK(json[0]["code"] == "E0201");
  CHECK(json[0]["place"]["begin"] == 5);
  CHECK(json[0]["labels"][0]["text"] == "the event");
  CHECK(json[0]["fix"]["replacement"] == "Lead");
  CHECK(render_counts(found) == "1 error");
  CHECK(render_counts({}) == "no problems");
}

TEST_CASE("colours are only there when asked for") {
  SourceSet sources;
  FileId file = sources.add("a.ensue", "x");
  DiagnosticSink sink;
  sink.report(DiagnosticKind::kUnknownObject, {file, 0, 1}, {"x"});
  std::vector<Diagnostic> found = sink.diagnostics(sources);
  CHECK(render_text(found, sources, {}).find('\033') == std::string::npos);
  CHECK(render_text(found, sources, {true, 20}).find('\033') != std::string::npos);
}

TEST_CASE("long lines are cut, control bytes shown as dots, diagnostics capped") {
  SourceSet sources;
  FileId file = sources.add("a.ensue", "\x01" + std::string(1000, 'a'));
  DiagnosticSink sink;
  for (uint32_t i = 0; i < 30; ++i)
    sink.report(DiagnosticKind::kStrayCharacter, {file, i * 30, i * 30 + 1}, {"a"});
  std::vector<Diagnostic> found = sink.diagnostics(sources);
  std::string text = render_text(found, sources, {});
  CHECK(text.find("1 | .aaa") != std::string::npos);
  CHECK(text.find("… and 10 more") != std::string::npos);
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    CHECK(end - begin < 260);
    begin = end + 1;
  }
}

}  // namespace ensue::source
