#include "types/member_writer.h"

#include "value/decimal.h"
#include "value/text.h"

namespace ensue::types {

// Most values need no other place on their way.
void MemberWriter::put(FieldId field, const Value& value) {
  if (value.is_plain_text()) {
    put_plain(field, value.as_text());
    return;
  }
  out_.put(object_.field(field).member);
  if (value.is(Value::Kind::kBoolean)) {
    out_.put(value.truth() ? "true" : "false");
  } else if (value.is_numeric() && !value.as_currency().given()) {
    out_.put(value::DecimalText(value.as_decimal()).view());
  } else {
    other_.clear();
    value::append_json(other_, value);
    out_.put(other_);
  }
}

void MemberWriter::close() {
  bool empty = out_.size() == 0;
  out_.put(empty ? "{}" : "}");
  if (!empty) text_.front() = '{';  // in place of the first comma
}

}  // namespace ensue::types
