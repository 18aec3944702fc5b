// The plan means what the language says: random conditions on random records give the same answer,
// or the same fault, by the compiled plan and by the reference evaluator (tests/support/reference).
//
// A failing pair is cut down before it is shown: parts of the condition are left out, then fields
// of the records are blanked, for as long as the two still disagree.
#include <catch2/catch.hpp>
#include <chrono>

#include "exec/evaluator.h"
#include "lower/lower.h"
#include "support/conditions.h"
#include "support/programs.h"
#include "support/random.h"
#include "support/reference/evaluator.h"
#include "support/worlds.h"

namespace ensue::testing {
namespace {

using reference::Save;
using reference::World;

// Kinds of field that the library has none of, a calendar, and a cadence for the flows to name.
constexpr const char* kPrelude = R"(
extend Lead
  Slot__c as time labelled "Slot"
  Interests__c as multipicklist ("Red", "Green", "Blue") labelled "Interests"
  Share__c as percent labelled "Share"
  Due__c as date labelled "Due"
  Seats__c as number labelled "Seats"
end
extend Case
  Slot__c as time labelled "Slot"
  Parts__c as multipicklist ("Red", "Green", "Blue") labelled "Parts"
  Cost__c as money labelled "Cost"
  Due__c as date labelled "Due"
end
calendar "Office" in "Europe/Paris"
  open Monday - Friday 09:00 - 18:00
  holidays 2026-12-25
end
cadence "C"
  track main
    step "Call" immediately: call
end
)";

const std::vector<std::string> kWatched = {"Lead", "Opportunity", "Case", "Contact"};
const std::vector<std::string> kKinds = {"User",
                                         "Queue",
                                         "Account",
                                         "Contact",
                                         "Lead",
                                         "Opportunity",
                                         "Case",
                                         "OpportunityLineItem",
                                         "Task",
                                         "CampaignMember",
                                         "OpportunityContactRole",
                                         "Campaign"};

ProgramOptions options() {
  ProgramOptions out;
  out.zone = "Europe/Paris";
  return out;
}

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

// A condition, compiled.
struct Compiled {
  engine::ProgramPtr program;
  std::shared_ptr<const check::CheckedModule> module;
  const plan::UnitPlan* unit = nullptr;
  check::NodeRef condition;
  reference::Org org;
};

reference::Org org_of(const engine::Program& program, const check::CheckedModule& module) {
  reference::Org out{program.zone, program.currency, nullptr};
  lower::Calendars calendars(module);
  if (!calendars.by_name().empty()) out.calendar = calendars.by_name().begin()->second;
  return out;
}

Compiled compiled(const engine::Loaded& loaded, const std::string& name) {
  Compiled out{loaded.program, loaded.module, nullptr, {}, org_of(*loaded.program, *loaded.module)};
  for (const plan::UnitPtr& unit : loaded.program->units) {
    if (unit->name == name) out.unit = unit.get();
  }
  for (const check::Automation& automation : loaded.module->automations) {
    if (automation.name == name) out.condition = automation.condition;
  }
  REQUIRE(out.unit != nullptr);
  return out;
}

struct Verdict {
  bool holds = false;
  bool fault = false;
  std::string why;
  friend bool operator==(const Verdict& a, const Verdict& b) {
    return a.holds == b.holds && a.fault == b.fault;
  }
};

std::string shown(const Verdict& verdict) {
  return verdict.fault ? "a fault (" + verdict.why + ")" : verdict.holds ? "true" : "false";
}

// Both answers, of one moment: after the save, or before it.
std::pair<Verdict, Verdict> both(const Compiled& condition, const Save& save, const World& world,
                                 bool after) {
  const engine::Program& program = *condition.program;
  reference::Evaluator evaluator(*condition.module, condition.org, world);
  reference::Answer answer = after ? evaluator.after(condition.condition, save)
                                   : evaluator.before(condition.condition, save);

  Records records(program.schema(), world);
  exec::Environment environment{
      program.schema(), program.functions(), program.bodies,        records,
      program.zone,     program.currency,    program.options.bounds};
  types::FieldSet changed =
      reference::fields_changed(program.schema(), save.before.get(), *save.after);
  exec::Input input;
  input.it = after ? save.after.get() : save.before.get();
  input.before = save.before.get();
  input.changed = &changed;
  input.is_new = save.created;
  input.before_save = !after;
  input.me = save.me;
  input.now = save.now;
  const plan::UnitPlan& unit = *condition.unit;
  Result<bool> held =
      exec::holds(unit.code, unit.condition, unit.calendar.get(), input, environment);
  Verdict by_plan{held && *held, !held, held ? "" : held.error().message};
  if (!held) CHECK(held.error().code == ErrorCode::kFault);
  return {by_plan, {answer.holds, answer.fault.has_value(), answer.fault.value_or("")}};
}

bool agree(const Compiled& condition, const Save& save, const World& world, bool after) {
  auto [by_plan, by_reference] = both(condition, save, world, after);
  return by_plan == by_reference;
}

std::string flow_text(const std::string& name, const std::string& object,
                      const std::string& condition) {
  return "flow \"" + name + "\"\n  when " + object + " is created or edited\n  and meets " +
         condition + "\n  run as the owner\n  add " +
         (object == "Case" || object == "Opportunity" ? "PrimaryContact" : "it") +
         " to cadence \"C\"\nend\n";
}

// ---- Cutting down -----------------------------------------------------------------------------

struct Failing {
  std::string object;
  Sentence sentence;
  Save save;
  World world;
  bool after = true;
};

std::optional<Compiled> compile(const std::string& object, const Sentence& sentence) {
  engine::Loaded loaded = load(kPrelude + flow_text("F", object, sentence.written()), options());
  if (loaded.has_errors) return std::nullopt;
  return compiled(loaded, "F");
}

void cut_sentence(Failing& failing) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const Sentence& part : smaller_ones(failing.sentence)) {
      std::optional<Compiled> condition = compile(failing.object, part);
      if (!condition || agree(*condition, failing.save, failing.world, failing.after)) continue;
      failing.sentence = part;
      smaller = true;
      break;
    }
  }
}

