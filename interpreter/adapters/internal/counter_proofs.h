// Recounting counters from their charges.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

#include "ensue/store.h"

struct sqlite3;

namespace ensue::adapters {

// The length of a sliding window by its name, `10 s`; none for a day.
std::optional<int64_t> window_length_ms(std::string_view window);

// The charges of one counter. First the units that a sliding window holds, then every charge. What
// is in the window is counted as of the last unit it holds.
class ChargeTally {
 public:
  // `window_ms`: none where it is not known.
  void hold(int64_t at, int64_t units, std::optional<int64_t> window_ms);
  void charge(int64_t at);
  CounterProof prove(CounterRow counter) const;

 private:
  std::map<int64_t, int64_t> window_;  // by instant: units held and not charged (yet)
  int64_t last_ = INT64_MIN;           // of the units held
  int64_t left_to_ = INT64_MIN;        // units up to then have left the window
  int64_t charges_ = 0;
  int64_t in_window_ = 0;
};

// For the verb of the same name, on a connection inside a transaction.
Status visit_counter_proofs(sqlite3* db, const std::function<bool(const CounterProof&)>& visit);

}  // namespace ensue::adapters
