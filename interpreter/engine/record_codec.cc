#include "engine/record_codec.h"

#include "base/key128.h"
#include "intake/event_reader.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using intake::JsonTape;

void append_member(std::string& out, std::string_view name, const Value& value) {
  if (out.back() != '{') out += ',';
  value::append_json_text(out, name);
  out += ':';
  value::append_json(out, value);
}

}  // namespace

// What is read here was written here; the bounds only keep a damaged store from costing memory.
RecordCodec::RecordCodec(const types::Schema& schema, const Bounds& bounds)
    : schema_(schema), bounds_(bounds), tape_({size_t{64} << 20, 64}) {}

std::string RecordCodec::encode(const types::Record& record) const {
  const types::Object& object = schema_.object(record.object);
  std::string out = "{";
  for (size_t i = 0; i < record.fields.size(); ++i) {
    if (!record.fields[i].is_blank())
      append_member(out, object.fields[i].stored_as, record.fields[i]);
  }
  return out + "}";
}

std::string RecordCodec::encode_change(const LastChange& change, types::ObjectId object_id) const {
  const types::Object& object = schema_.object(object_id);
  std::string out = "{\"kind\":\"" + std::string(types::change_kind_name(change.kind)) +
                    "\",\"at\":\"" + value::instant_text(change.at) + "\",\"event\":\"" +
                    base::to_hex(change.event) + "\",\"by\":";
  value::append_json_text(out, change.by);
  std::string before = "{";
  for (const types::FieldValue& row : change.before)
    append_member(before, object.field(row.field).stored_as, row.value);
  return out + ",\"before\":" + before + "}}";
}

void RecordCodec::decode_fields(types::ObjectId object_id, uint32_t node,
                                std::vector<types::FieldValue>& out) {
  if (node == JsonTape::kNone) return;
  const types::Object& object = schema_.object(object_id);
  tape_.for_each(node, [&](uint32_t member) {
    types::FieldId field = object.find_stored(tape_.node(member).key);
    if (!field) return;
    Result<Value> value =
        intake::value_from_json(tape_, member, schema_, object.field(field).type, bounds_, false);
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
  out.fields.resize(schema_.object(object).fields.size());
  std::vector<types::FieldValue> fields;
  decode_fields(object, JsonTape::kRoot, fields);
  for (types::FieldValue& row : fields) out.fields[row.field.index] = std::move(row.value);
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
  decode_fields(object, tape_.find(JsonTape::kRoot, "before"), out.before);
  return out;
}

}  // namespace ensue::engine
