// From a line of a stream to typed events: recognises the format line by line, types the values by
// the schema.
//
// Formats (ENGINE section 4): Salesforce change events (the payload, the Streaming envelope, the
// older {data, channel} one), Debezium (bare or under `payload`), wal2json format 2,
// CloudEvents 1.0 around any of these, and the native form. A line that cannot be read gives a
// reason, never an exception; fields the schema lacks are ignored and counted.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ensue/options.h"
#include "intake/json_tape.h"
#include "types/event.h"
#include "types/schema.h"

namespace ensue::intake {

enum class Format : uint8_t { kNative, kSalesforce, kDebezium, kWal2json, kUnknown };
const char* format_name(Format format);

// What one line gave.
struct LineResult {
  enum class Kind : uint8_t {
    kEvents,   // `events` holds one or more
    kNothing,  // well-formed, but no change of a record: a tombstone, a transaction mark, an empty
               // line
    kGap,  // changes were lost on the source's side: the whole object, or records in `events` with
           // kind kGap
    kPoison,  // cannot be read: `reason`
  };
  Kind kind = Kind::kNothing;
  Format format = Format::kUnknown;
  std::vector<types::Event> events;
  // The events do not say when they happened, as wal2json tells times only when asked to: they
  // happen when they are worked on.
  bool undated = false;
  std::string reason;
};

// Small troubles that do not stop a line, by what they are about: the first thousand names,
// shortened when they are long, and `others`.
struct IntakeCounts {
  static constexpr size_t kNamesMax = 1'000;       // of either kind
  std::map<std::string, uint64_t> unknown_fields;  // `Lead.Foo__c` → times
  std::map<std::string, uint64_t>
      unknown_values;  // `Lead.Status = Foo` → times; closed picklists only
  uint64_t diffs = 0;  // long texts sent as differences, which are not applied
};

class Members;

// Reads lines of one stream. Not shared between threads; keeps its buffers from line to line.
class EventReader {
 public:
  // `source` is the stream's name where the events bring none of their own (ENGINE section 8).
  EventReader(const types::Schema& schema, const Bounds& bounds, std::string source);

  // `line_number` counts from 1; it identifies events that bring no id. What is read depends on the
  // line alone.
  LineResult read(std::string_view line, uint64_t line_number);

  // From here on an event that is no snapshot and has no identity of its own is poison.
  void need_ids() { needs_ids_ = true; }

  const IntakeCounts& counts() const { return counts_; }
  // What was counted so far; counting begins anew.
  IntakeCounts take_counts() { return std::exchange(counts_, {}); }
  void add_counts(const IntakeCounts& more);

 private:
  // What the formats have in common, before typing.
  struct Draft {
    std::string source;    // empty: the reader's
    std::string identity;  // event id, or transaction and sequence; empty: the line number
    std::string_view entity;
    types::ChangeKind kind = types::ChangeKind::kUpdate;
    bool whole_object = false;  // of kGap: every record of the object
    std::string_view at;        // ISO 8601 or milliseconds; empty: none
    std::string_view by;
    uint32_t fields = JsonTape::kNone;   // an object whose members are fields
    std::string_view skip;               // a member of it that is no field
    uint32_t columns = JsonTape::kNone;  // wal2json: an array of {name, value}
    uint32_t nulled = JsonTape::kNone;   // an array of names
    uint32_t before = JsonTape::kNone;
    uint32_t before_columns = JsonTape::kNone;
    uint32_t diffs = JsonTape::kNone;  // an array of names
    types::SourcePosition position;
    bool database = false;  // names are columns: underscores are free, times may be epoch numbers
  };

  LineResult read_object(uint32_t node, uint64_t line_number, int depth);
  LineResult read_salesforce(uint32_t payload, Draft& draft, uint64_t line_number);
  LineResult read_debezium(uint32_t node, Draft& draft, uint64_t line_number);
  LineResult read_wal2json(uint32_t node, Draft& draft, uint64_t line_number);
  LineResult read_native(const Members& members, Draft& draft, uint64_t line_number);
  LineResult finish(const Draft& draft, Format format, uint64_t line_number);

  types::ObjectId find_object(const Draft& draft);
  types::ObjectId look_up_object(const Draft& draft) const;

