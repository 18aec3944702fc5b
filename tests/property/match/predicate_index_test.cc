// The predicate index finds what a scan finds: random rules on random changes, in scopes small
// enough for one block of memory and large enough for hash tables, while rules come, change and go.
//
// The scan evaluates each condition (exec::holds). Every rule whose condition is true or faults
// must be found; of rules that the index calls exact, no other may be.
#include "match/predicate_index.h"

#include <catch2/catch.hpp>
#include <set>

#include "exec/evaluator.h"
#include "support/conditions.h"
#include "support/programs.h"
#include "support/random.h"
#include "support/reference/evaluator.h"
#include "support/reference/values.h"
#include "support/worlds.h"

namespace ensue::testing {
namespace {

using match::PredicateIndex;
using match::ScopeKind;
using match::SnapshotPtr;
using reference::World;

constexpr const char* kPrelude = R"(
extend Lead
  Slot__c as time labelled "Slot"
  Interests__c as multipicklist ("Red", "Green", "Blue") labelled "Interests"
  Share__c as percent labelled "Share"
  Due__c as date labelled "Due"
  Seats__c as number labelled "Seats"
end
cadence "C"
  track main
    step "Call" immediately: call
end
)";
const std::vector<std::string> kKinds = {"User",        "Queue", "Account", "Contact", "Lead",
                                         "Opportunity", "Case",  "Task",    "Campaign"};
constexpr size_t kRules = 420;

class Records final : public exec::RecordSource {
 public:
  Records(const types::Schema& schema, const World& world) : schema_(schema), world_(world) {}
  types::RecordPtr find(types::ObjectId object, std::string_view id) override {
    return world_.find(object, id);
  }
  Result<std::vector<std::string>> referring(types::ObjectId child, types::FieldId lookup,
                                             std::string_view id, size_t) override {
    std::vector<std::string> out;
    for (const auto& [key, record] : world_.records) {
      bool refers =
          key.first == child.index && !record->deleted && record->raw(lookup).as_text() == id;
      if (refers) out.push_back(record->id);
    }
    return out;
  }
  std::string person(std::string_view name, bool queue) override {
    return reference::person_named(schema_, world_, name, queue);
  }

 private:
  const types::Schema& schema_;
  const World& world_;
};

// Some with all that the language has, most with tests of fields alone.
std::string random_flow(const types::Schema& schema, Random& random, size_t number) {
  ConditionOptions options;
  options.business = false;
  options.tests_max = 1 + static_cast<int>(random.below(5));
  if (random.chance(75)) {
    options.hops_max = 0;
    options.relations = options.expressions = options.mixed_dates = false;
  }
  ConditionWriter writer(schema, random, options);
  std::string condition = writer.condition(schema.find_object("Lead")).written();
  if (random.chance(30)) {
    std::string more = random.word({"LastName starts with \"S\"", "LastName starts with \"str\"",
                                    "Company starts with \"stra\"", "NumberOfEmployees > 10",
                                    "NumberOfEmployees is between 1 and 200", "Rating is \"Hot\"",
                                    "Rating is one of (\"Hot\", \"Cold\")", "Status changed",
                                    "Rating is not blank"});
    if (random.chance(25)) more = "not (" + more + ")";
    condition = "(" + condition + ")" + random.word({" and ", " or "}) + more;
  }
  return "flow \"F" + std::to_string(number) + "\"\n  when Lead is " +
         random.word({"created", "edited", "created or edited", "deleted"}) + "\n  and meets " +
         condition + "\n  run as the owner\n  add it to cadence \"C\"\nend\n";
}

engine::Loaded random_program(Random& random) {
  engine::ProgramPtr library = program_of(kPrelude);
  std::string text = kPrelude;
  for (size_t i = 0; i < kRules; ++i) text += random_flow(library->schema(), random, i);
  return sound(text);
}

struct Tally {
  size_t asked = 0;
  size_t exact = 0;
  size_t holds = 0;
  size_t found = 0;
};

class Round {
 public:
  Round(uint64_t seed, Tally& tally)
      : seed_(seed),
        random_(seed),
        loaded_(random_program(random_)),
        program_(loaded_.program),
        schema_(program_->schema()),
        lead_(schema_.find_object("Lead")),
        maker_(schema_, random_),
        world_(maker_.world(kKinds)),
        index_(schema_, program_->options.bounds.run_steps_max),
        scopes_(program_->units.size()),
        units_(program_->units.size()),
        tally_(tally) {}

  void run() {
    for (uint32_t i = 0; i < kRules; ++i) put(i);
    snapshot_ = index_.publish();
    for (int i = 0; i < 40; ++i) check(*snapshot_, units_, scopes_);
    for (int change = 0; change < 6; ++change) {
      SnapshotPtr before = snapshot_;
      auto units_before = units_;
      auto scopes_before = scopes_;
      size_t count = random_.chance(50) ? 1 + random_.below(4) : random_.below(200);
      for (size_t i = 0; i < count; ++i) {
        auto number = static_cast<uint32_t>(random_.below(kRules));
        if (random_.chance(40)) {
          index_.remove(number);
          units_[number] = nullptr;
        } else {
          put(number);
        }
      }
      snapshot_ = index_.publish();
      for (int i = 0; i < 12; ++i) check(*snapshot_, units_, scopes_);
      // Whoever still reads the one before sees what it was.
      for (int i = 0; i < 3; ++i) check(*before, units_before, scopes_before);
    }
  }

