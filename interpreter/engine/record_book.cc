#include "engine/record_book.h"

#include <algorithm>
#include <set>

#include "base/fold.h"

namespace ensue::engine {

std::string link_key(const types::Field& field, const Value& value) {
  bool id = field.type.is(types::TypeKind::kRecord);
  return id ? std::string(value.as_text()) : base::fold_case(value.as_text());
}

void RecordBook::use(ProgramPtr program) {
  program_ = std::move(program);
  codec_.emplace(program_->schema(), program_->options.bounds);
  cache_.clear();
  scans_.clear();
  links_.clear();
  linked_objects_.clear();
  for (const types::FieldRef& field : program_->linked) linked_objects_.insert(field.object.index);
}

types::RecordPtr RecordBook::image(types::ObjectId object, std::string_view id) {
  RecordCache::Row& at = cache_.row({object, id});
  if (at.second.known) return at.second.image;
  Result<std::optional<RecordRow>> row =
      reader_->record(program_->schema().object(object).name, id);
  Status read = row ? Status() : Status(row.error());
  if (read && row->has_value()) read = keep_stored(at, **row);
  if (!read) {
    error_ = read.error();
    return nullptr;
  }
  at.second.known = true;
  return at.second.image;
}

// Makes the image of a row that was read.
Status RecordBook::keep_stored(RecordCache::Row& at, const RecordRow& row) {
  Result<types::Record> record =
      codec_->decode(types::ObjectId(at.first.object), row.id, row.body, row.deleted);
  if (!record) return record.error();
  at.second.image = std::make_shared<const types::Record>(std::move(*record));
  at.second.known = true;
  cache_.weigh(at, row.body.size());
  return {};
}

void RecordBook::put(types::RecordPtr image_after, LastChange change) {
  // Only links ask for the image before: a record without them is not read to be written.
  if (linked_objects_.count(image_after->object.index) != 0) {
    types::RecordPtr before = image(image_after->object, image_after->id);
    move_links(before.get(), *image_after);
  }
  if (directory_.update(program_->schema(), *image_after)) users_changed_ = true;
  if (auto scan = scans_.find(image_after->object.index); scan != scans_.end())
    scan->second.insert(image_after->id);
  RecordCache::Row& at = cache_.row({image_after->object, image_after->id});
  RecordCache::Entry& entry = at.second;
  bool first = entry.changed == RecordCache::kUnchanged;
  if (marks_ > 0) {
    if (first) {
      journal_.push_back({&at, true, nullptr, {}, image_after});
    } else {
      journal_.push_back({&at, false, entry.image, changed_[entry.changed].change, image_after});
    }
  }
  if (first) {
    entry.changed = changed_.size();
    Changed& made = changed_.emplace_back();
    made.at = &at;
    made.known = entry.known;
    made.before = std::move(entry.image);
    made.change = std::move(change);
  } else {
    changed_[entry.changed].change = std::move(change);
  }
  entry.image = std::move(image_after);
  entry.known = true;
}

// The row as it was before the batch.
void RecordBook::take_back(const Changed& changed) {
  RecordCache::Entry& entry = changed.at->second;
  entry.image = changed.before;
  entry.known = changed.known;
  entry.changed = RecordCache::kUnchanged;
}

size_t RecordBook::mark() {
  ++marks_;
  return journal_.size();
}

void RecordBook::release(size_t) {
  if (--marks_ == 0) journal_.clear();
}

void RecordBook::rollback(size_t mark) {
  for (; journal_.size() > mark; journal_.pop_back()) {
    Undo& undo = journal_.back();
    types::RecordPtr before;
    if (undo.first) {
      // The last of those that are changed: the others came before it.
      take_back(changed_.back());
      changed_.pop_back();
      before = image(undo.image->object, undo.image->id);
    } else {
      before = undo.at->second.image = std::move(undo.before);
      changed_[undo.at->second.changed].change = std::move(undo.change);
    }
    // Links and people follow the image that is there again; a record that was never there is as
    // one deleted.
    types::Record again;
    if (before != nullptr) {
      again = *before;
    } else {
      again = *undo.image;
      again.deleted = true;
    }
    move_links(undo.image.get(), again);
    if (directory_.update(program_->schema(), again)) users_changed_ = true;
  }
  release(mark);
}

Result<std::vector<std::string>> RecordBook::all(types::ObjectId object, size_t most) {
  const types::Object& shape = program_->schema().object(object);
  auto placed = scans_.try_emplace(object.index);
  auto scan = placed.first;
  bool fresh = placed.second;
  if (fresh) {
    ++reads_;
    // The rows come with their bodies: they are decoded once, and not read one by one.
    Status status;
    Status visited = reader_->visit_records(shape.name, [&](const RecordRow& row) {
      scan->second.insert(row.id);
      RecordCache::Row& at = cache_.row({object, row.id});
      if (!at.second.known) status = keep_stored(at, row);
      return status && scan->second.size() <= most;
    });
    for (const Changed& changed : changed_) {
      const RecordCache::Key& key = changed.at->first;
      if (key.object == object.index) scan->second.insert(key.id);
    }
    if (!visited) status = visited;
    if (!status) {
      scans_.erase(scan);
      return status.error();
    }
  }
  if (scan->second.size() > most) {
    if (fresh) scans_.erase(scan);
    return {ErrorCode::kBoundExceeded, "more than " + std::to_string(most) + " records of " +
                                           shape.name + " would be looked at"};
  }
  return std::vector<std::string>(scan->second.begin(), scan->second.end());
}

void RecordBook::move_links(const types::Record* before, const types::Record& after) {
  for (const types::FieldRef& field : program_->linked) {
    if (field.object != after.object) continue;
    bool gone = after.deleted;
    const types::Field& shape = program_->schema().field(field);
    bool was = before != nullptr && !before->deleted;
    std::string old_target = was ? link_key(shape, before->raw(field.field)) : "";
    std::string new_target = gone ? "" : link_key(shape, after.raw(field.field));
    if (old_target == new_target) continue;
    if (!old_target.empty()) moved_links_[{field, std::move(old_target)}][after.id] = false;
    if (!new_target.empty()) moved_links_[{field, std::move(new_target)}][after.id] = true;
  }
}

RecordView RecordBook::row_of(const Changed& changed, RowRoom& room) const {
  const types::Record& record = *changed.at->second.image;
  const types::Object& object = program_->schema().object(record.object);
  codec_->encode_change(changed.change, record.object, room.last_change);
  room.links.clear();
  for (const types::FieldRef& field : program_->linked) {
    if (record.deleted || field.object != record.object) continue;
    std::string target = link_key(object.field(field.field), record.raw(field.field));
    if (!target.empty())
      room.links.emplace_back(object.field(field.field).stored_as, std::move(target));
  }
  return {object.name,      record.id,      codec_->encode(record, room.body),
          room.last_change, record.deleted, room.links};
}

Status RecordBook::flush(StoreTxn& txn, base::Workers& workers) {
  std::vector<const Changed*> all;
  all.reserve(changed_.size());
  for (const Changed& changed : changed_) all.push_back(&changed);
  auto earlier = [](const Changed* a, const Changed* b) { return a->at->first < b->at->first; };
  // New records mostly come in the order of their ids.
  if (!std::is_sorted(all.begin(), all.end(), earlier)) std::sort(all.begin(), all.end(), earlier);
  // A part of fewer records is encoded before another thread has begun. The rows at hand are few
  // enough to stay in the cache, or enough for all threads; what is written, and in which order, is
  // the same for any number of them.
  constexpr size_t kLeastRows = 32;
  size_t rows_max = workers.parts(SIZE_MAX, kLeastRows) == 1 ? 128 : 1024;
  constexpr size_t kKeptBytes = size_t{4} << 10;  // of a row's texts, for the row that comes next
  std::vector<RecordView> views(std::min(rows_max, all.size()));
  if (rooms_.size() < views.size()) rooms_.resize(views.size());
  for (size_t first = 0; first < all.size(); first += rows_max) {
    size_t count = std::min(rows_max, all.size() - first);
    workers.split(count, kLeastRows, [&](size_t, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) views[i] = row_of(*all[first + i], rooms_[i]);
    });
    // New ones together. Of changed ones SQLite would keep each page that a statement touches, to
    // take the statement back.
    for (size_t i = 0; i < count;) {
      size_t end = i;
      while (end < count && all[first + end]->change.whole) ++end;
      end = std::max(end, i + 1);
      Status put = txn.put_records(std::span(views).subspan(i, end - i));
      if (!put) return put;
      i = end;
    }
    for (size_t i = 0; i < count; ++i) {
      cache_.weigh(*all[first + i]->at, views[i].body.size());
      RowRoom& room = rooms_[i];
      if (room.body.size() + room.last_change.size() > kKeptBytes) room = {};
    }
  }
  return {};
}

