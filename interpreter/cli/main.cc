// `ensue`: the program. One file for each command; this one puts them together.
#include <fmt/format.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <exception>

#include "cli/command.h"
#include "ensue/version.h"

namespace ensue::cli {
namespace {

int run_program(int argc, char** argv) {
  CLI::App app(
      "Ensue: when this happens, that ensues. Automation as code for the people who run sales.",
      "ensue");
  app.set_version_flag("--version",
                       fmt::format("ensue {} (language {})", kVersion, kLanguageVersion));
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer(
      "Exit codes: 0 fine; 1 the program or the data is wrong; 2 usage; 3 the world failed; 130 "
      "interrupted.\n"
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
  add_timers(app, commands);
  add_flow(app, commands);
  add_activate(app, commands);
  add_records(app, commands);
  add_targets(app, commands);
  add_dead_letters(app, commands);
  add_schedule(app, commands);
  add_serve(app, commands);
  add_store(app, commands);
  add_repl(app, commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // A word that is no command would only be told as a missing command.
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty()) {
      complain(fmt::format("there is no command \"{}\"; `ensue --help` lists them", argv[1]));
      return kExitUsage;
    }
    int code = app.exit(error);
    return code == 0 ? kExitFine : kExitUsage;
  }
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    int code = command.run();
    bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (written || code == kExitWorld) return code;
    complain(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
    return kExitWorld;
  }
  return kExitUsage;
}

}  // namespace
}  // namespace ensue::cli

int main(int argc, char** argv) {
  // Letters only: numbers and dates are written the same way everywhere.
  std::setlocale(LC_CTYPE, "");
  try {
    return ensue::cli::run_program(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("ensue: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ensue: internal error: %s\n", error.what());
  }
  return ensue::cli::kExitWorld;
}
