#include "intake/event_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/byte_words.h"
#include "base/fold.h"
#include "base/key128.h"
#include "base/utf8.h"
#include "types/person_name.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::intake {
namespace {

using types::ChangeKind;
constexpr uint32_t kNone = JsonTape::kNone;

LineResult poison(Format format, std::string reason) {
  LineResult out;
  out.kind = LineResult::Kind::kPoison;
  out.format = format;
  out.reason = std::move(reason);
  return out;
}

LineResult nothing(Format format) {
  LineResult out;
  out.format = format;
  return out;
}

std::optional<uint64_t> unsigned_number(std::string_view text) {
  if (text.empty() || text.size() > 19 ||
      text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  return std::stoull(std::string(text));
}

// `0/16B3748`, PostgreSQL's log position: two hexadecimal halves.
std::optional<uint64_t> log_position(std::string_view text) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return unsigned_number(text);
  auto half = [](std::string_view digits) -> std::optional<uint64_t> {
    if (digits.empty() || digits.size() > 8 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      return std::nullopt;
    }
    return std::stoull(std::string(digits), nullptr, 16);
  };
  auto high = half(text.substr(0, slash));
  auto low = half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return *high << 32 | *low;
}

std::string without_underscores(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c != '_') out += c;
  }
  return out;
}

size_t text_bytes(const types::FieldValues& values) {
  size_t out = 0;
  values.for_each([&](types::FieldId, const Value& value) {
    out += value.as_text().size();
    for (const Value& item : value.as_list()) out += item.as_text().size();
  });
  return out;
}

// The members by which formats are told apart, and those of the native form.
enum Member : uint8_t {
  kSpecVersion,
  kDataBase64,
  kChangeEventHeader,
  kOp,
  kAfter,
  kAction,
  kPayload,
  kData,
  kSource,
  kBefore,
  kEntity,
  kKind,
  kIds,
  kAt,
  kBy,
  kId,
  kSet,
  kNulled,
  kMembers
};
constexpr std::array<std::string_view, kMembers> kMemberNames = {
    "specversion", "data_base64", "ChangeEventHeader",
    "op",          "after",       "action",
    "payload",     "data",        "source",
    "before",      "entity",      "kind",
    "ids",         "at",          "by",
    "id",          "set",         "nulled"};

std::string_view last_part(std::string_view dotted) {
  size_t dot = dotted.rfind('.');
  return dot == std::string_view::npos ? dotted : dotted.substr(dot + 1);
}

}  // namespace

// Where they stand in an object: it is gone through once, whatever is asked of it.
class Members {
 public:
  // `expected`: the members of the line before, in their order; those of this one afterwards.
  Members(const JsonTape& tape, uint32_t object, std::vector<uint8_t>& expected) : tape_(tape) {
    constexpr size_t kExpectedMax = 16;
    at_.fill(kNone);
    size_t place = 0;
    tape.for_each(object, [&](uint32_t child) {
      std::string_view key = tape.node(child).key;
      size_t member = place < expected.size() ? expected[place] : size_t{kMembers};
      if (member == kMembers || !base::same_bytes(kMemberNames[member], key)) {
        member = static_cast<size_t>(std::find(kMemberNames.begin(), kMemberNames.end(), key) -
                                     kMemberNames.begin());
        if (place == expected.size() && place < kExpectedMax) expected.push_back(kMembers);
        if (place < expected.size()) expected[place] = static_cast<uint8_t>(member);
      }
      ++place;
      if (member != kMembers && at_[member] == kNone) at_[member] = child;
    });
  }
  uint32_t at(Member member) const { return at_[member]; }
  bool has(Member member) const { return at_[member] != kNone; }
  bool is(Member member, JsonKind kind) const {
    return has(member) && tape_.node(at_[member]).kind == kind;
  }
  std::string_view text(Member member) const {
    return has(member) ? tape_.text(at_[member]) : std::string_view();
  }

 private:
  const JsonTape& tape_;
  std::array<uint32_t, kMembers> at_;
};

const char* format_name(Format format) {
  static constexpr const char* kNames[] = {"native", "salesforce", "debezium", "wal2json",
                                           "unknown"};
  return kNames[static_cast<size_t>(format)];
}

