// `ensue limits`: what has been counted.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/store_flags.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

struct LimitsFlags {
  StoreFlags store;
  std::string day;
  std::string user;
  bool all = false;
  bool verify = false;
};

// Recounts every counter from its charges, as of one moment, also while another process charges.
int run_verify(const LimitsFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  uint64_t counters = 0;
  uint64_t charges = 0;
  std::vector<CounterProof> wrong;
  Status looked = (*store)->read([&](StoreReader& reader) {
    return reader.visit_proofs([&](const CounterProof& proof) {
      counters += !proof.counter.scope.empty();
      charges += static_cast<uint64_t>(proof.charges);
      if (!proof.agrees()) wrong.push_back(proof);
      return true;
    });
  });
  if (!looked) return fail(looked.error());
  if (flags.store.output.json()) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const CounterProof& proof : wrong) {
      rows.push_back({{"scope", proof.counter.scope},
                      {"key", proof.counter.key},
                      {"counter", proof.counter.counter},
                      {"window", proof.counter.window},
                      {"used", proof.counter.used},
                      {"max", proof.counter.max},
                      {"charged", proof.counted},
                      {"instants_wrong", proof.instants_wrong}});
    }
    nlohmann::ordered_json out{{"counters", counters}, {"charges", charges}, {"disagree", rows}};
    print(out.dump() + "\n");
  } else {
    for (const CounterProof& proof : wrong) print(described(proof) + "\n");
    print(
        fmt::format("{}, {}: {}\n", counted(counters, "counter"), counted(charges, "charge"),
                    wrong.empty() ? "all agree" : counted(wrong.size(), "disagrees", "disagree")));
  }
  return wrong.empty() ? kExitFine : kExitWrong;
}

int run_limits(const LimitsFlags& flags) {
  if (flags.verify) return run_verify(flags);
  OpenedRuntime opened =
      open_runtime(flags.store.store, flags.store.program, flags.store.output, false);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  const limits::Ledger& ledger = opened.runtime->ledger();
  Date open_day = opened.runtime->open_day();
  std::string day = flags.day.empty() ? value::date_text(open_day) : flags.day;
  if (!flags.day.empty() && !value::parse_date(flags.day)) {
    complain(fmt::format("\"{}\" is no date", flags.day));
    return kExitUsage;
  }
  Result<std::string> person = person_option(opened.runtime->store(), flags.user);
  if (!person) return fail(person.error());
  std::vector<CounterRow> rows;
  Status looked = opened.runtime->store().read([&](StoreReader& reader) {
    return reader.visit_counters([&](const CounterRow& row) {
      bool this_day = flags.all || row.window == day || !value::parse_date(row.window);
      bool this_user = person->empty() || (row.scope == "user" && row.key == *person);
      if (this_day && this_user) rows.push_back(row);
      return true;
    });
  });
  if (!looked) return fail(looked.error());
  if (flags.store.output.json()) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const CounterRow& row : rows) {
      out.push_back({{"scope", row.scope},
                     {"key", row.key},
                     {"counter", row.counter},
                     {"window", row.window},
                     {"used", row.used},
                     {"max", row.max}});
    }
    print(out.dump() + "\n");
    return kExitFine;
  }
  std::vector<std::vector<std::string>> cells{
      {"scope", "whose", "counter", "window", "used", "of", ""}};
  for (const CounterRow& row : rows) {
    std::string mark = row.used >= row.max ? "reached" : "";
    cells.push_back({row.scope, row.key, row.counter, row.window,
                     grouped(static_cast<uint64_t>(row.used)),
                     grouped(static_cast<uint64_t>(row.max)), mark});
  }
  if (rows.empty()) {
    print(flags.all ? "nothing has been counted\n"
                    : fmt::format("nothing has been counted on {}\n", day));
  } else {
    print(table(cells, {false, false, false, false, true, true, false}));
  }
  Date date = flags.day.empty() ? open_day : *value::parse_date(flags.day);
  TimeOfDay starts_at = opened.runtime->program().day_starts_at;
  Instant begin = ledger.zone().day_start(date, starts_at);
  Instant end = ledger.zone().day_start({date.days + 1}, starts_at);
  print(fmt::format("the day {} in {} began at {}, ends at {} and lasts {} hours\n",
                    value::date_text(date), ledger.zone().name(), value::instant_text(begin),
                    value::instant_text(end), (end.ms - begin.ms) / 3'600'000));
  return kExitFine;
}

}  // namespace

void add_limits(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<LimitsFlags>();
  CLI::App* command = app.add_subcommand("limits", "Show the counters of a store");
  flags->store.program.add_to(*command, false);
  flags->store.add_to(*command, false);
  auto* day = command->add_option(
      "--day", flags->day, "This day, as 2026-03-29; by default the day of the store's clock");
  auto* user = command->add_option("--user", flags->user, "Only this user's counters");
  auto* all = command->add_flag("--all", flags->all, "Every day");
  command
      ->add_flag("--verify", flags->verify,
                 "Recount every counter from its charges; exit 1 when one disagrees")
      ->excludes(day, user, all);
  commands.push_back({command, [flags] { return run_limits(*flags); }});
}

}  // namespace ensue::cli
