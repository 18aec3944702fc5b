// Every bound of ensue/options.h: at its edge all is well, one past it comes the error that
// docs/limits.md promises. A bound without a row here fails the last test.
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>

#include "adapters/memory_store.h"
#include "intake/event_reader.h"
#include "support/programs.h"
#include "support/sinks.h"

namespace ensue {
namespace {

using testing::Bench;

// What came of `count` of what a bound counts, under bounds in which it is the only small one:
// empty when all was well.
using Outcome = std::function<std::string(const Bounds& bounds, uint32_t count)>;

struct Row {
  const char* bound;
  uint32_t Bounds::*field;
  uint32_t edge;  // 0: the default
  Outcome outcome;
  std::string past;  // the outcome one past the edge
};

std::string repeated(uint32_t count, const std::function<std::string(uint32_t)>& part) {
  std::string out;
  for (uint32_t i = 0; i < count; ++i) out += part(i);
  return out;
}

std::string times(uint32_t count, const std::string& part) {
  return repeated(count, [&](uint32_t) { return part; });
}

ProgramOptions options(const Bounds& bounds) {
  ProgramOptions out;
  out.bounds = bounds;
  return out;
}

// ---- Sources ----------------------------------------------------------------------------------

// The errors of a text, each with its code.
std::string errors(const Bounds& bounds, const std::string& text) {
  std::string out;
  for (const Diagnostic& diagnostic : testing::load(text, options(bounds)).diagnostics) {
    if (diagnostic.severity != Severity::kError) continue;
    out += (out.empty() ? "" : "; ") + diagnostic.code + " " + diagnostic.message;
  }
  return out;
}

std::string action(const std::string& name, const std::string& condition,
                   const std::string& effect = "pause it in all cadences",
                   const std::string& scope = "my records", const std::string& object = "Lead") {
  return "action \"" + name + "\" by \"ana\"\n  when " + object + " is created\n  for " + scope +
         (condition.empty() ? "" : "\n  if " + condition) + "\n  then " + effect + "\nend\n";
}

Outcome actions_for(const std::string& scope) {
  return [=](const Bounds& bounds, uint32_t count) {
    return errors(bounds, repeated(count, [&](uint32_t i) {
                    return action("A" + std::to_string(i), "", "pause it in all cadences", scope);
                  }));
  };
}

Outcome fields(const std::string& object, const std::vector<std::string>& names) {
  return [=](const Bounds& bounds, uint32_t count) {
    std::string condition = repeated(
        count, [&](uint32_t i) { return (i > 0 ? " and " : "") + names[i] + " is not blank"; });
    return errors(bounds, action("A", condition, "pause it in all cadences", "my records", object));
  };
}

std::string steps_of_cadence(const Bounds& bounds, uint32_t count) {
  return errors(bounds, "cadence \"C\"\n  track main\n" + repeated(count, [](uint32_t i) {
                          return "    step \"S" + std::to_string(i) + "\" after 1 day: call\n";
                        }) + "end\n");
}

std::string variants_of_step(const Bounds& bounds, uint32_t count) {
  std::string variants = repeated(count, [&](uint32_t i) {
    uint32_t percent = i + 1 < count ? 10 : 100 - 10 * (count - 1);
    return (i > 0 ? ", " : "") + std::to_string(percent) + "% \"T\"";
  });
  return errors(bounds,
                "template \"T\"\n  subject \"s\"\n  body \"b\"\nend\n"
                "cadence \"C\"\n  track main\n    step \"S\" immediately: manual email using "
                "template \"T\", variants " +
                    variants + "\nend\n");
}

// ---- Events -----------------------------------------------------------------------------------

// Why a line cannot be read.
std::string poison(const Bounds& bounds, const std::string& line) {
  static const engine::ProgramPtr kProgram = testing::program_of("");
  intake::EventReader reader(kProgram->schema(), bounds, "crm");
  return reader.read(line, 1).reason;
}

std::string event(const std::string& ids, const std::string& set) {
  return R"({"entity":"Lead","ids":[)" + ids + R"(],"kind":"create","at":"2026-01-05T14:00:00Z",)" +
         R"("set":{)" + set + "}}";
}

// ---- Runs -------------------------------------------------------------------------------------

std::string user(const std::string& id, const std::string& manager) {
  return R"({"entity":"User","ids":[")" + id + R"("],"kind":"snapshot","set":{"Username":")" + id +
         R"(","ManagerId":")" + manager + R"("}})";
}
std::string lead(const std::string& id) {
  return R"({"id":"l)" + id + R"(","entity":"Lead","ids":[")" + id +
         R"("],"kind":"create","at":"2026-01-05T14:00:00Z",)"
         R"("set":{"LastName":"Roe","OwnerId":"ana"}})";
}

