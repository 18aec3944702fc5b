// Random records: small worlds in which lookups mostly meet, values mostly repeat, and the odd ones
// (blank, deleted, nobody's id, two currencies, the ends of the calendar) turn up often.
#pragma once

#include <string>
#include <vector>

#include "support/random.h"
#include "support/reference/evaluator.h"

namespace ensue::testing {

// The instant around which dates are drawn: the morning of the spring change of the clocks in
// Paris.
inline constexpr Instant kWorldNow{1'774'776'600'000};  // 2026-03-29T09:30:00Z

// The texts that records hold and conditions ask for.
const std::vector<std::string>& some_texts();
// The ids of the records of an object; the last one is nobody's.
std::vector<std::string> ids_of(const types::Object& object);

class WorldMaker {
 public:
  WorldMaker(const types::Schema& schema, Random& random) : schema_(schema), random_(random) {}

  // Users, queues, and four records of each object of `kinds`.
  reference::World world(const std::vector<std::string>& kinds);
  // A record with random values; `blanks` of a hundred fields are left blank.
  types::Record record(types::ObjectId object, std::string id, int blanks);
  // Another value for some of its fields, as an edit does.
  types::Record edited(const types::Record& record, int fields);
  Value value(const types::Field& field);

 private:
  Value lookup(const types::Field& field);

  const types::Schema& schema_;
  Random& random_;
};

// `Lead/00Q1` and the fields that have values, one a line: what a failing test prints.
std::string record_text(const types::Schema& schema, const types::Record& record);

}  // namespace ensue::testing
