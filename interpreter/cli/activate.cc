// `ensue activate` and `ensue deactivate`.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/store_flags.h"

namespace ensue::cli {
namespace {

struct ActivateFlags {
  StoreFlags store;
  std::string automation;
  std::string person;
  std::string author;
};

int run_activate(const ActivateFlags& flags, bool active) {
  OpenedRuntime opened =
      open_runtime(flags.store.store, flags.store.program, flags.store.output, true);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  Status done = opened.runtime->set_active(flags.automation, flags.author, flags.person, active);
  if (!done) return fail(done.error());
  if (flags.store.output.json()) {
    print(nlohmann::ordered_json{
              {"automation", flags.automation}, {"person", flags.person}, {"active", active}}
              .dump() +
          "\n");
    return kExitFine;
  }
  print(fmt::format("\"{}\" is {} for {}\n", flags.automation, active ? "active" : "off",
                    flags.person));
  return kExitFine;
}

}  // namespace

void add_activate(CLI::App& app, Commands& commands) {
  for (bool active : {true, false}) {
    auto flags = std::make_shared<ActivateFlags>();
    CLI::App* command = app.add_subcommand(active ? "activate" : "deactivate",
                                           active ? "Switch an action on, as a person who may"
                                                  : "Switch an action off, as a person who may");
    command->add_option("ACTION", flags->automation, "The action's name")->required();
    command->add_option("PATH", flags->store.program.paths,
                        "Automations other than those kept in the store");
    command
        ->add_option("--as", flags->person,
                     "Who does it: the author, or an assignee for themselves")
        ->required();
    command->add_option("--by", flags->author, "The action's author, where several share a name");
    flags->store.add_to(*command, false);
    commands.push_back({command, [flags, active] { return run_activate(*flags, active); }});
  }
}

}  // namespace ensue::cli
