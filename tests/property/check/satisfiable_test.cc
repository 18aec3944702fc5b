// "This condition can never be true" and "this part is always true" are certain: no record shows
// otherwise. Silence says nothing.
#include <catch2/catch.hpp>
#include <map>

#include "support/conditions.h"
#include "support/programs.h"
#include "support/random.h"
#include "support/reference/evaluator.h"
#include "support/worlds.h"

namespace ensue::testing {
namespace {

using reference::Save;
using reference::World;

constexpr const char* kCadence =
    "cadence \"C\"\n  track main\n    step \"Call\" immediately: call\nend\n";

// Two or three plain tests, often of one field, so that they often contradict each other.
std::string random_condition(const types::Schema& schema, Random& random) {
  ConditionOptions options = ConditionOptions::plain_test(0);
  ConditionWriter writer(schema, random, options);
  std::string out;
  for (int64_t i = random.between(1, 3); i > 0; --i) {
    std::string test = writer.condition(schema.find_object("Lead")).written();
    if (random.chance(50)) {
      std::string field = random.word({"LeadSource", "Status", "NumberOfEmployees", "AnnualRevenue",
                                       "ConvertedDate", "IsConverted"});
      std::string number = random.word({"0", "2", "3", "10", "10.5"});
      std::string date = random.word({"2026-03-28", "2026-03-29", "2026-03-30"});
      bool source = field == "LeadSource";
      test = source || field == "Status" ? field + random.word({" is ", " is not "}) +
                                               (source ? random.word({"\"Web\"", "\"Phone\""})
                                                       : random.word({"\"Open\"", "\"Working\""}))
             : field == "ConvertedDate"
                 ? field + random.word({" is before ", " is after ", " = "}) + date
             : field == "IsConverted"
                 ? field + random.word({"", " is false", " is true"})
                 : field + random.word({" < ", " <= ", " > ", " >= ", " = ", " != "}) + number;
    }
    if (random.chance(15)) test = "not (" + test + ")";
    out += (out.empty() ? "" : " and ") + test;
  }
  return out.empty() ? "DoNotCall" : out;
}

}  // namespace

TEST_CASE("what is called never true never holds, what is called always true always does") {
  Random random(test_seed());
  engine::ProgramPtr library = program_of(kCadence);
  const types::Schema& schema = library->schema();
  types::ObjectId lead = schema.find_object("Lead");
  size_t never = 0;
  size_t always = 0;
  for (uint64_t round = 0; round < 6 * test_effort(); ++round) {
    WorldMaker maker(schema, random);
    World world = maker.world({"User"});
    std::string text = kCadence;
    for (size_t i = 0; i < 150; ++i) {
      text += "flow \"F" + std::to_string(i) +
              "\"\n  when Lead is created or edited\n  and meets " +
              random_condition(schema, random) +
              "\n  run as the owner\n  add it to cadence \"C\"\nend\n";
    }
    engine::Loaded loaded = load(text);
    INFO("ENSUE_SEED=" << test_seed());
    if (loaded.has_errors) FAIL(shown(loaded));
    std::map<uint32_t, std::string> told;  // by where the condition begins
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
      if (diagnostic.code == "W0701" || diagnostic.code == "W0708")
        told[diagnostic.primary.place.begin] = diagnostic.code;
    }
    reference::Org org{loaded.program->zone, loaded.program->currency, nullptr};
    reference::Evaluator evaluator(*loaded.module, org, world);
    for (const check::Automation& automation : loaded.module->automations) {
      auto code = told.find(loaded.module->span(automation.condition).begin);
      if (code == told.end()) continue;
      bool expected = code->second == "W0708";
      ++(expected ? always : never);
      for (size_t i = 0; i < 60; ++i) {
        Save save;
        save.now = kWorldNow;
        save.me = "005ana";
        types::Record after = maker.record(lead, "Lead1", 25);
        save.created = random.chance(20);
        if (!save.created)
          save.before = std::make_shared<const types::Record>(maker.edited(after, 20));
        save.after = std::make_shared<const types::Record>(std::move(after));
        reference::Answer answer = evaluator.after(automation.condition, save);
        if (answer.fault || answer.holds == expected) continue;
        FAIL_CHECK(code->second << " for " << loaded.module->written(automation.condition)
                                << ", yet " << (answer.holds ? "true" : "false") << " for\n"
                                << record_text(schema, *save.after));
        break;
      }
    }
  }
  INFO(never << " never true, " << always << " always true");
  CHECK(never > 10);
}

}  // namespace ensue::testing