void cut_record(const Compiled& condition, Failing& failing, types::RecordPtr& record) {
  if (record == nullptr) return;
  types::FieldSet present = record->fields.present();
  present.for_each([&](types::FieldId field) {
    types::RecordPtr whole = record;
    types::Record without = *record;
    without.fields.set(field, Value());
    record = std::make_shared<const types::Record>(std::move(without));
    if (agree(condition, failing.save, failing.world, failing.after)) record = whole;
  });
}

void cut_records(const Compiled& condition, Failing& failing) {
  auto records = failing.world.records;
  for (const auto& [key, record] : records) {
    failing.world.records.erase(key);
    if (agree(condition, failing.save, failing.world, failing.after))
      failing.world.records[key] = record;
  }
  for (auto& [key, record] : failing.world.records) cut_record(condition, failing, record);
  cut_record(condition, failing, failing.save.after);
  cut_record(condition, failing, failing.save.before);
}

std::string told(Failing failing) {
  cut_sentence(failing);
  std::optional<Compiled> condition = compile(failing.object, failing.sentence);
  if (!condition) return failing.sentence.written();
  cut_records(*condition, failing);
  const types::Schema& schema = condition->program->schema();
  auto [by_plan, by_reference] = both(*condition, failing.save, failing.world, failing.after);
  std::string out = failing.sentence.written() + "\n" + (failing.after ? "after" : "before") +
                    " the save: by plan " + shown(by_plan) + ", by the reference " +
                    shown(by_reference) + "\nme \"" + failing.save.me + "\"" +
                    (failing.save.created ? ", created" : "") +
                    "\nafter: " + record_text(schema, *failing.save.after);
  if (failing.save.before) out += "before: " + record_text(schema, *failing.save.before);
  for (const auto& [key, record] : failing.world.records) out += record_text(schema, *record);
  return out;
}

// ---- The property -----------------------------------------------------------------------------

