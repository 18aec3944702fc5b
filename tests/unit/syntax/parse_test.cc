#include <catch2/catch.hpp>

#include "source/diagnostic_sink.h"
#include "syntax/ast.h"
#include "syntax/parse.h"
#include "syntax/printer.h"

namespace ensue::syntax {
namespace {

struct Parsed {
  source::SourceSet sources;
  source::DiagnosticSink sink;
  ParsedFile file;

  explicit Parsed(std::string text, ParseBounds bounds = {}) {
    source::FileId id = sources.add("a.ensue", std::move(text));
    file = parse_file(sources, id, bounds, sink);
  }
  std::vector<std::string> codes() const {
    std::vector<std::string> out;
    for (const Diagnostic& d : sink.diagnostics(sources))
      out.push_back(d.code + " " + std::to_string(d.primary.place.line));
    return out;
  }
  size_t declarations() const { return file.tree->children(file.tree->root()).size(); }
};

const char* kAction =
    "action \"A\" by \"ana\"\n"
    "  when Lead is created\n"
    "  for my records\n"
    "  if Rating is \"Hot\"\n"
    "  then add it to cadence \"C\"\n"
    "end\n";

}  // namespace

TEST_CASE("the tokens of a tree are its source, byte for byte") {
  std::string text = std::string("\xEF\xBB\xBF# first\r\n") + kAction + "\n\t# é last";
  Parsed parsed(text);
  CHECK(parsed.codes().empty());
  std::string joined;
  uint32_t at = 0;
  for (const Token& token : parsed.file.tree->tokens()) {
    CHECK(token.begin == at);
    at = token.end;
    joined += text.substr(token.begin, token.end - token.begin);
  }
  CHECK(joined == text);
}

TEST_CASE("a broken declaration does not hide the ones around it") {
  std::string broken = "action \"B\" by \"ana\"\n  when Lead is\nend\n";
  Parsed parsed(std::string(kAction) + broken + kAction + broken + kAction);
  CHECK(parsed.codes() == std::vector<std::string>{"E0109 9", "E0109 18"});
  CHECK(parsed.declarations() == 3);
  REQUIRE(parsed.file.broken.size() == 2);
  CHECK(parsed.file.broken[0].word == "action");
  CHECK(parsed.file.broken[0].name == "B");
}

TEST_CASE("a missing end is told where the next declaration begins, or at the end") {
  std::string open(kAction);
  open.resize(open.size() - 4);
  CHECK(Parsed(open + kAction).codes() == std::vector<std::string>{"E0110 5"});
  CHECK(Parsed(open).codes() == std::vector<std::string>{"E0110 5"});
  CHECK(Parsed(open + kAction).declarations() == 1);
}

TEST_CASE("words in the text of a block do not begin declarations") {
  Parsed parsed(
      "template \"T\"\n  subject \"s\"\n  body \"\"\"\naction \"x\" is no declaration\nend\n  "
      "\"\"\"\nend\n" +
      std::string(kAction));
  CHECK(parsed.codes().empty());
  CHECK(parsed.declarations() == 2);
}

TEST_CASE("an empty file, and one of blanks and comments, are programs") {
  CHECK(Parsed("").codes().empty());
  CHECK(Parsed("\n  \n# nothing here").codes().empty());
  CHECK(Parsed("").declarations() == 0);
}

TEST_CASE("bounds hold at the edge and refuse one past it") {
  auto nested = [](int depth) {
    return "action \"A\" by \"ana\"\n  when Lead is created\n  for my records\n  if " +
           std::string(static_cast<size_t>(depth), '(') + "Rating is \"Hot\"" +
           std::string(static_cast<size_t>(depth), ')') + "\n  then add it to cadence \"C\"\nend\n";
  };
  ParseBounds bounds;
  CHECK(Parsed(nested(200), bounds).codes().empty());
  CHECK(Parsed(nested(201), bounds).codes() == std::vector<std::string>{"E0108 4"});
  CHECK(Parsed(nested(100'000), bounds).codes() == std::vector<std::string>{"E0108 4"});
  bounds.source_bytes_max = 150;
  CHECK(Parsed(std::string(150, ' '), bounds).codes().empty());
  CHECK(Parsed(std::string(151, ' '), bounds).codes() == std::vector<std::string>{"E0102 1"});
}

TEST_CASE("text that is not UTF-8 is refused at its byte") {
  Parsed parsed("# caf\xe9\n" + std::string(kAction));
  CHECK(parsed.codes() == std::vector<std::string>{"E0101 1"});
}

TEST_CASE("a long chain of conditions is no deeper than a short one") {
  std::string text =
      "action \"A\" by \"ana\"\n  when Lead is created\n  for my records\n  if Rating is \"Hot\"";
  for (int i = 0; i < 20'000; ++i) text += " or Rating is \"Hot\"";
  Parsed parsed(text + "\n  then add it to cadence \"C\"\nend\n");
  CHECK(parsed.codes().empty());
}

TEST_CASE("garbage costs no more than its size") {
  // Each of a line of brackets could begin a name: once they were read to the end of the line each.
  Parsed brackets(std::string(300'000, '['));
  CHECK(brackets.sink.error_count() == 20);
  // A file of broken declarations is given up.
  std::string broken;
  for (int i = 0; i < 1'200; ++i) broken += "action \"A\"\n";
  Parsed given_up(broken);
  CHECK(given_up.sink.error_count() == 1'000);
  CHECK(given_up.file.broken.size() == 1'000);
}

TEST_CASE("keywords may be written in any letter case, and are formatted in lower case") {
  std::string shouted =
      "ACTION \"A\" BY \"ana\"\n  WHEN Lead IS Created\n  For MY Records\n  IF Rating Is \"Hot\"\n "
      " THEN Add IT To CADENCE \"C\"\nEND\n";
  Parsed parsed(shouted);
  CHECK(parsed.codes().empty());
  CHECK(format_tree(*parsed.file.tree) == kAction);
}

TEST_CASE("a session tells an unfinished sentence from a wrong one") {
  auto session = [](const char* text) {
    source::SourceSet sources;
    source::DiagnosticSink sink;
    source::FileId id = sources.add("repl", text);
    ParsedSession parsed = parse_session(sources, id, {}, sink);
    if (parsed.incomplete) return "incomplete";
    return sink.has_errors() ? "wrong" : "whole";
  };
  CHECK(std::string(session("1 + 1")) == "whole");
  CHECK(std::string(session("given Lead \"l1\"")) == "whole");
  CHECK(std::string(session("action \"A\" by \"ana\"")) == "incomplete");
  CHECK(std::string(session("action \"A\" by \"ana\"\n when Lead is created")) == "incomplete");
  CHECK(std::string(session(kAction)) == "whole");
  CHECK(std::string(session("action \"A\" of \"ana\"")) == "wrong");
  CHECK(std::string(session("1 +")) == "incomplete");
  CHECK(std::string(session(")")) == "wrong");
}

}  // namespace ensue::syntax
