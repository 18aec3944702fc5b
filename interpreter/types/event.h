// An event: one change of one record, typed by the schema.
//
// It comes from outside (intake/ makes it of a line of a stream) or from an effect (the engine
// makes it of a write). A line that carries several record ids gives several events.
#pragma once

#include <string>
#include <utility>

#include "ensue/key.h"
#include "ensue/value.h"
#include "types/fields.h"
#include "types/type.h"

namespace ensue::types {

enum class ChangeKind : uint8_t {
  kCreate,
  kUpdate,
  kDelete,
  kUndelete,
  kSnapshot,  // fills the copy, fires nothing
  kGap,       // the record changed, but the source does not say how
};

// As in the native form: create, update, …
const char* change_kind_name(ChangeKind kind);

// Where an event stands in its source, when the source says so: compared within one source only.
struct SourcePosition {
  bool ordered = false;
  uint64_t high = 0;  // commit number, LSN
  uint64_t low = 0;   // sequence number
  friend auto operator<=>(const SourcePosition&, const SourcePosition&) = default;
};

struct Event {
  Key128 key;  // H(source | event id | record), ENGINE section 8
  ObjectId object;
  std::string record;  // its id
  ChangeKind kind = ChangeKind::kUpdate;
  Instant at;
  std::string by;  // a user's id; may be empty
  FieldValues set;
  FieldValues before;  // previous values, when the event carries them
  SourcePosition position;
};

}  // namespace ensue::types
