#include "types/event.h"

namespace ensue::types {

const char* change_kind_name(ChangeKind kind) {
  static constexpr const char* kNames[] = {"create",   "update",   "delete",
                                           "undelete", "snapshot", "gap"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace ensue::types
