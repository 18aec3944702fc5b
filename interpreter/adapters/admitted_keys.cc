#include "adapters/internal/admitted_keys.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "adapters/internal/connection.h"

namespace ensue::adapters {
namespace {

// How many older keys are moved for each new one: the older ones are gone before as many new ones
// have come.
constexpr size_t kMovedForEach = 4;

}  // namespace

// ---- KeySet -----------------------------------------------------------------------------------

size_t KeySet::slot(const Key128& key) const {
  size_t mask = slots_.size() - 1;
  size_t at = std::hash<Key128>{}(key)&mask;
  while (!slots_[at].is_zero() && slots_[at] != key) at = (at + 1) & mask;
  return at;
}

bool KeySet::has(const Key128& key) const {
  if (key.is_zero()) return has_zero_;
  return !slots_.empty() && slots_[slot(key)] == key;
}

bool KeySet::insert(const Key128& key) {
  if (key.is_zero()) return !std::exchange(has_zero_, true);
  if (count_ + count_ / 2 >= slots_.size()) grow();
  Key128& place = slots_[slot(key)];
  if (place == key) return false;
  place = key;
  ++count_;
  return true;
}

void KeySet::prefetch(const Key128& key) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[std::hash<Key128>{}(key) & (slots_.size() - 1)]);
}

void KeySet::grow() {
  constexpr size_t kLeast = 1024;
  std::vector<Key128> before = std::exchange(slots_, {});
  slots_.resize(std::max(kLeast, before.size() * 2));
  for (const Key128& key : before) {
    if (!key.is_zero()) slots_[slot(key)] = key;
  }
}

void KeySet::clear() {
  slots_.clear();
  count_ = 0;
  has_zero_ = false;
}

// ---- AdmittedKeys -----------------------------------------------------------------------------

Status AdmittedKeys::load() {
  forget();
  tree_empty_ = true;
  Status looked = each_row(db_, "SELECT 1 FROM dedupe LIMIT 1", [&](const Statement&) {
    tree_empty_ = false;
    return false;
  });
  if (!looked) return looked;
  Status whole;
  Status read =
      each_row(db_, "SELECT seq, keys FROM admitted ORDER BY seq", [&](const Statement& row) {
        std::string keys = row.text(1);
        if (keys.empty() || keys.size() % sizeof(Key128) != 0) {
          whole = {ErrorCode::kStoreDamaged, store_name(db_) + ": the keys of events in row " +
                                                 std::to_string(row.integer(0)) +
                                                 " of `admitted` are " +
                                                 std::to_string(keys.size()) + " bytes"};
          return false;
        }
        moving_to_ = row.integer(0);
        size_t before = recent_.size();
        recent_.resize(before + keys.size() / sizeof(Key128));
        std::memcpy(recent_.data() + before, keys.data(), keys.size());
        return true;
      });
  if (!read) return read;
  if (!whole) return whole;
  written_ = recent_.size();
  // Also those of which a part was moved before the last process ended: moving them again changes
  // nothing.
  if (recent_.size() >= recent_max_) {
    moving_ = std::exchange(recent_, {});
    written_ = 0;
    std::sort(moving_.begin(), moving_.end());
  }
  collect();
  loaded_ = true;
  return {};
}

void AdmittedKeys::collect() {
  known_.clear();
  for (const std::vector<Key128>* keys : {&moving_, &recent_})
    for (const Key128& key : *keys) known_.insert(key);
}

Result<bool> AdmittedKeys::admit(const Key128& key) {
  if (!loaded_) {
    if (Status done = load(); !done) return done.error();
  }
  if (known_.has(key)) return false;
  if (!tree_empty_) {
    find_.once(db_, "SELECT 1 FROM dedupe WHERE event = ?").bind(1, key);
    Result<bool> found = find_.step();
    find_.reset();
    if (!found) return found.error();
    if (*found) return false;
  }
  known_.insert(key);
  recent_.push_back(key);
  return true;
}

Status AdmittedKeys::write() {
  if (!loaded_ || recent_.size() == written_) return {};
  size_t count = recent_.size() - written_;
  add_.once(db_, "INSERT INTO admitted (keys) VALUES (?)");
  add_.bind_blob(1, {reinterpret_cast<const char*>(&recent_[written_]), count * sizeof(Key128)});
  if (Status done = add_.run(); !done) return done;
  written_ = recent_.size();
  if (!moving_.empty()) return move_some(kMovedForEach * count);
  if (recent_.size() < recent_max_) return {};
  moving_ = std::exchange(recent_, {});
  std::sort(moving_.begin(), moving_.end());
  written_ = 0;
  moving_to_ = sqlite3_last_insert_rowid(db_);
  return {};
}

Status AdmittedKeys::move_some(size_t count) {
  move_.once(db_, "INSERT INTO dedupe (event) VALUES (?) ON CONFLICT DO NOTHING");
  tree_empty_ = false;
  for (; count > 0 && moved_ < moving_.size(); --count, ++moved_) {
    if (Status done = move_.bind(1, moving_[moved_]).run(); !done) return done;
  }
  if (moved_ < moving_.size()) return {};
  return remove_.once(db_, "DELETE FROM admitted WHERE seq <= ?").bind(1, moving_to_).run();
}

void AdmittedKeys::committed() {
  if (moving_.empty() || moved_ < moving_.size()) return;
  moving_.clear();
  moved_ = 0;
  collect();
}

void AdmittedKeys::forget() {
  loaded_ = false;
  known_.clear();
  recent_.clear();
  moving_.clear();
  written_ = moved_ = 0;
}

void AdmittedKeys::rollback(size_t mark) {
  if (recent_.size() - written_ <= mark) return;
  recent_.resize(written_ + mark);
  collect();
}

void AdmittedKeys::close() {
  for (Statement* statement : {&find_, &add_, &move_, &remove_}) *statement = Statement();
}

}  // namespace ensue::adapters
