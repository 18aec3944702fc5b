#include "support/simulation/simulated_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <new>
#include <vector>

namespace ensue::testing {
namespace {

struct OpenFile;

// What the connections of the process share about one file.
struct Shared {
  std::vector<OpenFile*> users;
  std::vector<std::unique_ptr<char[]>> regions;
  std::array<int, SQLITE_SHM_NLOCK> shm_shared{};
  std::array<OpenFile*, SQLITE_SHM_NLOCK> shm_owner{};
  int shm_users = 0;
};

struct OpenFile {
  sqlite3_file base;
  SimulatedDisk* disk;
  SimulatedDisk::FilePtr file;
  Shared* shared;
  int lock;
  bool shm;
  bool sync_names;  // with the next sync, as SQLite does for a journal or WAL that it may have made
};

OpenFile& open_file(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }

int code_of(DiskAnswer answer, int io_code) {
  switch (answer) {
    case DiskAnswer::kDone: return SQLITE_OK;
    case DiskAnswer::kFull: return SQLITE_FULL;
    case DiskAnswer::kEndOfFile: return SQLITE_IOERR_SHORT_READ;
    case DiskAnswer::kIoError: break;
  }
  return io_code;
}

// ---- Files ------------------------------------------------------------------------------------

int unmap_shm(sqlite3_file* base, int) {
  OpenFile& file = open_file(base);
  if (!file.shm) return SQLITE_OK;
  file.shm = false;
  for (OpenFile*& owner : file.shared->shm_owner) {
    if (owner == &file) owner = nullptr;
  }
  if (--file.shared->shm_users == 0) file.shared->regions.clear();
  return SQLITE_OK;
}

int close_file(sqlite3_file* base) {
  OpenFile& file = open_file(base);
  (void)unmap_shm(base, 0);
  auto& users = file.shared->users;
  users.erase(std::remove(users.begin(), users.end(), &file), users.end());
  file.~OpenFile();
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* out, int count, sqlite3_int64 offset) {
  OpenFile& file = open_file(base);
  return code_of(file.disk->read(*file.file, static_cast<uint64_t>(offset), static_cast<char*>(out),
                                 static_cast<size_t>(count)),
                 SQLITE_IOERR_READ);
}

int write_file(sqlite3_file* base, const void* bytes, int count, sqlite3_int64 offset) {
  OpenFile& file = open_file(base);
  return code_of(file.disk->write(*file.file, static_cast<uint64_t>(offset),
                                  static_cast<const char*>(bytes), static_cast<size_t>(count)),
                 SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  OpenFile& file = open_file(base);
  return code_of(file.disk->truncate(*file.file, static_cast<uint64_t>(size)),
                 SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* base, int) {
  OpenFile& file = open_file(base);
  DiskAnswer answer = file.disk->sync(*file.file, file.sync_names);
  if (answer == DiskAnswer::kDone) file.sync_names = false;
  return code_of(answer, SQLITE_IOERR_FSYNC);
}

int size_of_file(sqlite3_file* base, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(SimulatedDisk::size(*open_file(base).file));
  return SQLITE_OK;
}

int lock_file(sqlite3_file* base, int level) {
  OpenFile& file = open_file(base);
  if (file.lock >= level) return SQLITE_OK;
  int others = 0;
  for (const OpenFile* user : file.shared->users) {
    if (user != &file) others = std::max(others, user->lock);
  }
  int most = level == SQLITE_LOCK_SHARED     ? SQLITE_LOCK_RESERVED
             : level == SQLITE_LOCK_RESERVED ? SQLITE_LOCK_SHARED
                                             : SQLITE_LOCK_NONE;
  if (others > most) return SQLITE_BUSY;
  file.lock = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* base, int level) {
  OpenFile& file = open_file(base);
  file.lock = std::min(file.lock, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* base, int* reserved) {
  *reserved = 0;
  for (const OpenFile* user : open_file(base).shared->users) {
    if (user->lock >= SQLITE_LOCK_RESERVED) *reserved = 1;
  }
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }

int sector_size(sqlite3_file* base) {
  return static_cast<int>(open_file(base).disk->options().sector_bytes);
}

int characteristics(sqlite3_file* base) {
  return open_file(base).disk->options().sector_safe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

// ---- Shared memory of the WAL -----------------------------------------------------------------

int map_shm(sqlite3_file* base, int region, int bytes, int extend, void volatile** out) {
  OpenFile& file = open_file(base);
  if (!file.shm) {
    file.shm = true;
    ++file.shared->shm_users;
  }
  auto& regions = file.shared->regions;
  *out = nullptr;
  if (static_cast<size_t>(region) >= regions.size()) {
    if (extend == 0) return SQLITE_OK;
    while (regions.size() <= static_cast<size_t>(region)) {
      regions.push_back(std::make_unique<char[]>(static_cast<size_t>(bytes)));
    }
  }
  *out = regions[static_cast<size_t>(region)].get();
  return SQLITE_OK;
}

int lock_shm(sqlite3_file* base, int first, int count, int flags) {
  OpenFile& file = open_file(base);
  Shared& shared = *file.shared;
  bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (int i = first; i < first + count; ++i) {
    auto slot = static_cast<size_t>(i);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      if (exclusive && shared.shm_owner[slot] == &file) shared.shm_owner[slot] = nullptr;
      if (!exclusive) --shared.shm_shared[slot];
      continue;
    }
    bool taken = shared.shm_owner[slot] != nullptr && shared.shm_owner[slot] != &file;
    if (taken || (exclusive && shared.shm_shared[slot] > 0)) return SQLITE_BUSY;
  }
  if ((flags & SQLITE_SHM_UNLOCK) != 0) return SQLITE_OK;
  for (int i = first; i < first + count; ++i) {
    auto slot = static_cast<size_t>(i);
    if (exclusive) {
      shared.shm_owner[slot] = &file;
    } else {
      ++shared.shm_shared[slot];
    }
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file*) {}

const sqlite3_io_methods kMethods = {
    2,
    close_file,
    read_file,
    write_file,
    truncate_file,
    sync_file,
    size_of_file,
    lock_file,
    unlock_file,
    check_reserved,
    control_file,
    sector_size,
    characteristics,
    map_shm,
    lock_shm,
    shm_barrier,
    unmap_shm,
    nullptr,
    nullptr,
};

}  // namespace

// ---- The file system --------------------------------------------------------------------------

struct SimulatedVfs::State {
  SimulatedDisk* disk = nullptr;
  std::string name;
  std::map<std::string, Shared> shared;  // by file; nodes stay where they are
  sqlite3_vfs vfs{};

  static State& of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* given, sqlite3_file* base, int flags,
                  int* out_flags) {
    base->pMethods = nullptr;
    // Nothing here asks for temporary files: the store keeps them in memory.
    if (given == nullptr) return SQLITE_CANTOPEN;
    State& state = of(vfs);
    std::string name = given;
    SimulatedDisk::FilePtr file = state.disk->open(name);
    if (file == nullptr && (flags & SQLITE_OPEN_CREATE) != 0) {
      file = state.disk->create(name);
    }
    if (file == nullptr) return SQLITE_CANTOPEN;
    bool journal = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    Shared& shared = state.shared[name];
    auto* out = new (base) OpenFile{{&kMethods},
                                    state.disk,
                                    std::move(file),
                                    &shared,
                                    SQLITE_LOCK_NONE,
                                    false,
                                    journal && (flags & SQLITE_OPEN_CREATE) != 0};
    shared.users.push_back(out);
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int sync_names) {
    SimulatedDisk& disk = *of(vfs).disk;
    if (!disk.exists(name)) return SQLITE_IOERR_DELETE_NOENT;
    return code_of(disk.remove(name, sync_names != 0), SQLITE_IOERR_DELETE);
  }

  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    *out = of(vfs).disk->exists(name) ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_name(sqlite3_vfs*, const char* name, int bytes, char* out) {
    sqlite3_snprintf(bytes, out, "%s", name);
    return SQLITE_OK;
  }

  static int randomness(sqlite3_vfs*, int bytes, char* out) {
    std::memset(out, 0, static_cast<size_t>(bytes));
    return bytes;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int time(sqlite3_vfs*, double* julian_day) {
    *julian_day = 2461000.5;
    return SQLITE_OK;
  }
};

SimulatedVfs::SimulatedVfs(SimulatedDisk& disk) : state_(std::make_unique<State>()) {
  static uint64_t count = 0;
  state_->disk = &disk;
  state_->name = "simulated-" + std::to_string(++count);
  sqlite3_vfs& vfs = state_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.mxPathname = 200;
  vfs.zName = state_->name.c_str();
  vfs.pAppData = state_.get();
  vfs.xOpen = State::open;
  vfs.xDelete = State::remove;
  vfs.xAccess = State::access;
  vfs.xFullPathname = State::full_name;
  vfs.xRandomness = State::randomness;
  vfs.xSleep = State::sleep;
  vfs.xCurrentTime = State::time;
  sqlite3_vfs_register(&vfs, 0);
}

SimulatedVfs::~SimulatedVfs() { sqlite3_vfs_unregister(&state_->vfs); }

const std::string& SimulatedVfs::name() const { return state_->name; }

void seed_sqlite(uint64_t seed) {
  sqlite3_initialize();
  // Zero would mean: from the machine.
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed % 0x7FFFFFFF) + 1, nullptr);
}

}  // namespace ensue::testing
