#include "match/rule_index.h"

#include <catch2/catch.hpp>
#include <map>

namespace ensue::match {
namespace {

using plan::Scope;
using plan::UnitKind;

const types::ObjectId kLead(size_t{0});
const types::ObjectId kCase(size_t{7});
constexpr uint8_t kSaved = plan::kCreated | plan::kEdited;

plan::UnitPtr unit(Scope scope, const char* author, types::ObjectId object = kLead,
                   uint8_t events = kSaved, bool draft = false) {
  auto out = std::make_shared<plan::UnitPlan>();
  out->kind = scope == Scope::kEverybody ? UnitKind::kFlow : UnitKind::kAction;
  out->scope = scope;
  out->author = author;
  out->object = object;
  out->events = events;
  out->draft = draft;
  return out;
}

using Numbers = std::vector<uint32_t>;

// Two users, each under a name and an id.
const types::Schema kSchema;  // the units have no conditions
constexpr uint64_t kSteps = 100'000;

std::string user_of(const std::string& author) {
  static const std::map<std::string, std::string> kUsers = {
      {"ana", "005a"}, {"ANA", "005a"}, {"mona", "005m"}};
  auto found = kUsers.find(author);
  return found == kUsers.end() ? "" : found->second;
}

}  // namespace

TEST_CASE("own, team and everybody's automations are found by the owner and the managers above") {
  std::vector<plan::UnitPtr> units = {unit(Scope::kTeam, "mona"), unit(Scope::kOwn, "ana"),
                                      unit(Scope::kOwn, "mona"),  unit(Scope::kEverybody, ""),
                                      unit(Scope::kTeam, "ana"),  unit(Scope::kOwn, "ANA")};
  RuleIndex index(units, kSchema, kSteps, user_of);
  CHECK(index.candidates(kLead, plan::kCreated, "005a", {"005m"}) == Numbers{0, 1, 3, 5});
  CHECK(index.candidates(kLead, plan::kCreated, "005m", {}) == Numbers{2, 3});
  CHECK(index.candidates(kLead, plan::kCreated, "005x", {"005a", "005m"}) == Numbers{0, 3, 4});
  CHECK(index.candidates(kLead, plan::kCreated, "", {}) == Numbers{3});
  CHECK(index.author_of(0) == "005m");
  CHECK(index.author_of(3) == "");
}

TEST_CASE("only the object's automations for that change are found") {
  std::vector<plan::UnitPtr> units = {unit(Scope::kEverybody, "", kLead, plan::kCreated),
                                      unit(Scope::kEverybody, "", kLead, kSaved),
                                      unit(Scope::kEverybody, "", kCase, kSaved),
                                      unit(Scope::kEverybody, "", kLead, plan::kDeleted),
                                      unit(Scope::kOwn, "ana", kCase, plan::kCreated)};
  RuleIndex index(units, kSchema, kSteps, user_of);
  CHECK(index.candidates(kLead, plan::kCreated, "005a", {}) == Numbers{0, 1});
  CHECK(index.candidates(kLead, plan::kEdited, "005a", {}) == Numbers{1});
  CHECK(index.candidates(kLead, plan::kDeleted, "005a", {}) == Numbers{3});
  CHECK(index.candidates(kLead, plan::kUndeleted, "005a", {}).empty());
  CHECK(index.candidates(kCase, plan::kCreated, "005a", {}) == Numbers{2, 4});
  CHECK(index.candidates(types::ObjectId(size_t{3}), plan::kCreated, "005a", {}).empty());
  CHECK(index.candidates(types::ObjectId(size_t{9999}), plan::kCreated, "005a", {}).empty());
}

TEST_CASE("drafts and automations of nobody are not found") {
  std::vector<plan::UnitPtr> units = {unit(Scope::kOwn, "ana", kLead, kSaved, true),
                                      unit(Scope::kOwn, "zoe"), unit(Scope::kTeam, "zoe"),
                                      unit(Scope::kEverybody, "", kLead, kSaved, true)};
  RuleIndex index(units, kSchema, kSteps, user_of);
  CHECK(index.candidates(kLead, plan::kCreated, "005a", {"005m"}).empty());
  // Nobody is not the owner of a record that has none.
  CHECK(index.candidates(kLead, plan::kCreated, "", {""}).empty());
}

TEST_CASE("an index of nothing finds nothing") {
  CHECK(RuleIndex().candidates(kLead, plan::kCreated, "005a", {}).empty());
  std::vector<plan::UnitPtr> none;
  CHECK(RuleIndex(none, kSchema, kSteps, user_of)
            .candidates(kLead, plan::kCreated, "005a", {})
            .empty());
}

}  // namespace ensue::match
