// The verifier refuses what no lowering makes: a sound plan is damaged in one place at a time.
#include <catch2/catch.hpp>
#include <functional>

#include "plan/plan.h"
#include "support/programs.h"

namespace ensue::plan {
namespace {

// steps:  0 path LeadSource, 1-2 constants, 3 one-of 2, 4 or-jump 9, 5 path Score, 6-7 constants, 8
// between, 9 and-jump 21,
//        10 path EmailBouncedDate, 11 local-datetime, 12 compare <, 13 and-jump 21, 14 path
//        LastName, 15 call upper, 16 constant, 17 compare =, 18 and-jump 21, 19 constant, 20
//        changed Status; target: 21 path it; assignee: 22 person
const char* const kAction = R"(
action "Hot" by "ana"
  when Lead is created or edited
  for my records
  if (LeadSource is one of ("Web", "Phone") or Score is between 1 and 5) and
     EmailBouncedDate is before 2026-01-05T10:00 and upper(LastName) is "X" and Status changed to "Working"
  then add it to cadence "C", assigned to user "bob"
end)";

// steps:  0 has 0; target: 1 path it; has: 2 path searched.Status, 3 constant, 4 compare =
const char* const kFlow = R"(
flow "Cases"
  when Contact is created or edited, after save
  and meets any Case of Account has (Status is "New")
  run as system
  add it to cadence "D"
end)";

struct Damage {
  const char* what;
  const char* expected;
  std::function<void(UnitPlan&)> damage;
};

struct Subject {
  engine::ProgramPtr program;
  UnitPlan unit;

  explicit Subject(const char* source)
      : program(testing::program_of(source)), unit(*program->units.at(0)) {}
  std::string verdict() const { return verify(unit, program->schema(), program->functions()); }
};

// Of the first path; the other units that have an equal one keep it.
void set_hops(UnitPlan& unit, std::vector<HopPlan> hops) {
  PathPlan path = *unit.code.paths[0];
  path.hops = std::move(hops);
  unit.code.paths[0] = std::make_shared<const PathPlan>(std::move(path));
}

void check(const char* source, const std::vector<Damage>& rows) {
  for (const Damage& row : rows) {
    INFO(row.what);
    Subject subject(source);
    REQUIRE(subject.verdict() == "");
    row.damage(subject.unit);
    CHECK(subject.verdict() == row.expected);
  }
}

constexpr uint32_t kFar = 1'000'000;

}  // namespace

TEST_CASE("the plans under test have the steps that the damages below name") {
  Subject action(kAction);
  REQUIRE(action.unit.code.steps.size() == 23);
  CHECK(action.unit.code.steps[3].op == Op::kOneOf);
  CHECK(action.unit.code.steps[4].op == Op::kOrJump);
  CHECK(action.unit.code.steps[8].op == Op::kBetween);
  CHECK(action.unit.code.steps[9].op == Op::kAndJump);
  CHECK(action.unit.code.steps[11].op == Op::kLocalDatetime);
  CHECK(action.unit.code.steps[12].op == Op::kCompare);
  CHECK(action.unit.code.steps[15].op == Op::kCall);
  CHECK(action.unit.code.steps[20].op == Op::kChanged);
  CHECK(action.unit.code.steps[22].op == Op::kPerson);
  Subject flow(kFlow);
  REQUIRE(flow.unit.code.steps.size() == 5);
  CHECK(flow.unit.code.steps[0].op == Op::kHas);
}

TEST_CASE("a unit watches an object, for some events, and does something") {
  check(kAction, {
                     {"object", "the unit watches no object", [](UnitPlan& u) { u.object = {}; }},
                     {"object", "the unit watches no object",
                      [](UnitPlan& u) { u.object = types::ObjectId(size_t{kFar}); }},
                     {"events", "the unit has no events", [](UnitPlan& u) { u.events = 0; }},
                     {"events", "the unit has no events", [](UnitPlan& u) { u.events = 16; }},
                     {"watched", "a watched field does not exist",
                      [](UnitPlan& u) { u.watched.push_back({}); }},
                     {"effects", "the unit has no effect", [](UnitPlan& u) { u.effects.clear(); }},
                     {"ranges", "steps and source ranges differ in number",
                      [](UnitPlan& u) { u.code.ranges.pop_back(); }},
                 });
}

TEST_CASE("programs lie inside the code") {
  check(kAction, {
                     {"condition", "the condition has a range outside the code",
                      [](UnitPlan& u) { u.condition.end = 24; }},
                     {"condition", "the condition has a range outside the code",
                      [](UnitPlan& u) {
                        u.condition = {5, 3};
                      }},
                     {"target", "a target has a range outside the code",
                      [](UnitPlan& u) { u.effects[0].target = {}; }},
                     {"target", "a target has a range outside the code",
                      [](UnitPlan& u) {
                        u.effects[0].target = {23, 24};
                      }},
                     {"assignee", "an assignee has a range outside the code",
                      [](UnitPlan& u) {
                        u.effects[0].assignee = {22, 24};
                      }},
                     {"person", "a person has a range outside the code",
                      [](UnitPlan& u) {
                        u.effects[0].terms.edit().person = {30, 31};
                      }},
                 });
  check(kFlow, {{"has", "a `has` condition has a range outside the code",
                 [](UnitPlan& u) { u.code.rare.edit().relations[0].condition = {}; }}});
}

