// The rule index and the matching behind it find what looking at every automation finds: random
// automations of several authors, for own records and for teams, and random saves of random records
// in a random hierarchy.
//
// What should start is worked out here from LANGUAGE section 3 and ENGINE section 1, with the
// reference evaluator for the conditions. Conditions stay small: their own meaning is the matter of
// property/exec.
#include <catch2/catch.hpp>
#include <set>

#include "support/conditions.h"
#include "support/native_lines.h"
#include "support/programs.h"
#include "support/random.h"
#include "support/reference/evaluator.h"
#include "support/reference/values.h"
#include "support/worlds.h"

namespace ensue::testing {
namespace {

using check::Automation;
using check::AutomationKind;
using reference::Save;
using reference::World;
using syntax::NodeId;
using syntax::NodeKind;

constexpr const char* kPrelude =
    "cadence \"C\"\n  track main\n    step \"Call\" immediately: call\nend\n";
const std::vector<std::string> kWatched = {"Lead", "Opportunity", "Case", "Contact"};
const std::vector<std::string> kAuthors = {"ana", "005bob", "MONA", "zed", "nobody"};
const std::vector<std::string> kRelated = {"Queue",       "Account", "Contact", "Lead",
                                           "Opportunity", "Case",    "Campaign"};

std::string random_condition(const types::Schema& schema, Random& random,
                             const std::string& object) {
  ConditionOptions options = ConditionOptions::plain_test(1);
  options.relations = true;
  std::string out =
      ConditionWriter(schema, random, options).condition(schema.find_object(object)).written();
  if (random.chance(40))
    out += std::string(random.word({" and ", " or "})) +
           (object == "Contact" ? "DoNotCall" : "Owner.IsActive");
  return out;
}

std::string random_automation(const types::Schema& schema, Random& random, size_t number) {
  const std::string& object = random.pick(kWatched);
  const std::string name = "\"A" + std::to_string(number) + "\"";
  const std::string condition = random_condition(schema, random, object);
  const std::string target = object == "Case" || object == "Opportunity" ? "PrimaryContact" : "it";
  const std::string effect = "  add " + target + " to cadence \"C\"\nend\n";
  const std::string draft = random.chance(8) ? " draft" : "";
  const std::string priority =
      random.chance(20) ? " priority " + std::to_string(random.below(3)) : "";
  if (random.chance(25)) {
    std::string when =
        random.word({"created", "edited", "created or edited", "deleted", "edited or deleted"});
    return "flow " + name + draft + priority + "\n  when " + object + " is " + when + "\n  and " +
           (random.chance(50) ? "newly " : "") + "meets " + condition + "\n  run as the owner\n" +
           effect;
  }
  std::string activation = random.word({"", "", "  activated by assignees, on by default\n",
                                        "  activated by assignees, off by default\n"});
  return "action " + name + " by \"" + random.pick(kAuthors) + "\"" + draft + priority +
         "\n  when " + object + " is " +
         random.word({"created", "created or edited", "created or edited"}) + "\n  for " +
         random.word({"my records", "records of my team"}) + "\n" + activation +
         (random.chance(50) ? "  if " : "  and newly meets ") + condition + "\n  then " +
         effect.substr(2);
}

// ---- What should start ------------------------------------------------------------------------

class BruteForce {
 public:
  BruteForce(const engine::Program& program, const check::CheckedModule& module, const World& world)
      : program_(program), module_(module), schema_(program.schema()), world_(world) {}

  std::string text(const types::Record& record, const char* field) const {
    types::FieldId id = reference::field_called(schema_, record.object, field);
    return id ? std::string(record.raw(id).as_text()) : "";
  }
  types::RecordPtr user(const std::string& id) const {
    return world_.find(schema_.find_object("User"), id);
  }

  // The users above, nearest first.
  std::vector<std::string> managers(const std::string& id) const {
    std::vector<std::string> out;
    for (types::RecordPtr at = user(id); at != nullptr; at = user(out.back())) {
      std::string manager = text(*at, "Manager");
      bool seen = manager == id || std::find(out.begin(), out.end(), manager) != out.end();
      if (manager.empty() || seen) break;
      out.push_back(manager);
    }
    return out;
  }
  std::string owner_of(const types::Record& record) const {
    std::string owner = text(record, "Owner");
    return user(owner) ? owner : "";
  }
  std::string author_of(const Automation& automation) const {
    return reference::person_named(schema_, world_, automation.author, false);
  }

