#include "engine/record_cache.h"

#include <algorithm>

namespace ensue::engine {
namespace {

// An image takes about twice the bytes of its row: a value each beside the names and texts of it.
// Its id stands there and in the key.
size_t image_bytes(const RecordCache::Key& key, size_t stored_bytes) {
  constexpr size_t kRow = 256;
  return kRow + 2 * (key.id.size() + stored_bytes);
}

}  // namespace

RecordCache::Row& RecordCache::row(const KeyView& key) {
  if (auto found = rows_.find(key); found != rows_.end()) {
    found->second.used_ = true;
    return *found;
  }
  Row& made = *rows_.emplace(Key(key), Entry{}).first;
  made.second.bytes_ = image_bytes(made.first, 0);
  come_.push_back(&made);
  return made;
}

void RecordCache::weigh(Row& row, size_t stored_bytes) {
  Entry& entry = row.second;
  size_t bytes = image_bytes(row.first, stored_bytes);
  // What has just come is counted when it gets into its queue.
  if (entry.queued_) {
    Queue& queue = entry.worked_ ? worked_ : fresh_;
    queue.bytes = queue.bytes - entry.bytes_ + bytes;
  }
  entry.bytes_ = bytes;
}

void RecordCache::enqueue(Row& row) {
  Queue& queue = row.second.worked_ ? worked_ : fresh_;
  row.second.used_ = false;
  row.second.queued_ = true;
  queue.rows.push_back(&row);
  queue.bytes += row.second.bytes_;
}

RecordCache::Row& RecordCache::dequeue(Queue& queue) {
  Row& row = *queue.rows.front();
  queue.rows.pop_front();
  queue.bytes -= row.second.bytes_;
  return row;
}

// What goes has not been looked at for long. What stands behind it is fetched meanwhile: the row,
// and the image of one nearer.
void RecordCache::look_ahead(const Queue& queue) {
  constexpr size_t kRow = 6;
  constexpr size_t kImage = 3;
  if (queue.rows.size() <= kRow) return;
  __builtin_prefetch(queue.rows[kRow]);
  if (const types::Record* image = queue.rows[kImage]->second.image.get(); image != nullptr) {
    __builtin_prefetch(image);
    __builtin_prefetch(reinterpret_cast<const char*>(image) + 64);
  }
}

void RecordCache::trim() {
  // All together: where they fall is far apart.
  for (Row* row : come_) row->second.worked_ = gone(row->first) == left_by(row->first);
  for (Row* row : come_) enqueue(*row);
  come_.clear();
  while (fresh_.bytes > room_.fresh) {
    look_ahead(fresh_);
    Row& row = dequeue(fresh_);
    if (row.second.used_) {
      row.second.worked_ = true;
      enqueue(row);
    } else {
      gone(row.first) = left_by(row.first);
      rows_.erase(rows_.find(row.first));
    }
  }
  while (worked_.bytes > room_.worked) {
    Row& row = dequeue(worked_);
    if (row.second.used_) {
      enqueue(row);
    } else {
      rows_.erase(rows_.find(row.first));
    }
  }
}

void RecordCache::clear() {
  rows_.clear();
  come_.clear();
  fresh_ = {};
  worked_ = {};
  std::fill(gone_.begin(), gone_.end(), 0);
}

}  // namespace ensue::engine
