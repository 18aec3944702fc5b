// Programs kept compiled beside a store, so that the next start need not read their sources anew.
#pragma once

#include <string>

#include "engine/program.h"

namespace ensue::cli {

// The program of `input`: from the file `STORE-program` when that fits, else from the sources, and
// then the file is written, or written anew. Without a store, or to only look, it is loaded from
// the sources. Trees are let go of: Loaded::module is null unless there are errors. Nothing that is
// wrong with the file is an error.
engine::Loaded load_compiled(engine::LoadInput input, const std::string& store, bool may_write);

}  // namespace ensue::cli
