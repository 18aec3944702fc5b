#include "engine/record_codec.h"

#include "base/key128.h"
#include "base/text_writer.h"
#include "intake/event_reader.h"
#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using intake::JsonTape;

// Writes members of an object, each behind a comma.
class MemberWriter {
 public:
  MemberWriter(const std::vector<std::string>& names, base::TextWriter& out)
      : names_(names), out_(out) {}
  void operator()(types::FieldId field, const Value& value) {
    out_.put(names_[field.index]);
    // Most of them need no other place on their way.
    if (value.is_plain_text()) {
      out_.put_between('"', value.as_text());
      return;
    }
    if (value.is(Value::Kind::kBoolean)) {
      out_.put(value.truth() ? "true" : "false");
      return;
    }
    if (value.is_numeric() && !value.as_currency().given()) {
      out_.put(value::DecimalText(value.as_decimal()).view());
      return;
    }
    other_.clear();
    value::append_json(other_, value);
    out_.put(other_);
  }

 private:
  const std::vector<std::string>& names_;
  base::TextWriter& out_;
  std::string other_;
};

// Makes an object of members, each behind a comma.
void close_object(std::string& members) {
  if (members.empty()) {
    members = '{';
  } else {
    members.front() = '{';
  }
  members += '}';
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
  {
    base::TextWriter writer(out);
    record.fields.for_each(MemberWriter(names_of(record.object), writer));
  }
  close_object(out);
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
    {
      base::TextWriter writer(before);
      change.before.for_each(MemberWriter(names_of(object), writer));
    }
    close_object(before);
    out += before;
  }
  out += '}';
}

types::FieldValues RecordCodec::decode_fields(types::ObjectId object_id, uint32_t node) {
  if (node == JsonTape::kNone) return {};
  types::FieldValuesMaker out;
  TextBlock texts = intake::room_for_texts(tape_, node);
  const types::Object& object = schema_.object(object_id);
  tape_.for_each(node, [&](uint32_t member) {
    types::FieldId field = object.find_stored(tape_.node(member).key);
    if (!field) return;
    Result<Value> value = intake::value_from_json(tape_, member, schema_, object.field(field).type,
                                                  bounds_, false, &texts);
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