// A save of a record of `object`: created, edited, or edited without having been seen.
Save random_save(const types::Schema& schema, Random& random, types::ObjectId object) {
  WorldMaker maker(schema, random);
  Save out;
  out.now = kWorldNow;
  out.me = random.chance(80) ? random.pick(ids_of(schema.object(schema.find_object("User")))) : "";
  std::string id = ids_of(schema.object(object)).front();
  types::Record record = maker.record(object, id, random.chance(50) ? 15 : 50);
  switch (random.below(4)) {
    case 0: out.created = true; break;
    case 1: {
      types::Record unseen = record;
      unseen.fields = {};
      out.before = std::make_shared<const types::Record>(std::move(unseen));
      break;
    }
    default: out.before = std::make_shared<const types::Record>(maker.edited(record, 12));
  }
  out.after = std::make_shared<const types::Record>(std::move(record));
  return out;
}

World with(World world, const types::RecordPtr& record) {
  world.records[{record->object.index, record->id}] = record;
  return world;
}

struct Tally {
  size_t pairs = 0;
  size_t conditions = 0;
  size_t held = 0;
  size_t faults = 0;
};

void check_round(uint64_t seed, size_t condition_count, size_t save_count, Tally& tally) {
  Random random(seed);
  engine::ProgramPtr prelude = program_of(kPrelude, options());
  const types::Schema& schema = prelude->schema();
  ConditionWriter writer(schema, random);
  std::vector<Sentence> sentences;
  std::string text = kPrelude;
  for (size_t i = 0; i < condition_count; ++i) {
    const std::string& object = kWatched[i % kWatched.size()];
    sentences.push_back(writer.condition(schema.find_object(object)));
    std::string written =
        random.chance(15) ? writer.numbered(sentences.back()) : sentences.back().written();
    text += flow_text("F" + std::to_string(i), object, written);
  }
  engine::Loaded program = sound(text, options());
  World world = WorldMaker(schema, random).world(kKinds);
  std::vector<std::vector<Save>> saves;
  for (const std::string& object : kWatched) {
    saves.emplace_back();
    for (size_t i = 0; i < save_count; ++i)
      saves.back().push_back(random_save(schema, random, schema.find_object(object)));
  }
  for (size_t i = 0; i < condition_count; ++i) {
    Compiled condition = compiled(program, "F" + std::to_string(i));
    ++tally.conditions;
    World around = world;
    for (const Save& save : saves[i % kWatched.size()]) {
      // The record itself stands in the world, as it is at that moment.
      around.records[{save.after->object.index, save.after->id}] = save.after;
      auto [by_plan, by_reference] = both(condition, save, around, true);
      ++tally.pairs;
      tally.held += by_plan.holds ? 1 : 0;
      tally.faults += by_plan.fault ? 1 : 0;
      bool same_after = by_plan == by_reference;
      bool ask_before = same_after && !save.created && tally.pairs % 4 == 0;
      bool same_before = !ask_before || agree(condition, save, with(world, save.before), false);
      if (same_after && same_before) continue;
      const std::string& object = kWatched[i % kWatched.size()];
      World then = same_after ? with(world, save.before) : around;
      FAIL_CHECK("ENSUE_SEED=" << test_seed() << ", round " << seed << "\n"
                               << told({object, sentences[i], save, std::move(then), !same_after}));
      break;
    }
  }
}

}  // namespace

TEST_CASE("the plan and the reference agree on random conditions") {
  Random random(test_seed());
  Tally tally;
  for (uint64_t round = 0; round < 3 * test_effort(); ++round)
    check_round(random.fork(), 100, 72, tally);
  INFO(tally.pairs << " pairs, " << tally.conditions << " conditions, " << tally.held << " held, "
                   << tally.faults << " faults");
  CHECK(tally.pairs >= 20'000);
  // A generator whose conditions never hold, or hold always, shows nothing.
  CHECK(tally.held * 5 > tally.pairs);
  CHECK(tally.held * 5 < tally.pairs * 4);
  CHECK(tally.faults * 200 > tally.pairs);
}

}  // namespace ensue::testing
