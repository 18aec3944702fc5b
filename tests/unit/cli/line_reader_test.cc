#include "cli/line_reader.h"

#include <catch2/catch.hpp>

#include "support/files.h"

namespace ensue::cli {
namespace {

constexpr size_t kMax = 4 << 20;

LineReader open(const std::string& path, size_t line_bytes_max = kMax) {
  Result<LineReader> reader = LineReader::open(path, line_bytes_max);
  if (!reader) FAIL(reader.error().message);
  return std::move(*reader);
}

// The next line in brackets, or `end`.
std::string next(LineReader& reader) {
  Result<std::optional<std::string_view>> line = reader.next();
  if (!line) FAIL(line.error().message);
  return *line ? "[" + std::string(**line) + "]" : "end";
}

std::string all(LineReader& reader) {
  std::string out;
  for (std::string line = next(reader); line != "end"; line = next(reader)) out += line;
  return out;
}

}  // namespace

TEST_CASE("lines end with a line break, and the last may go without") {
  struct Row {
    const char* text;
    const char* lines;
    uint64_t count;
  };
  auto row =
      GENERATE(Row{"", "", 0}, Row{"a", "[a]", 1}, Row{"a\n", "[a]", 1}, Row{"a\nb", "[a][b]", 2},
               Row{"\n", "[]", 1}, Row{"\n\na", "[][][a]", 3}, Row{"a\r\nb\r\n", "[a\r][b\r]", 2});
  testing::TempDir dir;
  testing::write_text(dir.path() / "lines", row.text);
  LineReader reader = open(dir.file("lines"));
  CHECK(reader.size() == std::string_view(row.text).size());
  CHECK(all(reader) == row.lines);
  CHECK(reader.line_number() == row.count);
  CHECK(reader.offset() == std::string_view(row.text).size());
  CHECK(next(reader) == "end");
}

TEST_CASE("lines are whole wherever they fall in the chunks that are read") {
  testing::TempDir dir;
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += std::to_string(i) + "\n";
  REQUIRE(text.size() > (1 << 20));
  testing::write_text(dir.path() / "lines", text);
  LineReader reader = open(dir.file("lines"));
  bool same = true;
  for (int i = 0; i < 300'000; ++i) same = same && next(reader) == "[" + std::to_string(i) + "]";
  CHECK(same);
  CHECK(next(reader) == "end");
  CHECK(reader.offset() == text.size());
}

TEST_CASE("a line far too long is cut, and the next one is whole") {
  testing::TempDir dir;
  constexpr size_t kLong = 5 << 20;
  testing::write_text(dir.path() / "lines", "first\n" + std::string(kLong, 'x') + "\nlast\n");
  LineReader reader = open(dir.file("lines"), 100);
  CHECK(next(reader) == "[first]");
  std::string cut = next(reader);
  // Longer than the bound, so that who reads it sees that it is too long, and not as long as it
  // was.
  CHECK(cut.size() - 2 > 100);
  CHECK(cut.size() - 2 < kLong);
  CHECK(reader.line_number() == 2);
  CHECK(reader.offset() == 6 + kLong + 1);
  CHECK(next(reader) == "[last]");
  CHECK(next(reader) == "end");
}

TEST_CASE("a line as long as its bound is given whole") {
  testing::TempDir dir;
  testing::write_text(dir.path() / "lines", std::string(100, 'x') + "\ny\n");
  LineReader reader = open(dir.file("lines"), 100);
  CHECK(next(reader) == "[" + std::string(100, 'x') + "]");
  CHECK(next(reader) == "[y]");
}

TEST_CASE("reading goes on where a cursor stands, when the file is still the same") {
  testing::TempDir dir;
  std::string path = dir.file("lines");
  testing::write_text(path, "one\ntwo\nthree\n");
  CursorRow cursor;
  {
    LineReader reader = open(path);
    next(reader);
    next(reader);
    cursor = {"lines", reader.line_number(), reader.offset(), reader.fingerprint()};
  }
  CHECK(cursor.line == 2);
  CHECK(cursor.offset == 8);
  auto resumed = [&] {
    LineReader reader = open(path);
    Result<bool> result = reader.resume(cursor);
    REQUIRE(result);
    return std::string(*result ? "resumed " : "anew ") + all(reader);
  };
  CHECK(resumed() == "resumed [three]");
  testing::write_text(path, "one\ntwo\nthree\nfour\n");
  CHECK(resumed() == "resumed [three][four]");
  testing::write_text(path, "one\nTWO\nthree\n");
  CHECK(resumed() == "anew [one][TWO][three]");
  testing::write_text(path, "one\n");
  CHECK(resumed() == "anew [one]");
  cursor.fingerprint.clear();
  testing::write_text(path, "one\ntwo\nthree\n");
  CHECK(resumed() == "anew [one][two][three]");
}

TEST_CASE("a line number goes on with the cursor") {
  testing::TempDir dir;
  std::string path = dir.file("lines");
  testing::write_text(path, "one\ntwo\n");
  LineReader first = open(path);
  next(first);
  LineReader second = open(path);
  Result<bool> result = second.resume({"lines", 1, first.offset(), first.fingerprint()});
  REQUIRE(result);
  REQUIRE(*result);
  CHECK(next(second) == "[two]");
  CHECK(second.line_number() == 2);
}

TEST_CASE("what is no file says so") {
  testing::TempDir dir;
  Result<LineReader> folder = LineReader::open(dir.path().string(), kMax);
  REQUIRE_FALSE(folder);
  CHECK(folder.error().message == dir.path().string() + " is a folder");
  Result<LineReader> missing = LineReader::open(dir.file("none"), kMax);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kIo);
}

}  // namespace ensue::cli
