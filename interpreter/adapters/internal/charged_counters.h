// The counters of limits: read once, raised in memory, and written once by a transaction, in key
// order. The CHECK on `quota` holds the maximum whatever this code does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  // Writes each counter that has changed, in key order; the last before the transaction commits,
  // and before counters are read in it.
  Status write();
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
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      for (size_t i = 0; i < a.size(); ++i) {
        if (int order = std::string_view(a[i]).compare(b[i]); order != 0) return order < 0;
      }
      return false;
    }
  };
  struct State {
    int64_t id = 0;
    int64_t used = 0;
    int64_t max = 0;
    // As the store's row has them, when that is known: a window that a unit leaves and another
    // enters has as many as before.
    std::optional<std::pair<int64_t, int64_t>> stored{};
    bool changed = false;            // is in `changed_`
    std::multiset<int64_t> charged;  // of a sliding window, each unit at its instant
    // What the store's rows of the window lack: units that have left it, up to this instant, and
    // then those that came at these, which may be gone again.
    std::optional<int64_t> gone_to;
    std::vector<int64_t> came;
  };
  using States = std::map<Key, State, Less>;
  using Row = States::value_type;
  // Of one charge, while a savepoint is open.
  struct Undo {
    Row* row;
    bool fresh;  // was not in memory before
    bool changed;
    int64_t used;
    int64_t max;
    std::optional<int64_t> gone_to;
    std::vector<int64_t> left;  // the window
    std::optional<int64_t> entered;
  };

  Result<Row*> find(const Charge& charge);
  Status read(Row& row, const Charge& charge);
  Status write_window(State& state);
  void change(Row& row);

  sqlite3* db_ = nullptr;
  States states_;
  std::vector<Row*> changed_;  // in the order of their first change
  std::vector<Undo> journal_;
  size_t marks_ = 0;
  Statement find_;
  Statement add_;
  Statement set_;
  Statement window_;
  Statement window_leave_;
  Statement window_put_;
  Statement charge_;
};

}  // namespace ensue::adapters