// What kept runs from doing what they do otherwise: their faults, and outcomes that are refusals.
std::string refusals(const BatchReport& report) {
  std::set<std::string> out;
  for (const Decision& decision : report.decisions) {
    if (!decision.fault.empty()) out.insert(decision.status + ": " + decision.fault);
    for (const EffectRecord& effect : decision.effects) {
      if (effect.outcome.ends_with(" limit")) out.insert(effect.outcome);
    }
  }
  std::string all;
  for (const std::string& one : out) all += (all.empty() ? "" : "; ") + one;
  return all;
}

std::string run(const Bounds& bounds, const std::string& program,
                const std::vector<std::string>& lines) {
  Bench bench(testing::program_of(program, options(bounds)));
  bench.send(user("ana", ""));
  BatchReport report = bench.send(lines);
  CHECK(report.dead_letters.empty());
  CHECK_FALSE(report.decisions.empty());
  UNSCOPED_INFO(testing::decisions_text(report));
  return refusals(report);
}

std::string cadences_of_target(const Bounds& bounds, uint32_t count) {
  return run(bounds,
             repeated(count,
                      [](uint32_t i) {
                        std::string number = std::to_string(i);
                        return action("A" + number, "", "add it to cadence \"C" + number + "\"");
                      }),
             {lead("1")});
}

std::string targets_of_org(const Bounds& bounds, uint32_t count) {
  std::vector<std::string> lines;
  for (uint32_t i = 0; i < count; ++i) lines.push_back(lead(std::to_string(i)));
  return run(bounds, action("A", "", "add it to cadence \"C\""), lines);
}

// One save from outside, and `count` saves in a chain behind it: each flow answers the tracker that
// the one before made.
std::string chain(Bounds bounds, uint32_t count) {
  bounds.cadences_per_target_max = 1'000;
  std::string program =
      action("Start", "", "add it to cadence \"C1\"") + repeated(count, [](uint32_t i) {
        std::string from = std::to_string(i + 1);
        return "flow \"F" + from + "\"\n  when ActionCadenceTracker is created\n" +
               "  and meets CadenceName is \"C" + from + "\"\n  add Target to cadence \"C" +
               std::to_string(i + 2) + "\"\nend\n";
      });
  return run(bounds, program, {lead("1")});
}

std::string runs_of_event(const Bounds& bounds, uint32_t count) {
  return run(bounds,
             repeated(count, [](uint32_t i) { return action("A" + std::to_string(i), ""); }),
             {lead("1")});
}

uint32_t steps_in(const std::string& program) {
  const plan::ProgramRange condition = testing::program_of(program)->units.front()->condition;
  return condition.end - condition.begin;
}

// The condition stays as it is, so the bound moves in its place: to as many steps as the condition
// has, and to one less.
std::string steps_of_run(Bounds bounds, uint32_t count) {
  std::string program = action("A", "LastName is \"Roe\" and Company is blank and Email is blank");
  bounds.run_steps_max = steps_in(program) - (count - bounds.run_steps_max);
  return run(bounds, program, {lead("1")});
}

