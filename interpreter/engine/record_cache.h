// The record cache: images of records that were read or written lately.
//
// Two queues (Yang and others, "FIFO queues are all you need for cache eviction", SOSP 2023): what
// comes stands in a short one, and what was asked for again until it comes out goes into a long
// one, where it stays for as long as it is asked for. What comes back soon after it has gone goes
// into the long one at once. So a stream of new records does not drive out the ones that are at
// work. Both are bounded by bytes.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "types/record.h"

namespace ensue::engine {

class RecordCache {
 public:
  // Keys bring their hashes, so that neither a longer table nor a neighbour asks for them again.
  struct KeyView {
    KeyView(types::ObjectId of, std::string_view name)
        : object(of.index), id(name), hash(std::hash<std::string_view>{}(name)*31 + of.index) {}
    uint32_t object;
    std::string_view id;
    size_t hash;
  };
  struct Key {
    explicit Key(const KeyView& view) : object(view.object), id(view.id), hash(view.hash) {}
    uint32_t object;
    std::string id;
    size_t hash;
    bool operator<(const Key& other) const {
      return std::tie(object, id) < std::tie(other.object, other.id);
    }
  };
  static constexpr size_t kUnchanged = SIZE_MAX;
  class Entry {
   public:
    types::RecordPtr image;       // null: known to be missing
    bool known = false;           // else the store is to be asked
    size_t changed = kUnchanged;  // its place among those that a batch has changed

   private:
    friend class RecordCache;
    size_t bytes_ = 0;
    bool used_ = false;    // since it came into its queue: not in the batch that brought it
    bool queued_ = false;  // in the short queue, or …
    bool worked_ = false;  // … in the long one
  };
  // A key and what is kept for it. Stays where it is until the next trim().
  using Row = std::pair<const Key, Entry>;

  // Bytes that the queues may hold.
  struct Room {
    size_t fresh = size_t{1} << 20;
    size_t worked = size_t{63} << 20;
  };
  explicit RecordCache(Room room) : room_(room), gone_(kGone) {}

  // Of a record nothing is kept for, a new one, by which nothing is known.
  Row& row(const KeyView& key);
  // Says how long the record is in the store; what it takes here follows from that.
  void weigh(Row& row, size_t stored_bytes);
  // Lets go of what has no room, between batches: no row may be changed then.
  void trim();
  void clear();

  size_t size() const { return rows_.size(); }
  size_t bytes() const { return fresh_.bytes + worked_.bytes; }

 private:
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const Key& key) const { return key.hash; }
    size_t operator()(const KeyView& key) const { return key.hash; }
  };
  struct KeyEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.hash == b.hash && a.object == b.object && a.id == b.id;
    }
  };
  struct Queue {
    std::deque<Row*> rows;
    size_t bytes = 0;
  };
  void enqueue(Row& row);
  Row& dequeue(Queue& queue);
  static void look_ahead(const Queue& queue);

  // As many as the long queue may hold records of a thousand bytes.
  static constexpr size_t kGone = size_t{1} << 16;
  // Where the hash of a key falls, and what it leaves there.
  uint32_t& gone(const Key& key) { return gone_[key.hash % kGone]; }
  static uint32_t left_by(const Key& key) { return static_cast<uint32_t>(key.hash >> 32); }

  Room room_;
  std::unordered_map<Key, Entry, KeyHash, KeyEqual> rows_;
  std::vector<Row*> come_;  // since the last trim(); in no queue yet
  Queue fresh_;
  Queue worked_;
  std::vector<uint32_t> gone_;  // by the keys that have gone out of the short queue
};

}  // namespace ensue::engine
