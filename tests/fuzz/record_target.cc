#include "engine/program.h"
#include "engine/record_codec.h"
#include "fuzz/targets.h"
#include "value/compare.h"

namespace ensue::fuzz {
namespace {

bool same_values(const std::vector<Value>& a, const std::vector<Value>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!value::same_stored(a[i], b[i])) return false;
  }
  return true;
}

std::vector<Value> values_of(const types::FieldValues& values) {
  std::vector<Value> out;
  values.for_each([&](types::FieldId, const Value& value) { out.push_back(value); });
  return out;
}

}  // namespace

void fuzz_record(std::string_view bytes) {
  static const engine::Loaded kLibrary = engine::load_program({{}, {}, nullptr, nullptr});
  const types::Schema& schema = kLibrary.program->schema();
  if (bytes.empty()) return;
  types::ObjectId object(static_cast<unsigned char>(bytes[0]) % schema.object_count());
  std::string_view text = bytes.substr(1);
  engine::RecordCodec codec(schema, kLibrary.module->options.bounds);

  if (auto record = codec.decode(object, "00X", text, false)) {
    size_t fields = schema.object(object).fields.size();
    record->fields.for_each([&](types::FieldId field, const Value& value) {
      require(field.index < fields && !value.is_blank(), "a record has values of its fields only");
    });
    std::string encoded = codec.encode(*record);
    auto again = codec.decode(object, "00X", encoded, false);
    require(bool(again), "what was encoded can be decoded");
    require(types::differing(record->fields, again->fields).empty(),
            "decoding gives what was encoded");
    require(codec.encode(*again) == encoded, "encoding is stable");
  }
  if (auto change = codec.decode_change(object, text)) {
    std::string encoded = codec.encode_change(*change, object);
    auto again = codec.decode_change(object, encoded);
    require(bool(again), "a change that was encoded can be decoded");
    require(change->kind == again->kind && change->at == again->at && change->by == again->by &&
                change->event == again->event,
            "a change keeps when and who");
    require(same_values(values_of(change->before), values_of(again->before)),
            "a change keeps the values before");
  }
}

}  // namespace ensue::fuzz
