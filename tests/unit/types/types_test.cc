#include <algorithm>
#include <catch2/catch.hpp>

#include "support/programs.h"
#include "types/event.h"
#include "types/member_writer.h"
#include "types/record.h"
#include "types/schema.h"
#include "value/decimal.h"
#include "value/text.h"

namespace ensue::types {
namespace {

using K = TypeKind;

Type type(K kind) { return Type::of(kind); }
Type list(K kind) { return {kind, true, {}, {}}; }

const engine::Program& library() {
  static engine::ProgramPtr program = testing::program_of(R"(
object Widget labelled "Spare Part"
  Name as text labelled "Part Name"
  Sold as boolean
  Kept as boolean, default true
  Price as money
  CurrencyIsoCode as text
  Maker as lookup to Account stored as MakerId, children Widgets
  Holder as lookup to User, Queue stored as HolderId
end
extend Lead
  Region__c as text labelled "Region"
end)");
  return *program;
}
const Schema& schema() { return library().schema(); }
ObjectId object(const char* name) { return schema().find_object(name); }

}  // namespace

TEST_CASE("what can be compared with what") {
  struct Row {
    Type left;
    Type right;
    bool fits;
  };
  auto row = GENERATE(values<Row>({
      {type(K::kText), type(K::kPicklist), true},
      {type(K::kText), type(K::kNumber), false},
      {type(K::kMoney), type(K::kNumber), true},
      {type(K::kMoney), type(K::kPercent), false},
      {type(K::kPercent), type(K::kNumber), false},
      {type(K::kDate), type(K::kDatetime), true},
      {type(K::kDate), type(K::kTime), false},
      {type(K::kRecord), type(K::kId), true},
      {type(K::kRecord), type(K::kNumber), false},
      {type(K::kMultipicklist), type(K::kText), true},
      {type(K::kMultipicklist), type(K::kMultipicklist), true},
      {type(K::kMultipicklist), type(K::kNumber), false},
      {type(K::kBlank), type(K::kNumber), true},
      {type(K::kError), type(K::kText), true},
      {type(K::kAny), type(K::kBoolean), true},
      {list(K::kText), type(K::kText), false},
      {list(K::kText), list(K::kText), true},
      {type(K::kBoolean), type(K::kText), false},
      {type(K::kDuration), type(K::kDuration), true},
      {type(K::kDuration), type(K::kDate), false},
  }));
  INFO(type_kind_name(row.left.kind) << " and " << type_kind_name(row.right.kind));
  CHECK(comparable(row.left, row.right) == row.fits);
  if (!row.left.is(K::kMultipicklist)) CHECK(comparable(row.right, row.left) == row.fits);
}

TEST_CASE("what can be stored in what") {
  struct Row {
    Type field;
    Type value;
    bool fits;
  };
  auto row = GENERATE(values<Row>({
      {type(K::kText), type(K::kEmail), true},
      {type(K::kText), type(K::kNumber), false},
      {type(K::kLongText), type(K::kPicklist), true},
      {type(K::kEmail), type(K::kText), true},
      {type(K::kId), type(K::kRecord), true},
      {type(K::kEmail), type(K::kRecord), false},
      {type(K::kRecord), type(K::kText), true},
      {type(K::kRecord), type(K::kNumber), false},
      {type(K::kMultipicklist), type(K::kText), true},
      {type(K::kPicklist), type(K::kMultipicklist), false},
      {type(K::kMoney), type(K::kNumber), true},
      {type(K::kNumber), type(K::kMoney), false},
      {type(K::kNumber), type(K::kPercent), false},
      {type(K::kDate), type(K::kDatetime), true},
      {type(K::kTime), type(K::kDatetime), false},
      {type(K::kBoolean), type(K::kBlank), true},
      {type(K::kBoolean), type(K::kText), false},
      {type(K::kText), list(K::kText), false},
  }));
  INFO(type_kind_name(row.field.kind) << " from " << type_kind_name(row.value.kind));
  CHECK(assignable(row.field, row.value) == row.fits);
}

TEST_CASE("the words of types") {
  for (const char* word : {"boolean", "number", "percent", "money", "text", "long text", "email",
                           "phone", "url", "id", "date", "datetime", "time"}) {
    INFO(word);
    auto kind = type_kind_of(word);
    REQUIRE(kind);
    CHECK(std::string(type_kind_name(*kind)) == word);
  }
  CHECK(type_kind_of("DateTime") == K::kDatetime);
  CHECK_FALSE(type_kind_of("picklist"));
  CHECK_FALSE(type_kind_of("record"));
  CHECK_FALSE(type_kind_of("integer"));
}

TEST_CASE("objects are found by name; spoken, also by label and in the plural") {
  CHECK(schema().find_object("lEAD") == object("Lead"));
  CHECK_FALSE(schema().find_object("Leads"));
  CHECK_FALSE(schema().find_object("Spare Part"));
  CHECK(schema().find_object_spoken("spare part") == object("Widget"));
  CHECK(schema().find_object_spoken("Spare Parts") == object("Widget"));
  CHECK(schema().find_object_spoken("Opportunities") == object("Opportunity"));
  CHECK(schema().find_object_spoken("Cases") == object("Case"));
  CHECK(schema().find_object_spoken("leads") == object("Lead"));
  CHECK_FALSE(schema().find_object_spoken("Leadz"));
  CHECK_FALSE(schema().find_object_spoken(""));
}

TEST_CASE("fields are found by both names, and by label where people speak") {
  const Object& widget = schema().object(object("Widget"));
  FieldId maker = widget.find_stored("MAKER");
  REQUIRE(maker);
  CHECK(widget.find_stored("makerid") == maker);
  CHECK(widget.field(maker).stored_as == "MakerId");
  CHECK_FALSE(widget.find_stored("Part Name"));
  CHECK(widget.find("part name") == widget.find_stored("Name"));
  CHECK(widget.find_stored("Id") == kIdField);
  CHECK(schema().object(object("Lead")).find("Region"));
  std::vector<std::string> names = schema().field_names(object("Widget"));
  CHECK(std::count(names.begin(), names.end(), "MakerId") == 1);
  CHECK(std::count(names.begin(), names.end(), "Name") == 1);
}

TEST_CASE("lookups are found from the other end") {
  ObjectId widget = object("Widget");
  CHECK(schema().lookups_to(widget, object("Account")).size() == 1);
  CHECK(schema().lookups_to(widget, object("Queue")).size() == 1);
  CHECK(schema().lookups_to(widget, object("Lead")).empty());
  FieldRef widgets = schema().find_children(object("Account"), "widgets");
  CHECK(widgets.object == widget);
  CHECK(schema().field(widgets).name == "Maker");
  CHECK_FALSE(schema().find_children(object("Lead"), "widgets").object.valid());
}

TEST_CASE("types are named for messages") {
  const Object& widget = schema().object(object("Widget"));
  CHECK(schema().type_name(widget.field(widget.find("Holder")).type) == "User or Queue");
  CHECK(schema().type_name(list(K::kText)) == "list of text");
  CHECK(schema().type_name(schema().record_type(object("Lead"))) == "Lead");
}

TEST_CASE("picklist values are found in their declared spelling") {
  Picklist picklist{{"Open", "Working"}, false};
  REQUIRE(picklist.find("oPEN") != nullptr);
  CHECK(*picklist.find("oPEN") == "Open");
  CHECK(picklist.find("Opened") == nullptr);
}

TEST_CASE("a condition reads booleans that are never blank, money with a currency, and the id") {
  const Object& widget = schema().object(object("Widget"));
  Record record{object("Widget"), "w1", {}, false};
  Currency eur = Currency::of("EUR");
  auto read = [&](const char* field) {
    return value::source_text(read_field(schema(), record, widget.find(field), eur));
  };
  CHECK(read("Id") == "\"w1\"");
  CHECK(read("Sold") == "false");
  CHECK(read("Kept") == "true");
  CHECK(read("Name") == "blank");
  CHECK(read("Price") == "blank");
  record.fields.set(widget.find("Kept"), Value::boolean(false));
  record.fields.set(widget.find("Price"), Value::money(*value::parse_decimal("12.50"), {}));
  CHECK(read("Kept") == "false");
  CHECK(read("Price") == "12.50 EUR");
  record.fields.set(widget.find("CurrencyIsoCode"), Value::text("USD"));
  CHECK(read("Price") == "12.50 USD");
  record.fields.set(widget.find("CurrencyIsoCode"), Value::text("money"));
  CHECK(read("Price") == "12.50 EUR");
}

TEST_CASE("a set of fields holds what was added, over the borders of its words") {
  FieldSet set;
  CHECK(set.empty());
  for (size_t index : {0, 63, 64, 200}) {
    CHECK_FALSE(set.has(FieldId(index)));
    set.add(FieldId(index));
    CHECK(set.has(FieldId(index)));
  }
  CHECK_FALSE(set.empty());
  CHECK_FALSE(set.has(FieldId(size_t{1})));
  CHECK_FALSE(set.has(FieldId(size_t{65})));
  CHECK_FALSE(set.has(FieldId(size_t{100'000})));
}

TEST_CASE("a set of fields counts, ranks, and goes through its members in order") {
  FieldSet set;
  for (size_t index : {200, 3, 64}) set.add(FieldId(index));
  CHECK(set.size() == 3);
  CHECK(set.rank(FieldId(size_t{3})) == 0);
  CHECK(set.rank(FieldId(size_t{64})) == 1);
  CHECK(set.rank(FieldId(size_t{200})) == 2);
  CHECK(set.rank(FieldId(size_t{5'000})) == 3);
  std::vector<uint32_t> seen;
  set.for_each([&](FieldId field) { seen.push_back(field.index); });
  CHECK(seen == std::vector<uint32_t>{3, 64, 200});
  set.remove(FieldId(size_t{64}));
  set.remove(FieldId(size_t{9'000}));  // was never there
  CHECK(set.size() == 2);
  FieldSet more;
  more.add(FieldId(size_t{1'000}));
  set.add_all(more);
  CHECK(set.has(FieldId(size_t{1'000})));
  for (size_t index : {3, 200, 1'000}) set.remove(FieldId(index));
  CHECK(set.empty());
}

TEST_CASE("a record keeps the values that are not blank, whatever is set in which order") {
  auto field = [](size_t index) { return FieldId(index); };
  Fields fields;
  CHECK(fields[field(7)].is_blank());
  FieldValuesMaker maker;
  for (size_t index : {9, 2, 140}) maker.set(field(index), Value::number(int64_t(index)));
  maker.set(field(5), Value());
  fields.set_all(maker.take());
  auto shown = [](const Fields& of) {
    std::string out;
    of.for_each([&](FieldId id, const Value& value) {
      out += std::to_string(id.index) + "=" + value::plain_text(value) + " ";
    });
    return out;
  };
  CHECK(shown(fields) == "2=2 9=9 140=140 ");
  Fields copy = fields;
  copy.set(field(9), Value());
  copy.set(field(5), Value::text("five"));
  copy.set(field(2), Value::text("two"));
  copy.set(field(77), Value());  // had none
  CHECK(shown(copy) == "2=two 5=five 140=140 ");
  CHECK(shown(fields) == "2=2 9=9 140=140 ");
  FieldSet changed = differing(fields, copy);
  CHECK(changed.size() == 3);
  CHECK(changed.has(field(2)));
  CHECK(changed.has(field(5)));
  CHECK(changed.has(field(9)));
  CHECK(differing(copy, copy).empty());
  // Into one that has values: some stay, some go, some come; of a field named twice the last.
  maker.set(field(140), Value());
  maker.set(field(1), Value::text("one"));
  maker.set(field(2), Value::text("once"));
  maker.set(field(2), Value::text("twice"));
  maker.set(field(5), Value::text("gone"));
  maker.set(field(5), Value());
  copy.set_all(maker.take());
  CHECK(shown(copy) == "1=one 2=twice ");
  CHECK(maker.take().empty());
  // Nothing given changes nothing; into one that has none all go that are not blank.
  copy.set_all({});
  CHECK(shown(copy) == "1=one 2=twice ");
}

TEST_CASE("values given to fields name the blank ones too") {
  auto field = [](size_t index) { return FieldId(index); };
  FieldValues given;
  CHECK(given.empty());
  given.set(field(3), Value());
  given.set(field(130), Value::number(1));
  given.set(field(1), Value::text("one"));
  given.set(field(1), Value::text("first"));
  CHECK(given.size() == 3);
  CHECK(given.named().has(field(3)));
  CHECK_FALSE(given.named().has(field(2)));
  CHECK(given[field(3)].is_blank());
  CHECK(given[field(1)].as_text() == "first");
  std::string shown;
  given.for_each([&](FieldId id, const Value& value) {
    shown += std::to_string(id.index) + "=" + value::source_text(value) + " ";
  });
  CHECK(shown == "1=\"first\" 3=blank 130=1 ");
  // What the maker gives has room for one more: none of the others is moved.
  FieldValuesMaker maker;
  for (size_t index : {8, 4}) maker.set(field(index), Value::number(int64_t(index)));
  FieldValues made = maker.take();
  const Value* before = &made[field(4)];
  made.set(field(9), Value::number(9));
  CHECK(&made[field(4)] == before);
  CHECK(made.size() == 3);
}

TEST_CASE("fields made as a whole record know their row until one of them is set") {
  const Object& lead = schema().object(object("Lead"));
  FieldId company = lead.find("Company");
  FieldId city = lead.find("City");
  FieldId employees = lead.find("NumberOfEmployees");
  FieldId opted_out = lead.find("HasOptedOutOfEmail");
  FieldId description = lead.find("Description");
  std::string written;
  auto row_of = [&](const Fields& fields) {
    {
      MemberWriter writer(lead, written);
      fields.for_each([&](FieldId field, const Value& value) { writer.put(field, value); });
      writer.close();
    }
    return written;
  };
  FieldValuesMaker maker;
  auto make = [&](const std::string& about) {
    // In no order, one of them twice, one as a text after it was none.
    maker.set(employees, Value::number(*value::parse_decimal("-0.50")));
    maker.set_text(city, "Berlin");
    maker.set(description, Value::text(about));
    maker.set(company, Value::text("gone"));
    maker.set_text(company, "Firm \xC3\xA9");
    maker.set(opted_out, Value::boolean(false));
    maker.set(lead.find("Title"), Value());
  };
  make("said \"no\"");
  CHECK(maker.has_text(city));
  CHECK_FALSE(maker.has_text(description));
  CHECK(maker.text(company) == "Firm \xC3\xA9");
  CHECK(maker.text(description) == "said \"no\"");
  CHECK(maker.text(lead.find("Industry")).empty());
  Fields fields;
  fields.set_all(maker.take(&lead));
  CHECK(fields[company].as_text() == "Firm \xC3\xA9");
  CHECK(fields[company].is_plain_text());
  CHECK(fields.present().size() == 5);
  CHECK(std::string(fields.row()) == row_of(fields));
  CHECK(fields.row().find("\"NumberOfEmployees\":-0.50") != std::string_view::npos);
  Fields copy = fields;
  CHECK(copy.row() == fields.row());
  // Nothing given changes nothing; anything else does, though it be what was there.
  copy.set_all({});
  copy.set(lead.find("Industry"), Value());
  CHECK(copy.row() == fields.row());
  copy.set(city, Value::text("Berlin"));
  CHECK(copy.row().empty());
  CHECK(row_of(copy) == fields.row());
  copy = fields;
  maker.set_text(city, "Bonn");
  copy.set_all(maker.take(&lead));
  CHECK(copy.row().empty());
  CHECK(copy[city].as_text() == "Bonn");
  // Of a part of a record, and of a long one, there is none.
  make("short");
  FieldValues part = maker.take();
  CHECK(part[city].as_text() == "Berlin");
  Fields of_part;
  of_part.set_all(std::move(part));
  CHECK(of_part.row().empty());
  make(std::string(5'000, 'l'));
  Fields longer;
  longer.set_all(maker.take(&lead));
  CHECK(longer.row().empty());
  CHECK(longer[company].as_text() == "Firm \xC3\xA9");
  CHECK(longer[city].as_text() == "Berlin");
  CHECK(longer[description].as_text().size() == 5'000);
  // A record of which all is blank is one, too.
  maker.set(city, Value());
  FieldValues blank = maker.take(&lead);
  CHECK(blank.size() == 1);
  Fields none;
  none.set_all(std::move(blank));
  CHECK(none.row() == "{}");
  CHECK(row_of(none) == "{}");
}

TEST_CASE("changes have the names of the native form") {
  CHECK(std::string(change_kind_name(ChangeKind::kCreate)) == "create");
  CHECK(std::string(change_kind_name(ChangeKind::kUndelete)) == "undelete");
  CHECK(std::string(change_kind_name(ChangeKind::kSnapshot)) == "snapshot");
}

}  // namespace ensue::types
