// A bare JSON value as a whole: what a service answers, what a person types.
#include "intake/json_tape.h"

#include <catch2/catch.hpp>

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

}  // namespace ensue::intake
