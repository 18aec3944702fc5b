// Lines that cannot be read: each says why, and none stops the next.
#include <catch2/catch.hpp>

#include "intake/event_reader.h"
#include "support/programs.h"

namespace ensue::intake {
namespace {

using Kind = LineResult::Kind;

const std::string kGood =
    R"({"entity":"Lead","ids":["1"],"kind":"create","at":"2026-01-05T14:00:00Z","set":{"LastName":"Roe"}})";

struct Fixture {
  engine::ProgramPtr program = testing::program_of("");
  Bounds bounds;
  EventReader reader{program->schema(), bounds, "stream"};

  std::string reason(std::string_view line) {
    LineResult result = reader.read(line, 1);
    CHECK(result.kind == Kind::kPoison);
    CHECK(result.events.empty());
    return result.reason;
  }
  LineResult good() { return reader.read(kGood, 1); }
};

std::string native(const std::string& members) {
  return R"({"entity":"Lead","ids":["1"],"kind":"create","at":"2026-01-05T14:00:00Z",)" + members +
         "}";
}
std::string set(const std::string& members) { return native(R"("set":{)" + members + "}"); }

}  // namespace

TEST_CASE_METHOD(Fixture, "every line cut short is refused, and the reader goes on") {
  for (size_t size = 1; size < kGood.size(); ++size) {
    INFO(kGood.substr(0, size));
    CHECK(reason(kGood.substr(0, size)).starts_with("this is not JSON: "));
  }
  CHECK(good().kind == Kind::kEvents);
}

TEST_CASE_METHOD(Fixture, "half a line says that it is half") {
  CHECK(reason(kGood.substr(0, kGood.size() / 2)) ==
        "this is not JSON: the line ends in the middle of a value");
}

TEST_CASE_METHOD(Fixture, "what is no JSON object says so") {
  struct Row {
    const char* line;
    const char* reason;
  };
  auto row =
      GENERATE(Row{"[]", "an event is a JSON object"}, Row{"\"text\"", "an event is a JSON object"},
               Row{"17", "an event is a JSON object"}, Row{"true", "an event is a JSON object"},
               Row{"{}", "this is none of the known event formats"},
               Row{R"({"hello":"world"})", "this is none of the known event formats"},
               Row{R"({"payload":17})", "this is none of the known event formats"});
  INFO(row.line);
  CHECK(reason(row.line) == row.reason);
}

TEST_CASE_METHOD(Fixture, "JSON is read strictly") {
  struct Row {
    std::string line;
    const char* reason;
  };
  auto row = GENERATE(values<Row>({
      {R"({"a":01})", "this is not JSON: a number that JSON does not allow"},
      {R"({"a":1.})", "this is not JSON: a number that JSON does not allow"},
      {R"({"a":-})", "this is not JSON: a number that JSON does not allow"},
      {R"({"a":1e})", "this is not JSON: a number that JSON does not allow"},
      {R"({"a":nul})", "this is not JSON: a word that is not null, true or false"},
      {R"({"a":tru})", "this is not JSON: a word that is not null, true or false"},
      {"{\"a\":\"\t\"}", "this is not JSON: a text holds a control character"},
      {R"({"a":"\q"})", "this is not JSON: a text holds an escape that JSON does not know"},
      {"{\"a\":\"\xff\"}", "this is not JSON: it is not UTF-8"},
      {R"({"a":1,})", "this is not JSON: a comma, a brace or a key is missing or superfluous"},
      {R"({"a" 1})", "this is not JSON: a comma, a brace or a key is missing or superfluous"},
      {R"({"a":1}{"b":2})", "this is not one JSON value: something follows the first one"},
  }));
  INFO(row.line);
  CHECK(reason(row.line) == row.reason);
}

TEST_CASE_METHOD(Fixture, "a line may be as long as its bound, and no longer") {
  bounds.event_bytes_max = 200;
  EventReader small(program->schema(), bounds, "stream");
  std::string line = kGood;
  line.insert(1, 200 - line.size(), ' ');
  REQUIRE(line.size() == 200);
  CHECK(small.read(line, 1).kind == Kind::kEvents);
  line.insert(1, " ");
  CHECK(small.read(line, 2).reason == "the line holds 201 bytes; at most 200 are read");
  CHECK(small.read(kGood, 3).kind == Kind::kEvents);
}

TEST_CASE_METHOD(Fixture, "values may be nested as deep as the bound, and no deeper") {
  // `set` stands one level down, and its member opens one more level with each bracket.
  auto nested = [](size_t depth) {
    return set(R"("Foo__c":)" + std::string(depth, '[') + std::string(depth, ']'));
  };
  size_t room = bounds.event_nesting_max - 2;
  CHECK(reader.read(nested(room), 1).kind == Kind::kEvents);
  CHECK(reason(nested(room + 1)) == "this is not JSON: it is nested too deeply");
  CHECK(reason(std::string(100'000, '[')).starts_with("this is not JSON: "));
}

TEST_CASE_METHOD(Fixture, "envelopes are opened a few deep") {
  auto wrapped = [](size_t times) {
    std::string line = kGood;
    for (size_t i = 0; i < times; ++i) line = R"({"payload":)" + line + "}";
    return line;
  };
  CHECK(reader.read(wrapped(4), 1).kind == Kind::kEvents);
  CHECK(reason(wrapped(5)) == "too many envelopes, one inside the other");
}

TEST_CASE_METHOD(Fixture, "a native line without its parts says which is missing") {
  struct Row {
    const char* line;
    const char* reason;
  };
  auto row = GENERATE(
      Row{R"({"entity":"Leed","ids":["1"],"kind":"create","at":1})", "unknown object \"Leed\""},
      Row{R"({"entity":"","ids":["1"],"kind":"create","at":1})", "the event names no object"},
      Row{R"({"entity":"Lead","ids":[],"kind":"create","at":1})", "`ids` names no record"},
      Row{R"({"entity":"Lead","kind":"create","at":1})", "`ids` names no record"},
      Row{R"({"entity":"Lead","ids":["a",""],"kind":"create","at":1})", "a record id is empty"},
      Row{R"({"entity":"Lead","ids":[null],"kind":"create","at":1})", "a record id is empty"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"merge","at":1})", "unknown kind \"merge\""},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"CREATE","at":1})", "unknown kind \"CREATE\""},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":"soon"})",
          "\"soon\" is not a date and time"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":"2026-02-30"})",
          "\"2026-02-30\" is not a date and time"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":1,"set":[1]})",
          "`set` is not an object"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":1,"before":7})",
          "`before` is not an object"});
  INFO(row.line);
  CHECK(reason(row.line) == row.reason);
}

