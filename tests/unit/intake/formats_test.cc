// What each format of event says, and that each line is recognised by itself.
#include <catch2/catch.hpp>

#include "intake/event_reader.h"
#include "support/programs.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::intake {
namespace {

using Kind = LineResult::Kind;
using types::ChangeKind;

// A reader of the library's objects and of one whose fields show every type.
struct Fixture {
  engine::ProgramPtr program = testing::program_of(R"(
object WidgetPart
  Name as text
  UnitPrice as money
  Share as percent
  MadeOn as date
  SeenAt as datetime
  RingsAt as time
  Tags as multipicklist ("red", "green", "blue")
  Sold as boolean
end
)");
  Bounds bounds;
  EventReader reader{program->schema(), bounds, "stream"};
  uint64_t lines = 0;

  LineResult read(std::string_view line) { return reader.read(line, ++lines); }
  // The only event of a line that must have one.
  types::Event one(std::string_view line) {
    LineResult result = read(line);
    INFO(result.reason);
    REQUIRE(result.kind == Kind::kEvents);
    REQUIRE(result.events.size() == 1);
    return result.events[0];
  }
  std::string shown(const types::FieldValues& values, types::ObjectId object) const {
    std::string out;
    values.for_each([&](types::FieldId field, const Value& value) {
      if (!out.empty()) out += ", ";
      out +=
          program->schema().object(object).field(field).stored_as + "=" + value::source_text(value);
    });
    return out;
  }
  const Value& set(const types::Event& event, const char* field) const {
    types::FieldId id = program->schema().object(event.object).find_stored(field);
    REQUIRE(event.set.named().has(id));
    return event.set[id];
  }
  std::string set(const types::Event& event) const { return shown(event.set, event.object); }
  std::string before(const types::Event& event) const { return shown(event.before, event.object); }
  std::string object(const types::Event& event) const {
    return program->schema().object(event.object).name;
  }
};

std::string text(Instant instant) { return value::instant_text(instant); }

// A Salesforce payload: the members of its header, then its fields.
std::string change(const std::string& header, const std::string& fields = "") {
  return R"({"ChangeEventHeader":{"entityName":"Lead","recordIds":["00Q1"],"commitTimestamp":1767621600000,)" +
         header + "}" + (fields.empty() ? "" : "," + fields) + "}";
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a native line says everything by name") {
  types::Event event = one(
      R"({"id":"e-18","entity":"lead","ids":["00Q1"],"kind":"update","at":"2026-01-05T15:00:00Z","by":"005ana",)"
      R"("set":{"Status":"Working","AnnualRevenue":1.10},"nulled":["Rating"],"before":{"Status":"Open"}})");
  CHECK(object(event) == "Lead");
  CHECK(event.record == "00Q1");
  CHECK(event.kind == ChangeKind::kUpdate);
  CHECK(text(event.at) == "2026-01-05T15:00:00Z");
  CHECK(event.by == "005ana");
  CHECK(set(event) == R"(Status="Working", Rating=blank, AnnualRevenue=1.10)");
  CHECK(before(event) == R"(Status="Open")");
  CHECK_FALSE(event.position.ordered);
}

TEST_CASE_METHOD(Fixture, "the kinds of a native line") {
  struct Row {
    const char* kind;
    ChangeKind meant;
  };
  auto row = GENERATE(Row{"create", ChangeKind::kCreate}, Row{"update", ChangeKind::kUpdate},
                      Row{"delete", ChangeKind::kDelete}, Row{"undelete", ChangeKind::kUndelete},
                      Row{"snapshot", ChangeKind::kSnapshot});
  INFO(row.kind);
  CHECK(one(std::string(R"({"entity":"Lead","ids":["1"],"at":"2026-01-05T15:00:00Z","kind":")") +
            row.kind + "\"}")
            .kind == row.meant);
}

TEST_CASE_METHOD(Fixture, "a snapshot needs no time, any other change does") {
  CHECK(one(R"({"entity":"Lead","ids":["1"],"kind":"snapshot","set":{"LastName":"Roe"}})").at ==
        Instant{});
  CHECK(read(R"({"entity":"Lead","ids":["1"],"kind":"create"})").reason ==
        "the event says not when it happened");
}

TEST_CASE_METHOD(Fixture, "a line with several ids is an event for each, with keys of their own") {
  LineResult result = read(
      R"({"id":"e","entity":"Lead","ids":["a","b","c"],"kind":"delete","at":"2026-01-05T15:00:00Z"})");
  REQUIRE(result.events.size() == 3);
  CHECK(result.events[2].record == "c");
  CHECK(result.events[0].key != result.events[1].key);
  CHECK(result.events[1].key != result.events[2].key);
}

TEST_CASE_METHOD(Fixture, "the three envelopes of Salesforce hold the same event") {
  std::string payload =
      change(R"("changeType":"UPDATE","transactionKey":"tx","sequenceNumber":2,"commitNumber":77,)"
             R"("commitUser":"005ana","nulledFields":["Rating"])",
             R"("Status":"Working")");
  auto envelope =
      GENERATE_COPY(as<std::string>(), payload,
                    R"({"schema":"s","payload":)" + payload + R"(,"event":{"replayId":3}})",
                    R"({"data":{"schema":"s","payload":)" + payload +
                        R"(,"event":{"replayId":3}},"channel":"/data/X"})");
  INFO(envelope);
  LineResult result = read(envelope);
  CHECK(result.format == Format::kSalesforce);
  REQUIRE(result.events.size() == 1);
  const types::Event& event = result.events[0];
  CHECK(event.key == one(payload).key);
  CHECK(event.kind == ChangeKind::kUpdate);
  CHECK(event.by == "005ana");
  CHECK(text(event.at) == "2026-01-05T14:00:00Z");
  CHECK(set(event) == R"(Status="Working", Rating=blank)");
  CHECK(event.position == types::SourcePosition{true, 77, 2});
}

TEST_CASE_METHOD(Fixture, "the kinds of change of Salesforce") {
  struct Row {
    const char* type;
    Kind result;
    ChangeKind meant;
  };
  auto row = GENERATE(Row{"CREATE", Kind::kEvents, ChangeKind::kCreate},
                      Row{"UPDATE", Kind::kEvents, ChangeKind::kUpdate},
                      Row{"DELETE", Kind::kEvents, ChangeKind::kDelete},
                      Row{"UNDELETE", Kind::kEvents, ChangeKind::kUndelete},
                      Row{"GAP_CREATE", Kind::kGap, ChangeKind::kGap},
                      Row{"GAP_UPDATE", Kind::kGap, ChangeKind::kGap});
  INFO(row.type);
  LineResult result =
      read(change(std::string(R"("changeType":")") + row.type + "\"", R"("LastName":"Roe")"));
  CHECK(result.kind == row.result);
  REQUIRE(result.events.size() == 1);
  CHECK(result.events[0].kind == row.meant);
  // A gap says that something changed, not what.
  // What is created is named at once; a change is completed when it meets its record.
  std::string named =
      row.meant == ChangeKind::kCreate ? R"(Name="Roe", LastName="Roe")" : R"(LastName="Roe")";
  CHECK(set(result.events[0]) == (row.result == Kind::kGap ? "" : named));
}

TEST_CASE_METHOD(Fixture, "an overflow is a gap of the whole object") {
  auto type = GENERATE(as<std::string>(), "GAP_OVERFLOW", "OVERFLOW");
  LineResult result = read(
      R"({"ChangeEventHeader":{"entityName":"Lead","recordIds":["000000000000000AAA"],"changeType":")" +
      type + R"(","commitTimestamp":1767621600000}})");
  CHECK(result.kind == Kind::kGap);
  CHECK(result.events.empty());
  CHECK(result.reason == "Lead");
}

