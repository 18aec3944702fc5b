// `ensue runs`: what has been decided.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/key128.h"
#include "cli/store_flags.h"
#include "engine/decision_json.h"
#include "engine/outbox.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

struct RunsFlags {
  StoreFlags store;
  RunFilter filter;
  std::string since;
  size_t count = 20;
  bool parked = false;
  std::string retry;
  std::string happened;
  std::string drop;
};

std::string what(const Decision& decision) {
  if (decision.limit) {
    return fmt::format("{} of {} {}", decision.limit->count, decision.limit->max,
                       decision.limit->counter);
  }
  if (!decision.fault.empty()) {
    return decision.trace.empty()
               ? decision.fault
               : decision.fault + " (" + decision.trace.substr(0, decision.trace.find('\n')) + ")";
  }
  if (decision.effects.empty()) return "";
  const EffectRecord& effect = decision.effects.front();
  return fmt::format("{}{}: {}", effect.op,
                     effect.cadence.empty() ? "" : " \"" + effect.cadence + "\"", effect.outcome);
}

// Deliveries that wait for a person: their outcome is unknown, or they failed.
int list_parked(const RunsFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  std::vector<IntentRow> rows;
  Status looked = (*store)->read([&](StoreReader& reader) -> Status {
    for (const char* state : {"unknown", "failed"}) {
      Status visited = reader.visit_intents(state, [&](const IntentRow& row) {
        rows.push_back(row);
        return true;
      });
      if (!visited) return visited;
    }
    return {};
  });
  if (!looked) return fail(looked.error());
  std::sort(rows.begin(), rows.end(),
            [](const IntentRow& a, const IntentRow& b) { return a.seq < b.seq; });
  if (flags.store.output.json()) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const IntentRow& row : rows) {
      out.push_back({{"key", base::to_hex(row.key)},
                     {"at", value::instant_text(row.at)},
                     {"state", row.state},
                     {"cause", row.cause},
                     {"record", row.record},
                     {"attempts", row.attempt},
                     {"result", row.result},
                     {"request", row.request}});
    }
    print(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return kExitFine;
  }
  if (rows.empty()) {
    print("nothing is parked\n");
    return kExitFine;
  }
  std::vector<std::vector<std::string>> cells{
      {"key", "at", "state", "attempts", "record", "of", "the sink said"}};
  for (const IntentRow& row : rows) {
    cells.push_back({base::to_hex(row.key).substr(0, 12), value::instant_text(row.at), row.state,
                     std::to_string(row.attempt), row.record, row.cause, row.result});
  }
  print(table(cells, {false, false, false, true}));
  return kExitFine;
}

// A flow that failed does again the part that was undone.
int retry_run(const RunsFlags& flags) {
  OpenedRuntime opened =
      open_runtime(flags.store.store, flags.store.program, flags.store.output, true);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  Result<BatchReport> done = opened.runtime->with_run(
      flags.retry,
      [](engine::Cascade& cascade, const FlowRunRow& row) { return cascade.retry(row); });
  if (!done) return fail(done.error());
  for (const Decision& decision : done->decisions) print(decision.json() + "\n");
  return kExitFine;
}

int settle(const RunsFlags& flags) {
  // Looked at first: settling makes no store.
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (store) store = open_store(flags.store.store, true);
  if (!store) return fail(store.error());
  const std::string& key = !flags.retry.empty()      ? flags.retry
                           : !flags.happened.empty() ? flags.happened
                                                     : flags.drop;
  engine::Settle what = !flags.retry.empty()      ? engine::Settle::kRetry
                        : !flags.happened.empty() ? engine::Settle::kDone
                                                  : engine::Settle::kDrop;
  Result<IntentRow> row = engine::settle_intent(**store, key, what, {});
  bool run = !row && row.error().code == ErrorCode::kNotFound && what == engine::Settle::kRetry;
  if (run) {
    store->reset();
    return retry_run(flags);
  }
  if (!row) return fail(row.error());
  print(fmt::format("{} is {} now\n", base::to_hex(row->key).substr(0, 12), row->state));
  return kExitFine;
}

int run_runs(const RunsFlags& flags) {
  if (flags.parked) return list_parked(flags);
  if (!flags.retry.empty() || !flags.happened.empty() || !flags.drop.empty()) return settle(flags);
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
      ->check(CLI::IsMember(
          {"executed", "reminded", "suppressed", "deferred", "waiting", "failed", "cancelled"}));
  command->add_option("--since", flags->since, "Only since this date or time");
  CLI::Option* parked = command->add_flag(
      "--parked", flags->parked,
      "Show the changes that could not be delivered: refused, or of unknown outcome");
  CLI::Option* retry =
      command->add_option("--retry", flags->retry,
                          "Deliver this parked change again, by its key; or do a failed "
                          "run again, by its key as `ensue timers --state failed` lists it");
  CLI::Option* happened = command->add_option(
      "--happened", flags->happened, "This parked change has happened: nothing more is to be done");
  CLI::Option* drop = command->add_option("--drop", flags->drop,
                                          "This parked change has not happened and shall not");
  for (CLI::Option* option : {retry, happened, drop}) option->excludes(parked);
  retry->excludes(happened)->excludes(drop);
  happened->excludes(drop);
  command->add_option("--count", flags->count, "How many at the most")->capture_default_str();
  command
      ->add_option("--zone", flags->store.program.zone,
                   "The zone of --since where it has no offset")
      ->capture_default_str();
  commands.push_back({command, [flags] { return run_runs(*flags); }});
}

}  // namespace ensue::cli
