// Matching: whether one automation starts on one change of a record, and if not, where it stopped.
//
// The questions are asked in the order of ENGINE section 2: the person, active for this person,
// scope, field changed, condition. The engine and `why` ask them through the same function, so that
// an explanation cannot differ from what ran.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "engine/directory.h"
#include "engine/program.h"
#include "engine/record_book.h"
#include "exec/evaluator.h"
#include "match/rule_index.h"

namespace ensue::engine {

// One saved change of a record: what automations are matched against.
struct Change {
  Key128 event;
  Instant at;
  std::string by;
  uint8_t kind = plan::kEdited;  // a ChangeBit
  types::RecordPtr before;       // null when the record was not there, or was never seen
  types::RecordPtr after;
  types::FieldSet changed;
  bool is_new = false;
  uint32_t depth = 0;  // 0: from outside; more: caused by a run
};

enum class Stop : uint8_t {
  kNone,  // it starts
  kDraft,
  kObject,
  kEvent,
  kAuthor,
  kNoOwner,
  kOwner,
  kTeam,
  kTerritory,
  kInactive,
  kUnchanged,
  kCondition,
  kNotNewly,
  kFault,
};

struct MatchResult {
  Stop stop = Stop::kNone;
  std::string person;   // whom the run is for; empty for the system
  std::string subject;  // of the stop: the owner, the territory, …
  std::string fault;    // of kFault
};

// The change that a record's last change describes, with `present` as the image after it.
Change change_from(const LastChange& last, types::RecordPtr present);

// Who has switched what on or off.
class Activations {
 public:
  void put(const ActivationRow& row) { rows_[{row.rule, row.person}] = row.active; }
  void clear() { rows_.clear(); }
  bool active(const plan::UnitPlan& unit, std::string_view person) const;

 private:
  std::map<std::pair<Key128, std::string>, bool> rows_;
};

class Matcher {
 public:
  Matcher(const Program& program, RecordBook& book, const Directory& directory,
          const Activations& activations, const match::RuleIndex& index);

  // `unit` is its number in the program's order.
  MatchResult examine(uint32_t unit, const Change& change, Instant now,
                      exec::Trace* trace = nullptr);
  // The condition alone, on an image with a change of its own; a fault counts as false.
  bool still_holds(const plan::UnitPlan& unit, const Change& change, std::string_view person,
                   Instant now);

  // The record's owner, when that is a user.
  std::string owner_of(const types::Record& record) const;
  const exec::Environment& environment() const { return environment_; }

 private:
  Stop check_person(uint32_t unit, const types::Record& record, MatchResult& out) const;
  Result<bool> condition(const plan::UnitPlan& unit, const Change& change, std::string_view person,
                         Instant now, bool before_save, exec::Trace* trace);

  const Program& program_;
  const Directory& directory_;
  const Activations& activations_;
  const match::RuleIndex& index_;
  exec::Environment environment_;
};

// `Lead/00Q1`
std::string record_name(const types::Schema& schema, const types::Record& record);

}  // namespace ensue::engine