  // Whether an automation is about records of this owner.
  bool about(const Automation& automation, const std::string& owner) const {
    if (automation.kind == AutomationKind::kFlow) return true;
    std::string author = author_of(automation);
    if (author.empty() || owner.empty()) return false;
    if (automation.scope == check::Scope::kOwn) return owner == author;
    std::vector<std::string> above = managers(owner);
    return std::find(above.begin(), above.end(), author) != above.end();
  }

  bool starts(const Automation& automation, const Save& save, uint8_t event,
              const World& world_before) const {
    const types::Record& record = *save.after;
    bool listens =
        !automation.draft && automation.object == record.object && (automation.events & event) != 0;
    if (!listens || !about(automation, owner_of(record))) return false;
    if (automation.kind == AutomationKind::kAction) {
      if (automation.activation == check::ActivationPolicy::kAssigneesOff) return false;
      bool lead = schema_.object(record.object).name == "Lead";
      std::string territory = text(*user(author_of(automation)), "SalesTerritory");
      if (lead && !reference::same_letters(text(record, "SalesTerritory"), territory, false))
        return false;
    }
    types::FieldSet changed = reference::fields_changed(schema_, save.before.get(), record);
    if (event == syntax::kOnEdited && !touched(automation, changed)) return false;
    reference::Org org{program_.zone, program_.currency, nullptr};
    Save for_person = save;
    for_person.me = owner_of(record);
    reference::Answer answer =
        reference::Evaluator(module_, org, world_).starts(automation, for_person, world_before);
    return answer.holds || answer.fault;  // a fault is told as a failed run
  }

 private:
  // An action is looked at when a field of the record named in its conditions changed, a flow when
  // any field did.
  bool touched(const Automation& automation, const types::FieldSet& changed) const {
    if (automation.kind == AutomationKind::kFlow) return !changed.empty();
    const syntax::Tree& tree = module_.tree(automation.condition.file);
    // Inside `has (…)` a bare name is a field of the records that are looked through.
    std::vector<std::pair<NodeId, bool>> stack{{automation.condition.node, false}};
    while (!stack.empty()) {
      auto [node, searched] = stack.back();
      stack.pop_back();
      bool opens = tree.is(node, NodeKind::kQuantified);
      for (NodeId child : tree.children(node)) {
        bool parent = opens && child == syntax::ast::Quantified(tree, node).path();
        if (child.valid()) stack.emplace_back(child, searched || (opens && !parent));
      }
      bool names_field = tree.is(node, NodeKind::kPath) && tree.op(node) != syntax::kPathMe &&
                         !tree.children(node).empty() &&
                         !(searched && tree.op(node) == syntax::kPathBare);
      if (!names_field) continue;
      types::FieldId field =
          reference::field_called(schema_, automation.object, tree.text(tree.children(node)[0]));
      if (field && changed.has(field)) return true;
    }
    return false;
  }

  const engine::Program& program_;
  const check::CheckedModule& module_;
  const types::Schema& schema_;
  const World& world_;
};

// ---- The property -----------------------------------------------------------------------------

engine::Loaded random_program(const types::Schema& schema, Random& random, size_t count) {
  std::string text = kPrelude;
  for (size_t i = 0; i < count; ++i) text += random_automation(schema, random, i);
  return sound(text);
}

std::string list(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += name + " ";
  return out;
}

struct Tally {
  size_t events = 0;
  size_t looked_at = 0;
  size_t started = 0;
};

class Round {
 public:
  Round(uint64_t seed, Tally& tally)
      : seed_(seed),
        random_(seed),
        loaded_(random_program(program_of(kPrelude)->schema(), random_, 60)),
        program_(loaded_.program),
        schema_(program_->schema()),
        maker_(schema_, random_),
        bench_(program_),
        tally_(tally) {}

  void run(size_t events) {
    std::vector<std::string> kinds = kRelated;
    kinds.push_back("User");
    for (auto& [key, record] : maker_.world(kinds).records) {
      if (record->deleted) continue;
      world_.records[key] = record;
      bench_.send(native_line(schema_, "s" + std::to_string(++lines_), "snapshot", kWorldNow,
                              nullptr, *record));
    }
    for (size_t i = 0; i < events; ++i) step();
  }

