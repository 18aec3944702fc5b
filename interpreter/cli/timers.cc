// `ensue timers`: the runs that wait, and what people do with them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/key128.h"
#include "cli/store_flags.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

struct TimersFlags {
  StoreFlags store;
  std::vector<std::string> words;
  std::string state;
  size_t count = 50;
};

int list(const TimersFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  std::vector<FlowRunRow> rows;
  size_t more = 0;
  Status looked = (*store)->read([&](StoreReader& reader) {
    return reader.visit_flow_runs(flags.state, [&](const FlowRunRow& row) {
      if (flags.state.empty() && row.state == "failed") return true;
      if (rows.size() < flags.count) {
        rows.push_back(row);
      } else {
        ++more;
      }
      return true;
    });
  });
  if (!looked) return fail(looked.error());
  if (flags.store.output.json()) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const FlowRunRow& row : rows) {
      out.push_back({{"run", base::to_hex(row.run)},
                     {"flow", row.automation},
                     {"record", row.record},
                     {"user", row.user.empty() ? "system" : row.user},
                     {"state", row.state},
                     {"since", value::instant_text(row.since)},
                     {"due", row.due ? nlohmann::ordered_json(value::instant_text(*row.due))
                                     : nlohmann::ordered_json(nullptr)},
                     {"woken", row.wakes},
                     {"for", row.detail}});
    }
    print(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return kExitFine;
  }
  if (rows.empty()) {
    print("no run waits\n");
    return kExitFine;
  }
  std::vector<std::vector<std::string>> cells{
      {"run", "state", "due", "flow", "record", "since", "for"}};
  for (const FlowRunRow& row : rows) {
    cells.push_back({base::to_hex(row.run).substr(0, 12), row.state, shown(row.due), row.automation,
                     row.record, value::instant_text(row.since), row.detail});
  }
  print(table(cells));
  if (more > 0) print(fmt::format("and {} more\n", grouped(more)));
  return kExitFine;
}

int act(const TimersFlags& flags, const std::string& verb, const std::string& key,
        const std::string& time) {
  OpenedRuntime opened =
      open_runtime(flags.store.store, flags.store.program, flags.store.output, true);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  engine::Runtime& runtime = *opened.runtime;
  std::optional<Instant> due;
  if (verb == "move") {
    due = instant_option(time, runtime.program().zone.name());
    if (!due) {
      complain(fmt::format("\"{}\" is no date or time", time));
      return kExitUsage;
    }
  }
  if (Status moved = catch_up(runtime, flags.store); !moved) return fail(moved.error());
  Result<BatchReport> done =
      runtime.with_run(key, [&](engine::Cascade& cascade, const FlowRunRow& row) -> Status {
        if (verb == "cancel") return cascade.end(row, "cancelled by a person");
        if (verb == "fire") return cascade.fire_now(row);
        return cascade.move_to(row, *due);
      });
  if (!done) return fail(done.error());
  for (const Decision& decision : done->decisions) print(decision.json() + "\n");
  if (verb == "move") print("moved to " + shown(due) + "\n");
  return kExitFine;
}

int run_timers(const TimersFlags& flags) {
  if (flags.words.empty() || flags.words[0] == "list") return list(flags);
  const std::string& verb = flags.words[0];
  size_t taken = verb == "move" ? 3 : 2;
  bool known = verb == "move" || verb == "fire" || verb == "cancel";
  if (!known || flags.words.size() < taken) {
    complain("write: ensue timers [list | move RUN TIME | fire RUN | cancel RUN] [PATH…]");
    return kExitUsage;
  }
  TimersFlags copy = flags;
  copy.store.program.paths.assign(flags.words.begin() + static_cast<std::ptrdiff_t>(taken),
                                  flags.words.end());
  return act(copy, verb, flags.words[1], verb == "move" ? flags.words[2] : "");
}

}  // namespace

void add_timers(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<TimersFlags>();
  CLI::App* command =
      app.add_subcommand("timers", "List the runs that wait; move, fire or cancel one");
  command->add_option("WORDS", flags->words,
                      "[list] | move RUN TIME | fire RUN | cancel RUN, then PATH… when other "
                      "automations than the kept ones are meant");
  flags->store.add_to(*command, true);
  command->add_option("--state", flags->state, "Only runs in this state; failed ones when named")
      ->check(CLI::IsMember({"waiting", "calling", "retrying", "asking", "queued", "failed"}));
  command->add_option("--count", flags->count, "How many at the most")->capture_default_str();
  commands.push_back({command, [flags] { return run_timers(*flags); }});
}

}  // namespace ensue::cli
