#include "support/worlds.h"

#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

using types::TypeKind;

constexpr int64_t kHourMs = 3'600'000;

Value some_number(Random& random) {
  const char* written =
      random.word({"0", "1", "2", "2", "3", "10", "10.5", "10.50", "-3", "7", "250000", "0.125",
                   "999999999999999999", "0.000000000000000001", "33.3333", "-0.5"});
  return Value::number(*value::parse_decimal(written));
}

Date some_date(Random& random) {
  const char* written =
      random.word({"2026-03-29", "2026-03-29", "2026-03-28", "2026-03-30", "2026-02-27",
                   "2026-02-28", "2026-01-31", "2024-02-29", "2026-12-25", "2026-10-25",
                   "2025-03-29", "0001-01-01", "9999-12-31", "2026-03-31"});
  return *value::parse_date(written);
}

Instant some_instant(Random& random) {
  switch (random.below(4)) {
    case 0: return kWorldNow;
    case 1: return {kWorldNow.ms + random.between(-50, 50) * kHourMs / 2};
    case 2:
      return value::parse_datetime(
                 random.word({"2026-03-28T23:00Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00Z",
                              "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-02-27T09:30Z"}))
          ->instant();
    default: return {kWorldNow.ms + random.between(-400, 400) * value::kDayMs};
  }
}

}  // namespace

const std::vector<std::string>& some_texts() {
  static const std::vector<std::string> kTexts = {
      "Acme",  "acme",       "ACME Corp",  "Corp",  "Zoë",     "ZOË",   "zoë lang",
      " a b ", "ana@x.test", "Ana@X.test", "12.50", "a dozen", "Legal", "legal counsel",
      "ΑΒΓ",   "αβγδ",       "Дом",        "дом 7", "日本語",  "a-b-c", "a",
      "b",     "x",          "007",        "bob",   "5",       "Hot",   "Web",
      "E",     "say \"hi\"",
  };
  return kTexts;
}

std::vector<std::string> ids_of(const types::Object& object) {
  if (object.name == "User") return {"005ana", "005bob", "005mona", "005zed", "005none"};
  if (object.name == "Queue") return {"00Gtriage", "00Gweb", "00Gnone"};
  std::vector<std::string> out;
  for (const char* end : {"1", "2", "3", "4", "none"})
    out.push_back(object.name.substr(0, 6) + end);
  return out;
}

Value WorldMaker::lookup(const types::Field& field) {
  const auto& objects = schema_.objects_of(field.type.objects);
  const types::ObjectId object = random_.chance(60) ? objects.front() : random_.pick(objects);
  return Value::text(random_.pick(ids_of(schema_.object(object))));
}

Value WorldMaker::value(const types::Field& field) {
  if (field.name == "CurrencyIsoCode")
    return random_.chance(70) ? Value() : Value::text(random_.word({"USD", "EUR"}));
  if (field.name == "SalesTerritory")
    return Value::text(random_.word({"", "", "", "West", "WEST", "East"}));
  switch (field.type.kind) {
    case TypeKind::kBoolean: return Value::boolean(random_.chance(50));
    case TypeKind::kNumber: return some_number(random_);
    case TypeKind::kPercent: return Value::percent(some_number(random_).as_decimal());
    case TypeKind::kMoney: return Value::money(some_number(random_).as_decimal(), {});
    case TypeKind::kDate: return Value::date(some_date(random_));
    case TypeKind::kDatetime: return Value::datetime(some_instant(random_));
    case TypeKind::kTime:
      return Value::time({static_cast<int32_t>(random_.between(0, 23) * kHourMs)});
    case TypeKind::kRecord: return lookup(field);
    case TypeKind::kPicklist: {
      const types::Picklist& picklist = schema_.picklist(field.type.picklist);
      if (random_.chance(10)) return Value::text("Nothing Like It");
      return Value::text(
          picklist.values[random_.below(std::min<size_t>(picklist.values.size(), 4))]);
    }
    case TypeKind::kMultipicklist: {
      std::vector<Value> items;
      for (const std::string& item : schema_.picklist(field.type.picklist).values) {
        if (random_.chance(40)) items.push_back(Value::text(item));
      }
      return Value::list(std::move(items));
    }
    default: return Value::text(random_.pick(some_texts()));
  }
}

types::Record WorldMaker::record(types::ObjectId object, std::string id, int blanks) {
  const types::Object& shape = schema_.object(object);
  types::Record out{object, std::move(id), {}, false};
  for (size_t i = 0; i < shape.fields.size(); ++i) {
    const types::Field& field = shape.fields[i];
    bool blank = random_.chance(blanks) || field.name == "Id";
    if (!blank) out.fields.set(types::FieldId(i), value(field));
  }
  return out;
}

types::Record WorldMaker::edited(const types::Record& record, int fields) {
  const types::Object& shape = schema_.object(record.object);
  types::Record out = record;
  for (int i = 0; i < fields; ++i) {
    size_t field = 1 + random_.below(shape.fields.size() - 1);
    out.fields.set(types::FieldId(field),
                   random_.chance(25) ? Value() : value(shape.fields[field]));
  }
  return out;
}

reference::World WorldMaker::world(const std::vector<std::string>& kinds) {
  reference::World out;
  for (const std::string& kind : kinds) {
    types::ObjectId object = schema_.find_object(kind);
    std::vector<std::string> ids = ids_of(schema_.object(object));
    ids.pop_back();
    for (const std::string& id : ids) {
      types::Record made = record(object, id, 30);
      made.deleted = random_.chance(8);
      if (kind == "User") {
        made.deleted = false;
        made.fields.set(schema_.object(object).find("Username"), Value::text(id.substr(3)));
      }
      if (kind == "Queue")
        made.fields.set(schema_.object(object).find("Name"), Value::text(id.substr(3)));
      out.put(std::move(made));
    }
  }
  return out;
}

std::string record_text(const types::Schema& schema, const types::Record& record) {
  const types::Object& shape = schema.object(record.object);
  std::string out = shape.name + "/" + record.id + (record.deleted ? " (deleted)" : "") + "\n";
  record.fields.for_each([&](types::FieldId field, const Value& value) {
    out += "  " + shape.field(field).stored_as + " = " + value::source_text(value) + "\n";
  });
  return out;
}

}  // namespace ensue::testing
