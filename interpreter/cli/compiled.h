// Programs kept compiled beside a store, so that the next start need not read their sources anew.
#pragma once

#include <optional>
#include <string>

#include "engine/program.h"

namespace ensue::cli {

class CompiledProgram {
 public:
  // Of the store's file; without one nothing is kept.
  explicit CompiledProgram(const std::string& store)
      : file_(store.empty() ? "" : store + "-program") {}

  // The program of `input`: from the file `STORE-program` when that fits, else from the sources.
  // Trees are let go of: Loaded::module is null unless there are errors. Nothing that is wrong with
  // the file is an error.
  engine::Loaded load(engine::LoadInput input);
  // Writes the file when the last program came from its sources. Called once the store is open:
  // beside a file that is no store, nothing is written.
  void keep();

 private:
  std::string file_;
  std::optional<std::string> fresh_;  // what the file is to hold
};

}  // namespace ensue::cli
