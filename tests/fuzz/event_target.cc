#include <algorithm>

#include "engine/program.h"
#include "fuzz/targets.h"
#include "intake/event_reader.h"
#include "source/source_file.h"
#include "value/compare.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::fuzz {
namespace {

using intake::LineResult;

void check_values(const types::FieldValues& values, const types::Object& object,
                  const Bounds& bounds) {
  values.for_each([&](types::FieldId field, const Value& value) {
    require(field.index < object.fields.size(), "a value belongs to a field of its object");
    auto fits = [&](const Value& text) {
      return text.as_text().size() <= bounds.text_bytes_max &&
             !source::first_invalid_utf8(text.as_text());
    };
    require(fits(value), "texts have a bound");
    for (const Value& item : value.as_list()) require(fits(item), "items have a bound");
    if (!value.is_plain_text()) return;
    std::string quoted = '"' + std::string(value.as_text()) + '"';
    require(value::json_text(Value::text(value.as_text())) == quoted,
            "a plain text stands in JSON as it is");
  });
}

void check_result(const LineResult& result, const types::Schema& schema, const Bounds& bounds,
                  size_t line_bytes) {
  bool poison = result.kind == LineResult::Kind::kPoison;
  require(poison != result.reason.empty() || result.kind == LineResult::Kind::kGap,
          "what cannot be read has a reason, and nothing else has");
  require(!source::first_invalid_utf8(result.reason), "a reason is UTF-8");
  require(result.reason.size() < 1'000, "a reason is a sentence");
  require(result.kind != LineResult::Kind::kEvents || !result.events.empty(),
          "a line with events has some");
  require(!poison || result.events.empty(), "poison has no events");
  require(result.events.size() <= bounds.event_records_max, "records of an event have a bound");
  size_t values = 0;
  for (const types::Event& event : result.events) {
    require(event.object && event.object.index < schema.object_count(), "an event has an object");
    require(!event.record.empty(), "an event has a record");
    require(value::in_range(event.at), "an event happened in the calendar");
    check_values(event.set, schema.object(event.object), bounds);
    check_values(event.before, schema.object(event.object), bounds);
    values += event.set.size() + event.before.size();
  }
  size_t fields = 0;
  for (size_t i = 0; i < schema.object_count(); ++i)
    fields = std::max(fields, schema.object(types::ObjectId(i)).fields.size());
  require(values <= 2 * fields * result.events.size(), "an event has each field once");
  require(result.events.size() <= line_bytes, "events grow with the line");
}

bool alike(const types::FieldValues& a, const types::FieldValues& b) {
  bool same = a.size() == b.size();
  a.for_each([&](types::FieldId field, const Value& value) {
    same = same && b.named().has(field) && value::same_stored(value, b[field]);
  });
  return same;
}

bool alike(const LineResult& a, const LineResult& b) {
  if (a.kind != b.kind || a.reason != b.reason || a.events.size() != b.events.size()) return false;
  for (size_t i = 0; i < a.events.size(); ++i) {
    if (!(a.events[i].key == b.events[i].key) || a.events[i].record != b.events[i].record)
      return false;
    if (!alike(a.events[i].set, b.events[i].set) || !alike(a.events[i].before, b.events[i].before))
      return false;
  }
  return true;
}

}  // namespace

void fuzz_event(std::string_view bytes) {
  static const engine::Loaded kLibrary = engine::load_program({{}, {}, nullptr, nullptr});
  const types::Schema& schema = kLibrary.program->schema();
  const Bounds& bounds = kLibrary.module->options.bounds;
  // A reader keeps its buffers from line to line; the one that has read everything so far must give
  // what a fresh one gives.
  static intake::EventReader worn(schema, bounds, "crm");
  intake::EventReader fresh(schema, bounds, "crm");
  LineResult result = worn.read(bytes, 7);
  check_result(result, schema, bounds, bytes.size());
  require(alike(result, fresh.read(bytes, 7)), "lines do not depend on those before");
}

}  // namespace ensue::fuzz
