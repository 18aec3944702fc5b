// A simulated disk as a file system of SQLite's. Locks and shared memory are the one process's, and
// go with it: a new one on the same disk is a new process.
#pragma once

#include <memory>
#include <string>

#include "support/simulation/simulated_disk.h"

namespace ensue::testing {

class SimulatedVfs {
 public:
  // The disk must outlive it; it must outlive every connection.
  explicit SimulatedVfs(SimulatedDisk& disk);
  ~SimulatedVfs();
  SimulatedVfs(const SimulatedVfs&) = delete;
  SimulatedVfs& operator=(const SimulatedVfs&) = delete;

  // As SQLite knows it.
  const std::string& name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SQLite draws the salts of its WAL from one generator of the whole process: starts it anew.
void seed_sqlite(uint64_t seed);

}  // namespace ensue::testing