TEST_CASE_METHOD(Fixture, "one change event of Salesforce carries many records") {
  LineResult result = read(
      R"({"ChangeEventHeader":{"entityName":"Lead","recordIds":["a","b"],"changeType":"UPDATE",)"
      R"("commitTimestamp":1767621600000,"transactionKey":"t","sequenceNumber":1},"Status":"Open"})");
  REQUIRE(result.events.size() == 2);
  CHECK(set(result.events[0]) == set(result.events[1]));
  CHECK(result.events[0].key != result.events[1].key);
}

TEST_CASE_METHOD(Fixture, "compound fields of Salesforce are taken apart") {
  types::Event lead =
      one(change(R"("changeType":"CREATE")",
                 R"("Name":{"FirstName":"Ada","LastName":"Roe"},"Address":{"City":"Berlin"})"));
  CHECK(set(lead) == R"(Name="Ada Roe", FirstName="Ada", LastName="Roe", City="Berlin")");
}

TEST_CASE_METHOD(Fixture, "a text sent as a difference is left out and counted") {
  types::Event event = one(change(R"("changeType":"UPDATE","diffFields":["Description"])",
                                  R"("Description":"@@ -1 +1 @@","Title":"CEO")"));
  CHECK(set(event) == R"(Title="CEO")");
  CHECK(reader.counts().diffs == 1);
}

