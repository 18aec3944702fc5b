// A store that watches what is committed to the store beneath it, and says what must not be.
//
// It stands under everything that breaks in a test, so what it sees is what happened. It keeps its
// own books, of commits that were kept only: keys of events, charges, runs, timers, intents.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "calendar/zone.h"
#include "engine/program.h"
#include "support/simulation/forwarding_store.h"

namespace ensue::testing {

using CounterName = std::array<std::string, 4>;  // scope, key, counter, window

// What a test believes about the world, and what it found against it.
class Witness {
 public:
  explicit Witness(const engine::Program& program);

  std::function<Instant()> latest;  // no time after this one has come: nothing for later may be
  std::function<Instant()> when_locked;  // what the clock shows as a transaction begins
  // The clock goes on by the time that passes. One that jumps may hold the day that was open.
  bool clock_is_right = true;
  std::map<std::string, uint64_t> violations;  // by what is broken
  std::vector<std::string> first_violations;   // the first ones, in words
  uint64_t commits = 0;
  uint64_t charges = 0;

  uint64_t violation_count() const;
  void violation(const std::string& broken, const std::string& what);
  // The books against the store: counters are their charges, runs are charged, no reminder is
  // expired before its time.
  void compare_books(Store& store);
  // The stream takes this record from its owner somewhere, and may give it back: within one commit
  // that is not seen.
  void may_change_hands(const std::string& record) { gone_.insert(record); }
  // Units charged to a counter.
  int64_t used(const CounterName& counter) const;
  const std::map<CounterName, int64_t>& used() const { return used_; }

 private:
  friend class WitnessTxn;
  friend class WitnessStore;

  struct Book {
    std::set<Key128> events;
    std::set<Key128> charged_runs;
    std::map<CounterName, int64_t> units;
    std::set<std::pair<Key128, CounterName>> charges;
    std::vector<RunRow> runs;
    std::map<std::string, std::set<std::string>> owners;  // by record, all it has had
    std::set<Key128> snoozed;                             // reminders
    std::set<std::string> gone;                           // records that were deleted
  };
  void keep(const Book& book, StoreReader& store);
  // The maximum that the program declares for a counter.
  int64_t maximum(const CounterName& counter) const;

  const engine::Program& program_;
  std::set<Key128> events_;
  std::set<Key128> charged_runs_;
  std::map<CounterName, int64_t> used_;
  std::set<std::pair<Key128, CounterName>> charged_;
  std::map<std::string, std::set<std::string>> owners_;
  std::set<Key128> snoozed_;
  std::set<std::string> gone_;  // records that were deleted, or may have been for a while
  std::set<std::tuple<Key128, Key128, std::string>> executed_;  // rule, event, record
};

class WitnessStore final : public ForwardingStore {
 public:
  WitnessStore(std::shared_ptr<Store> inner, Witness& witness)
      : ForwardingStore(std::move(inner)), witness_(witness) {}
  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    return watched(write, false);
  }
  Status commit_results(const std::function<Status(StoreTxn&)>& write) override {
    return watched(write, true);
  }

 private:
  Status watched(const std::function<Status(StoreTxn&)>& write, bool results);

  Witness& witness_;
};

}  // namespace ensue::testing