TEST_CASE_METHOD(Fixture, "other formats without their parts") {
  struct Row {
    const char* line;
    const char* reason;
  };
  auto row = GENERATE(
      Row{R"({"ChangeEventHeader":7})", "ChangeEventHeader is not an object"},
      Row{R"({"ChangeEventHeader":{"entityName":"Lead","recordIds":["1"],"changeType":"MERGE"}})",
          "unknown changeType \"MERGE\""},
      Row{R"({"ChangeEventHeader":{"entityName":"Leed","recordIds":["1"],"changeType":"CREATE"}})",
          "unknown object \"Leed\""},
      Row{R"({"ChangeEventHeader":{"entityName":"Lead","recordIds":["1"],"changeType":"CREATE"}})",
          "the event says not when it happened"},
      Row{R"({"op":"x","source":{"table":"leads"}})", "unknown op \"x\""},
      Row{R"({"op":"u","source":{"table":"leads"},"before":{"id":1}})", "a change without `after`"},
      Row{R"({"op":"d","source":{"table":"leads"},"before":null})", "a deletion without `before`"},
      Row{R"({"op":"c","ts_ms":1,"source":{"table":"leads"},"after":{"name":"x"}})",
          "the event names no record"},
      Row{R"({"op":"c","ts_ms":1,"source":{"table":"loads"},"after":{"id":"x"}})",
          "unknown object \"loads\""},
      Row{R"({"action":"X","table":"leads"})", "unknown action \"X\""},
      Row{R"({"action":"I","table":"leads","timestamp":"2026-01-05"})",
          "a change without `columns`"},
      Row{R"({"action":"I","table":"leads","timestamp":"2026-01-05","columns":[{"name":"x","value":1}]})",
          "the event names no record"},
      Row{R"({"specversion":"1.0","id":"1"})", "a CloudEvent without data"},
      Row{R"({"specversion":"1.0","id":"1","data":"text"})", "a CloudEvent without data"},
      Row{R"({"specversion":"1.0","data_base64":"e30="})",
          "a CloudEvent with data_base64; only JSON data is read"});
  INFO(row.line);
  CHECK(reason(row.line) == row.reason);
}