TEST_CASE_METHOD(Fixture, "the kinds of change of Debezium, bare and under a payload") {
  struct Row {
    const char* op;
    ChangeKind meant;
  };
  auto row = GENERATE(Row{"c", ChangeKind::kCreate}, Row{"u", ChangeKind::kUpdate},
                      Row{"d", ChangeKind::kDelete}, Row{"r", ChangeKind::kSnapshot});
  auto wrapped = GENERATE(false, true);
  INFO(row.op);
  std::string line =
      std::string(R"({"op":")") + row.op +
      R"(","ts_ms":1767621600000,"source":{"name":"pg","table":"widget_parts","lsn":42},)" +
      R"("before":{"id":7,"name":"Old"},"after":{"id":7,"name":"New"}})";
  types::Event event = one(wrapped ? R"({"schema":{},"payload":)" + line + "}" : line);
  CHECK(object(event) == "WidgetPart");
  CHECK(event.record == "7");
  CHECK(event.kind == row.meant);
  CHECK(event.position == types::SourcePosition{true, 42, 0});
  CHECK(text(event.at) == "2026-01-05T14:00:00Z");
  bool deleted = row.meant == ChangeKind::kDelete;
  CHECK(set(event) == (deleted ? "" : R"(Name="New")"));
  CHECK(before(event) == (deleted ? "" : R"(Name="Old")"));
}

TEST_CASE_METHOD(Fixture, "what Debezium sends beside changes") {
  CHECK(read("null").kind == Kind::kNothing);  // a tombstone
  CHECK(read(R"({"schema":null,"payload":null})").kind == Kind::kNothing);
  CHECK(read(R"({"op":"m","source":{"table":"x"},"message":{}})").kind == Kind::kNothing);
  LineResult truncated = read(R"({"op":"t","source":{"table":"leads"},"ts_ms":1})");
  CHECK(truncated.kind == Kind::kGap);
  CHECK(truncated.reason == "Lead");
}

TEST_CASE_METHOD(Fixture,
                 "columns find their fields without underscores, and unavailable values stay out") {
  types::Event event = one(
      R"({"op":"u","ts_ms":1,"source":{"table":"lead"},"after":{"Id":"L","annual_revenue":"12.50",)"
      R"("last_name":"Roe","description":"__debezium_unavailable_value"}})");
  CHECK(set(event) == R"(LastName="Roe", AnnualRevenue=12.50)");
}

TEST_CASE_METHOD(Fixture, "the actions of wal2json") {
  std::string columns =
      R"("columns":[{"name":"id","value":"L"},{"name":"last_name","value":"Roe"}])";
  std::string identity =
      R"("identity":[{"name":"id","value":"L"},{"name":"last_name","value":"Poe"}])";
  std::string head =
      R"(,"schema":"public","table":"leads","timestamp":"2026-01-05 14:00:00.5+01:00","lsn":"1/A")";
  types::Event created = one(R"({"action":"I")" + head + "," + columns + "}");
  CHECK(created.kind == ChangeKind::kCreate);
  CHECK(created.record == "L");
  CHECK(set(created) == R"(Name="Roe", LastName="Roe")");
  CHECK(text(created.at) == "2026-01-05T13:00:00.500Z");
  CHECK(created.position == types::SourcePosition{true, (uint64_t{1} << 32) + 10, 0});
  types::Event updated = one(R"({"action":"U")" + head + "," + columns + "," + identity + "}");
  CHECK(updated.kind == ChangeKind::kUpdate);
  CHECK(before(updated) == R"(LastName="Poe")");
  types::Event deleted = one(R"({"action":"D")" + head + "," + identity + "}");
  CHECK(deleted.kind == ChangeKind::kDelete);
  CHECK(deleted.record == "L");
  CHECK(read(R"({"action":"T")" + head + "}").kind == Kind::kGap);
  for (const char* mark : {"B", "C", "M"})
    CHECK(read(std::string(R"({"action":")") + mark + "\"}").kind == Kind::kNothing);
}

TEST_CASE_METHOD(Fixture, "a CloudEvent lends its source, its id and its time") {
  std::string cloud =
      R"({"specversion":"1.0","id":"c-1","source":"/crm","time":"2026-01-05T14:00:00Z","type":"x","data":)";
  types::Event native =
      one(cloud + R"({"entity":"Lead","ids":["1"],"kind":"create","set":{"LastName":"Roe"}}})");
  CHECK(text(native.at) == "2026-01-05T14:00:00Z");
  CHECK(set(native) == R"(Name="Roe", LastName="Roe")");
  // The same id from the same source is the same event, wherever it stands in the stream.
  CHECK(native.key == one(cloud + R"({"entity":"Lead","ids":["1"],"kind":"update"}})").key);
  types::Event salesforce = one(cloud + change(R"("changeType":"UPDATE")") + "}");
  CHECK(object(salesforce) == "Lead");
  types::Event debezium =
      one(cloud + R"({"op":"c","source":{"table":"leads"},"after":{"id":"9"}}})");
  CHECK(debezium.record == "9");
  CHECK(text(debezium.at) == "2026-01-05T14:00:00Z");
}