 private:
  using Units = std::vector<const plan::UnitPlan*>;
  using Scopes = std::vector<match::RuleScope>;

  // Under its number stands the condition of any unit.
  void put(uint32_t number) {
    const plan::UnitPlan& unit = *random_.pick(program_->units);
    match::RuleScope scope{lead_, ScopeKind::kEverybody, 0};
    if (random_.chance(25)) {
      scope.kind = random_.chance(60) ? ScopeKind::kOwn : ScopeKind::kTeam;
      scope.author = static_cast<uint32_t>(random_.below(3) * 70);
    }
    PredicateIndex::RuleInput input;
    input.scope = scope;
    input.events = unit.events;
    input.code = &unit.code;
    input.condition = unit.condition;
    index_.put(number, input);
    units_[number] = &unit;
    scopes_[number] = scope;
    exact_[number] = index_.exact(number);
  }

  void check(const match::Snapshot& snapshot, const Units& units, const Scopes& scopes) {
    types::Record before = maker_.record(lead_, "00Q1", 30);
    types::Record after = random_.chance(50) ? maker_.edited(before, 4) : before;
    uint8_t change = random_.chance(35)   ? plan::kCreated
                     : random_.chance(90) ? plan::kEdited
                                          : plan::kDeleted;
    bool is_new = change == plan::kCreated;
    types::FieldSet changed = reference::fields_changed(schema_, is_new ? nullptr : &before, after);
    match::EventImage& image = image_;
    const match::Layout& layout = snapshot.layout(lead_);
    image.fill(layout, snapshot.vocabulary(), after, changed, change, is_new);
    REQUIRE(!image.irregular());
    if (random_.chance(20)) {
      image.seal(0);
      index_.statistics().observe(layout, image);
    }
    uint32_t owner = static_cast<uint32_t>(random_.below(4) * 70);
    std::vector<uint32_t> managers = {static_cast<uint32_t>(random_.below(3) * 70), 9999};
    std::vector<uint32_t> found;
    snapshot.match(lead_, std::span(&owner, 1), managers, image, found);
    CHECK(std::is_sorted(found.begin(), found.end()));
    CHECK(std::adjacent_find(found.begin(), found.end()) == found.end());
    std::set<uint32_t> set(found.begin(), found.end());

    Records records(schema_, world_);
    exec::Environment environment{
        schema_,        program_->functions(), program_->bodies,        records,
        program_->zone, program_->currency,    program_->options.bounds};
    exec::Input input;
    input.it = &after;
    input.before = is_new ? nullptr : &before;
    input.changed = &changed;
    input.is_new = is_new;
    input.now = kWorldNow;
    for (uint32_t number = 0; number < units.size(); ++number) {
      const plan::UnitPlan* unit = units[number];
      bool about =
          unit != nullptr && (unit->events & change) != 0 &&
          (scopes[number].kind == ScopeKind::kEverybody ||
           (scopes[number].kind == ScopeKind::kOwn && scopes[number].author == owner) ||
           (scopes[number].kind == ScopeKind::kTeam && scopes[number].author == managers[0]));
      INFO("ENSUE_SEED=" << test_seed() << ", round " << seed_ << ", rule " << number << " "
                         << (unit != nullptr ? unit->name : "none"));
      if (!about) {
        CHECK(set.count(number) == 0);
        continue;
      }
      Result<bool> holds =
          exec::holds(unit->code, unit->condition, unit->calendar.get(), input, environment);
      bool starts = !holds || *holds;
      INFO(condition_text(*unit) << "\n" << record_text(schema_, after));
      if (starts) CHECK(set.count(number) == 1);
      bool exact = units[number] == units_[number] && exact_[number];
      if (!starts && exact) CHECK(set.count(number) == 0);
      ++tally_.asked;
      tally_.exact += exact ? 1 : 0;
      tally_.holds += starts ? 1 : 0;
    }
    tally_.found += found.size();
  }

  std::string condition_text(const plan::UnitPlan& unit) const {
    for (const check::Automation& automation : loaded_.module->automations) {
      if (automation.name == unit.name)
        return std::string(loaded_.module->written(automation.declaration));
    }
    return "";
  }

  uint64_t seed_;
  Random random_;
  engine::Loaded loaded_;
  engine::ProgramPtr program_;
  const types::Schema& schema_;
  types::ObjectId lead_;
  WorldMaker maker_;
  World world_;
  PredicateIndex index_;
  SnapshotPtr snapshot_;
  Scopes scopes_;
  Units units_;
  std::array<bool, kRules> exact_{};
  match::EventImage image_;
  Tally& tally_;
};

}  // namespace

TEST_CASE("the predicate index finds what a scan of all conditions finds") {
  Random random(test_seed());
  Tally tally;
  for (uint64_t round = 0; round < 3 * test_effort(); ++round) Round(random.fork(), tally).run();
  INFO(tally.asked << " conditions asked, " << tally.exact << " of exact rules, " << tally.holds
                   << " true or faulty, " << tally.found << " found");
  CHECK(tally.asked > 20'000);
  CHECK(tally.exact * 4 > tally.asked);
  CHECK(tally.holds * 20 > tally.asked);
  // What is not understood is found without being true.
  CHECK(tally.found < tally.holds + (tally.asked - tally.holds) / 2);
}

}  // namespace ensue::testing