TEST_CASE_METHOD(Fixture, "a value that cannot be of its field's type names the field") {
  struct Row {
    const char* members;
    const char* reason;
  };
  auto row = GENERATE(
      Row{R"("AnnualRevenue":"much")",
          "Lead.AnnualRevenue: \"much\" is not a number of at most 18 digits"},
      Row{R"("AnnualRevenue":1234567890123456789)",
          "Lead.AnnualRevenue: \"1234567890123456789\" is not a number of at most 18 digits"},
      Row{R"("AnnualRevenue":true)", "Lead.AnnualRevenue: a boolean is not a number"},
      Row{R"("DoNotCall":"maybe")", "Lead.DoNotCall: \"maybe\" is not true or false"},
      Row{R"("DoNotCall":2)", "Lead.DoNotCall: \"2\" is not true or false"},
      Row{R"("ConvertedDate":"2026-02-29")", "Lead.ConvertedDate: \"2026-02-29\" is not a date"},
      Row{R"("EmailBouncedDate":"yesterday")",
          "Lead.EmailBouncedDate: \"yesterday\" is not a date and time"},
      Row{R"("LastName":{"a":1})", "Lead.LastName: an object is not a text"},
      Row{R"("LastName":[1])", "Lead.LastName: a list is not a text"});
  INFO(row.members);
  CHECK(reason(set(row.members)) == row.reason);
  CHECK(reason(native(std::string(R"("before":{)") + row.members + "}")) == row.reason);
}

TEST_CASE_METHOD(Fixture, "a text may be as long as its bound, and no longer") {
  auto line = [](size_t size) { return set(R"("Description":")" + std::string(size, 'x') + "\""); };
  CHECK(reader.read(line(bounds.text_bytes_max), 1).kind == Kind::kEvents);
  CHECK(reason(line(bounds.text_bytes_max + 1)) ==
        "Lead.Description: a text of 131073 bytes; at most 131072 are kept");
}

TEST_CASE_METHOD(Fixture, "an event names as many records as its bound, and no more") {
  bounds.event_records_max = 3;
  auto line = [](size_t count) {
    std::string ids;
    for (size_t i = 0; i < count; ++i)
      ids += (i > 0 ? "," : "") + ("\"" + std::to_string(i) + "\"");
    return R"({"entity":"Lead","kind":"delete","at":1,"ids":[)" + ids + "]}";
  };
  CHECK(reader.read(line(3), 1).events.size() == 3);
  CHECK(reason(line(4)) == "4 records in one event; at most 3 are read");
}

TEST_CASE_METHOD(Fixture, "line ends of other systems do not matter") {
  auto line =
      GENERATE_COPY(as<std::string>(), kGood + "\r", kGood + "\r\n", kGood + "  ", "\t" + kGood);
  CHECK(reader.read(line, 1).kind == Kind::kEvents);
}

TEST_CASE_METHOD(Fixture, "an empty line is nothing") {
  auto line = GENERATE(as<std::string>(), "", "\r", "   ", " \r\n");
  CHECK(reader.read(line, 1).kind == Kind::kNothing);
}

