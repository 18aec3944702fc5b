// `ensue`: the program. One file for each command; this one puts them together.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "cli/command.h"
#include "ensue/version.h"

namespace ensue::cli {
namespace {

int run_program(int argc, char** argv) {
  CLI::App app("Ensue: when this happens, that ensues. Automation as code for the people who run sales.", "ensue");
  app.set_version_flag("--version", fmt::format("ensue {} (language {})", kVersion, kLanguageVersion));
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer("Exit codes: 0 fine; 1 the program or the data is wrong; 2 usage; 3 the world failed; 130 interrupted.\n"
             "`ensue COMMAND --help` tells more about each.");
  Commands commands;
  add_check(app, commands);
  add_fmt(app, commands);
  add_run(app, commands);
  add_test(app, commands);
  add_why(app, commands);
  add_graph(app, commands);
  add_runs(app, commands);
  add_limits(app, commands);
  add_reminders(app, commands);
  add_activate(app, commands);
  add_records(app, commands);
  add_targets(app, commands);
  add_dead_letters(app, commands);
  add_repl(app, commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? kExitFine : kExitUsage;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return kExitUsage;
}

}  // namespace
}  // namespace ensue::cli

int main(int argc, char** argv) {
  try {
    return ensue::cli::run_program(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("ensue: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ensue: internal error: %s\n", error.what());
  }
  return ensue::cli::kExitWorld;
}
