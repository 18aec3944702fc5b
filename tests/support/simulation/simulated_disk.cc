#include "support/simulation/simulated_disk.h"

#include <algorithm>
#include <cstring>

namespace ensue::testing {

// ---- Bytes ------------------------------------------------------------------------------------

void FileBytes::read(uint64_t offset, char* out, size_t count) const {
  count = offset >= size_ ? 0 : static_cast<size_t>(std::min<uint64_t>(count, size_ - offset));
  while (count > 0) {
    size_t at = offset % kBlockBytes;
    size_t part = std::min(count, kBlockBytes - at);
    const std::shared_ptr<Block>& block = blocks_[offset / kBlockBytes];
    if (block == nullptr) {
      std::memset(out, 0, part);
    } else {
      std::memcpy(out, block->data() + at, part);
    }
    offset += part;
    out += part;
    count -= part;
  }
}

void FileBytes::write(uint64_t offset, const char* bytes, size_t count) {
  if (offset + count > size_) resize(offset + count);
  while (count > 0) {
    size_t at = offset % kBlockBytes;
    size_t part = std::min(count, kBlockBytes - at);
    std::shared_ptr<Block>& block = blocks_[offset / kBlockBytes];
    if (block == nullptr) {
      block = std::make_shared<Block>();
    } else if (block.use_count() > 1) {
      block = std::make_shared<Block>(*block);
    }
    std::memcpy(block->data() + at, bytes, part);
    offset += part;
    bytes += part;
    count -= part;
  }
}

void FileBytes::resize(uint64_t size) {
  blocks_.resize((size + kBlockBytes - 1) / kBlockBytes);
  if (size < size_ && size % kBlockBytes != 0 && blocks_.back() != nullptr) {
    // Growing again shows zeros, not what was cut off.
    auto block = std::make_shared<Block>(*blocks_.back());
    std::fill(block->begin() + static_cast<std::ptrdiff_t>(size % kBlockBytes), block->end(), 0);
    blocks_.back() = std::move(block);
  }
  size_ = size;
}

// ---- The disk ---------------------------------------------------------------------------------

struct SimulatedDisk::Waiting {
  uint64_t call = 0;
  uint64_t offset = 0;  // of a write; the new size of a truncation
  bool truncates = false;
  std::string bytes;
};

struct SimulatedDisk::File {
  std::string name;
  FileBytes now;
  FileBytes sure;
  std::vector<Waiting> waiting;
  bool dropped = false;  // a failed sync let go of writes: `sure` can no longer become `now`
};

const char* tear_name(Tear tear) {
  switch (tear) {
    case Tear::kKeepAll: return "keep all";
    case Tear::kDropAll: return "drop all";
    case Tear::kPrefix: return "prefix";
    case Tear::kSubset: return "subset";
    case Tear::kGarbage: return "garbage";
  }
  return "";
}

uint64_t SimulatedDisk::size(const File& file) { return file.now.size(); }

DiskAnswer SimulatedDisk::admit(DiskCall call, const std::string& name, uint64_t offset,
                                const char* bytes, uint64_t count, bool grows) {
  if (unplugged_) return DiskAnswer::kIoError;
  uint64_t number = calls_.size();
  calls_.push_back(call);
  if (options_.keep_log_hash) {
    auto mix = [&](uint64_t word) {
      log_hash_ = (log_hash_ ^ word) * 0x9E3779B97F4A7C15U;
      log_hash_ ^= log_hash_ >> 29;
    };
    mix(static_cast<uint64_t>(call));
    for (char c : name) mix(static_cast<unsigned char>(c));
    mix(offset);
    mix(count);
    for (uint64_t i = 0; bytes != nullptr && i < count; i += 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes + i, std::min<uint64_t>(8, count - i));
      mix(word);
    }
  }
  if (fault_.kind == DiskFault::Kind::kNone || number < fault_.at) return DiskAnswer::kDone;
  bool first = number == fault_.at;
  switch (fault_.kind) {
    case DiskFault::Kind::kIoError:
      if (!first && !(fault_.lasting && call == DiskCall::kSync)) break;
      fault_met_ = true;
      return DiskAnswer::kIoError;
    case DiskFault::Kind::kFull:
      if (!first && !fault_.lasting) break;
      if (call != DiskCall::kCreate && !(call == DiskCall::kWrite && grows)) break;
      fault_met_ = true;
      return DiskAnswer::kFull;
    case DiskFault::Kind::kNone: break;
  }
  return DiskAnswer::kDone;
}

