#include "engine/record_codec.h"

#include "base/key128.h"
#include "intake/event_reader.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using intake::JsonTape;

// The members of an object, each behind a comma, as an object.
void close_object(std::string& out, size_t begin) {
  if (out.size() == begin) {
    out += '{';
  } else {
    out[begin] = '{';
  }
  out += '}';
}

// Texts are most of it; the rest is short.
size_t likely_bytes(const Value& value) {
  constexpr size_t kScalar = 24;
  return value.is(Value::Kind::kText) ? value.as_text().size() + 2 : kScalar;
}

}  // namespace

// What is read here was written here; the bounds only keep a damaged store from costing memory.
RecordCodec::RecordCodec(const types::Schema& schema, const Bounds& bounds)
    : schema_(schema), bounds_(bounds), tape_({size_t{64} << 20, 64}) {}

const std::vector<std::string>& RecordCodec::names_of(types::ObjectId object) const {
  if (object.index >= names_.size()) names_.resize(object.index + size_t{1});
  std::vector<std::string>& names = names_[object.index];
  if (!names.empty()) return names;
  for (const types::Field& field : schema_.object(object).fields) {
    std::string& name = names.emplace_back(",");
    value::append_json_text(name, field.stored_as);
    name += ':';
  }
  return names;
}

std::string RecordCodec::encode(const types::Record& record) const {
  std::string out;
  encode(record, out);
  return out;
}

std::string RecordCodec::encode_change(const LastChange& change, types::ObjectId object) const {
  std::string out;
  encode_change(change, object, out);
  return out;
}

void RecordCodec::encode(const types::Record& record, std::string& out) const {
  const std::vector<std::string>& names = names_of(record.object);
  size_t bytes = 2;
  record.fields.for_each([&](types::FieldId field, const Value& value) {
    bytes += names[field.index].size() + likely_bytes(value) + 1;
  });
  out.clear();
  out.reserve(bytes);
  record.fields.for_each([&](types::FieldId field, const Value& value) {
    out += names[field.index];
    value::append_json(out, value);
  });
  close_object(out, 0);
}

void RecordCodec::encode_change(const LastChange& change, types::ObjectId object,
                                std::string& out) const {
  const std::vector<std::string>& names = names_of(object);
  constexpr size_t kHead = 160;
  size_t bytes = kHead;
  for (const types::FieldValue& row : change.before)
    bytes += names[row.field.index].size() + likely_bytes(row.value) + 1;
  out.clear();
  out.reserve(bytes);
  out += "{\"kind\":\"";
  out += types::change_kind_name(change.kind);
  out += "\",\"at\":\"";
  value::append_instant_text(out, change.at);
  out += "\",\"event\":\"";
  out += base::to_hex(change.event);
  out += "\",\"by\":";
  value::append_json_text(out, change.by);
  if (change.whole) {
    out += '}';
    return;
  }
  out += ",\"before\":";
  size_t before = out.size();
  for (const types::FieldValue& row : change.before) {
    out += names[row.field.index];
    value::append_json(out, row.value);
  }
  close_object(out, before);
  out += '}';
}

void RecordCodec::decode_fields(types::ObjectId object_id, uint32_t node,
                                std::vector<types::FieldValue>& out) {
  if (node == JsonTape::kNone) return;
  TextBlock texts = intake::room_for_texts(tape_, node);
  const types::Object& object = schema_.object(object_id);
  tape_.for_each(node, [&](uint32_t member) {
    types::FieldId field = object.find_stored(tape_.node(member).key);
    if (!field) return;
    Result<Value> value = intake::value_from_json(tape_, member, schema_, object.field(field).type,
                                                  bounds_, false, &texts);
    out.push_back({field, value ? std::move(*value) : Value()});
  });
}

Result<types::Record> RecordCodec::decode(types::ObjectId object, std::string_view id,
                                          std::string_view body, bool deleted) {
  if (Status parsed = tape_.parse(body); !parsed) {
    return {ErrorCode::kStoreDamaged, "record " + std::string(id) + ": " + parsed.error().message};
  }
  types::Record out;
  out.object = object;
  out.id = id;
  out.deleted = deleted;
  std::vector<types::FieldValue> fields;
  decode_fields(object, JsonTape::kRoot, fields);
  out.fields.set_all(fields);
  return out;
}

Result<LastChange> RecordCodec::decode_change(types::ObjectId object, std::string_view text) {
  if (Status parsed = tape_.parse(text); !parsed)
    return {ErrorCode::kStoreDamaged, "a change: " + parsed.error().message};
  LastChange out;
  std::string_view kind = tape_.text(JsonTape::kRoot, "kind");
  for (types::ChangeKind candidate :
       {types::ChangeKind::kCreate, types::ChangeKind::kUpdate, types::ChangeKind::kDelete,
        types::ChangeKind::kUndelete, types::ChangeKind::kSnapshot, types::ChangeKind::kGap}) {
    if (kind == types::change_kind_name(candidate)) out.kind = candidate;
  }
  if (auto at = value::parse_datetime(tape_.text(JsonTape::kRoot, "at"))) out.at = at->instant();
  if (auto key = base::key_from_hex(tape_.text(JsonTape::kRoot, "event"))) out.event = *key;
  out.by = tape_.text(JsonTape::kRoot, "by");
  uint32_t before = tape_.find(JsonTape::kRoot, "before");
  out.whole = out.kind == types::ChangeKind::kCreate && before == JsonTape::kNone;
  decode_fields(object, before, out.before);
  return out;
}

}  // namespace ensue::engine