EventReader::EventReader(const types::Schema& schema, const Bounds& bounds, std::string source)
    : schema_(schema),
      bounds_(bounds),
      source_(std::move(source)),
      tape_({bounds.event_bytes_max, bounds.event_nesting_max}) {}

void EventReader::add_counts(const IntakeCounts& more) {
  for (const auto& [name, times] : more.unknown_fields) counts_.unknown_fields[name] += times;
  for (const auto& [name, times] : more.unknown_values) counts_.unknown_values[name] += times;
  counts_.diffs += more.diffs;
}

LineResult EventReader::read(std::string_view line, uint64_t line_number) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' '))
    line.remove_suffix(1);
  if (line.empty()) return nothing(Format::kUnknown);
  cloud_source_.clear();
  cloud_identity_.clear();
  cloud_time_.clear();
  if (Status parsed = tape_.parse(line); !parsed)
    return poison(Format::kUnknown, parsed.error().message);
  const JsonNode& root = tape_.node(JsonTape::kRoot);
  if (root.kind == JsonKind::kNull && line == "null")
    return nothing(Format::kDebezium);  // a tombstone
  if (root.kind != JsonKind::kObject) return poison(Format::kUnknown, "an event is a JSON object");
  return read_object(JsonTape::kRoot, line_number, 0);
}

// Envelopes are opened one inside the other, at most a few deep.
LineResult EventReader::read_object(uint32_t node, uint64_t line_number, int depth) {
  constexpr int kEnvelopesMax = 4;
  if (depth > kEnvelopesMax)
    return poison(Format::kUnknown, "too many envelopes, one inside the other");
  ids_.clear();
  Draft draft;
  draft.source = cloud_source_;
  draft.identity = cloud_identity_;
  draft.at = cloud_time_;
  Members members(tape_, node, expected_members_);
  if (members.has(kSpecVersion)) {
    if (members.has(kDataBase64)) {
      return poison(Format::kUnknown, "a CloudEvent with data_base64; only JSON data is read");
    }
    if (!members.is(kData, JsonKind::kObject)) {
      return poison(Format::kUnknown, "a CloudEvent without data");
    }
    cloud_source_ = members.text(kSource);
    cloud_identity_ = members.text(kId);
    cloud_time_ = tape_.text(node, "time");
    return read_object(members.at(kData), line_number, depth + 1);
  }
  if (members.has(kChangeEventHeader)) return read_salesforce(node, draft, line_number);
  bool debezium =
      members.has(kOp) && (members.has(kSource) || members.has(kAfter) || members.has(kBefore));
  if (debezium) return read_debezium(node, draft, line_number);
  if (members.has(kAction)) return read_wal2json(node, draft, line_number);
  if (members.has(kEntity) && members.has(kKind)) return read_native(members, draft, line_number);
  for (Member envelope : {kPayload, kData}) {
    if (members.is(envelope, JsonKind::kNull))
      return nothing(Format::kDebezium);  // a tombstone under `payload`
    if (members.is(envelope, JsonKind::kObject))
      return read_object(members.at(envelope), line_number, depth + 1);
  }
  return poison(Format::kUnknown, "this is none of the known event formats");
}

// ---- Salesforce -------------------------------------------------------------------------------

