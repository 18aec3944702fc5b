// Values of fields as the members of a JSON object: how a record stands in a store.
#pragma once

#include <string>
#include <string_view>

#include "base/text_writer.h"
#include "ensue/value.h"
#include "types/schema.h"

namespace ensue::types {

// Writes members by stored name, each behind a comma; close() makes an object of them.
class MemberWriter {
 public:
  // Over what `out` holds. Both are kept by reference.
  MemberWriter(const Object& object, std::string& out) : object_(object), text_(out), out_(out) {}

  void put(FieldId field, const Value& value);
  // A text all of whose bytes stand in JSON as they are. Gives where they begin in what is written.
  size_t put_plain(FieldId field, std::string_view bytes) {
    out_.put_between(object_.field(field).member, '"', bytes);
    return out_.size() - bytes.size() - 1;
  }
  // Ends the object; nothing is put afterwards.
  void close();

 private:
  const Object& object_;
  std::string& text_;
  base::TextWriter out_;
  std::string other_;  // a value on its way
};

}  // namespace ensue::types
