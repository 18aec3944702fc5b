// What the commands print and read, apart from the commands.
#include <catch2/catch.hpp>

#include "cli/command.h"
#include "cli/run_report.h"
#include "support/files.h"

namespace ensue::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("large numbers are grouped by thousands") {
  struct Row {
    uint64_t number;
    const char* text;
  };
  auto row = GENERATE(Row{0, "0"}, Row{999, "999"}, Row{1000, "1,000"}, Row{16403, "16,403"},
                      Row{999'999, "999,999"}, Row{1'000'000, "1,000,000"},
                      Row{UINT64_MAX, "18,446,744,073,709,551,615"});
  CHECK(grouped(row.number) == row.text);
}

TEST_CASE("things are counted in the singular and the plural") {
  CHECK(counted(0, "event") == "0 events");
  CHECK(counted(1, "event") == "1 event");
  CHECK(counted(2, "event") == "2 events");
  CHECK(counted(1000, "event") == "1,000 events");
  CHECK(counted(2, "entry", "entries") == "2 entries");
  CHECK(counted(1, "entry", "entries") == "1 entry");
}

TEST_CASE("columns line up, and lines have no blanks at their ends") {
  CHECK(table({}) == "");
  CHECK(table({{"a", "b"}, {"long", "c"}}) == "a     b\nlong  c\n");
  CHECK(table({{"a", "1"}, {"b", "1,000"}}, {false, true}) == "a      1\nb  1,000\n");
  CHECK(table({{"a", ""}, {"", "b"}}) == "a\n   b\n");
  CHECK(table({{"a"}, {"b", "c", "d"}}) == "a\nb  c  d\n");
  CHECK(table({{""}, {""}}) == "\n\n");
}

TEST_CASE("a column is as wide as its characters, not its bytes") {
  CHECK(table({{"Zoë", "x"}, {"Anna", "y"}}) == "Zoë   x\nAnna  y\n");
  CHECK(table({{"日本", "x"}, {"ab", "y"}}) == "日本  x\nab  y\n");
}

TEST_CASE("errors of the world, of the data and of a person have codes of their own") {
  CHECK(exit_code_of(ErrorCode::kIo) == 3);
  CHECK(exit_code_of(ErrorCode::kStorageFull) == 3);
  CHECK(exit_code_of(ErrorCode::kStoreLocked) == 3);
  CHECK(exit_code_of(ErrorCode::kStoreTooNew) == 3);
  CHECK(exit_code_of(ErrorCode::kStoreDamaged) == 3);
  CHECK(exit_code_of(ErrorCode::kCancelled) == 130);
  CHECK(exit_code_of(ErrorCode::kNotFound) == 1);
  CHECK(exit_code_of(ErrorCode::kLimitReached) == 1);
  CHECK(exit_code_of(ErrorCode::kFault) == 1);
}

TEST_CASE("options without a meaning are named, with what was meant") {
  ProgramFlags flags;
  CHECK_FALSE(flags.problem());
  flags.zone = "Europe/Pariss";
  REQUIRE(flags.problem());
  CHECK(*flags.problem() ==
        "there is no time zone \"Europe/Pariss\"; did you mean \"Europe/Paris\"?");
  flags.zone = "Europe/Paris";
  flags.currency = "EURO";
  REQUIRE(flags.problem());
  CHECK(*flags.problem() == "\"EURO\" is not a currency code of ISO 4217");
  flags.currency = "EUR";
  flags.as = "ana";
  CHECK_FALSE(flags.problem());
  CHECK(flags.options().zone == "Europe/Paris");
  CHECK(flags.options().currency == "EUR");
  CHECK(flags.options().author == "ana");
}

TEST_CASE("colours are as asked for") {
  OutputFlags flags;
  flags.color = "always";
  CHECK(flags.colored(-1));
  flags.color = "never";
  CHECK_FALSE(flags.colored(-1));
  flags.color = "auto";
  CHECK_FALSE(flags.colored(-1));  // no terminal
}

TEST_CASE("sources are the files given and those below folders, in order of path, each once") {
  testing::TempDir dir;
  for (const char* name : {"b.ensue", "a.ensue", "deep/c.ensue", "notes.txt", "d.ensue.bak"}) {
    testing::write_text(dir.path() / name, std::string("# ") + name);
  }
  std::string root = dir.path().string();
  auto found = find_sources({dir.file("b.ensue"), root, dir.file("deep/../a.ensue")});
  REQUIRE(found);
  CHECK(*found == std::vector<std::string>{dir.file("b.ensue"), dir.file("a.ensue"),
                                           dir.file("deep/c.ensue")});
  // A file that is named is taken, whatever its ending.
  CHECK(find_sources({dir.file("notes.txt")})->size() == 1);
  auto missing = find_sources({dir.file("none")});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "there is no file or folder " + dir.file("none"));
  auto read = read_sources({root});
  REQUIRE(read);
  CHECK((*read)[0].text == "# a.ensue");
}

TEST_CASE("a file that cannot be read says why") {
  testing::TempDir dir;
  CHECK(read_file(dir.path().string()).error().message == dir.path().string() + " is a folder");
  CHECK(read_file(dir.file("none")).error().message == "there is no file " + dir.file("none"));
  testing::write_text(dir.path() / "zero", std::string("a\0b\r\n", 5));
  CHECK(*read_file(dir.file("zero")) == std::string("a\0b\r\n", 5));
}

TEST_CASE("a summary adds up what its batches did") {
  RunSummary summary;
  BatchReport first;
  first.lines = 3;
  first.events = 2;
  first.duplicates = 1;
  first.statuses = {{"executed", 1}, {"suppressed", 1}};
  first.dead_letters.resize(2);
  first.unknown_fields = {{"Lead.Foo", 2}};
  BatchReport second;
  second.lines = 2;
  second.events = 1;
  second.statuses = {{"executed", 4}};
  second.unknown_fields = {{"Lead.Foo", 1}};
  summary.add(first, false);
  summary.add(second, false);
  CHECK(summary.counts.lines == 5);
  CHECK(summary.counts.events == 3);
  CHECK(summary.counts.duplicates == 1);
  CHECK(summary.status("executed") == 5);
  CHECK(summary.status("suppressed") == 1);
  CHECK(summary.status("failed") == 0);
  CHECK(summary.decisions() == 6);
  CHECK(summary.dead_letters() == 2);
  CHECK(summary.unknown_fields.at("Lead.Foo") == 3);
}

}  // namespace ensue::cli
