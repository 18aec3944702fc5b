// The counters of limits: read once, raised in memory, and written once by a transaction, in key
// order. The CHECK on `quota` holds the maximum whatever this code does.
//
// The row of a sliding window says how many units were in it at its last charge. Rows of units
// that have left it since stay for a while: many are taken away at once.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/internal/many_rows.h"
#include "adapters/internal/sqlite_statement.h"
#include "ensue/key.h"
#include "ensue/result.h"
#include "ensue/store.h"

namespace ensue::adapters {

// Of one connection that owns the store. The counters that were charged stay in memory from one
// transaction to the next, up to some thousands of them.
class ChargedCounters {
 public:
  void use(sqlite3* db) { db_ = db; }

  // As StoreTxn::charge. Inside a transaction. Errors: kStoreDamaged, kIo.
  Result<ChargeResult> charge(const Key128& run, const std::vector<Charge>& charges);
  // Writes the charges, and each counter that has changed, in key order; the last before the
  // transaction commits, and before counters are read in it.
  Status write();
  // Writes the charges: before a mark is made.
  Status write_charges();
  void committed();
  // The transaction was taken back, or nobody knows: what the store holds is read again.
  void forget();

  // Savepoints: what was charged since the mark is taken back, or stays.
  size_t mark();
  void rollback(size_t mark);
  void release();

  void close();

 private:
  using Key = std::array<std::string, 4>;  // scope, key, counter, window
  using KeyView = std::array<std::string_view, 4>;
  struct Hash {
    using is_transparent = void;
    template <class A>
    size_t operator()(const A& key) const {
      size_t out = 0;
      for (std::string_view part : key) out = out * 31 + std::hash<std::string_view>{}(part);
      return out;
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return std::equal(a.begin(), a.end(), b.begin());
    }
  };
  struct State {
    int64_t id = 0;
    int64_t used = 0;
    int64_t max = 0;
    // As the store's row has them, when that is known: a window that a unit leaves and another
    // enters has as many as before.
    std::optional<std::pair<int64_t, int64_t>> stored{};
    bool changed = false;  // is in `changed_`
    // Of a sliding window: the instants of its units, sorted, as of the last charge; as read from
    // the store, behind some that had left it by then.
    std::deque<int64_t> charged;
    // Units that have left it since rows were last taken away from the store …
    size_t left = 0;
    // … and what the store's rows lack: those up to this instant are to be taken away, and then
    // there are those that came at these, which may have left again.
    std::optional<int64_t> gone_to;
    std::vector<int64_t> came;
  };
  using States = std::unordered_map<Key, State, Hash, Equal>;
  using Row = States::value_type;
  // Of one charge, while a savepoint is open.
  struct Undo {
    Row* row;
    bool fresh;  // was not in memory before
    bool changed;
    int64_t used;
    int64_t max;
    std::optional<int64_t> gone_to;
    size_t left;
    std::vector<int64_t> units_left;  // the window
    std::optional<int64_t> entered;
  };

  Result<Row*> find(const Charge& charge);
  Status read(Row& row, const Charge& charge);
  Status write_window(State& state);
  void set_max(Row& row, int64_t max);
  void enter(Row& row, const Charge& charge, Undo* undo);
  void change(Row& row);

  sqlite3* db_ = nullptr;
  States states_;
  std::vector<Row*> changed_;  // in the order of their first change
  // A row of `charge` that is not written yet; made since the innermost mark.
  struct Unit {
    Key128 run;
    int64_t quota;
    Instant at;
  };
  std::vector<Unit> charges_;
  std::vector<Undo> journal_;
  size_t marks_ = 0;
  Statement find_;
  Statement add_;
  Statement set_;
  Statement window_;
  Statement window_leave_;
  Statement window_put_;
  ManyRows charge_puts_{"INSERT OR FAIL INTO charge (run, quota, at) VALUES ", "(?, ?, ?)", ""};
};

}  // namespace ensue::adapters