void RecordBook::keep() {
  journal_.clear();
  marks_ = 0;
  for (const Changed& changed : changed_) changed.at->second.changed = RecordCache::kUnchanged;
  changed_.clear();
  cache_.trim();
  if (links_.size() > kLinksMax) links_.clear();
  for (const auto& [key, moved] : moved_links_) {
    auto read = links_.find(key);
    if (read == links_.end()) continue;
    for (const auto& [id, linked] : moved) {
      if (linked) {
        read->second.insert(id);
      } else {
        read->second.erase(id);
      }
    }
  }
  moved_links_.clear();
  users_changed_ = false;
  reader_ = nullptr;
}

void RecordBook::abandon() {
  for (; !changed_.empty(); changed_.pop_back()) take_back(changed_.back());
  moved_links_.clear();
  journal_.clear();
  cache_.trim();
  marks_ = 0;
  users_changed_ = false;
  reader_ = nullptr;
  error_.reset();
}

types::RecordPtr RecordBook::find(types::ObjectId object, std::string_view id) {
  types::RecordPtr found = image(object, id);
  return found != nullptr && !found->deleted ? found : nullptr;
}

Result<std::vector<std::string>> RecordBook::referring(types::ObjectId child, types::FieldId lookup,
                                                       std::string_view id, size_t most) {
  const types::Object& object = program_->schema().object(child);
  LinkKey key{{child, lookup}, std::string(id)};
  auto read = links_.find(key);
  std::set<std::string> ids;
  if (read != links_.end()) {
    ids = read->second;
  } else {
    ++reads_;
    Result<std::vector<std::string>> stored =
        reader_->linked(object.name, object.field(lookup).stored_as, id, most);
    if (!stored) return stored.error();
    ids.insert(stored->begin(), stored->end());
    if (ids.size() <= most) links_[key] = ids;
  }
  if (auto moved = moved_links_.find(key); moved != moved_links_.end()) {
    for (const auto& [child_id, linked] : moved->second) {
      if (linked) {
        ids.insert(child_id);
      } else {
        ids.erase(child_id);
      }
    }
  }
  if (ids.size() > most) {
    return {ErrorCode::kBoundExceeded, "more than " + std::to_string(most) + " records of " +
                                           object.name + " would be looked at"};
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

std::string RecordBook::person(std::string_view name, bool queue) {
  return queue ? directory_.queue_named(name) : directory_.user_named(name);
}

}  // namespace ensue::engine
