// A bare JSON value as a whole: what a service answers, what a person types.
#include "intake/json_tape.h"

#include <catch2/catch.hpp>
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