TEST_CASE_METHOD(Fixture, "each line is recognised by itself") {
  CHECK(read(R"({"entity":"Lead","ids":["1"],"kind":"snapshot"})").format == Format::kNative);
  CHECK(read(change(R"("changeType":"CREATE")")).format == Format::kSalesforce);
  CHECK(read(R"({"op":"c","ts_ms":1,"source":{"table":"leads"},"after":{"id":"9"}})").format ==
        Format::kDebezium);
  CHECK(
      read(
          R"({"action":"D","table":"leads","timestamp":"2026-01-05 14:00:00Z","identity":[{"name":"id","value":"1"}]})")
          .format == Format::kWal2json);
  CHECK(read(R"({"entity":"Lead","ids":["1"],"kind":"snapshot"})").format == Format::kNative);
  CHECK(std::string(format_name(Format::kWal2json)) == "wal2json");
}

TEST_CASE_METHOD(Fixture, "values are typed by their fields") {
  types::Event event =
      one(R"({"entity":"WidgetPart","ids":["1"],"kind":"snapshot","set":{"Name":5,)"
          R"("UnitPrice":"1234567890123456.78","Share":12.5,)"
          R"("MadeOn":"2026-02-28","SeenAt":"2026-01-05T14:00:00+02:00","RingsAt":"09:30",)"
          R"("Tags":"red; blue","Sold":"TRUE"}})");
  CHECK(set(event) ==
        R"(Name="5", UnitPrice=1234567890123456.78, Share=12.5%, MadeOn=2026-02-28, )"
        R"(SeenAt=2026-01-05T12:00:00Z, RingsAt=09:30, Tags=("red", "blue"), Sold=true)");
  CHECK(set(event, "Tags").as_list().size() == 2);
  types::Event array = one(
      R"({"entity":"WidgetPart","ids":["1"],"kind":"snapshot","set":{"Tags":["red",""],"Sold":0,"Name":null}})");
  CHECK(set(array, "Tags").as_list().size() == 1);
  CHECK(set(array, "Sold").kind() == Value::Kind::kBoolean);
  CHECK_FALSE(set(array, "Sold").truth());
  CHECK(set(array, "Name").is_blank());
}

TEST_CASE_METHOD(Fixture, "a datetime may be milliseconds, and a database's microseconds too") {
  struct Row {
    const char* line;
    const char* at;
  };
  auto row = GENERATE(
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":1767621600001})",
          "2026-01-05T14:00:00.001Z"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":"1767621600000"})",
          "2026-01-05T14:00:00Z"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":"2026-01-05"})",
          "2026-01-05T00:00:00Z"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":"2026-01-05T14:00"})",
          "2026-01-05T14:00:00Z"},
      Row{R"({"entity":"Lead","ids":["1"],"kind":"create","at":"-1"})", "1969-12-31T23:59:59.999Z"},
      Row{R"({"op":"c","source":{"table":"leads","ts_ms":1767621600000000},"after":{"id":"1"}})",
          "2026-01-05T14:00:00Z"},
      Row{R"({"op":"c","source":{"table":"leads","ts_ms":1767621600000000000},"after":{"id":"1"}})",
          "2026-01-05T14:00:00Z"});
  INFO(row.line);
  CHECK(text(one(row.line).at) == row.at);
}

TEST_CASE_METHOD(Fixture, "numbers keep the digits they were sent with") {
  auto digits =
      GENERATE(as<std::string>(), "0.10", "999999999999999999", "-0.000000000000000001", "1.50");
  types::Event event =
      one(R"({"entity":"Lead","ids":["1"],"kind":"snapshot","set":{"Score":)" + digits + "}}");
  CHECK(set(event) == "Score=" + digits);
}

TEST_CASE_METHOD(Fixture, "fields and values that nobody declared are counted, not refused") {
  types::Event event =
      one(R"({"entity":"Lead","ids":["1"],"kind":"snapshot","set":{"Foo__c":1,"Status":"Odd",)"
          R"("Rating":"Odd"},"nulled":["Bar"]})");
  // An open picklist takes the value without a word, a closed one keeps it and counts.
  CHECK(set(event) == R"(Status="Odd", Rating="Odd")");
  CHECK(reader.counts().unknown_fields ==
        std::map<std::string, uint64_t>{{"Lead.Bar", 1}, {"Lead.Foo__c", 1}});
  CHECK(reader.counts().unknown_values ==
        std::map<std::string, uint64_t>{{"Lead.Status = Odd", 1}});
}

}  // namespace ensue::intake
