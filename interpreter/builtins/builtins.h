// The bodies of the library functions. Their names, types and prose stand in
// stdlib/functions.ensue; a row there without a body here, or the other way round, fails when the
// library is loaded.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "calendar/zone.h"
#include "ensue/result.h"
#include "ensue/value.h"

namespace ensue::builtins {

struct CallContext {
  const calendar::Zone& zone;  // the org's
  size_t text_bytes_max;       // of a result
};

// Arguments are as many as the signature has, defaults filled in. Blank arguments arrive as blank;
// most functions then give blank. A fault (kFault) is an ordinary result.
using Body = Result<Value> (*)(std::span<const Value> args, const CallContext& context);

// Null when there is no such function. Names ignore case.
Body find_body(std::string_view name);
std::vector<std::string_view> body_names();

}  // namespace ensue::builtins
