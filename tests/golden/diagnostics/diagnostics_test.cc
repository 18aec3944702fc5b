// What people read when something is wrong: one file for each kind of diagnostic, and what `ensue
// check` prints about it.
//
// A file is named after its kind: `E0202_unknown_field.ensue`, beside it `E0202_unknown_field.txt`.
// Its first line says in one sentence what is wrong. The text is what `ensue check
// E0202_unknown_field.ensue` prints in this folder, byte for byte.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "check/check.h"
#include "source/diagnostic_sink.h"
#include "source/render.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/programs.h"

namespace ensue::testing {
namespace {

namespace fs = std::filesystem;

// Kinds without a file here, and why. Those marked "below" have a test of their own at the end of
// this file.
const std::map<std::string, std::string> kWithoutFile = {
    {"E0102", "a file larger than 16 MiB does not belong into a repository; below"},
    {"E0205", "only told when records are given with `--records`; below"},
};

fs::path folder() { return tests_dir() / "golden" / "diagnostics"; }

// `E0202_unknown_field`: how the file of a kind is called.
std::string stem_of(const source::DiagnosticKindRow& row) {
  std::string name = row.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return std::string(row.code) + "_" + name;
}

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

engine::Loaded load_file(const fs::path& path) {
  return engine::load_program(
      {{{path.filename().string(), read_text(path)}}, {}, nullptr, nullptr});
}

// The diagnostics and the last line of `ensue check`, without colours.
std::string printed(const engine::Loaded& loaded) {
  size_t automations = 0;
  for (const check::Automation& automation : loaded.module->automations) {
    automations += loaded.module->file(automation.declaration.file).library ? 0 : 1;
  }
  return source::render_text(loaded.diagnostics, *loaded.sources, {}) +
         fmt::format("{}: {} in 1 file\n", source::render_counts(loaded.diagnostics),
                     counted(automations, "automation"));
}

void check_file(const fs::path& path) {
  std::string code = path.stem().string().substr(0, 5);
  std::vector<std::string> lines = lines_of(read_text(path));
  REQUIRE_FALSE(lines.empty());
  if (lines[0].rfind("# ", 0) != 0) FAIL_CHECK("the first line does not say what is wrong");
  engine::Loaded loaded = load_file(path);
  bool shown = std::any_of(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                           [&](const Diagnostic& diagnostic) { return diagnostic.code == code; });
  if (!shown) FAIL_CHECK("the file does not show " << code);
  fs::path golden = path;
  check_golden(golden.replace_extension(".txt"), printed(loaded));
}

}  // namespace

TEST_CASE("each file shows its diagnostic as `ensue check` prints it") {
  std::vector<fs::path> files = files_below(folder(), ".ensue");
  CHECK_FALSE(files.empty());
  for (const fs::path& path : files) {
    INFO(path.string());
    check_file(path);
  }
}

TEST_CASE("each kind of diagnostic has a file, and each file a kind") {
  std::set<std::string> stems;
  for (const source::DiagnosticKindRow& row : source::diagnostic_kinds()) {
    std::string stem = stem_of(row);
    stems.insert(stem);
    bool there = fs::exists(folder() / (stem + ".ensue"));
    bool excused = kWithoutFile.count(row.code) != 0;
    if (!there && !excused) FAIL_CHECK("no " << stem << ".ensue shows this kind");
    if (there && excused)
      FAIL_CHECK(stem << ".ensue is there, so the list of exceptions need not name it");
  }
  for (const char* suffix : {".ensue", ".txt"}) {
    for (const fs::path& path : files_below(folder(), suffix)) {
      if (stems.count(path.stem().string()) == 0)
        FAIL_CHECK(path.string() << " is named after no kind");
      if (!fs::exists(fs::path(path).replace_extension(".ensue")))
        FAIL_CHECK(path.string() << " has no source");
    }
  }
  for (const auto& [code, reason] : kWithoutFile) {
    INFO(code << ": " << reason);
    CHECK(std::any_of(stems.begin(), stems.end(), [&code = code](const std::string& stem) {
      return stem.rfind(code, 0) == 0;
    }));
  }
}

TEST_CASE("a file that is too large is refused whole") {
  ProgramOptions options;
  options.bounds.source_bytes_max = 1 << 20;
  std::string text = "# A long comment, and so a long file.\n" + std::string((1 << 20) - 37, '#');
  engine::Loaded loaded = load(text, options);
  CHECK(
      shown(loaded) ==
      "error[E0102]: the file holds 1048577 bytes; at most 1048576 are read\n --> test.ensue\n\n");
}

TEST_CASE("a user whom the records do not hold is wrong") {
  const std::string text =
      "action \"Hot leads\" by \"anna\"\n"
      "  when Lead is created\n"
      "  for my records\n"
      "  then add it to cadence \"Outreach\", assigned to user \"bob\"\n"
      "end\n";
  check::KnownRecords known;
  known.users = {"anne", "bobby"};
  known.cadences = {"Outreach"};
  const std::string told =
      shown(engine::load_program({{{"test.ensue", text}}, {}, &known, nullptr}));
  const std::string first =
      "error[E0205]: no user among the records is called \"anna\"\n"
      " --> test.ensue:1:23\n"
      "  |\n"
      "1 | action \"Hot leads\" by \"anna\"\n"
      "  |                       ^^^^^^\n";
  CHECK(told.rfind(first, 0) == 0);
  CHECK(told.find("no user among the records is called \"bob\"") != std::string::npos);
}

}  // namespace ensue::testing