SimulatedDisk::FilePtr SimulatedDisk::open(const std::string& name) const {
  auto found = names_.find(name);
  return found == names_.end() || unplugged_ ? nullptr : found->second;
}

SimulatedDisk::FilePtr SimulatedDisk::create(const std::string& name) {
  uint64_t call = calls();
  if (admit(DiskCall::kCreate, name, 0, nullptr, 0, true) != DiskAnswer::kDone) return nullptr;
  auto file = std::make_shared<File>();
  file->name = name;
  names_[name] = file;
  waiting_names_.push_back({call, name, file});
  told(call);
  return file;
}

DiskAnswer SimulatedDisk::remove(const std::string& name, bool sync_names) {
  uint64_t call = calls();
  DiskAnswer answer = admit(DiskCall::kDelete, name, 0, nullptr, 0, false);
  if (answer != DiskAnswer::kDone) return answer;
  names_.erase(name);
  waiting_names_.push_back({call, name, nullptr});
  told(call);
  if (sync_names && !options_.sync_lies) names_are_sure();
  return DiskAnswer::kDone;
}

DiskAnswer SimulatedDisk::read(File& file, uint64_t offset, char* out, size_t count) {
  DiskAnswer answer = admit(DiskCall::kRead, file.name, offset, nullptr, count, false);
  if (answer != DiskAnswer::kDone) {
    // Cut short before it failed.
    if (!unplugged_) file.now.read(offset, out, random_.below(count));
    return answer;
  }
  uint64_t there = offset >= file.now.size() ? 0 : file.now.size() - offset;
  if (there < count) std::memset(out + there, 0, count - static_cast<size_t>(there));
  file.now.read(offset, out, count);
  return there < count ? DiskAnswer::kEndOfFile : DiskAnswer::kDone;
}

DiskAnswer SimulatedDisk::write(File& file, uint64_t offset, const char* bytes, size_t count) {
  uint64_t call = calls();
  bool grows = offset + count > file.now.size();
  DiskAnswer answer = admit(DiskCall::kWrite, file.name, offset, bytes, count, grows);
  if (unplugged_) return answer;
  // A refused write may have done its first part.
  size_t part = answer == DiskAnswer::kDone ? count : random_.below(count);
  if (part > 0) {
    file.now.write(offset, bytes, part);
    file.waiting.push_back({call, offset, false, std::string(bytes, part)});
  }
  told(call);
  return answer;
}

DiskAnswer SimulatedDisk::truncate(File& file, uint64_t size) {
  uint64_t call = calls();
  DiskAnswer answer = admit(DiskCall::kTruncate, file.name, size, nullptr, 0, false);
  if (answer != DiskAnswer::kDone) return answer;
  file.now.resize(size);
  file.waiting.push_back({call, size, true, {}});
  told(call);
  return answer;
}

DiskAnswer SimulatedDisk::sync(File& file, bool sync_names) {
  uint64_t call = calls();
  DiskAnswer answer = admit(DiskCall::kSync, file.name, 0, nullptr, 0, false);
  if (unplugged_) return answer;
  told(call);
  if (answer == DiskAnswer::kDone && options_.sync_lies) return answer;
  bool failed = answer != DiskAnswer::kDone;
  failed_syncs_ += failed ? 1 : 0;
  if (failed && !options_.failed_sync_drops) return answer;
  if (!failed && !file.dropped) {
    file.sure = file.now;
  } else {
    for (const Waiting& change : file.waiting) {
      if (failed && random_.chance(50)) continue;
      if (change.truncates) {
        file.sure.resize(change.offset);
      } else {
        file.sure.write(change.offset, change.bytes.data(), change.bytes.size());
      }
    }
    file.dropped = true;
  }
  file.waiting.clear();
  if (!failed && sync_names) names_are_sure();
  return answer;
}

void SimulatedDisk::names_are_sure() {
  sure_names_ = names_;
  waiting_names_.clear();
}

// ---- Crashes ----------------------------------------------------------------------------------

