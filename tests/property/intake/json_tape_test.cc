// Lines as the tape reads them next to another reader of JSON: what is JSON for one is for the
// other, and says the same.
#include "intake/json_tape.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "support/random.h"

namespace ensue::intake {
namespace {

using Json = nlohmann::ordered_json;
using testing::Random;

constexpr size_t kNestingMax = 64;

void add_space(Random& random, std::string& out) {
  if (random.chance(85)) return;
  for (size_t i = random.below(20); i > 0; --i) out += random.word({" ", "\t", "\n", "\r"});
}

void add_text(Random& random, std::string& out, bool escapes) {
  out += '"';
  for (size_t i = random.below(random.chance(10) ? 200 : 12); i > 0; --i) {
    if (escapes && random.chance(10)) {
      out += random.word({"\\\"", "\\\\", "\\/", "\\b", "\\n", "\\u00e9", "\\ud83d\\ude00"});
    } else {
      out += random.word({"a", "Z", " ", "{", "}", "[", "]", ":", ",", "0", "-", "é", "😀", "null"});
    }
  }
  out += '"';
}

void add_value(Random& random, std::string& out, bool escapes, size_t depth) {
  add_space(random, out);
  switch (random.below(depth < 5 ? 8 : 5)) {
    case 0: out += random.word({"true", "false", "null"}); break;
    case 1:
    case 2:
      out += random.word({"0", "-0", "7", "-12", "1.10", "0.05", "1e3", "2E-2", "3.5e+1",
                          "123456789012345678", "-0.0"});
      break;
    case 3:
    case 4: add_text(random, out, escapes); break;
    case 5: {
      out += '[';
      for (size_t i = random.below(5), first = i; i > 0; --i) {
        if (i != first) out += ',';
        add_value(random, out, escapes, depth + 1);
      }
      add_space(random, out);
      out += ']';
      break;
    }
    default: {
      out += '{';
      for (size_t i = random.below(9), first = i; i > 0; --i) {
        if (i != first) out += ',';
        add_space(random, out);
        add_text(random, out, escapes);
        out.back() = static_cast<char>('0' + i);  // each key once
        out += '"';
        add_space(random, out);
        out += ':';
        add_value(random, out, escapes, depth + 1);
      }
      add_space(random, out);
      out += '}';
    }
  }
  add_space(random, out);
}

// A byte changed, taken away, put in, or the end cut off.
void damage(Random& random, std::string& line) {
  if (line.empty()) return;
  size_t at = random.below(line.size());
  std::string byte = random.word({"\"", "\\", "{", "}", "[", "]", ",",  ":",    "0",    "1",
                                  "-",  ".",  "e", "t", "n", " ", "\t", "\x01", "\xff", "\xc3"});
  switch (random.below(4)) {
    case 0: line.replace(at, 1, byte); break;
    case 1: line.erase(at, 1); break;
    case 2: line.insert(at, byte); break;
    default: line.resize(at);
  }
}

void check_same(const JsonTape& tape, uint32_t index, const Json& json) {
  const JsonNode& node = tape.node(index);
  if (json.is_null()) {
    REQUIRE(node.kind == JsonKind::kNull);
  } else if (json.is_boolean()) {
    REQUIRE(node.kind == JsonKind::kBoolean);
    REQUIRE(node.truth == json.get<bool>());
  } else if (json.is_number()) {
    REQUIRE(node.kind == JsonKind::kNumber);
    REQUIRE(std::stod(std::string(node.text)) == json.get<double>());
  } else if (json.is_string()) {
    REQUIRE(node.kind == JsonKind::kString);
    REQUIRE(node.text == json.get<std::string>());
    if (node.plain) REQUIRE(json.dump() == '"' + std::string(node.text) + '"');
  } else {
    REQUIRE(node.kind == (json.is_array() ? JsonKind::kArray : JsonKind::kObject));
    REQUIRE(node.child_count == json.size());
    uint32_t child = index + 1;
    for (const auto& [key, value] : json.items()) {
      if (json.is_object()) REQUIRE(tape.node(child).key == key);
      check_same(tape, child, value);
      child = tape.node(child).next;
    }
    REQUIRE(node.next == child);
  }
}

}  // namespace

TEST_CASE("a line means what another reader of JSON says, and is refused where that refuses it") {
  Random random(testing::test_seed());
  JsonTape tape({size_t{1} << 20, kNestingMax});
  size_t refused = 0;
  uint64_t tries = 20'000 * testing::test_effort();
  for (uint64_t i = 0; i < tries; ++i) {
    std::string line;
    add_value(random, line, random.chance(50), 0);
    for (size_t more = random.below(3); more > 0; --more) damage(random, line);
    INFO("seed " << testing::test_seed() << ", line " << i << ": " << line);
    bool fine = true;
    Json json;
    try {
      json = Json::parse(line);
    } catch (const Json::out_of_range&) {
      continue;  // a number beyond what the other one keeps
    } catch (const Json::parse_error&) {
      fine = false;
    }
    if (random.chance(10)) tape = JsonTape({size_t{1} << 20, kNestingMax});  // without any room
    REQUIRE(static_cast<bool>(tape.parse(line)) == fine);
    refused += fine ? 0 : 1;
    if (fine) check_same(tape, JsonTape::kRoot, json);
  }
  CHECK(refused > tries / 4);
  CHECK(refused < tries * 3 / 4);
}

}  // namespace ensue::intake
