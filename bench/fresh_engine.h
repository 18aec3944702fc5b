// An engine on a new store in a file, for a side of a measurement.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ensue/engine.h"

namespace ensue::bench {

struct FreshEngine {
  std::shared_ptr<Store> store;
  std::unique_ptr<Engine> engine;
};

// In place of a store that is there, with these rules and users taken in. Ends the process when
// anything is wrong.
FreshEngine fresh_engine(const std::string& path, const std::string& rules,
                         const std::vector<std::string>& users);

}  // namespace ensue::bench