LineResult EventReader::read_salesforce(uint32_t payload, Draft& draft, uint64_t line_number) {
  uint32_t header = tape_.find(payload, "ChangeEventHeader");
  if (tape_.node(header).kind != JsonKind::kObject)
    return poison(Format::kSalesforce, "ChangeEventHeader is not an object");
  std::string_view type = tape_.text(header, "changeType");
  struct Row {
    std::string_view name;
    ChangeKind kind;
    bool gap;
    bool whole;
  };
  static constexpr Row kTypes[] = {
      {"CREATE", ChangeKind::kCreate, false, false},
      {"UPDATE", ChangeKind::kUpdate, false, false},
      {"DELETE", ChangeKind::kDelete, false, false},
      {"UNDELETE", ChangeKind::kUndelete, false, false},
      {"GAP_CREATE", ChangeKind::kGap, true, false},
      {"GAP_UPDATE", ChangeKind::kGap, true, false},
      {"GAP_DELETE", ChangeKind::kDelete, true, false},
      {"GAP_UNDELETE", ChangeKind::kUndelete, true, false},
      {"GAP_OVERFLOW", ChangeKind::kGap, true, true},
      {"OVERFLOW", ChangeKind::kGap, true, true},
  };
  auto row = std::find_if(std::begin(kTypes), std::end(kTypes),
                          [&](const Row& r) { return r.name == type; });
  if (row == std::end(kTypes))
    return poison(Format::kSalesforce,
                  fmt::format("unknown changeType \"{}\"", base::excerpt(type, 40)));
  draft.kind = row->kind;
  draft.whole_object = row->whole;
  draft.entity = tape_.text(header, "entityName");
  uint32_t ids = tape_.find(header, "recordIds");
  if (ids != kNone) tape_.for_each(ids, [&](uint32_t id) { ids_.push_back(tape_.node(id).text); });
  draft.by = tape_.text(header, "commitUser");
  std::string_view committed = tape_.text(header, "commitTimestamp");
  if (!committed.empty()) draft.at = committed;
  std::string_view transaction = tape_.text(header, "transactionKey");
  std::string_view sequence = tape_.text(header, "sequenceNumber");
  std::string_view commit = tape_.text(header, "commitNumber");
  if (draft.identity.empty()) {
    if (!transaction.empty()) {
      draft.identity = fmt::format("tx {} {}", transaction, sequence);
    } else if (!commit.empty()) {
      draft.identity = fmt::format("commit {} {}", commit, sequence);
    }
  }
  if (auto number = unsigned_number(commit)) {
    draft.position = {true, *number, unsigned_number(sequence).value_or(0)};
  }
  draft.fields = row->gap ? kNone : payload;
  draft.skip = "ChangeEventHeader";
  draft.nulled = tape_.find(header, "nulledFields");
  draft.diffs = tape_.find(header, "diffFields");
  if (ids_.empty() && !draft.whole_object) return nothing(Format::kSalesforce);
  return finish(draft, Format::kSalesforce, line_number);
}

// ---- Debezium ---------------------------------------------------------------------------------

LineResult EventReader::read_debezium(uint32_t node, Draft& draft, uint64_t line_number) {
  std::string_view op = tape_.text(node, "op");
  uint32_t source = tape_.find(node, "source");
  if (op == "m")
    return nothing(Format::kDebezium);  // a message written to the log, no change of a record
  draft.database = true;
  draft.entity = tape_.text(source, "table");
  if (draft.entity.empty()) draft.entity = tape_.text(source, "collection");
  std::string_view server = tape_.text(source, "name");
  if (draft.source.empty()) draft.source = server;
  std::string_view at = tape_.text(source, "ts_ms");
  if (at.empty()) at = tape_.text(node, "ts_ms");
  if (!at.empty()) draft.at = at;
  std::string_view lsn = tape_.text(source, "lsn");
  if (lsn.empty()) lsn = tape_.text(source, "pos");
  if (auto number = log_position(lsn)) draft.position = {true, *number, 0};
  if (draft.identity.empty() && !lsn.empty())
    draft.identity = fmt::format("lsn {} {} {}", tape_.text(source, "file"), lsn, op);
  uint32_t after = tape_.find(node, "after");
  uint32_t before = tape_.find(node, "before");
  auto is_object = [&](uint32_t n) {
    return n != kNone && tape_.node(n).kind == JsonKind::kObject;
  };
  if (op == "t") {
    draft.kind = ChangeKind::kGap;
    draft.whole_object = true;
    return finish(draft, Format::kDebezium, line_number);
  }
  if (op == "c") {
    draft.kind = ChangeKind::kCreate;
  } else if (op == "u") {
    draft.kind = ChangeKind::kUpdate;
  } else if (op == "d") {
    draft.kind = ChangeKind::kDelete;
  } else if (op == "r") {
    draft.kind = ChangeKind::kSnapshot;
  } else {
    return poison(Format::kDebezium, fmt::format("unknown op \"{}\"", base::excerpt(op, 20)));
  }
  bool deleted = draft.kind == ChangeKind::kDelete;
  uint32_t image = deleted ? before : after;
  if (!is_object(image))
    return poison(Format::kDebezium,
                  deleted ? "a deletion without `before`" : "a change without `after`");
  for (const char* key : {"Id", "id", "ID"}) {
    std::string_view id = tape_.text(image, key);
    if (id.empty()) continue;
    ids_.push_back(id);
    break;
  }
  if (!deleted) draft.fields = after;
  if (!deleted && is_object(before)) draft.before = before;
  return finish(draft, Format::kDebezium, line_number);
}

