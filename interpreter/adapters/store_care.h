// Looking after a store file as a whole: checking, copying, compacting, archiving.
//
// An archive is a store of the same layout that holds the runs, verdicts and charged counters of
// one day of the past, in the folder `STORE.archive` beside the store, one file `YYYY-MM-DD.db` a
// day. What was archived stays true: an event seen is still known (its key stays in the store), and
// a counter of a day goes together with all its charges, so that each file can be recounted alone.
//
// Every function says with kIo that there is no such store, and with kStoreDamaged and kStoreTooNew
// what open_sqlite_store says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ensue/store.h"

namespace ensue::adapters {

// ---- Checking ---------------------------------------------------------------------------------

// One thing that was looked at.
struct StoreCheck {
  std::string name;                                         // pages, counters, timers, …
  std::vector<std::pair<uint64_t, const char*>> looked_at;  // {4, "counter"}, {10, "charge"}
  std::vector<std::string> wrong;                           // the first ones, a sentence each
  std::vector<CounterProof> disagree;                       // of the counters, the first ones
  uint64_t wrong_count = 0;                                 // all of them
};

struct StoreReport {
  int64_t format = 0;
  std::vector<StoreCheck> checks;
};

// Looks at everything a store and its archives promise, as of one moment, also beside an owner that
// writes. Reads every page. What is damaged is in the checks, not in the error.
Result<StoreReport> check_store(const std::string& path);

// ---- Copying ----------------------------------------------------------------------------------

// Makes `target` a copy of the store as of one moment, also beside an owner that writes; gives its
// size in bytes. The copy is complete and on the disk before it gets its name; until then it is
// `TARGET.part`, which a killed process leaves behind and the next one writes over. Archives are
// files of their own and are not copied. Errors: kIo also when the target is there already,
// kStorageFull.
Result<uint64_t> back_up_store(const std::string& path, const std::string& target);

// ---- Compacting -------------------------------------------------------------------------------

struct Compaction {
  uint64_t bytes_before = 0;  // of the file and its log
  uint64_t bytes_after = 0;
};
// Writes the store anew without the room that deleted rows left. Needs the ownership (kStoreLocked)
// and room for a second copy; kStorageFull leaves the store as it was.
Result<Compaction> compact_store(const std::string& path);

// ---- Archiving --------------------------------------------------------------------------------

struct ArchiveDay {
  std::string name;  // the local date: 2026-01-05
  Instant begin;
  Instant end;
};
struct ArchivePlan {
  std::string before;  // days before this one are moved
  // The day that an instant belongs to.
  std::function<ArchiveDay(Instant)> day_of;
};
struct ArchivedDay {
  std::string name;
  uint64_t runs = 0;
  uint64_t verdicts = 0;
  uint64_t counters = 0;
  uint64_t charges = 0;
};
// Moves what belongs to days before `plan.before` out of the store, day by day, the oldest first,
// and tells each day when it is done. A day is copied, written through to the disk and only then
// deleted, in one transaction; after a crash in between the next call finishes it. Such a day may
// get more later: runs of late events. The caller keeps days that can still be charged.
//
// The newest run and the newest verdict stay, so that their numbers go on; so do the charges of
// sliding windows that hold a unit of that day. Needs the ownership (kStoreLocked). kStoreDamaged
// when a counter disagrees with its charges, or an archive with the store: then nothing of that day
// is moved.
Status archive_store(const std::string& path, const ArchivePlan& plan,
                     const std::function<void(const ArchivedDay&)>& done);

// Opens a store for looking, together with its archives: runs, verdicts and counters are those of
// all files. An archive that was taken away is not read, and not missed.
Result<std::unique_ptr<Store>> look_at_store(const std::string& path);

}  // namespace ensue::adapters