TEST_CASE("jumps go forward and stay inside their program") {
  check(kAction, {
                     {"backward", "the condition: step 9 jumps to 8",
                      [](UnitPlan& u) { u.code.steps[9].a = 8; }},
                     {"to itself", "the condition: step 9 jumps to 9",
                      [](UnitPlan& u) { u.code.steps[9].a = 9; }},
                     {"past the end", "the condition: step 9 jumps to 22",
                      [](UnitPlan& u) { u.code.steps[9].a = 22; }},
                     {"or backward", "the condition: step 4 jumps to 0",
                      [](UnitPlan& u) { u.code.steps[4].a = 0; }},
                 });
}

TEST_CASE("the stack agrees wherever ways meet, and one value is left") {
  check(kAction, {
                     {"a jump into the middle of a test",
                      "the condition: step 7 is reached with two stack depths",
                      [](UnitPlan& u) { u.code.steps[4].a = 7; }},
                     {"too few values", "the condition: step 3 takes more than the stack holds",
                      [](UnitPlan& u) { u.code.steps[3].a = 3; }},
                     {"an operator first", "the condition: step 0 takes more than the stack holds",
                      [](UnitPlan& u) {
                        u.code.steps[0] = {Op::kNot, 0, 0, 0};
                      }},
                     {"a value too many in the target", "a target does not leave one value",
                      [](UnitPlan& u) {
                        u.effects[0].target = {21, 23};
                      }},
                     {"no value at the end", "the condition does not leave one value",
                      [](UnitPlan& u) {
                        u.code.steps[20] = {Op::kAndJump, 0, 0, 21};
                      }},
                 });
}

TEST_CASE("operands lie inside their tables") {
  auto outside = [](uint32_t step) { return [step](UnitPlan& u) { u.code.steps[step].a = kFar; }; };
  check(kAction,
        {
            {"path", "the condition: step 0 has an operand outside its table", outside(0)},
            {"constant", "the condition: step 1 has an operand outside its table", outside(1)},
            {"local datetime", "the condition: step 11 has an operand outside its table",
             outside(11)},
            {"function", "the condition: step 15 has an operand outside its table", outside(15)},
            {"arguments", "the condition: step 15 has an operand outside its table",
             [](UnitPlan& u) { u.code.steps[15].b = 0; }},
            {"comparison", "the condition: step 12 has an operand outside its table",
             [](UnitPlan& u) { u.code.steps[12].flags = kCompareEndsWith + 1; }},
            {"field", "the condition: step 20 has an operand outside its table", outside(20)},
            {"person", "an assignee: step 22 has an operand outside its table", outside(22)},
            {"the first past the table", "an assignee: step 22 has an operand outside its table",
             [](UnitPlan& u) {
               u.code.steps[22].a = static_cast<uint32_t>(u.code.constants.size());
             }},
        });
  check(kFlow,
        {{"relation", "the condition: step 0 has an operand outside its table", outside(0)}});
}

TEST_CASE("paths and relations name what exists") {
  check(kFlow, {
                   {"no field", "a path has a hop without a field",
                    [](UnitPlan& u) { set_hops(u, {HopPlan{}}); }},
                   {"field", "a path names a field that does not exist",
                    [](UnitPlan& u) {
                      set_hops(u, {HopPlan{{{u.object, types::FieldId(size_t{kFar})}}}});
                    }},
                   {"object", "a path names a field that does not exist",
                    [](UnitPlan& u) {
                      set_hops(u, {HopPlan{{{types::ObjectId(size_t{kFar}), types::kIdField}}}});
                    }},
                   {"lookup", "a relation names a lookup that does not exist",
                    [](UnitPlan& u) { u.code.rare.edit().relations[0].lookup = {}; }},
                   {"child", "a relation names a lookup that does not exist",
                    [](UnitPlan& u) { u.code.rare.edit().relations[0].child = {}; }},
                   {"parent", "a relation names a path that does not exist",
                    [](UnitPlan& u) { u.code.rare.edit().relations[0].parent = kFar; }},
               });
}

TEST_CASE("the stack that was reserved is the stack that is used") {
  Subject subject(kAction);
  REQUIRE(subject.unit.code.stack_max == 3);
  subject.unit.code.stack_max = 2;
  CHECK(subject.verdict() == "the stack grows to 3, over 2");
}

TEST_CASE("business time needs a calendar") {
  Subject subject(kAction);
  subject.unit.effects[0].terms.edit().within = Duration{1, DurationUnit::kDay, true};
  CHECK(subject.verdict() == "a business duration without a calendar");
  subject.unit.calendar = std::make_shared<calendar::BusinessCalendar>();
  CHECK(subject.verdict() == "");
  subject.unit.calendar = nullptr;
  subject.unit.effects[0].terms.edit().within = Duration{1, DurationUnit::kDay, false};
  CHECK(subject.verdict() == "");
  subject.unit.effects[0].terms.edit().expiring = Duration{1, DurationUnit::kDay, true};
  CHECK(subject.verdict() == "a business duration without a calendar");
}

}  // namespace ensue::plan
