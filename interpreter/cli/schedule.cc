// `ensue schedule`: the coming runs of each flow that a schedule starts.
#include "schedule/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "adapters/system_clock.h"
#include "base/fold.h"
#include "cli/command.h"
#include "engine/schedule_state.h"
#include "lower/lower_schedule.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

struct ScheduleFlags {
  ProgramFlags program;
  OutputFlags output;
  std::string flow;
  std::string from;
  std::string store;
  size_t count = 10;
};

// What the store knows of each flow that a schedule starts, in the order of the program; empty
// where there is no store.
using States = std::map<std::pair<std::string, std::string>, engine::ScheduleState>;
Result<States> read_states(const ScheduleFlags& flags, const engine::Program& program) {
  States out;
  if (flags.store.empty()) return out;
  Result<std::shared_ptr<Store>> store = open_store(flags.store, false);
  if (!store) return store.error();
  Status looked = (*store)->read([&](StoreReader& reader) -> Status {
    for (const plan::UnitPtr& unit : program.units) {
      if (unit->trigger->kind != plan::TriggerKind::kSchedule) continue;
      Result<engine::ScheduleState> state = engine::read_schedule_state(reader, unit->rule);
      if (!state) return state.error();
      out[{unit->name, unit->author}] = std::move(*state);
    }
    return {};
  });
  if (!looked) return looked.error();
  return out;
}

// `2026-03-29T03:00:00+02:00`: what clocks in the zone show, with the offset.
std::string local_text(Instant at, const calendar::Zone& zone) {
  calendar::LocalTime local = zone.local(at);
  int64_t offset_s =
      (local.date.days * value::kDayMs + local.time.ms - at.ms) / 1000;  // east of UTC
  int64_t size = std::abs(offset_s);
  std::string out =
      value::date_text(local.date) + "T" + value::instant_text({local.time.ms}).substr(11);
  out.pop_back();  // the Z
  out += fmt::format("{}{:02}:{:02}", offset_s < 0 ? '-' : '+', size / 3600, size / 60 % 60);
  if (size % 60 != 0) out += fmt::format(":{:02}", size % 60);
  return out;
}

int run_schedule(const ScheduleFlags& flags) {
  Instant from = adapters::SystemClock().now();
  if (!flags.from.empty()) {
    auto given = value::parse_datetime(flags.from);
    if (!given) {
      complain(fmt::format("--from {}: a time is written as 2026-03-28T00:00:00Z", flags.from));
      return kExitUsage;
    }
    from = given->instant();
  }
  LoadedProgram loaded = load_or_complain(flags.program, flags.output, false);
  if (loaded.exit_code != kExitFine) return loaded.exit_code;
  const engine::Program& program = *loaded.loaded.program;
  Result<States> states = read_states(flags, program);
  if (!states) return fail(states.error());
  auto rows = nlohmann::ordered_json::array();
  std::string text;
  size_t shown = 0;
  for (const check::Automation& automation : loaded.loaded.module->automations) {
    if (!flags.flow.empty() && !base::equal_folded(automation.name, flags.flow)) continue;
    auto schedule = lower::lower_schedule(*loaded.loaded.module, automation, program.zone);
    if (!schedule) continue;
    ++shown;
    nlohmann::ordered_json row{{"flow", automation.name},
                               {"zone", schedule->zone.name()},
                               {"catch_up", schedule::catch_up_name(schedule->catch_up)},
                               {"draft", automation.draft}};
    row["next"] = nlohmann::ordered_json::array();
    std::vector<std::vector<std::string>> lines{{"  nominal", "local", "UTC"}};
    auto firing = schedule::next(*schedule, from);
    for (size_t i = 0; i < flags.count && firing; ++i) {
      std::string local = local_text(firing->at, schedule->zone);
      std::string utc = value::instant_text(firing->at);
      row["next"].push_back({{"nominal", firing->nominal()}, {"local", local}, {"at", utc}});
      lines.push_back({"  " + firing->nominal(), local, utc});
      firing = schedule::next(*schedule, *firing);
    }
    std::string counts;
    if (auto state = states->find({automation.name, automation.author}); state != states->end()) {
      row["runs"] = state->second.runs;
      row["missed"] = state->second.missed;
      counts = fmt::format(
          "  {} so far, {} missed\n",
          state->second.runs == 1 ? "1 run" : fmt::format("{} runs", state->second.runs),
          state->second.missed);
    }
    rows.push_back(std::move(row));
    text += fmt::format("{} in {}, catch up {}{}\n{}", check::describe(automation),
                        schedule->zone.name(), schedule::catch_up_name(schedule->catch_up),
                        automation.draft ? ", a draft: it does not run" : "",
                        lines.size() > 1 ? table(lines) : "  no more runs\n");
    text += counts;
  }
  if (!flags.flow.empty() && shown == 0) {
    complain(fmt::format("no flow \"{}\" is started by a schedule", flags.flow));
    return kExitWrong;
  }
  if (flags.output.json()) {
    print(rows.dump() + "\n");
  } else {
    print(text.empty() ? "no flow is started by a schedule\n" : text);
  }
  return kExitFine;
}

}  // namespace

void add_schedule(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<ScheduleFlags>();
  CLI::App* command = app.add_subcommand("schedule", "Show the coming runs of scheduled flows");
  flags->program.add_to(*command, true);
  flags->output.add_to(*command);
  command->add_option("--next", flags->count, "How many runs of each flow")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--store", flags->store,
                      "Also tell how often each has run and was missed in this store");
  command->add_option("--flow", flags->flow, "Only this one");
  command->add_option("--from", flags->from,
                      "Runs after this time, as 2026-03-28T00:00:00Z; without it, after now");
  commands.push_back({command, [flags] { return run_schedule(*flags); }});
}

}  // namespace ensue::cli
