#include "ensue/result.h"

namespace ensue {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kNotPermitted: return "not_permitted";
    case ErrorCode::kLimitReached: return "limit_reached";
    case ErrorCode::kBoundExceeded: return "bound_exceeded";
    case ErrorCode::kFault: return "fault";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kStorageFull: return "storage_full";
    case ErrorCode::kStoreLocked: return "store_locked";
    case ErrorCode::kStoreTooNew: return "store_too_new";
    case ErrorCode::kStoreDamaged: return "store_damaged";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kUnsupported: return "unsupported";
  }
  return "unknown";
}

}  // namespace ensue