 private:
  void step() {
    types::ObjectId object = schema_.find_object(random_.pick(kWatched));
    std::vector<std::string> ids = ids_of(schema_.object(object));
    const std::string& id = random_.pick(ids);
    types::RecordPtr known = world_.find(object, id);
    std::string kind = known == nullptr || random_.chance(15) ? "create"
                       : random_.chance(10)                   ? "delete"
                                                              : "update";
    Save save;
    save.now = {kWorldNow.ms + static_cast<int64_t>(++lines_) * 1000};
    save.created = kind == "create";
    types::Record after = save.created ? maker_.record(object, id, 30)
                                       : maker_.edited(*known, kind == "update" ? 8 : 0);
    after.deleted = kind == "delete";
    if (!save.created) save.before = known;
    save.after = std::make_shared<const types::Record>(after);
    World before = world_;
    world_.records[{object.index, id}] = save.after;
    uint8_t event = save.created       ? syntax::kOnCreated
                    : kind == "delete" ? syntax::kOnDeleted
                                       : syntax::kOnEdited;
    std::string line = native_line(schema_, "e" + std::to_string(lines_), kind, save.now,
                                   save.before.get(), after);
    BatchReport report = bench_.send(line);
    REQUIRE(report.events == 1);
    INFO("ENSUE_SEED=" << test_seed() << ", round " << seed_ << "\n" << line);
    check(save, event, before, report);
  }

  void check(const Save& save, uint8_t event, const World& before, const BatchReport& report) {
    BruteForce brute(*program_, *loaded_.module, world_);
    std::set<std::string> expected;
    for (const Automation& automation : loaded_.module->automations) {
      if (brute.starts(automation, save, event, before)) expected.insert(automation.name);
    }
    std::set<std::string> found;
    for (const Decision& decision : report.decisions) found.insert(decision.automation);
    CHECK(found.size() == report.decisions.size());
    if (found != expected) explain(save, found, expected);
    check_index(brute, *save.after, event);
    ++tally_.events;
    tally_.started += found.size();
  }

  // Shows the first automation that the two disagree about.
  void explain(const Save& save, const std::set<std::string>& found,
               const std::set<std::string>& expected) {
    for (const Automation& automation : loaded_.module->automations) {
      if (found.count(automation.name) == expected.count(automation.name)) continue;
      FAIL_CHECK("found " << list(found) << "\nexpected " << list(expected) << "\n"
                          << loaded_.module->written(automation.declaration)
                          << "\nafter: " << record_text(schema_, *save.after)
                          << (save.before ? "before: " + record_text(schema_, *save.before) : ""));
      return;
    }
  }

  // The index leaves out what cannot start by object, event and owner, and nothing else.
  void check_index(const BruteForce& brute, const types::Record& record, uint8_t event) {
    std::string owner = brute.owner_of(record);
    std::vector<std::string> expected;
    for (const plan::UnitPtr& unit : program_->units) {
      for (const Automation& automation : loaded_.module->automations) {
        if (automation.name != unit->name) continue;
        bool listens = !automation.draft && automation.object == record.object &&
                       (automation.events & event) != 0;
        if (listens && brute.about(automation, owner)) expected.push_back(unit->name);
      }
    }
    std::vector<std::string> found;
    for (uint32_t number :
         bench_.runtime().index().candidates(record.object, event, owner, brute.managers(owner))) {
      found.push_back(program_->units[number]->name);
    }
    tally_.looked_at += found.size();
    CHECK(found == expected);
  }

  uint64_t seed_;
  Random random_;
  engine::Loaded loaded_;
  engine::ProgramPtr program_;
  const types::Schema& schema_;
  WorldMaker maker_;
  Bench bench_;
  World world_;
  Tally& tally_;
  size_t lines_ = 0;
};

}  // namespace

TEST_CASE("the rule index finds what looking at every automation finds") {
  Random random(test_seed());
  Tally tally;
  for (uint64_t round = 0; round < 6 * test_effort(); ++round) Round(random.fork(), tally).run(120);
  INFO(tally.events << " events, " << tally.looked_at << " automations looked at, " << tally.started
                    << " started");
  CHECK(tally.events >= 700);
  CHECK(tally.started * 6 > tally.events);
  CHECK(tally.looked_at > tally.started);
}

}  // namespace ensue::testing