  // Fields by the names that events gave them, in the order of their first coming: one event mostly
  // names them as the one before did.
  struct NamedField {
    std::string name;
    types::FieldId field;
    types::TypeKind kind = types::TypeKind::kBlank;
    const types::Picklist* closed = nullptr;  // of texts, these are what it holds
  };
  struct NamesOfObject {
    std::vector<NamedField> rows;
    size_t next = 0;
  };
  using Names = std::vector<NamesOfObject>;  // by object

  NamesOfObject& names_of(types::ObjectId object, bool database);
  // The field that is expected next, when that is its name.
  static const NamedField* expected(NamesOfObject& names, std::string_view name) {
    if (names.next == names.rows.size()) names.next = 0;  // the next event
    if (names.rows.empty() || names.rows[names.next].name != name) return nullptr;
    return &names.rows[names.next++];
  }
  types::FieldId find_field(types::ObjectId object, std::string_view name, bool database);
  // The fields of one line on their way to typed values.
  struct Typing {
    const Draft& draft;
    types::ObjectId object;
    NamesOfObject& names;
    std::string reason;  // why a value cannot be of its field's type
  };
  // Adds the members of `node` to `out`. False with a reason when a value cannot be of its field's
  // type.
  bool add_fields(Typing& typing, uint32_t node, types::FieldValuesMaker& out);
  uint32_t add_expected(const Typing& typing, uint32_t member, uint32_t end,
                        types::FieldValuesMaker& out);
  bool add_columns(Typing& typing, uint32_t node, types::FieldValuesMaker& out);
  bool add_field(Typing& typing, std::string_view name, uint32_t value,
                 types::FieldValuesMaker& out);
  bool add_compound(Typing& typing, std::string_view name, uint32_t value,
                    types::FieldValuesMaker& out);
  void count_unknown_value(const types::Object& object, types::FieldId field,
                           std::string_view text);
  void name_person(const types::Object& object);
  std::unordered_set<std::string_view> names_in(uint32_t names) const;
  static void count_unknown(std::map<std::string, uint64_t>& counts, std::string what);

  const types::Schema& schema_;
  const Bounds& bounds_;
  std::string source_;
  bool needs_ids_ = false;
  JsonTape tape_;
  // What the event before was about: mostly this one is, too.
  std::string last_entity_;
  bool last_database_ = false;
  types::ObjectId last_object_;
  IntakeCounts counts_;
  std::array<Names, 2> names_;  // of programs; of databases
  std::vector<uint8_t> expected_members_;
  std::vector<std::string_view> ids_;  // of the records that the event is about
  types::FieldValuesMaker values_;
  std::string person_name_;
  std::string cloud_source_;
  std::string cloud_identity_;
  std::string cloud_time_;
};

// A JSON value as a value of a field. An error when it cannot be one.
Result<Value> value_from_json(const JsonTape& tape, uint32_t node, const types::Schema& schema,
                              const types::Type& type, const Bounds& bounds, bool database);
// Of a field for numbers, percents or money without a currency of its own; nothing where the field
// is another, or the digits are no number that can be kept.
std::optional<Value> number_value(types::TypeKind kind, std::string_view digits);
// Whether a field holds texts as they come.
constexpr bool is_text(types::TypeKind kind) {
  switch (kind) {
    case types::TypeKind::kText:
    case types::TypeKind::kLongText:
    case types::TypeKind::kEmail:
    case types::TypeKind::kPhone:
    case types::TypeKind::kUrl:
    case types::TypeKind::kPicklist:
    case types::TypeKind::kRecord: return true;
    default: return false;
  }
}
// Whether a JSON value is, as it stands, what a field for texts holds, and what
// FieldValuesMaker::set_text takes.
inline bool is_short_text(const JsonNode& node, types::TypeKind kind, const Bounds& bounds) {
  return node.kind == JsonKind::kString && node.plain && is_text(kind) && !node.text.empty() &&
         node.text.size() <= types::FieldValuesMaker::kTextMax &&
         node.text.size() <= bounds.text_bytes_max;
}

// An instant from ISO 8601 (UTC where it has no offset) or epoch milliseconds; with `database` also
// microseconds and nanoseconds, told apart by their size.
std::optional<Instant> instant_from_text(std::string_view text, bool database);

}  // namespace ensue::intake
