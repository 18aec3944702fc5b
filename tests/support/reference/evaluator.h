// The reference evaluator: what a condition means, read off LANGUAGE.md and written for being
// obvious.
//
// It walks the tree of a checked program, looks every name up again while it walks, and shares no
// code with plan/, exec/ and builtins/; only the arithmetic of the calendar (value/time_text,
// calendar/) is common. Slow, and never linked into the product.
//
// Rules where LANGUAGE.md is silent, as a reader would expect them:
// - `and` and `or` are read from left to right and stop at the first term that decides; a fault
// after it never happens.
// - A date beside a date-time is the instant the day starts in the org's zone; `30 days ago` beside
// a date is a date, on
//   whichever side it stands.
// - `each X has (…)` of no records holds.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calendar/business_time.h"
#include "calendar/zone.h"
#include "check/checked_module.h"
#include "types/record.h"

namespace ensue::testing::reference {

// All records there are, as they stand after the save.
struct World {
  std::map<std::pair<uint32_t, std::string>, types::RecordPtr> records;  // by object and id

  void put(types::Record record) {
    auto key = std::pair(record.object.index, record.id);
    records[key] = std::make_shared<const types::Record>(std::move(record));
  }
  // Null when there is none, or it is deleted.
  types::RecordPtr find(types::ObjectId object, std::string_view id) const;
};

struct Org {
  calendar::Zone zone = calendar::Zone::utc();
  Currency currency;
  std::shared_ptr<const calendar::BusinessCalendar> calendar;  // of business durations; may be null
};

// A save, as a condition sees it.
struct Save {
  types::RecordPtr before;  // null on creation
  types::RecordPtr after;
  bool created = false;
  std::string me;  // a user's id; empty for the system
  Instant now;
};

struct Answer {
  bool holds = false;
  std::optional<std::string> fault;  // when there is one, nothing holds
};

class Evaluator {
 public:
  Evaluator(const check::CheckedModule& module, const Org& org, const World& world);

  // Whether a condition holds after the save.
  Answer after(check::NodeRef condition, const Save& save) const;
  // Whether it held before: nothing had changed, nothing was new. The world must be the one before
  // the save.
  Answer before(check::NodeRef condition, const Save& save) const;
  // `and meets` and `and newly meets` as a whole. `world_before` is the world before the save.
  Answer starts(const check::Automation& automation, const Save& save,
                const World& world_before) const;

 private:
  const check::CheckedModule& module_;
  const Org& org_;
  const World& world_;
};

// Whether the stored value of a field differs, letter case included (LANGUAGE section 4).
bool stored_differs(const Value& a, const Value& b);
// The fields of `object` that a save changed.
types::FieldSet fields_changed(const types::Schema& schema, const types::Record* before,
                               const types::Record& after);
// The id of a user by id, username or e-mail, or of a queue by id or name; empty when there is
// none.
std::string person_named(const types::Schema& schema, const World& world, std::string_view name,
                         bool queue);

}  // namespace ensue::testing::reference
