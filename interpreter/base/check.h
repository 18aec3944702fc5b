// ENSUE_CHECK: an assertion that stays on in release builds. It guards what can only be false
// through a mistake of ours; user input must never reach one. A failed ENSUE_CHECK prints the place
// and the condition and aborts.
#pragma once

namespace ensue::base {

[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace ensue::base

#define ENSUE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::ensue::base::check_failed(__FILE__, __LINE__, #condition))

#ifdef NDEBUG
#define ENSUE_DCHECK(condition) static_cast<void>(0)
#else
#define ENSUE_DCHECK(condition) ENSUE_CHECK(condition)
#endif