TEST_CASE_METHOD(Fixture, "an event is known by its source and its id, else by its line") {
  auto key = [&](const std::string& members, uint64_t line, const char* source = "stream") {
    EventReader other(program->schema(), bounds, source);
    LineResult result =
        other.read(R"({"entity":"Lead","ids":["1"],"kind":"create","at":1)" + members + "}", line);
    REQUIRE(result.events.size() == 1);
    return result.events[0].key;
  };
  CHECK(key(R"(,"id":"e")", 1) == key(R"(,"id":"e")", 2));
  CHECK(key(R"(,"id":"e")", 1) != key(R"(,"id":"f")", 1));
  CHECK(key(R"(,"id":"e")", 1) != key(R"(,"id":"e")", 1, "another"));
  CHECK(key(R"(,"id":"e","source":"crm")", 1) == key(R"(,"id":"e","source":"crm")", 1, "another"));
  CHECK(key("", 1) != key("", 2));
  CHECK(key("", 1) == key("", 1));
}

TEST_CASE_METHOD(Fixture, "a change event without an id is known by transaction and sequence") {
  auto key = [&](const std::string& members, uint64_t line) {
    LineResult result = reader.read(
        R"({"ChangeEventHeader":{"entityName":"Lead","recordIds":["1"],"changeType":"UPDATE","commitTimestamp":1)" +
            members + "}}",
        line);
    REQUIRE(result.events.size() == 1);
    return result.events[0].key;
  };
  std::string first = R"(,"transactionKey":"t","sequenceNumber":1)";
  CHECK(key(first, 1) == key(first, 2));
  CHECK(key(first, 1) != key(R"(,"transactionKey":"t","sequenceNumber":2)", 1));
  CHECK(key(first, 1) != key(R"(,"transactionKey":"u","sequenceNumber":1)", 1));
  CHECK(key(R"(,"commitNumber":5)", 1) == key(R"(,"commitNumber":5)", 2));
}

TEST_CASE("the texts of one line are not multiplied without end") {
  engine::ProgramPtr program = testing::program_of("");
  Bounds bounds;
  bounds.event_bytes_max = 10'000;
  EventReader reader(program->schema(), bounds, "stream");
  auto line = [](size_t records, size_t bytes) {
    std::string ids;
    for (size_t i = 0; i < records; ++i) ids += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\"";
    return R"({"entity":"Lead","ids":[)" + ids +
           R"(],"kind":"create","at":"2026-01-05T14:00:00Z","set":{"Description":")" +
           std::string(bytes, 'x') + "\"}}";
  };
  CHECK(reader.read(line(250, 4'000), 1).kind == Kind::kEvents);
  LineResult past = reader.read(line(250, 4'001), 1);
  CHECK(past.kind == Kind::kPoison);
  CHECK(past.reason == "4001 bytes of texts for each of 250 records; at most 1000000 in all");
}

TEST_CASE("a list has the bound of a text") {
  engine::ProgramPtr program =
      testing::program_of("extend Lead\n  Tags__c as multipicklist (\"a\")\nend\n");
  Bounds bounds;
  bounds.text_bytes_max = 7;
  EventReader reader(program->schema(), bounds, "stream");
  CHECK(reader.read(set(R"("Tags__c":"aaa;bbb")"), 1).kind == Kind::kEvents);
  CHECK(reader.read(set(R"("Tags__c":["aaa","bbb"])"), 1).kind == Kind::kEvents);
  for (const char* list : {R"("aaa;bbbb")", R"(["aaa","bbbb"])"}) {
    LineResult past = reader.read(set(R"("Tags__c":)" + std::string(list)), 1);
    CHECK(past.reason == "Lead.Tags__c: a list of 8 bytes; at most 7 are kept");
  }
}

TEST_CASE("of unknown names a thousand are told apart") {
  engine::ProgramPtr program = testing::program_of("");
  Bounds bounds;
  EventReader reader(program->schema(), bounds, "stream");
  std::string members;
  for (int i = 0; i < 1'200; ++i) members += (i > 0 ? ",\"f" : "\"f") + std::to_string(i) + "\":1";
  CHECK(reader.read(set(members), 1).kind == Kind::kEvents);
  CHECK(reader.counts().unknown_fields.size() == 1'001);
  CHECK(reader.counts().unknown_fields.at("others") == 200);
}

}  // namespace ensue::intake