// A run has one effect in this version: the bound moves here too, from one to none.
std::string effects_of_run(Bounds bounds, uint32_t count) {
  bounds.run_effects_max = 1 - (count - bounds.run_effects_max);
  return run(bounds, action("A", ""), {lead("1")});
}

std::string rows_of_query(const Bounds& bounds, uint32_t count) {
  std::vector<std::string> lines;
  for (uint32_t i = 0; i < count; ++i) {
    lines.push_back(R"({"entity":"Contact","ids":["c)" + std::to_string(i) +
                    R"("],"kind":"snapshot","set":{"LastName":"Poe","AccountId":"a"}})");
  }
  lines.push_back(R"({"entity":"Account","ids":["a"],"kind":"snapshot","set":{"Name":"Acme"}})");
  lines.push_back(
      R"({"id":"c","entity":"Contact","ids":["x"],"kind":"create","at":"2026-01-05T14:00:00Z",)"
      R"("set":{"LastName":"Roe","OwnerId":"ana","AccountId":"b"}})");
  lines.push_back(
      R"({"id":"o","entity":"Opportunity","ids":["o"],"kind":"create",)"
      R"("at":"2026-01-05T14:00:00Z","set":{"Name":"Deal","OwnerId":"ana","AccountId":"a"}})");
  return run(bounds,
             "action \"A\" by \"ana\"\n  when Opportunity is created\n  for my records\n"
             "  if any Contact of Account has (LastName is \"Poe\")\n"
             "  then pause PrimaryContact in all cadences\nend\n",
             lines);
}

// `count` managers above the owner; the author of the team's action is the last of them.
std::string levels_of_managers(const Bounds& bounds, uint32_t count) {
  std::string program = "action \"T\" by \"m" + std::to_string(count) +
                        "\"\n  when Lead is created\n  for records of my team\n"
                        "  activated by assignees, on by default\n"
                        "  then pause it in all cadences\nend\n";
  Bench bench(testing::program_of(program, options(bounds)));
  bench.send(user("ana", "m1"));
  for (uint32_t i = 1; i <= count; ++i)
    bench.send(user("m" + std::to_string(i), i < count ? "m" + std::to_string(i + 1) : ""));
  return bench.send(lead("1")).decisions.empty() ? "not in the team" : "";
}

// The flow and the subflows that run each other: `count` of them.
std::string subflows_in_subflows(const Bounds& bounds, uint32_t count) {
  return run(bounds,
             repeated(count,
                      [&](uint32_t i) {
                        std::string next = std::to_string(i + 1);
                        std::string body = i + 1 < count ? "run \"S" + next + "\"" : "log \"end\"";
                        std::string head = i == 0 ? "flow \"F\"\n  when Lead is created\n"
                                                  : "subflow \"S" + std::to_string(i) + "\"\n";
                        return head + "  " + body + "\nend\n";
                      }),
             {lead("1")});
}

// The frame stays as it is, so the bound moves in its place: to as many bytes as it has, and to one
// less.
std::string bytes_of_frame(Bounds bounds, uint32_t count) {
  std::string program =
      "flow \"F\"\n  when Lead is created\n  let word = \"{LastName} waits\"\n  wait 1 day\n"
      "  log word\nend\n";
  auto store = std::shared_ptr<Store>(adapters::make_memory_store());
  Bench bench(testing::program_of(program), store);
  bench.send(lead("1"));
  size_t size = 0;
  Status looked = store->read([&](StoreReader& reader) {
    return reader.visit_flow_runs("waiting", [&](const FlowRunRow& row) {
      size = row.frame.size();
      return true;
    });
  });
  CHECK(looked.has_value());
  bounds.frame_bytes_max = static_cast<uint32_t>(size) - (count - bounds.frame_bytes_max);
  std::string said = run(bounds, program, {lead("1")});
  std::string number = std::to_string(bounds.frame_bytes_max);
  size_t at = said.find(number);
  return at == std::string::npos ? said : said.replace(at, number.size(), "N");
}

