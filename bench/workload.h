// The workload of the matching benchmark: records of 33 fields with skewed values, rules of one to
// five conditions, and events of about 1.1 KB of JSON. The same seed gives the same workload.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "types/schema.h"

namespace ensue::bench {

enum class FieldKind : uint8_t { kText, kNumber, kDate, kBoolean };

struct FieldSpec {
  const char* name;
  FieldKind kind;
  uint32_t values;  // how many there are; 0: each record has its own
  int null_percent;
  bool in_rules;
};

// One test of a field, or tests joined.
struct Condition {
  enum class Kind : uint8_t { kIs, kOneOf, kAtLeast, kAtMost, kStartsWith, kIsBlank, kTrue };
  enum class Join : uint8_t { kTest, kAnd, kOr, kNot };
  Join join = Join::kTest;
  Kind kind = Kind::kIs;
  uint32_t field = 0;
  std::vector<uint32_t> values;  // ranks; of numbers and dates the value itself
  std::vector<Condition> parts;
};

struct Rule {
  Condition condition;
  uint8_t events = 0;  // ChangeBits
  double share = 0;    // of events of its kinds that meet the condition
};

struct Event {
  std::string json;  // with room behind it for the parser
  uint32_t size = 0;
};

class Workload {
 public:
  Workload(uint64_t seed, bool owned, uint32_t users);

  static const std::vector<FieldSpec>& fields();
  const types::Schema& schema() const { return schema_; }
  types::ObjectId lead() const { return lead_; }
  types::FieldId field_id(uint32_t field) const { return types::FieldId(size_t{field} + 1); }
  static std::string owner_name(uint32_t user);
  static std::string text(uint32_t field, uint32_t rank);
  // The date that a number stands for, as text of JSON.
  static std::string date(uint32_t value);

  // Of the kinds the issue asks for; the mean share is the target's.
  Rule rule();
  Event event(uint32_t number);
  // Of the events of a rule's kinds, which are four in five.
  static double target(bool owned) { return (owned ? 0.03 : 0.0001) / 0.8; }

  // The condition as lower/ writes it.
  void write(const Condition& condition, plan::Code& code) const;

 private:
  uint32_t rank(uint32_t field);  // of a record, or of a rule's constant
  double share_of_rank(uint32_t field, uint32_t rank) const;
  // `keyed`: is, or is one of, a text.
  Condition test(std::vector<bool>& used, bool keyed);
  Condition draw();
  double share(const Condition& condition) const;
  uint32_t number_value(uint32_t field);
  size_t below(size_t count) { return static_cast<size_t>(random_() % count); }
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }

  std::mt19937_64 random_;
  bool owned_;
  uint32_t users_;
  types::Schema schema_;
  types::ObjectId lead_;
  std::vector<std::vector<double>> cumulative_;  // by field: of the ranks
  std::vector<double> prefixes_;  // by field: share of values with the commonest first letters
  double least_ = 0;              // shares of rules lie between these
  double most_ = 1;
};

}  // namespace ensue::bench
