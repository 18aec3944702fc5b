// Random conditions, as an author would type them: well typed over the objects of the library, in
// every form of LANGUAGE section 4, with names spelled in each of the ways the language allows.
#pragma once

#include <string>
#include <vector>

#include "support/random.h"
#include "types/schema.h"

namespace ensue::testing {

// A condition as a tree of texts, so that a failing one can be cut down.
struct Sentence {
  enum class Kind : uint8_t { kTest, kNot, kAnd, kOr, kHas };
  Kind kind = Kind::kTest;
  std::string text;             // of kTest; of kHas: `any Case of Account`
  std::vector<Sentence> parts;  // of kHas and kNot: one

  std::string written() const;  // kAnd and kOr inside one another stand in parentheses
};

// Conditions on a tree with fewer parts: each part alone, and the whole without one of its parts.
std::vector<Sentence> smaller_ones(const Sentence& sentence);

struct ConditionOptions {
  int tests_max = 5;        // in one condition, about
  int hops_max = 2;         // through lookups
  bool relations = true;    // `any Case of Account has (…)`
  bool changes = true;      // `changed`, `is new`
  bool business = true;     // business days; they need a calendar in the program
  bool mixed_dates = true;  // dates beside date-times
  bool expressions =
      true;  // calculations, functions, interpolation; else fields and literals alone

  // One plain test of a record's own fields and those `hops` lookups away: no relations,
  // calculations or business time.
  static ConditionOptions plain_test(int hops) {
    ConditionOptions out;
    out.tests_max = 1;
    out.hops_max = hops;
    out.relations = out.expressions = out.business = false;
    return out;
  }
};

class ConditionWriter {
 public:
  ConditionWriter(const types::Schema& schema, Random& random, ConditionOptions options = {})
      : schema_(schema), random_(random), options_(options) {}

  // A condition on a record of `object`.
  Sentence condition(types::ObjectId object);
  // The same condition as an author numbers it: `1: … 2: … by logic 1 or 2`.
  std::string numbered(const Sentence& sentence) const;

 private:
  // What a bare name belongs to, and what `it` is.
  struct Scope {
    types::ObjectId bare;
    types::ObjectId it;
    bool searched = false;
  };
  struct FieldPath {
    std::string text;
    const types::Field* field = nullptr;
    bool own = false;  // of the record in hand, without a hop
  };

  Sentence any_of_kind(const Scope& scope, int budget);
  Sentence test(const Scope& scope);
  Sentence has(const Scope& scope, int budget);
  std::string test_of(const Scope& scope, const FieldPath& left);
  std::string change_of(const FieldPath& left);
  std::string ordered_test(const Scope& scope, const std::string& left, types::TypeKind kind);
  std::string text_test(const Scope& scope, const FieldPath& left);
  std::string record_test(const Scope& scope, const FieldPath& left);

  // A path that ends at a field of one of `kinds`; one without a field when the object has none.
  FieldPath path(const Scope& scope, const std::vector<types::TypeKind>& kinds);
  FieldPath any_path(const Scope& scope);
  std::string spelled(const types::Object& object, const types::Field& field);
  std::string recased(std::string text);

  std::string amount(const Scope& scope, types::TypeKind kind, int depth);
  std::string text(const Scope& scope, int depth);
  std::string moment(const Scope& scope, types::TypeKind kind, int depth);
  std::string beside(const Scope& scope, types::TypeKind kind);
  std::string literal(const types::Field& field);
  std::string number_literal();
  std::string date_literal();
  std::string datetime_literal();
  std::string text_literal();
  std::string duration(bool days_or_longer);
  std::string quoted(const std::string& text) const;

  const types::Schema& schema_;
  Random& random_;
  ConditionOptions options_;
};

}  // namespace ensue::testing