// ---- wal2json ---------------------------------------------------------------------------------

LineResult EventReader::read_wal2json(uint32_t node, Draft& draft, uint64_t line_number) {
  std::string_view action = tape_.text(node, "action");
  if (action == "B" || action == "C" || action == "M") return nothing(Format::kWal2json);
  draft.database = true;
  draft.entity = tape_.text(node, "table");
  std::string_view at = tape_.text(node, "timestamp");
  if (!at.empty()) draft.at = at;
  std::string_view lsn = tape_.text(node, "lsn");
  if (auto number = log_position(lsn)) draft.position = {true, *number, 0};
  if (draft.identity.empty() && !lsn.empty())
    draft.identity = fmt::format("lsn {} {}", lsn, action);
  uint32_t columns = tape_.find(node, "columns");
  uint32_t identity = tape_.find(node, "identity");
  if (action == "T") {
    draft.kind = ChangeKind::kGap;
    draft.whole_object = true;
    return finish(draft, Format::kWal2json, line_number);
  }
  if (action == "I") {
    draft.kind = ChangeKind::kCreate;
  } else if (action == "U") {
    draft.kind = ChangeKind::kUpdate;
  } else if (action == "D") {
    draft.kind = ChangeKind::kDelete;
  } else {
    return poison(Format::kWal2json,
                  fmt::format("unknown action \"{}\"", base::excerpt(action, 20)));
  }
  auto is_array = [&](uint32_t n) { return n != kNone && tape_.node(n).kind == JsonKind::kArray; };
  auto id_in = [&](uint32_t list) {
    std::string_view found;
    if (!is_array(list)) return found;
    tape_.for_each(list, [&](uint32_t column) {
      if (base::equal_folded(tape_.text(column, "name"), "id")) found = tape_.text(column, "value");
    });
    return found;
  };
  std::string_view id = id_in(draft.kind == ChangeKind::kDelete ? identity : columns);
  if (id.empty()) id = id_in(identity);
  if (!id.empty()) ids_.push_back(id);
  if (draft.kind != ChangeKind::kDelete) {
    if (!is_array(columns)) return poison(Format::kWal2json, "a change without `columns`");
    draft.columns = columns;
    if (is_array(identity)) draft.before_columns = identity;
  }
  return finish(draft, Format::kWal2json, line_number);
}

// ---- Native -----------------------------------------------------------------------------------

LineResult EventReader::read_native(const Members& members, Draft& draft, uint64_t line_number) {
  std::string_view kind = members.text(kKind);
  bool known = false;
  for (ChangeKind candidate : {ChangeKind::kCreate, ChangeKind::kUpdate, ChangeKind::kDelete,
                               ChangeKind::kUndelete, ChangeKind::kSnapshot}) {
    if (kind != types::change_kind_name(candidate)) continue;
    draft.kind = candidate;
    known = true;
  }
  if (!known)
    return poison(Format::kNative, fmt::format("unknown kind \"{}\"", base::excerpt(kind, 40)));
  draft.entity = members.text(kEntity);
  if (members.is(kIds, JsonKind::kArray)) {
    tape_.for_each(members.at(kIds), [&](uint32_t id) { ids_.push_back(tape_.node(id).text); });
  }
  std::string_view at = members.text(kAt);
  if (!at.empty()) draft.at = at;
  draft.by = members.text(kBy);
  if (draft.identity.empty()) draft.identity = members.text(kId);
  if (draft.source.empty()) draft.source = members.text(kSource);
  for (Member member : {kSet, kBefore}) {
    if (!members.has(member) || members.is(member, JsonKind::kNull)) continue;
    if (!members.is(member, JsonKind::kObject))
      return poison(Format::kNative, fmt::format("`{}` is not an object", kMemberNames[member]));
    (member == kSet ? draft.fields : draft.before) = members.at(member);
  }
  draft.nulled = members.at(kNulled);
  if (ids_.empty()) return poison(Format::kNative, "`ids` names no record");
  return finish(draft, Format::kNative, line_number);
}

// ---- Typing -----------------------------------------------------------------------------------