namespace {

// Sectors of one write, each kept, lost or spoilt on its own.
void write_sectors(FileBytes& file, uint64_t offset, const std::string& bytes, Random& random,
                   const DiskOptions& options, int kept_percent, bool garbage) {
  uint64_t end = offset + bytes.size();
  for (uint64_t at = offset; at < end;) {
    uint64_t sector = at / options.sector_bytes * options.sector_bytes;
    uint64_t stop = std::min<uint64_t>(end, sector + options.sector_bytes);
    if (random.chance(kept_percent)) {
      file.write(at, bytes.data() + (at - offset), static_cast<size_t>(stop - at));
    } else if (garbage && random.chance(30)) {
      uint64_t from = options.sector_safe ? at : sector;
      // A spoilt sector does not make the file longer than the write would have.
      std::string noise(static_cast<size_t>((options.sector_safe ? stop : end) - from), 0);
      noise.resize(std::min<size_t>(noise.size(), options.sector_bytes));
      bool zeros = random.chance(30);
      for (char& c : noise) c = zeros ? '\0' : static_cast<char>(random.below(256));
      file.write(from, noise.data(), noise.size());
    } else if (garbage && options.sector_safe && random.chance(20)) {
      // Cut inside the sector.
      file.write(at, bytes.data() + (at - offset), random.below(static_cast<size_t>(stop - at)));
    }
    at = stop;
  }
}

}  // namespace

// The machine goes on: what waits still waits, and is lost when the power goes next.
std::unique_ptr<SimulatedDisk> SimulatedDisk::without_its_process(uint64_t seed) const {
  auto out = std::make_unique<SimulatedDisk>(options_, seed);
  out->options_.keep_log_hash = false;
  std::map<const File*, FilePtr> copies;
  auto copy_of = [&](const FilePtr& file) -> FilePtr {
    if (file == nullptr) return nullptr;
    FilePtr& copy = copies[file.get()];
    if (copy == nullptr) {
      copy = std::make_shared<File>(*file);
      // The numbers of the new disk's calls begin at 0, and these come before them.
      for (Waiting& change : copy->waiting) change.call = 0;
    }
    return copy;
  };
  for (const auto& [name, file] : names_) out->names_[name] = copy_of(file);
  for (const auto& [name, file] : sure_names_) out->sure_names_[name] = copy_of(file);
  for (const WaitingName& change : waiting_names_)
    out->waiting_names_.push_back({0, change.name, copy_of(change.file)});
  return out;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::crashed(Tear tear, Random& random) const {
  if (tear == Tear::kKeepAll) return without_its_process(random.fork());
  struct Change {
    uint64_t call;
    File* file;
    const Waiting* data;
    const WaitingName* name;
  };
  std::vector<Change> changes;
  std::map<const File*, FilePtr> copies;
  auto copy_of = [&](const FilePtr& file) -> const FilePtr& {
    FilePtr& copy = copies[file.get()];
    if (copy == nullptr) {
      copy = std::make_shared<File>();
      copy->name = file->name;
      copy->now = file->sure;
      for (const Waiting& change : file->waiting)
        changes.push_back({change.call, copy.get(), &change, nullptr});
    }
    return copy;
  };
  auto out = std::make_unique<SimulatedDisk>(options_, random.fork());
  out->options_.keep_log_hash = false;
  for (const auto& [name, file] : sure_names_) out->names_[name] = copy_of(file);
  for (const WaitingName& change : waiting_names_) {
    if (change.file != nullptr) (void)copy_of(change.file);
    changes.push_back({change.call, nullptr, nullptr, &change});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.call < b.call; });
  size_t prefix = tear == Tear::kPrefix ? random.below(changes.size() + 1) : 0;
  bool each = tear == Tear::kSubset || tear == Tear::kGarbage;
  int kept_percent = std::array{10, 50, 90, 98}[random.below(4)];
  bool names_in_order = random.chance(50);
  for (size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    bool whole = i < prefix;
    if (change.name != nullptr) {
      if (each && !random.chance(kept_percent)) {
        // A disk that keeps the order of names loses all that follow a lost one.
        if (names_in_order) kept_percent = 0;
        continue;
      }
      if (!whole && !each) continue;
      if (change.name->file == nullptr) {
        out->names_.erase(change.name->name);
      } else {
        out->names_[change.name->name] = copies[change.name->file.get()];
      }
      continue;
    }
    const Waiting& data = *change.data;
    FileBytes& file = change.file->now;
    if (data.truncates) {
      if (whole || (each && random.chance(kept_percent))) file.resize(data.offset);
    } else if (whole) {
      file.write(data.offset, data.bytes.data(), data.bytes.size());
    } else if (each) {
      write_sectors(file, data.offset, data.bytes, random, options_, kept_percent,
                    tear == Tear::kGarbage);
    } else if (tear == Tear::kPrefix && i == prefix) {
      file.write(data.offset, data.bytes.data(), random.below(data.bytes.size() + 1));
    }
  }
  for (auto& [name, file] : out->names_) file->sure = file->now;
  out->sure_names_ = out->names_;
  return out;
}

}  // namespace ensue::testing
