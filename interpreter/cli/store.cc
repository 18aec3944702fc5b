// `ensue store`: looking after a store file.
#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "adapters/store_care.h"
#include "cli/store_flags.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

// Days that stay beside the store's own: a change of the org's zone may bring its day back to the
// day before the day before, and a day that can still be charged must not be archived.
constexpr int kKeepDaysMin = 2;
constexpr int kKeepDaysDefault = 7;

struct CareFlags {
  std::string store;
  std::string target;
  std::string before;
  int keep_days = kKeepDaysDefault;
  OutputFlags output;
};

std::string size_text(uint64_t bytes) { return grouped(bytes) + " bytes"; }

// ---- check ------------------------------------------------------------------------------------

nlohmann::ordered_json check_json(const adapters::StoreReport& report) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const adapters::StoreCheck& check : report.checks) {
    nlohmann::ordered_json looked_at = nlohmann::ordered_json::object();
    for (const auto& [count, noun] : check.looked_at) looked_at[std::string(noun) + "s"] = count;
    nlohmann::ordered_json wrong = check.wrong;
    for (const CounterProof& proof : check.disagree) wrong.push_back(described(proof));
    checks.push_back({{"check", check.name},
                      {"looked_at", looked_at},
                      {"wrong", check.wrong_count},
                      {"told", wrong}});
  }
  return {{"format", report.format}, {"checks", checks}};
}

std::string check_text(const adapters::StoreReport& report, const std::string& store) {
  std::vector<std::vector<std::string>> rows{{"format", std::to_string(report.format), "fine"}};
  std::string wrong;
  size_t damaged = 0;
  for (const adapters::StoreCheck& check : report.checks) {
    std::string looked_at;
    for (const auto& [count, noun] : check.looked_at)
      looked_at += (looked_at.empty() ? "" : ", ") + counted(count, noun);
    rows.push_back({check.name, looked_at,
                    check.wrong_count == 0 ? "fine" : grouped(check.wrong_count) + " wrong"});
    if (check.wrong_count == 0) continue;
    ++damaged;
    for (const std::string& each : check.wrong) wrong += fmt::format("{}: {}\n", check.name, each);
    for (const CounterProof& proof : check.disagree)
      wrong += fmt::format("{}: {}\n", check.name, described(proof));
    uint64_t told = check.wrong.size() + check.disagree.size();
    if (check.wrong_count > told)
      wrong += fmt::format("{}: and {} more\n", check.name, grouped(check.wrong_count - told));
  }
  std::string end = damaged == 0 ? store + " is whole\n"
                                 : fmt::format("{} is damaged: {} of {} found something\n", store,
                                               damaged, counted(report.checks.size(), "check"));
  return table(rows) + wrong + end;
}

int run_check(const CareFlags& flags) {
  Result<adapters::StoreReport> report = adapters::check_store(flags.store);
  if (!report) return fail(report.error());
  print(flags.output.json() ? check_json(*report).dump() + "\n" : check_text(*report, flags.store));
  bool whole = std::all_of(report->checks.begin(), report->checks.end(),
                           [](const auto& check) { return check.wrong_count == 0; });
  return whole ? kExitFine : kExitWrong;
}

// ---- backup, compact --------------------------------------------------------------------------

int run_backup(const CareFlags& flags) {
  Result<uint64_t> bytes = adapters::back_up_store(flags.store, flags.target);
  if (!bytes) return fail(bytes.error());
  print(fmt::format("{} holds {}: {}\n", flags.target, flags.store, size_text(*bytes)));
  return kExitFine;
}

int run_compact(const CareFlags& flags) {
  Result<adapters::Compaction> done = adapters::compact_store(flags.store);
  if (!done) return fail(done.error());
  print(fmt::format("{}: {} before, {} after\n", flags.store, size_text(done->bytes_before),
                    size_text(done->bytes_after)));
  return kExitFine;
}

// ---- archive ----------------------------------------------------------------------------------

int run_archive(const CareFlags& flags) {
  // The zone and the clock are those of the store; both are of the runtime.
  OpenedRuntime opened = open_runtime(flags.store, ProgramFlags(), flags.output, false);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  limits::Ledger ledger = opened.runtime->ledger();
  TimeOfDay starts_at = opened.runtime->program().day_starts_at;
  Date today = ledger.day_of(opened.runtime->now());
  // The last to close a store clears its log away, which one that only looks cannot.
  opened.runtime.reset();
  std::string last = value::date_text({today.days - kKeepDaysMin});
  adapters::ArchivePlan plan;
  plan.before = value::date_text({today.days - flags.keep_days});
  if (!flags.before.empty()) {
    if (!value::parse_date(flags.before)) {
      complain(fmt::format("\"{}\" is no date", flags.before));
      return kExitUsage;
    }
    if (flags.before > last) {
      complain(fmt::format("the store's day is {}: only days before {} can be archived",
                           value::date_text(today), last));
      return kExitUsage;
    }
    plan.before = flags.before;
  }
  plan.day_of = [&](Instant at) {
    Date date = ledger.day_of(at);
    return adapters::ArchiveDay{value::date_text(date), ledger.zone().day_start(date, starts_at),
                                ledger.zone().day_start({date.days + 1}, starts_at)};
  };
  size_t days = 0;
  Status done = adapters::archive_store(flags.store, plan, [&](const adapters::ArchivedDay& day) {
    ++days;
    print(fmt::format("{}  {}, {}, {}, {}\n", day.name, counted(day.runs, "run"),
                      counted(day.verdicts, "verdict"), counted(day.counters, "counter"),
                      counted(day.charges, "charge")));
  });
  if (!done) return fail(done.error());
  print(days == 0 ? fmt::format("nothing to archive before {}\n", plan.before)
                  : fmt::format("{} archived; `ensue store compact` gives the room back\n",
                                counted(days, "day")));
  return kExitFine;
}

}  // namespace

void add_store(CLI::App& app, Commands& commands) {
  CLI::App* command =
      app.add_subcommand("store", "Check, back up, compact or archive a store file");
  command->require_subcommand(1);
  auto add = [&](const char* name, const char* what, int (*run)(const CareFlags&)) {
    auto flags = std::make_shared<CareFlags>();
    CLI::App* part = command->add_subcommand(name, what);
    part->add_option("STORE", flags->store, "The store, an SQLite file written by `ensue run`")
        ->required();
    commands.push_back({part, [flags, run] { return run(*flags); }});
    return std::pair(part, flags);
  };
  {
    auto [part, flags] =
        add("check", "Look for damage, also while a run owns the store; exit 1 when there is any",
            run_check);
    flags->output.add_to(*part);
  }
  {
    auto [part, flags] =
        add("backup", "Copy a store as of one moment, also while a run owns it", run_backup);
    part->add_option("TARGET", flags->target, "The file to make; it must not be there")->required();
  }
  add("compact", "Write a store anew without the room of deleted rows", run_compact);
  {
    auto [part, flags] = add("archive",
                             "Move runs, verdicts and counters of past days to STORE.archive, a "
                             "file a day",
                             run_archive);
    auto* before =
        part->add_option("--before", flags->before, "Days before this one, as 2026-03-29");
    part->add_option("--keep-days", flags->keep_days,
                     "Days that stay beside the day of the store's clock")
        ->check(CLI::Range(kKeepDaysMin, 100'000))
        ->capture_default_str()
        ->excludes(before);
  }
}

}  // namespace ensue::cli
