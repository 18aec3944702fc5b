#include "cli/compiled.h"

#include <malloc.h>

#include "adapters/kept_file.h"
#include "engine/program_cache.h"

namespace ensue::cli {

engine::Loaded CompiledProgram::load(engine::LoadInput input) {
  fresh_.reset();
  if (!file_.empty()) {
    if (std::optional<std::string> bytes = adapters::read_kept_file(file_)) {
      if (std::optional<engine::Loaded> loaded = engine::decode_program(*bytes, input))
        return std::move(*loaded);
    }
  }
  engine::Loaded loaded = engine::load_program(std::move(input));
  if (loaded.has_errors) return loaded;
  if (!file_.empty()) fresh_ = engine::encode_program(loaded);
  loaded.module.reset();
  // The trees were ten times the program; what they took goes back to the system.
  malloc_trim(0);
  return loaded;
}

void CompiledProgram::keep() {
  if (fresh_) (void)adapters::write_kept_file(file_, *fresh_);
  fresh_.reset();
}

}  // namespace ensue::cli
