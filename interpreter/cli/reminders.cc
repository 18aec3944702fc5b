// `ensue reminders`: what has been offered, and what people do with it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/key128.h"
#include "calendar/zone.h"
#include "cli/store_flags.h"
#include "value/decimal.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

struct RemindersFlags {
  StoreFlags store;
  std::vector<std::string> words;
  std::string person;
  std::string until;
  std::string state = "open";
};

int list(const RemindersFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  Result<std::string> person = person_option(**store, flags.person);
  if (!person) return fail(person.error());
  std::vector<ReminderRow> rows;
  Status looked = (*store)->read([&](StoreReader& reader) {
    return reader.visit_reminders("", [&](const ReminderRow& row) {
      bool live = row.state == "open" || row.state == "snoozed";
      bool wanted =
          flags.state == "all" || row.state == flags.state || (flags.state == "open" && live);
      bool theirs = person->empty() || row.person == *person;
      if (wanted && theirs) rows.push_back(row);
      return true;
    });
  });
  if (!looked) return fail(looked.error());
  std::stable_sort(rows.begin(), rows.end(), [](const ReminderRow& a, const ReminderRow& b) {
    return a.offered_at < b.offered_at;
  });
  if (flags.store.output.json()) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    auto time = [](const std::optional<Instant>& at) {
      return at ? nlohmann::ordered_json(value::instant_text(*at))
                : nlohmann::ordered_json(nullptr);
    };
    for (const ReminderRow& row : rows) {
      out.push_back({{"id", base::to_hex(row.id)},
                     {"person", row.person},
                     {"record", row.record},
                     {"automation", row.automation},
                     {"effect", row.effect},
                     {"state", row.state},
                     {"offered_at", time(row.offered_at)},
                     {"due_at", time(row.due_at)},
                     {"expires_at", time(row.expires_at)},
                     {"snoozed_until", time(row.snoozed_until)}});
    }
    print(out.dump() + "\n");
    return kExitFine;
  }
  if (rows.empty()) {
    print("no reminders\n");
    return kExitFine;
  }
  std::vector<std::vector<std::string>> cells{
      {"id", "for", "about", "offers to", "because of", "state", "offered", "due", "expires"}};
  for (const ReminderRow& row : rows) {
    std::string state =
        row.state == "snoozed" ? "snoozed until " + shown(row.snoozed_until) : row.state;
    cells.push_back({base::to_hex(row.id).substr(0, 8), row.person, row.record, row.effect,
                     row.automation, state, shown(row.offered_at), shown(row.due_at),
                     shown(row.expires_at)});
  }
  print(table(cells));
  return kExitFine;
}

int act(RemindersFlags flags, const std::string& verb, const std::string& which) {
  if (flags.person.empty()) {
    complain("say with --as USER who does it");
    return kExitUsage;
  }
  OpenedRuntime opened =
      open_runtime(flags.store.store, flags.store.program, flags.store.output, true);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  engine::Runtime& runtime = *opened.runtime;
  std::optional<Instant> until;
  if (!flags.until.empty()) {
    until = instant_option(flags.until, runtime.program().zone.name());
    if (!until) {
      complain(fmt::format("\"{}\" is no date or time", flags.until));
      return kExitUsage;
    }
  }
  if (Status moved = catch_up(runtime, flags.store); !moved) return fail(moved.error());
  Result<BatchReport> done =
      runtime.reminder(which, flags.person, [&](engine::Cascade& cascade, const ReminderRow& row) {
        if (verb == "run") return cascade.run_reminder(row, row.person);
        if (verb == "ignore") return cascade.ignore_reminder(row);
        return cascade.snooze_reminder(row, until);
      });
  if (!done) return fail(done.error());
  for (const Decision& decision : done->decisions) print(decision.json() + "\n");
  if (done->decisions.empty()) print(verb == "ignore" ? "ignored\n" : "snoozed\n");
  return kExitFine;
}

int run_reminders(const RemindersFlags& flags) {
  if (flags.words.empty() || flags.words[0] == "list") return list(flags);
  const std::string& verb = flags.words[0];
  bool known = verb == "run" || verb == "ignore" || verb == "snooze";
  if (!known || flags.words.size() < 2) {
    complain("write: ensue reminders [list | run | ignore | snooze] [ID or Object/id] [PATH…]");
    return kExitUsage;
  }
  RemindersFlags copy = flags;
  copy.store.program.paths.assign(flags.words.begin() + 2, flags.words.end());
  return act(std::move(copy), verb, flags.words[1]);
}

}  // namespace

void add_reminders(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<RemindersFlags>();
  CLI::App* command = app.add_subcommand("reminders", "List reminders; run, ignore or snooze one");
  command->add_option("WORDS", flags->words,
                      "[list] | run ID | ignore ID | snooze ID, then PATH… when other automations "
                      "than the kept ones are meant");
  flags->store.add_to(*command, true);
  command->add_option("--as", flags->person, "Whose reminders; who runs, ignores or snoozes");
  command->add_option("--until", flags->until,
                      "Of snooze: until when; by default the start of the person's next day");
  command->add_option("--state", flags->state, "open, snoozed, run, ignored, expired or all")
      ->check(CLI::IsMember({"open", "snoozed", "run", "ignored", "expired", "all"}))
      ->capture_default_str();
  commands.push_back({command, [flags] { return run_reminders(*flags); }});
}

}  // namespace ensue::cli
