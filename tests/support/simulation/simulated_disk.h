// A disk in memory that can lose power, for testing what a store promises.
//
// It keeps two pictures of each file: what the system shows, and what is sure to be on the platter.
// Writes, truncations, creations and deletions wait between the two until the file is synced; a
// crash decides for each of them, by seed, whether it made it, sector by sector. Names of files
// become sure when the folder is synced, as on a strict POSIX system.
//
// Every call has a number, counted from 0. Faults and crash images are told by these numbers, and
// the same work makes the same calls: `log_hash` says so.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/random.h"

namespace ensue::testing {

// Bytes of a file, in blocks that copies share until one of them is written.
class FileBytes {
 public:
  uint64_t size() const { return size_; }
  // What lies beyond the end is left alone.
  void read(uint64_t offset, char* out, size_t count) const;
  // Fills what lies between the end and `offset` with zeros.
  void write(uint64_t offset, const char* bytes, size_t count);
  void resize(uint64_t size);

 private:
  static constexpr size_t kBlockBytes = 4096;
  using Block = std::array<char, kBlockBytes>;
  std::vector<std::shared_ptr<Block>> blocks_;  // null: zeros
  uint64_t size_ = 0;
};

enum class DiskCall : unsigned char { kRead, kWrite, kTruncate, kSync, kCreate, kDelete };

enum class DiskAnswer : unsigned char { kDone, kIoError, kFull, kEndOfFile };

struct DiskFault {
  enum class Kind : unsigned char { kNone, kIoError, kFull };
  Kind kind = Kind::kNone;
  uint64_t at = 0;  // number of the call
  // The fault stays until it is cleared: a full disk refuses every write from `at` on, an I/O error
  // every sync.
  bool lasting = false;
};

// What becomes of what was not synced.
enum class Tear : unsigned char {
  kKeepAll,  // the process died, the machine did not
  kDropAll,
  kPrefix,   // the disk keeps the order; the last write is cut
  kSubset,   // each sector on its own
  kGarbage,  // each sector on its own, and some hold neither the old nor the new
};
const char* tear_name(Tear tear);

struct DiskOptions {
  uint32_t sector_bytes = 512;
  // A write cut short harms no bytes beside its own ("powersafe overwrite"). Otherwise a garbage
  // sector is garbage whole.
  bool sector_safe = true;
  bool sync_lies = false;          // sync says yes and does nothing
  bool failed_sync_drops = false;  // after a failed sync the writes are taken for done, and are not
  bool keep_log_hash = false;
};

class SimulatedDisk {
 public:
  explicit SimulatedDisk(const DiskOptions& options, uint64_t seed)
      : options_(options), random_(seed) {}

  struct File;
  using FilePtr = std::shared_ptr<File>;

  // ---- Calls -----------------------------------------------------------------------------------
  bool exists(const std::string& name) const { return names_.count(name) != 0; }
  // Null where there is none, or the call failed.
  FilePtr open(const std::string& name) const;
  FilePtr create(const std::string& name);
  DiskAnswer remove(const std::string& name, bool sync_names);
  // What lies beyond the end comes as zeros, with kEndOfFile.
  DiskAnswer read(File& file, uint64_t offset, char* out, size_t count);
  DiskAnswer write(File& file, uint64_t offset, const char* bytes, size_t count);
  DiskAnswer truncate(File& file, uint64_t size);
  // `sync_names`: makes the names of the whole folder sure, too.
  DiskAnswer sync(File& file, bool sync_names);
  static uint64_t size(const File& file);

  // ---- Trouble ---------------------------------------------------------------------------------
  void set_fault(const DiskFault& fault) { fault_ = fault; }
  void clear_fault() { fault_ = {}; }
  bool fault_met() const { return fault_met_; }
  uint64_t failed_syncs() const { return failed_syncs_; }
  // Every further call fails: what is left of a process that is gone changes nothing any more.
  void unplug() { unplugged_ = true; }
  // What a crash now leaves, as a disk of its own. Where only the process dies, what waits goes on
  // waiting; after a loss of power nothing does.
  std::unique_ptr<SimulatedDisk> crashed(Tear tear, Random& random) const;
  // Called with the number of each call that changes something: after a write, a truncation, a
  // creation or a deletion is waiting, and before a sync has done its work.
  void on_change(std::function<void(uint64_t)> hook) { hook_ = std::move(hook); }

  // ---- Looking ---------------------------------------------------------------------------------
  const DiskOptions& options() const { return options_; }
  uint64_t calls() const { return calls_.size(); }
  const std::vector<DiskCall>& call_log() const { return calls_; }
  uint64_t log_hash() const { return log_hash_; }

 private:
  struct Waiting;
  struct WaitingName {
    uint64_t call = 0;
    std::string name;
    FilePtr file;  // null: removed
  };

  std::unique_ptr<SimulatedDisk> without_its_process(uint64_t seed) const;
  // Counts the call and says what becomes of it.
  DiskAnswer admit(DiskCall call, const std::string& name, uint64_t offset, const char* bytes,
                   uint64_t count, bool grows);
  void names_are_sure();
  void told(uint64_t call) {
    if (hook_) hook_(call);
  }

  DiskOptions options_;
  Random random_;
  std::map<std::string, FilePtr> names_;
  std::map<std::string, FilePtr> sure_names_;
  std::vector<WaitingName> waiting_names_;
  std::vector<DiskCall> calls_;
  uint64_t log_hash_ = 0;
  DiskFault fault_;
  bool fault_met_ = false;
  uint64_t failed_syncs_ = 0;
  bool unplugged_ = false;
  std::function<void(uint64_t)> hook_;
};

}  // namespace ensue::testing
