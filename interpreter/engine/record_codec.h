// Records to and from the JSON texts of a store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ensue/options.h"
#include "ensue/result.h"
#include "intake/json_tape.h"
#include "types/event.h"
#include "types/record.h"

namespace ensue::engine {

// The change that made a record's present image: what `why not` evaluates again.
struct LastChange {
  types::ChangeKind kind = types::ChangeKind::kSnapshot;
  Instant at;
  Key128 event;
  std::string by;
  types::FieldValues before;  // of the fields that changed
  // The change created the record: all values are new, and `before` is left out.
  bool whole = false;
};

class RecordCodec {
 public:
  RecordCodec(const types::Schema& schema, const Bounds& bounds);

  // A JSON object of the fields by stored name, blanks left out, in the order of the schema.
  std::string encode(const types::Record& record) const;
  // All changed fields are named, those that were blank before as null.
  std::string encode_change(const LastChange& change, types::ObjectId object) const;
  // The same, of the record itself where it knows it, else in place of what `room` holds.
  std::string_view encode(const types::Record& record, std::string& room) const;
  // In place of what `out` holds.
  void encode_change(const LastChange& change, types::ObjectId object, std::string& out) const;

  // Fields that the schema has lost are dropped; values that no longer fit their field's type
  // become blank.
  Result<types::Record> decode(types::ObjectId object, std::string_view id, std::string_view body,
                               bool deleted);
  Result<LastChange> decode_change(types::ObjectId object, std::string_view text);

 private:
  types::FieldValues decode_fields(types::ObjectId object, uint32_t node);

  const types::Schema& schema_;
  Bounds bounds_;
  intake::JsonTape tape_;
};

}  // namespace ensue::engine
