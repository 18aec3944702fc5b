// The keys of the events a store has admitted: the newest as one row a commit, the older ones in a
// tree.
//
// A tree of random keys dirties a page for nearly each key it takes, and a commit writes whole
// pages. So a commit leaves its keys together in one row of `admitted`, which is kept in memory as
// well. Once there are `recent_max` of them, the commits that follow move them into the tree
// (`dedupe`) in its order, a few for each key they bring: then many fall on each page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "adapters/internal/sqlite_statement.h"
#include "ensue/key.h"
#include "ensue/result.h"

namespace ensue::adapters {

// A set of keys that are hashes themselves. 16 to 43 bytes a key.
class KeySet {
 public:
  bool has(const Key128& key) const;
  // Whether it was not there before.
  bool insert(const Key128& key);
  // Has what is known of the key fetched.
  void prefetch(const Key128& key) const;
  void clear();

 private:
  // Where the key is, or where it would go. Some slot is free.
  size_t slot(const Key128& key) const;
  void grow();

  std::vector<Key128> slots_;  // a power of two of them; zero: free
  size_t count_ = 0;
  bool has_zero_ = false;
};

// Of one connection that owns the store. Nothing is read before the first key is asked for; memory
// is some 100 bytes for each of `recent_max` keys, whatever the store holds.
class AdmittedKeys {
 public:
  void use(sqlite3* db, size_t recent_max) { db_ = db, recent_max_ = recent_max; }

  // True when the key was new. Inside a transaction. Errors: kStoreDamaged, kIo.
  Result<bool> admit(const Key128& key);
  void expect(const Key128& key) const { known_.prefetch(key); }
  // Writes what the transaction has admitted; the last before it commits.
  Status write();
  void committed();
  // The transaction was taken back, or nobody knows: what the store holds is read again.
  void forget();

  // For savepoints: what the transaction admitted since the mark is taken back.
  size_t mark() const { return recent_.size() - written_; }
  void rollback(size_t mark);

  void close();

 private:
  Status load();
  Status move_some(size_t count);
  void collect();

  sqlite3* db_ = nullptr;
  size_t recent_max_ = 0;
  bool loaded_ = false;
  bool tree_empty_ = false;
  KeySet known_;                // those of the rows: `recent_` and `moving_`
  std::vector<Key128> recent_;  // those of the transaction at hand last
  size_t written_ = 0;          // of `recent_`
  std::vector<Key128> moving_;  // sorted
  size_t moved_ = 0;            // of `moving_`
  int64_t moving_to_ = 0;       // the last row that holds some of them
  Statement find_;
  Statement add_;
  Statement move_;
  Statement remove_;
};

}  // namespace ensue::adapters
