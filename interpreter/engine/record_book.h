// The record book: the engine's copy of the records as it stands in the chain at hand.
//
// Two layers: what has been read or changed, and the store. A batch begins on a transaction, is
// flushed to it once, in order of object and id, and is then kept or abandoned as a whole.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/workers.h"
#include "engine/directory.h"
#include "engine/program.h"
#include "engine/record_cache.h"
#include "engine/record_codec.h"
#include "ensue/store.h"
#include "exec/evaluator.h"

namespace ensue::engine {

// What a record is found by in the store when a field is searched for a value: the id of a lookup;
// of a text, the text as comparisons see it, without case.
std::string link_key(const types::Field& field, const Value& value);

class RecordBook final : public exec::RecordSource {
 public:
  explicit RecordBook(Directory& directory) : directory_(directory) {}

  // Uses another program: what was read under the old schema is forgotten.
  void use(ProgramPtr program);

  // ---- A batch --------------------------------------------------------------------------------
  void begin(StoreReader& reader) { reader_ = &reader; }
  // Writes what changed, in order of object and id.
  Status flush(StoreTxn& txn, base::Workers& workers);
  void keep();
  // Forgets the batch. The directory must be rebuilt by the caller when users had changed.
  void abandon();
  bool users_changed() const { return users_changed_; }

  // ---- Records --------------------------------------------------------------------------------
  // The present image, deleted ones included; null when the record was never seen. An error is kept
  // in `error()`.
  types::RecordPtr image(types::ObjectId object, std::string_view id);
  void put(types::RecordPtr image, LastChange change);
  // The ids of all records of an object, deleted ones included, sorted. Read once from the store,
  // then kept up to date: every query of a batch, and of those after it, shares the reading. More
  // than `most` are kBoundExceeded.
  Result<std::vector<std::string>> all(types::ObjectId object, size_t most);

  // Takes back what was put since the mark; nothing may be flushed between.
  size_t mark();
  void rollback(size_t mark);
  void release(size_t mark);

  // How often the store was read for a query, and how many records the batch changes.
  uint64_t reads() const { return reads_; }
  size_t changed_count() const { return changed_.size(); }
  const std::optional<Error>& error() const { return error_; }

  // ---- RecordSource ---------------------------------------------------------------------------
  types::RecordPtr find(types::ObjectId object, std::string_view id) override;
  Result<std::vector<std::string>> referring(types::ObjectId child, types::FieldId lookup,
                                             std::string_view id, size_t most) override;
  std::string person(std::string_view name, bool queue) override;

 private:
  // What the batch has changed; `before` is the image that its row had.
  struct Changed {
    RecordCache::Row* at = nullptr;
    bool known = false;  // the image before
    types::RecordPtr before;
    LastChange change;
  };
  struct LinkKey {
    types::FieldRef field;
    std::string target;
    friend auto operator<=>(const LinkKey&, const LinkKey&) = default;
  };

  struct Undo {
    RecordCache::Row* at;
    bool first;               // the batch had not changed it before
    types::RecordPtr before;  // of one that had been changed
    LastChange change;        // of one that had been changed
    types::RecordPtr image;   // the one put then
  };

  Status keep_stored(RecordCache::Row& at, const RecordRow& row);
  void take_back(const Changed& changed);
  // What has to be written for a row on its way to the store; kept for the rows that come next.
  struct RowRoom {
    std::string body;
    std::string last_change;
    std::vector<std::pair<std::string, std::string>> links;
  };
  RecordView row_of(const Changed& changed, RowRoom& room) const;
  void move_links(const types::Record* before, const types::Record& after);

  // Beyond this many they are forgotten between batches.
  static constexpr size_t kLinksMax = 200'000;

  Directory& directory_;
  ProgramPtr program_;
  std::set<uint32_t> linked_objects_;  // of the program's linked fields
  std::optional<RecordCodec> codec_;
  StoreReader* reader_ = nullptr;
  RecordCache cache_{RecordCache::Room{}};
  std::vector<Changed> changed_;  // in the order of their first change
  std::map<LinkKey, std::map<std::string, bool>>
      moved_links_;                                  // by child id: linked now, or no longer
  std::map<uint32_t, std::set<std::string>> scans_;  // by object
  // Links read from the store, as it was when the batch began: searches of a batch, and of those
  // after it, share a reading.
  std::map<LinkKey, std::set<std::string>> links_;
  std::vector<Undo> journal_;  // while a mark is open
  size_t marks_ = 0;
  std::vector<RowRoom> rooms_;
  uint64_t reads_ = 0;
  bool users_changed_ = false;
  std::optional<Error> error_;
};

}  // namespace ensue::engine