types::ObjectId EventReader::find_object(const Draft& draft) {
  if (draft.database == last_database_ && draft.entity == last_entity_) return last_object_;
  last_object_ = look_up_object(draft);
  last_entity_ = draft.entity;
  last_database_ = draft.database;
  return last_object_;
}

types::ObjectId EventReader::look_up_object(const Draft& draft) const {
  if (types::ObjectId object = schema_.find_object(draft.entity)) return object;
  if (!draft.database) return {};
  std::string plain = without_underscores(draft.entity);
  if (types::ObjectId object = schema_.find_object(plain)) return object;
  // Tables are often named in the plural.
  return schema_.find_object_spoken(plain);
}

EventReader::NamesOfObject& EventReader::names_of(types::ObjectId object, bool database) {
  Names& names = names_[database ? 1 : 0];
  if (object.index >= names.size()) names.resize(object.index + size_t{1});
  return names[object.index];
}

types::FieldId EventReader::find_field(types::ObjectId object, std::string_view name,
                                       bool database) {
  NamesOfObject& known = names_of(object, database);
  if (const NamedField* named = expected(known, name)) return named->field;
  const types::Object& shape = schema_.object(object);
  types::FieldId field = shape.find_stored(name);
  if (!field && database) field = shape.find_stored(without_underscores(name));
  if (!field) return field;
  // From here on the names are expected in this order.
  auto row = std::find_if(known.rows.begin(), known.rows.end(),
                          [&](const NamedField& at) { return at.name == name; });
  constexpr size_t kNamesMax = 500;  // a field has many names: case and underscores are free
  if (row == known.rows.end() && known.rows.size() >= kNamesMax) return field;
  if (row == known.rows.end()) {
    const types::Type& type = shape.field(field).type;
    bool closed = type.is(types::TypeKind::kPicklist) && !schema_.picklist(type.picklist).open;
    NamedField named;
    named.name = name;
    named.field = field;
    if (field != types::kIdField) {  // which the event says in another place
      named.kind = type.kind;
      if (closed) named.closed = &schema_.picklist(type.picklist);
    }
    row = known.rows.insert(known.rows.end(), std::move(named));
  }
  known.next = static_cast<size_t>(row - known.rows.begin()) + 1;
  return field;
}

std::unordered_set<std::string_view> EventReader::names_in(uint32_t names) const {
  std::unordered_set<std::string_view> out;
  if (names == kNone || tape_.node(names).kind != JsonKind::kArray) return out;
  tape_.for_each(names, [&](uint32_t item) { out.insert(tape_.node(item).text); });
  return out;
}

void EventReader::count_unknown(std::map<std::string, uint64_t>& counts, std::string what) {
  // A stream of made-up names must not cost memory in proportion.
  constexpr size_t kShownMax = 200;
  if (what.size() > kShownMax) what = std::string(base::excerpt(what, kShownMax)) + "…";
  if (counts.size() >= IntakeCounts::kNamesMax && counts.count(what) == 0) what = "others";
  ++counts[what];
}

