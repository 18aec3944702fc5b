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
  Key key{object.index, std::string(id)};
  if (auto found = changed_.find(key); found != changed_.end()) return found->second.image;
  if (auto found = cache_.find(key); found != cache_.end()) return found->second;
  Result<std::optional<RecordRow>> row =
      reader_->record(program_->schema().object(object).name, id);
  if (!row) {
    error_ = row.error();
    return nullptr;
  }
  types::RecordPtr out;
  if (row->has_value()) {
    Result<types::Record> record = codec_->decode(object, id, (*row)->body, (*row)->deleted);
    if (!record) {
      error_ = record.error();
      return nullptr;
    }
    out = std::make_shared<const types::Record>(std::move(*record));
  }
  cache_.emplace(std::move(key), out);
  return out;
}

void RecordBook::put(types::RecordPtr image_after, LastChange change) {
  // Only links ask for the image before: a record without them is not read to be written.
  if (linked_objects_.count(image_after->object.index) != 0) {
    types::RecordPtr before = image(image_after->object, image_after->id);
    move_links(before.get(), *image_after);
  }
  if (directory_.update(program_->schema(), *image_after)) users_changed_ = true;
  Key key{image_after->object.index, image_after->id};
  if (auto scan = scans_.find(key.object); scan != scans_.end()) scan->second.insert(key.id);
  auto [at, fresh] = changed_.try_emplace(std::move(key));
  if (marks_ > 0) {
    auto known = fresh ? std::nullopt : std::optional(at->second);
    journal_.push_back({at->first, std::move(known), image_after});
  }
  at->second = {std::move(image_after), std::move(change)};
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
    if (undo.before) {
      before = undo.before->image;
      changed_[undo.key] = std::move(*undo.before);
    } else {
      changed_.erase(undo.key);
      before = image(types::ObjectId(undo.key.object), undo.key.id);
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
      auto [at, unknown] = cache_.try_emplace(Key{object.index, row.id});
      if (unknown) {
        Result<types::Record> record = codec_->decode(object, row.id, row.body, row.deleted);
        if (!record) {
          status = record.error();
          return false;
        }
        at->second = std::make_shared<const types::Record>(std::move(*record));
      }
      return scan->second.size() <= most;
    });
    for (const auto& [key, changed] : changed_) {
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

RecordRow RecordBook::row_of(const Changed& changed) const {
  const types::Record& record = *changed.image;
  const types::Object& object = program_->schema().object(record.object);
  RecordRow row;
  row.object = object.name;
  row.id = record.id;
  row.body = codec_->encode(record);
  row.last_change = codec_->encode_change(changed.change, record.object);
  row.deleted = record.deleted;
  if (record.deleted) return row;
  for (const types::FieldRef& field : program_->linked) {
    if (field.object != record.object) continue;
    std::string target = link_key(object.field(field.field), record.raw(field.field));
    if (!target.empty())
      row.links.emplace_back(object.field(field.field).stored_as, std::move(target));
  }
  return row;
}

Status RecordBook::flush(StoreTxn& txn, base::Workers& workers) {
  // A part of fewer records is encoded before another thread has begun. As many rows as are kept at
  // a time; what is written, and in which order, is the same for any number of threads.
  constexpr size_t kLeastRows = 32;
  constexpr size_t kRowsMax = 1024;
  std::vector<RecordRow> rows;
  std::vector<const Changed*> next;
  for (auto at = changed_.begin(); at != changed_.end();) {
    next.clear();
    for (; at != changed_.end() && next.size() < kRowsMax; ++at) {
      next.push_back(&at->second);
      codec_->prepare(at->second.image->object);
    }
    rows.assign(next.size(), {});
    workers.split(next.size(), kLeastRows, [&](size_t, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) rows[i] = row_of(*next[i]);
    });
    for (const RecordRow& row : rows) {
      if (Status put = txn.put_record(row); !put) return put;
    }
  }
  return {};
}

void RecordBook::keep() {
  journal_.clear();
  marks_ = 0;
  if (cache_.size() > kCachedMax) cache_.clear();
  for (auto& [key, changed] : changed_) cache_[key] = std::move(changed.image);
  changed_.clear();
  if (links_.size() > kCachedMax) links_.clear();
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
  changed_.clear();
  moved_links_.clear();
  journal_.clear();
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
