#include <algorithm>

#include "engine/program.h"
#include "fuzz/targets.h"
#include "intake/event_reader.h"
#include "source/source_file.h"
#include "value/compare.h"
#include "value/time_text.h"

namespace ensue::fuzz {
namespace {

using intake::LineResult;

void check_values(const std::vector<types::FieldValue>& values, const types::Object& object,
                  const Bounds& bounds) {
  for (const types::FieldValue& row : values) {
    require(row.field.index < object.fields.size(), "a value belongs to a field of its object");
    auto fits = [&](const Value& value) {
      return value.as_text().size() <= bounds.text_bytes_max &&
             !source::first_invalid_utf8(value.as_text());
    };
    if (row.value.kind() == Value::Kind::kText) require(fits(row.value), "texts have a bound");
    if (row.value.kind() != Value::Kind::kList) continue;
    for (const Value& item : row.value.as_list()) require(fits(item), "items have a bound");
  }
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

bool alike(const std::vector<types::FieldValue>& a, const std::vector<types::FieldValue>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.field == y.field && value::same_stored(x.value, y.value);
  });
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
