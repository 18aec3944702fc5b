// Recounting counters from their charges.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "ensue/store.h"

struct sqlite3;

namespace ensue::adapters {

// The charges of one counter. First the units that a sliding window holds, then every charge.
class ChargeTally {
 public:
  void hold(int64_t at, int64_t units) { window_[at] += units; }
  void charge(int64_t at);
  CounterProof prove(CounterRow counter) const;

 private:
  std::map<int64_t, int64_t> window_;  // by instant: units held and not charged (yet)
  int64_t charges_ = 0;
  int64_t in_window_ = 0;
};

// For the verb of the same name, on a connection inside a transaction.
Status visit_counter_proofs(sqlite3* db, const std::function<bool(const CounterProof&)>& visit);

}  // namespace ensue::adapters
