#include "plan/plan.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/programs.h"

namespace ensue::plan {
namespace {

UnitPlan unit(UnitKind kind, const char* name, const char* author = "",
              uint32_t priority = kNoPriority) {
  UnitPlan out;
  out.kind = kind;
  out.name = name;
  out.author = author;
  out.priority = priority;
  return out;
}

}  // namespace

TEST_CASE("a rule is known by kind, author and name, ignoring case") {
  base::Key128 key = rule_key(UnitKind::kAction, "ana", "Hot");
  CHECK(key == rule_key(UnitKind::kAction, "ANA", "hOT"));
  CHECK(key != rule_key(UnitKind::kAction, "bob", "Hot"));
  CHECK(key != rule_key(UnitKind::kAction, "ana", "Cold"));
  CHECK(key != rule_key(UnitKind::kFlow, "ana", "Hot"));
  // A flow's name is its own in the whole set, whoever wrote it.
  CHECK(rule_key(UnitKind::kFlow, "ana", "Hot") == rule_key(UnitKind::kFlow, "bob", "hot"));
}

TEST_CASE("automations run by kind, priority, name and author") {
  std::vector<UnitPlan> wanted = {
      unit(UnitKind::kAction, "Z", "ana", 1), unit(UnitKind::kAction, "A", "ana", 2),
      unit(UnitKind::kAction, "a", "bob", 2), unit(UnitKind::kAction, "B", "ana", 2),
      unit(UnitKind::kAction, "A", "ana"),    unit(UnitKind::kAction, "b", "ana"),
      unit(UnitKind::kFlow, "A", "", 0),      unit(UnitKind::kFlow, "A"),
  };
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (size_t j = 0; j < wanted.size(); ++j) {
      INFO(i << " and " << j);
      CHECK(runs_before(wanted[i], wanted[j]) == (i < j));
    }
  }
}

TEST_CASE("a program keeps its automations in the order they run") {
  engine::ProgramPtr program = testing::program_of(R"(
flow "Early" priority 0
  when Lead is created, after save
  run as system
  add it to cadence "C"
end
action "b" by "ana"
  when Lead is created
  for my records
  then pause it in all cadences
end
action "A" by "ana"
  when Lead is created
  for my records
  then pause it in all cadences
end
action "z" by "ana" priority 5
  when Lead is created
  for my records
  then pause it in all cadences
end)");
  std::string order;
  for (const UnitPtr& row : program->units) order += row->name + " ";
  CHECK(order == "z A b Early ");
}

TEST_CASE("a dump lists every step with its operand") {
  engine::ProgramPtr program = testing::program_of(R"(
action "Hot" by "ana"
  when Lead is created or edited
  for my records
  and newly meets LeadSource is not one of ("Web", "Phone") or Email is not blank
  then add it to cadence "C", assigned to user "bob"
end)");
  const UnitPlan& hot = *program->units.at(0);
  std::string text = dump(hot, program->schema(), program->functions());
  CHECK(text == "action \"Hot\" by \"ana\"\n  rule " + base::to_hex(hot.rule) + R"(
  watches Lead events=3 scope=0 activation=0 guard=2
  fields LeadSource Email
  condition:
      0 path it.LeadSource
      1 constant "Web"
      2 constant "Phone"
      3 one-of not 2
      4 or-jump -> 7
      5 path it.Email
      6 is-blank not
  effect add_to_cadence cadence="C"
  target:
      7 path it
  assignee:
      8 person "bob"
    0 effect 0
    1 stop
)");
}

TEST_CASE("effects and units have the names of the output") {
  CHECK(std::string(effect_name(EffectKind::kAdd)) == "add_to_cadence");
  CHECK(std::string(effect_name(EffectKind::kRemove)) == "remove_from_cadence");
  CHECK(std::string(effect_name(EffectKind::kPause)) == "pause_cadence");
  CHECK(std::string(effect_name(EffectKind::kResume)) == "resume_cadence");
  CHECK(std::string(effect_name(EffectKind::kChangeAssignee)) == "change_assignee");
  CHECK(std::string(unit_kind_name(UnitKind::kAction)) == "action");
  CHECK(std::string(unit_kind_name(UnitKind::kFlow)) == "flow");
}

}  // namespace ensue::plan