LineResult EventReader::finish(const Draft& draft, Format format, uint64_t line_number) {
  LineResult out;
  out.format = format;
  types::ObjectId object = find_object(draft);
  if (!object) {
    if (draft.entity.empty()) return poison(format, "the event names no object");
    return poison(format, fmt::format("unknown object \"{}\"", base::excerpt(draft.entity, 80)));
  }
  if (draft.whole_object) {
    out.kind = LineResult::Kind::kGap;
    out.reason = schema_.object(object).name;
    return out;
  }
  if (ids_.empty()) return poison(format, "the event names no record");
  if (ids_.size() > bounds_.event_records_max) {
    return poison(format, fmt::format("{} records in one event; at most {} are read", ids_.size(),
                                      bounds_.event_records_max));
  }
  types::Event event;
  event.object = object;
  event.kind = draft.kind;
  event.by = draft.by;
  event.position = draft.position;
  if (!draft.at.empty()) {
    auto at = instant_from_text(draft.at, draft.database);
    if (!at)
      return poison(format,
                    fmt::format("\"{}\" is not a date and time", base::excerpt(draft.at, 40)));
    event.at = *at;
  } else if (format == Format::kWal2json) {
    out.undated = true;
  } else if (event.kind != ChangeKind::kSnapshot) {
    return poison(format, "the event says not when it happened");
  }
  Typing typing{draft, object, names_of(object, draft.database), {}};
  bool fine =
      add_fields(typing, draft.fields, values_) && add_columns(typing, draft.columns, values_);
  if (fine && draft.nulled != kNone && tape_.node(draft.nulled).kind == JsonKind::kArray) {
    tape_.for_each(draft.nulled, [&](uint32_t item) {
      std::string_view name = last_part(tape_.node(item).text);
      types::FieldId field = find_field(object, name, draft.database);
      if (field) {
        values_.set(field, Value());
      } else {
        count_unknown(counts_.unknown_fields,
                      schema_.object(object).name + "." + std::string(name));
      }
    });
  }
  bool whole = event.kind == ChangeKind::kCreate || event.kind == ChangeKind::kSnapshot;
  const types::Object& shape = schema_.object(object);
  if (event.kind == ChangeKind::kCreate) name_person(shape);
  event.set = values_.take(whole ? &shape : nullptr);
  fine = fine && add_fields(typing, draft.before, values_) &&
         add_columns(typing, draft.before_columns, values_);
  event.before = values_.take();
  if (!fine) return poison(format, std::move(typing.reason));
  // Each record keeps the values as its own: one line must not become gigabytes of records.
  constexpr size_t kMergedMax = 100;  // records, of the largest line
  if (ids_.size() > kMergedMax) {
    size_t bytes = text_bytes(event.set);
    if (bytes * ids_.size() > kMergedMax * bounds_.event_bytes_max) {
      return poison(
          format, fmt::format("{} bytes of texts for each of {} records; at most {} in all", bytes,
                              ids_.size(), kMergedMax * bounds_.event_bytes_max));
    }
  }
  const std::string& source = draft.source.empty() ? source_ : draft.source;
  if (needs_ids_ && draft.identity.empty() && event.kind != ChangeKind::kSnapshot) {
    return poison(format, "the event has no id, and here the number of its line does not name it");
  }
  std::string_view identity = draft.identity;
  std::string line;
  if (identity.empty()) identity = line = fmt::format("line {}", line_number);
  out.kind = event.kind == ChangeKind::kGap ? LineResult::Kind::kGap : LineResult::Kind::kEvents;
  out.events.reserve(ids_.size());
  for (std::string_view id : ids_) {
    if (id.empty()) return poison(format, "a record id is empty");
    event.record = id;
    event.key = base::hash_key({"event", source, identity, id});
    bool last = out.events.size() + 1 == ids_.size();
    if (last) {
      out.events.push_back(std::move(event));
    } else {
      out.events.push_back(event);
    }
  }
  return out;
}

bool EventReader::add_fields(Typing& typing, uint32_t node, types::FieldValuesMaker& out) {
  if (node == kNone) return true;
  const Draft& draft = typing.draft;
  const std::unordered_set<std::string_view> diffs = names_in(draft.diffs);
  bool may_skip = !draft.skip.empty() || !diffs.empty();
  const uint32_t end = tape_.node(node).next;
  for (uint32_t member = node + 1; member < end; member = tape_.node(member).next) {
    if (!may_skip) member = add_expected(typing, member, end, out);
    if (member == end) break;
    const JsonNode& row = tape_.node(member);
    if (may_skip && row.key == draft.skip) continue;
    if (may_skip && diffs.count(row.key) != 0) {
      ++counts_.diffs;
      continue;
    }
    if (!add_field(typing, row.key, member, out)) return false;
  }
  return true;
}

// Adds members that come as in the event before and are what their fields hold: nearly all. Gives
// the first that is not.
uint32_t EventReader::add_expected(const Typing& typing, uint32_t member, uint32_t end,
                                   types::FieldValuesMaker& out) {
  if (typing.draft.database) return member;  // where a text may stand for another
  NamesOfObject& names = typing.names;
  auto add = [&](const NamedField& named, const JsonNode& node) {
    switch (node.kind) {
      case JsonKind::kString:
        if (!is_short_text(node, named.kind, bounds_)) return false;
        if (named.closed != nullptr && named.closed->find(node.text) == nullptr) return false;
        out.set_text(named.field, node.text);
        return true;
      case JsonKind::kBoolean:
        if (named.kind != types::TypeKind::kBoolean) return false;
        out.set(named.field, Value::boolean(node.truth));
        return true;
      case JsonKind::kNumber: {
        auto number = number_value(named.kind, node.text);
        if (number) out.set(named.field, std::move(*number));
        return number.has_value();
      }
      default: return false;
    }
  };
  size_t next = names.next;
  for (; member < end && next < names.rows.size(); ++member, ++next) {
    const NamedField& named = names.rows[next];
    const JsonNode& node = tape_.node(member);
    if (!base::same_bytes(named.name, node.key) || !add(named, node)) break;
  }
  names.next = next;
  return member;
}

