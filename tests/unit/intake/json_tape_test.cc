// A bare JSON value as a whole: what a service answers, what a person types.
#include "intake/json_tape.h"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace ensue::intake {
namespace {

JsonTape tape() { return JsonTape({100, 4}); }

}  // namespace

TEST_CASE("a bare value is read as it stands") {
  JsonTape json = tape();
  REQUIRE(json.parse(R"( "Ren\u00e9e" )"));
  CHECK(json.node(JsonTape::kRoot).kind == JsonKind::kString);
  CHECK(json.node(JsonTape::kRoot).text == "Renée");
  CHECK(json.node(JsonTape::kRoot).next == 1);
  REQUIRE(json.parse("1.10"));
  CHECK(json.node(JsonTape::kRoot).kind == JsonKind::kNumber);
  CHECK(json.node(JsonTape::kRoot).text == "1.10");
  REQUIRE(json.parse(" true "));
  CHECK(json.node(JsonTape::kRoot).kind == JsonKind::kBoolean);
  CHECK(json.node(JsonTape::kRoot).truth);
  REQUIRE(json.parse("null"));
  CHECK(json.node(JsonTape::kRoot).kind == JsonKind::kNull);
  // An object afterwards is not in its way.
  REQUIRE(json.parse(R"({"a":[1]})"));
  CHECK(json.node(json.find(JsonTape::kRoot, "a")).child_count == 1);
}

TEST_CASE("what is no single bare value is refused") {
  for (const char* text : {"", "1,2", "1 2", "1]", "\"a\" \"b\"", "01", "1.", "\"open", "nul",
                           "tru", "true false", "\"a\nb\""}) {
    INFO(text);
    JsonTape json = tape();
    CHECK_FALSE(json.parse(text));
  }
}

// Each by a tape that has room for nothing yet: what is read past an end is then seen.
TEST_CASE("lines that end in the middle are refused") {
  std::string line = R"({"a":[{"b":"c\"d","e":[1,-2.5e3,true]},null],"f":""})";
  for (size_t size = 0; size < line.size(); ++size) {
    INFO(line.substr(0, size));
    JsonTape json({1000, 10});
    CHECK_FALSE(json.parse(line.substr(0, size)));
  }
  for (const char* open : {"[", "[[", "{", "[{", "[1,", "{\"a\":", "\"", "-", "t", "[\"\\"}) {
    INFO(open);
    JsonTape json({1000, 10});
    CHECK_FALSE(json.parse(open));
  }
  JsonTape json({1000, 10});
  CHECK(json.parse(line));
}

// As many values as tokens allow, whole or not, each by a tape that has room for nothing yet.
TEST_CASE("what a line can hold finds room") {
  std::mt19937_64 random(17);
  const std::vector<std::string> tokens = {"[", "]", "{",     "}",    ",",
                                           ":", "1", "\"a\"", "null", "\"a\":"};
  size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    // Mostly of two or three kinds, so that some are JSON and most go on for long.
    std::vector<std::string> few;
    for (int i = 0; i < 3; ++i) few.push_back(tokens[random() % tokens.size()]);
    std::string line = round % 2 == 0 ? "[" : "";
    for (size_t i = random() % 40; i > 0; --i) line += few[random() % few.size()];
    line += round % 2 == 0 ? "]" : "";
    JsonTape json({1000, static_cast<size_t>(random() % 6)});
    INFO(line);
    if (json.parse(line)) {
      ++read;
      CHECK(json.node(JsonTape::kRoot).next >= 1);
    }
  }
  CHECK(read > 200);
  for (const auto& [first, item, last] :
       std::vector<std::array<std::string, 3>>{{"[", "1", "]"},
                                               {"[", "[]", "]"},
                                               {"[", "{}", "]"},
                                               {"{", "\"a\":1", "}"},
                                               {"{", "\"a\":[]", "}"}}) {
    for (int count = 1; count < 40; ++count) {
      std::string line = first + item;
      for (int i = 1; i < count; ++i) line += "," + item;
      JsonTape json({1000, 2});
      REQUIRE(json.parse(line + last));
      CHECK(json.node(JsonTape::kRoot).child_count == static_cast<uint32_t>(count));
    }
  }
}

TEST_CASE("a short line behind a long one, and a long one behind it") {
  JsonTape json({size_t{4} << 20, 8});
  std::string items(size_t{1} << 20, '1');
  for (size_t i = 1; i < items.size(); i += 2) items[i] = ',';
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(json.parse("[" + items + "]"));  // nothing behind the last comma
    REQUIRE(json.parse("[" + items + "1]"));
    CHECK(json.node(JsonTape::kRoot).child_count == (size_t{1} << 19) + 1);
    REQUIRE(json.parse(R"({"a":"b\"c"})"));
    CHECK(json.text(JsonTape::kRoot, "a") == "b\"c");
  }
}

TEST_CASE("texts and keys are what they say, with an escape anywhere or none") {
  // Of each length, so that the closing quote stands at each place of a word.
  for (size_t size = 0; size < 40; ++size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
    std::vector<std::pair<std::string, std::string>> cases = {{text, text}};
    for (size_t at = 0; at <= size; ++at) {
      for (auto [written, read] : {std::pair("\\\"", "\""), std::pair("\\\\", "\\"),
                                   std::pair("\\n", "\n"), std::pair("\\u00e9", "é")})
        cases.emplace_back(text.substr(0, at) + written + text.substr(at),
                           text.substr(0, at) + read + text.substr(at));
    }
    for (const auto& [written, read] : cases) {
      INFO(written);
      JsonTape json({1000, 4});
      REQUIRE(json.parse("{\"" + written + "\":\"" + written + "\",\"next\":\"é\"}"));
      const JsonNode& node = json.node(1);
      CHECK(node.key == read);
      CHECK(node.text == read);
      CHECK(node.plain == (written == read));
      CHECK(json.text(JsonTape::kRoot, "next") == "é");
    }
  }
}

}  // namespace ensue::intake
