// `ensue runs`: what has been decided.
#include <fmt/format.h>

#include "cli/store_flags.h"
#include "engine/decision_json.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

struct RunsFlags {
  StoreFlags store;
  RunFilter filter;
  std::string since;
  size_t count = 20;
};

std::string what(const Decision& decision) {
  if (decision.limit) {
    return fmt::format("{} of {} {}", decision.limit->count, decision.limit->max,
                       decision.limit->counter);
  }
  if (!decision.fault.empty()) return decision.fault;
  if (decision.effects.empty()) return "";
  const EffectRecord& effect = decision.effects.front();
  return fmt::format("{}{}: {}", effect.op,
                     effect.cadence.empty() ? "" : " \"" + effect.cadence + "\"", effect.outcome);
}

int run_runs(const RunsFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  RunFilter filter = flags.filter;
  Result<std::string> person = person_option(**store, filter.user);
  if (!person) return fail(person.error());
  filter.user = *person;
  filter.newest_first = true;
  filter.count_max = flags.count;
  if (!flags.since.empty()) {
    filter.since = instant_option(flags.since, flags.store.program.zone);
    if (!filter.since) {
      complain(fmt::format("\"{}\" is no date or time", flags.since));
      return kExitUsage;
    }
  }
  std::vector<Decision> decisions;
  Status looked = (*store)->read([&](StoreReader& reader) {
    return reader.visit_runs(filter, [&](const RunRow& row) {
      decisions.push_back(engine::decision_of(row));
      return true;
    });
  });
  if (!looked) return fail(looked.error());
  if (flags.store.output.json()) {
    for (const Decision& decision : decisions) print(decision.json() + "\n");
    return kExitFine;
  }
  if (decisions.empty()) {
    print("no runs\n");
    return kExitFine;
  }
  std::vector<std::vector<std::string>> cells{
      {"number", "at", "status", "automation", "record", "for", ""}};
  for (const Decision& decision : decisions) {
    cells.push_back({std::to_string(decision.seq), value::instant_text(decision.at),
                     decision.status, decision.automation, decision.record, decision.user,
                     what(decision)});
  }
  print(table(cells, {true}));
  return kExitFine;
}

}  // namespace

void add_runs(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<RunsFlags>();
  CLI::App* command =
      app.add_subcommand("runs", "Show what a store's automations did, newest first");
  flags->store.add_to(*command, false);
  command->add_option("--automation", flags->filter.automation, "Only this automation");
  command->add_option("--record", flags->filter.record, "Only this record, as Lead/00Q1");
  command->add_option("--user", flags->filter.user, "Only this user");
  command->add_option("--status", flags->filter.status, "Only this status")
      ->check(CLI::IsMember({"executed", "reminded", "suppressed", "deferred", "failed"}));
  command->add_option("--since", flags->since, "Only since this date or time");
  command->add_option("--count", flags->count, "How many at the most")->capture_default_str();
  command
      ->add_option("--zone", flags->store.program.zone,
                   "The zone of --since where it has no offset")
      ->capture_default_str();
  commands.push_back({command, [flags] { return run_runs(*flags); }});
}

}  // namespace ensue::cli