bool EventReader::add_columns(Typing& typing, uint32_t node, types::FieldValuesMaker& out) {
  if (node == kNone) return true;
  bool fine = true;
  tape_.for_each(node, [&](uint32_t column) {
    uint32_t value = tape_.find(column, "value");
    if (!fine || value == kNone) return;
    fine = add_field(typing, tape_.text(column, "name"), value, out);
  });
  return fine;
}

// Compound fields of the CRM: Name: {FirstName, LastName, …}; MailingAddress: {Street, City, …}.
bool EventReader::add_compound(Typing& typing, std::string_view name, uint32_t value,
                               types::FieldValuesMaker& out) {
  std::string prefix;
  constexpr std::string_view kAddress = "Address";
  if (name.ends_with(kAddress)) prefix = name.substr(0, name.size() - kAddress.size());
  bool fine = true;
  tape_.for_each(value, [&](uint32_t member) {
    std::string part = prefix + std::string(tape_.node(member).key);
    fine = fine && add_field(typing, part, member, out);
  });
  return fine;
}

bool EventReader::add_field(Typing& typing, std::string_view name, uint32_t value,
                            types::FieldValuesMaker& out) {
  const JsonNode& node = tape_.node(value);
  bool database = typing.draft.database;
  // Debezium sends this for a long value that the change did not touch.
  bool untouched = database && node.text == "__debezium_unavailable_value";
  if (node.kind == JsonKind::kObject && (name == "Name" || name.ends_with("Address")))
    return add_compound(typing, name, value, out);
  const NamedField* named = expected(typing.names, name);
  const types::Object& shape = schema_.object(typing.object);
  types::FieldId field =
      named != nullptr ? named->field : find_field(typing.object, name, database);
  if (!field) {
    count_unknown(counts_.unknown_fields, shape.name + "." + std::string(name));
    return true;
  }
  if (field == types::kIdField) return true;  // the event says which record it is about
  if (untouched) return true;
  const types::Type& type = shape.field(field).type;
  if (is_short_text(node, type.kind, bounds_)) {
    count_unknown_value(shape, field, node.text);
    out.set_text(field, node.text);
    return true;
  }
  Result<Value> typed = value_from_json(tape_, value, schema_, type, bounds_, database);
  if (!typed) {
    typing.reason =
        fmt::format("{}.{}: {}", shape.name, shape.field(field).name, typed.error().message);
    return false;
  }
  count_unknown_value(shape, field, typed->as_text());
  out.set(field, std::move(*typed));
  return true;
}

void EventReader::count_unknown_value(const types::Object& object, types::FieldId field,
                                      std::string_view text) {
  const types::Type& type = object.field(field).type;
  if (!type.is(types::TypeKind::kPicklist) || text.empty()) return;
  const types::Picklist& picklist = schema_.picklist(type.picklist);
  if (picklist.open || picklist.find(text) != nullptr) return;
  count_unknown(counts_.unknown_values,
                fmt::format("{}.{} = {}", object.name, object.field(field).name, text));
}

// A creation brings all there is to know of the name; a change may leave a part as it was, and is
// completed when it meets the record.
void EventReader::name_person(const types::Object& object) {
  auto part = [&](types::FieldId field) { return values_.text(field); };
  if (!types::name_person(object, values_.named(), part, person_name_)) return;
  auto [owner, name, first, last] = object.named();
  auto stands_in_json = [&](types::FieldId field) {
    return values_.has_text(field) || values_.text(field).empty();
  };
  bool plain = stands_in_json(first) && stands_in_json(last);
  if (plain && !person_name_.empty() && person_name_.size() <= types::FieldValuesMaker::kTextMax) {
    values_.set_text(name, person_name_);
  } else {
    values_.set(name, Value::text(person_name_, plain));
  }
}

}  // namespace ensue::intake
