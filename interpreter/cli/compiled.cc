#include "cli/compiled.h"

#include <malloc.h>

#include "adapters/kept_file.h"
#include "engine/program_cache.h"

namespace ensue::cli {

engine::Loaded load_compiled(engine::LoadInput input, const std::string& store, bool may_write) {
  const std::string file = store + "-program";
  if (!store.empty()) {
    if (std::optional<std::string> bytes = adapters::read_kept_file(file)) {
      if (std::optional<engine::Loaded> loaded = engine::decode_program(*bytes, input))
        return std::move(*loaded);
    }
  }
  engine::Loaded loaded = engine::load_program(std::move(input));
  if (loaded.has_errors) return loaded;
  if (!store.empty() && may_write)
    (void)adapters::write_kept_file(file, engine::encode_program(loaded));
  loaded.module.reset();
  // The trees were ten times the program; what they took goes back to the system.
  malloc_trim(0);
  return loaded;
}

}  // namespace ensue::cli
