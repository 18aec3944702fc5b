#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ensue::base {

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(
      stderr,
      "ensue: internal error at %s:%d: %s\nplease report this with the input that caused it\n",
      file, line, condition);
  std::abort();
}

}  // namespace ensue::base
