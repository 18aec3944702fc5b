#include "support/native_lines.h"

#include "support/reference/evaluator.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::testing {

std::string native_line(const types::Schema& schema, const std::string& id, const std::string& kind,
                        Instant at, const types::Record* before, const types::Record& after) {
  const types::Object& object = schema.object(after.object);
  std::string set;
  std::string nulled;
  bool update = kind == "update";
  types::FieldSet changed = reference::fields_changed(schema, before, after);
  for (size_t i = 1; i < object.fields.size() && kind != "delete"; ++i) {
    const Value& value = after.raw(types::FieldId(i));
    // A name is always said: the engine makes one of its parts where the event brings only these.
    bool said = object.fields[i].name == "Name" ||
                (update ? changed.has(types::FieldId(i)) : !value.is_blank());
    if (!said) continue;
    std::string& list = value.is_blank() ? nulled : set;
    if (!list.empty()) list += ",";
    value::append_json_text(list, object.fields[i].stored_as);
    if (value.is_blank()) continue;
    list += ":";
    value::append_json(list, value);
  }
  std::string out = "{\"id\":\"" + id + "\",\"entity\":\"" + object.name + "\",\"ids\":[\"" +
                    after.id + "\"],\"kind\":\"" + kind + "\",\"at\":\"" + value::instant_text(at) +
                    "\"";
  if (!set.empty()) out += ",\"set\":{" + set + "}";
  if (!nulled.empty()) out += ",\"nulled\":[" + nulled + "]";
  return out + "}";
}

}  // namespace ensue::testing
