#include "engine/record_codec.h"

#include "base/key128.h"
#include "intake/event_reader.h"
#include "types/member_writer.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using intake::JsonTape;

constexpr size_t kRowBytesMax = size_t{64} << 20;

// In place of what `out` holds.
template <class Values>
void write_object(const types::Object& object, const Values& values, std::string& out) {
  types::MemberWriter writer(object, out);
  values.for_each([&](types::FieldId field, const Value& value) { writer.put(field, value); });
  writer.close();
}

}  // namespace

// What is read here was written here, perhaps under other bounds; they only keep a damaged store
// from costing memory.
RecordCodec::RecordCodec(const types::Schema& schema, const Bounds& bounds)
    : schema_(schema), bounds_(bounds), tape_({kRowBytesMax, 64}) {
  bounds_.text_bytes_max = kRowBytesMax;
}

std::string RecordCodec::encode(const types::Record& record) const {
  std::string room;
  return std::string(encode(record, room));
}

std::string RecordCodec::encode_change(const LastChange& change, types::ObjectId object) const {
  std::string out;
  encode_change(change, object, out);
  return out;
}

std::string_view RecordCodec::encode(const types::Record& record, std::string& room) const {
  if (std::string_view row = record.fields.row(); !row.empty()) return row;
  write_object(schema_.object(record.object), record.fields, room);
  return room;
}

void RecordCodec::encode_change(const LastChange& change, types::ObjectId object,
                                std::string& out) const {
  out = "{\"kind\":\"";
  out += types::change_kind_name(change.kind);
  out += "\",\"at\":\"";
  value::append_instant_text(out, change.at);
  out += "\",\"event\":\"";
  base::append_hex(out, change.event);
  out += "\",\"by\":";
  value::append_json_text(out, change.by);
  if (!change.whole) {
    out += ",\"before\":";
    std::string before;
    write_object(schema_.object(object), change.before, before);
    out += before;
  }
  out += '}';
}

types::FieldValues RecordCodec::decode_fields(types::ObjectId object_id, uint32_t node) {
  if (node == JsonTape::kNone) return {};
  types::FieldValuesMaker out;
  const types::Object& object = schema_.object(object_id);
  tape_.for_each(node, [&](uint32_t member) {
    types::FieldId field = object.find_stored(tape_.node(member).key);
    if (!field) return;
    const types::Type& type = object.field(field).type;
    const intake::JsonNode& read = tape_.node(member);
    if (intake::is_short_text(read, type.kind, bounds_)) {
      out.set_text(field, read.text);
      return;
    }
    Result<Value> value = intake::value_from_json(tape_, member, schema_, type, bounds_, false);
    out.set(field, value ? std::move(*value) : Value());
  });
  return out.take();
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
  out.fields.set_all(decode_fields(object, JsonTape::kRoot));
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
  out.before = decode_fields(object, before);
  return out;
}

}  // namespace ensue::engine