std::string bytes_of_answer(const Bounds& bounds, uint32_t count) {
  testing::RecordingService service(SinkClass::kKeyed);
  service.answers = [&](const SinkCall&) {
    return SinkAnswer{SinkAnswer::Kind::kDone, "", '"' + std::string(count - 2, 'x') + '"'};
  };
  engine::RuntimeOptions runtime;
  runtime.services = &service;
  Bench bench(testing::program_of("flow \"F\"\n  when Lead is created\n  call service \"s\"\nend\n",
                                  options(bounds)),
              runtime);
  bench.send(lead("1"));
  CHECK(bench.runtime().deliver().has_value());
  auto report = bench.runtime().advance(bench.runtime().now());
  REQUIRE(report.has_value());
  CHECK(report->decisions.size() == 1);
  return refusals(*report);
}

// ---- The table --------------------------------------------------------------------------------

const std::vector<Row>& rows() {
  static const std::vector<std::string> kOwn = {"LastName", "Company", "Email",
                                                "Phone",    "Title",   "City"};
  static const std::vector<std::string> kCross = {"Account.Name",    "Account.Industry",
                                                  "Account.Rating",  "Account.Phone",
                                                  "Account.Website", "Account.Type"};
  static const std::vector<Row> kRows = {
      // The library is read under the same bound, so it is no smaller than its longest file.
      {"source_bytes_max", &Bounds::source_bytes_max, 20'000,
       [](const Bounds& bounds, uint32_t count) { return errors(bounds, std::string(count, '#')); },
       "E0102 the file holds 20001 bytes; at most 20000 are read"},
      {"nesting_max", &Bounds::nesting_max, 0,
       [](const Bounds& bounds, uint32_t count) {
         return errors(bounds, action("A", std::string(count, '(') + "LastName is blank" +
                                               std::string(count, ')')));
       },
       "E0108 nested deeper than 200 parentheses"},
      {"nesting_max", &Bounds::nesting_max, 0,
       [](const Bounds& bounds, uint32_t count) {
         return errors(bounds, "flow \"F\"\n  when Lead is created\n" +
                                   times(count, "if LastName is blank\n") + "stop\n" +
                                   times(count, "end\n") + "end\n");
       },
       "E0108 nested deeper than 200 levels"},
      {"event_bytes_max", &Bounds::event_bytes_max, 0,
       [](const Bounds& bounds, uint32_t count) {
         std::string line = event("\"1\"", R"("Foo":")");
         line.insert(line.size() - 2, std::string(count - line.size() - 1, 'x') + "\"");
         CHECK(line.size() == count);
         return poison(bounds, line);
       },
       "the line holds 4194305 bytes; at most 4194304 are read"},
      {"event_nesting_max", &Bounds::event_nesting_max, 0,
       [](const Bounds& bounds, uint32_t count) {
         // The event and `set` are two levels.
         return poison(bounds, event("\"1\"", "\"Foo\":" + std::string(count - 2, '[') +
                                                  std::string(count - 2, ']')));
       },
       "this is not JSON: it is nested too deeply"},
      {"event_records_max", &Bounds::event_records_max, 0,
       [](const Bounds& bounds, uint32_t count) {
         std::string ids = repeated(
             count, [](uint32_t i) { return (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\""; });
         return poison(bounds, event(ids, ""));
       },
       "10001 records in one event; at most 10000 are read"},
      {"text_bytes_max", &Bounds::text_bytes_max, 0,
       [](const Bounds& bounds, uint32_t count) {
         return poison(bounds,
                       event("\"1\"", R"("Description":")" + std::string(count, 'x') + '"'));
       },
       "Lead.Description: a text of 131073 bytes; at most 131072 are kept"},
      {"text_bytes_max", &Bounds::text_bytes_max, 9,
       [](const Bounds& bounds, uint32_t count) {
         std::string written = "{LastName}" + std::string(count - 3, 'x');
         return run(bounds, action("A", "length(\"" + written + "\") > 0"), {lead("1")});
       },
       "failed: a text grows over 9 bytes"},
      {"own_actions_max", &Bounds::own_actions_max, 0, actions_for("my records"),
       "E0408 \"ana\" has 51 actions for own records; at most 50 are allowed"},
      {"team_actions_max", &Bounds::team_actions_max, 0, actions_for("records of my team"),
       "E0409 \"ana\" has 26 actions for the team; at most 25 are allowed"},
      {"own_fields_max", &Bounds::own_fields_max, 0, fields("Lead", kOwn),
       "E0402 the condition looks at 6 fields of Lead; at most 5 are allowed"},
      {"cross_fields_max", &Bounds::cross_fields_max, 0, fields("Contact", kCross),
       "E0403 the condition looks at 6 fields through lookups; at most 5 are allowed"},
      {"cadence_steps_max", &Bounds::cadence_steps_max, 0, steps_of_cadence,
       "E0526 cadence \"C\" has 101 steps; at most 100 are allowed"},
      {"step_variants_max", &Bounds::step_variants_max, 0, variants_of_step,
       "E0527 a step has at most 3 variants"},
      {"quick_repeats_max", &Bounds::quick_repeats_max, 0,
       [](const Bounds& bounds, uint32_t count) {
         return errors(bounds, "quick cadence \"Q\" by \"ana\"\n  call every 2 days, up to " +
                                   std::to_string(count) + " times\nend\n");
       },
       "E0315 the number of repetitions must be a whole number from 1 to 10"},
      {"cadences_per_target_max", &Bounds::cadences_per_target_max, 0, cadences_of_target,
       "cadence limit"},
      {"active_targets_max", &Bounds::active_targets_max, 3, targets_of_org, "target limit"},
      {"chain_depth_max", &Bounds::chain_depth_max, 0, chain,
       "failed: the chain of saves is deeper than 16"},
      {"chain_events_max", &Bounds::chain_events_max, 4, runs_of_event,
       "failed: one event started more than 4 runs"},
      {"run_steps_max", &Bounds::run_steps_max, 0, steps_of_run,
       "failed: the condition takes more than 8 steps"},
      {"run_effects_max", &Bounds::run_effects_max, 0, effects_of_run,
       "failed: a run has more than 0 effects"},
      {"query_rows_max", &Bounds::query_rows_max, 5, rows_of_query,
       "failed: more than 5 records of Contact would be looked at"},
      {"subflow_depth_max", &Bounds::subflow_depth_max, 4, subflows_in_subflows,
       "failed: subflows run each other more than 4 deep"},
      {"frame_bytes_max", &Bounds::frame_bytes_max, 0, bytes_of_frame,
       "failed: a waiting run holds more than N bytes"},
      {"service_answer_bytes_max", &Bounds::service_answer_bytes_max, 40, bytes_of_answer,
       "failed: the answer is longer than 40 bytes"},
      {"manager_levels_max", &Bounds::manager_levels_max, 0, levels_of_managers, "not in the team"},
  };
  return kRows;
}

}  // namespace

TEST_CASE("every bound holds at its edge and gives its error one past it") {
  for (const Row& row : rows()) {
    Bounds bounds;
    if (row.edge > 0) bounds.*row.field = row.edge;
    uint32_t edge = bounds.*row.field;
    INFO(row.bound << " " << edge);
    CHECK(row.outcome(bounds, edge) == "");
    CHECK(row.outcome(bounds, edge + 1) == row.past);
  }
}

TEST_CASE("every bound of the table has a row in these tests") {
  std::set<std::string> tested;
  for (const Row& row : rows()) tested.insert(row.bound);
  std::set<std::string> named;
#define ENSUE_BOUND(type, name, value, unit, reason) named.insert(#name);
  ENSUE_BOUNDS(ENSUE_BOUND)
#undef ENSUE_BOUND
  CHECK(tested == named);
}

}  // namespace ensue
