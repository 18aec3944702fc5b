// An engine on a new store, for a side of a measurement.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/program.h"
#include "ensue/engine.h"

namespace ensue::bench {

struct FreshEngine {
  std::shared_ptr<Store> store;
  std::unique_ptr<Engine> engine;
};

// Checked rules. Ends the process when they have errors.
engine::ProgramPtr load_rules(const std::string& rules);

// On an empty store, with these rules and users taken in. Ends the process when anything is wrong.
FreshEngine fresh_engine(std::shared_ptr<Store> store, const engine::ProgramPtr& program,
                         const std::vector<std::string>& users);

// The same on a store in a file, in place of one that is there.
FreshEngine fresh_engine(const std::string& path, const std::string& rules,
                         const std::vector<std::string>& users);

}  // namespace ensue::bench
