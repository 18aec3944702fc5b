// What the commands share: options, exit codes, sources, stores, output.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/program.h"
#include "engine/runtime.h"
#include "ensue/diagnostic.h"
#include "ensue/result.h"
#include "ensue/store.h"

namespace ensue::cli {

// Documented in docs/formats.md and in `ensue --help`.
enum ExitCode : int {
  kExitFine = 0,
  kExitWrong = 1,         // the program or the data is wrong
  kExitUsage = 2,         // the command line is wrong
  kExitWorld = 3,         // the world failed: a file, a disk, a store in use
  kExitInterrupted = 130  // stopped by Ctrl-C; what was done is committed
};

// Options of every command that loads automations.
struct ProgramFlags {
  std::vector<std::string> paths;
  std::string zone = "UTC";
  std::string currency = "USD";
  std::string as;

  void add_to(CLI::App& app, bool paths_required);
  // A message for the user when an option has no meaning.
  std::optional<std::string> problem() const;
  ProgramOptions options() const;
};

struct OutputFlags {
  std::string format = "text";
  std::string color = "auto";
  void add_to(CLI::App& app);
  bool json() const { return format == "json"; }
  bool colored(int fd) const;
};

// One command: how it is called, and what it does. `add` declares options; `run` is called when the
// command was chosen and gives the exit code.
struct Command {
  CLI::App* app = nullptr;
  std::function<int()> run;
};
using Commands = std::vector<Command>;

void add_check(CLI::App& app, Commands& commands);
void add_fmt(CLI::App& app, Commands& commands);
void add_run(CLI::App& app, Commands& commands);
void add_test(CLI::App& app, Commands& commands);
void add_why(CLI::App& app, Commands& commands);
void add_graph(CLI::App& app, Commands& commands);
void add_limits(CLI::App& app, Commands& commands);
void add_reminders(CLI::App& app, Commands& commands);
void add_timers(CLI::App& app, Commands& commands);
void add_flow(CLI::App& app, Commands& commands);
void add_runs(CLI::App& app, Commands& commands);
void add_dead_letters(CLI::App& app, Commands& commands);
void add_records(CLI::App& app, Commands& commands);
void add_targets(CLI::App& app, Commands& commands);
void add_activate(CLI::App& app, Commands& commands);
void add_schedule(CLI::App& app, Commands& commands);
void add_serve(CLI::App& app, Commands& commands);
void add_store(CLI::App& app, Commands& commands);
void add_repl(CLI::App& app, Commands& commands);

// ---- Errors -----------------------------------------------------------------------------------

// `ensue: <message>` on standard error.
void complain(const std::string& message);
int exit_code_of(ErrorCode code);
// Complains about an error and gives its exit code.
int fail(const Error& error);

// ---- Sources ----------------------------------------------------------------------------------

// A file's bytes. Errors: kNotFound, kIo.
Result<std::string> read_file(const std::string& path);
// The `.ensue` files of the paths: files as given, folders read recursively, in order of path, each
// once.
Result<std::vector<std::string>> find_sources(const std::vector<std::string>& paths);
Result<std::vector<SourceText>> read_sources(const std::vector<std::string>& paths);

// Prints diagnostics to standard error; as JSON to standard output where they are the command's
// result.
void print_diagnostics(const engine::Loaded& loaded, const OutputFlags& output, bool as_result);

// Loads a program and complains about what is wrong with it. The exit code says whether to go on:
// kExitFine.
struct LoadedProgram {
  engine::Loaded loaded;
  int exit_code = kExitFine;
};
using Loader = std::function<engine::Loaded(engine::LoadInput)>;
LoadedProgram load_or_complain(const ProgramFlags& flags, const OutputFlags& output,
                               bool show_warnings = true,
                               const Loader& load = engine::load_program);

// ---- Stores -----------------------------------------------------------------------------------

// For looking (not `own`) together with its archives. An empty path is a store in memory.
Result<std::shared_ptr<Store>> open_store(const std::string& path, bool own);
// The program a store was last run with, kept beside its records, for commands that are given no
// PATH.
Result<std::vector<SourceText>> stored_sources(Store& store);
Status keep_sources(Store& store, const engine::Program& program);

// A runtime on a store for a command that looks at it or acts on it. Without paths the stored
// program is used.
struct OpenedRuntime {
  std::unique_ptr<engine::Runtime> runtime;
  int exit_code = kExitFine;
};
OpenedRuntime open_runtime(const std::string& store_path, const ProgramFlags& flags,
                           const OutputFlags& output, bool own);

// ---- Text -------------------------------------------------------------------------------------

// 16403 → `16,403`.
std::string grouped(uint64_t number);
// Columns padded to line up, two blanks between; no blanks at line ends. Numbers given in `right`
// are right-aligned.
std::string table(const std::vector<std::vector<std::string>>& rows,
                  const std::vector<bool>& right = {});
// `1 event`, `2 events`
std::string counted(uint64_t count, const std::string& singular, const std::string& plural = "");
// To standard output, made harmless. `ensue` looks at the end whether all of it could be written.
void print(const std::string& text);
// Without control characters that steer a terminal: they are shown as `\u{1b}`. Line breaks, tabs
// and colours stay.
std::string harmless(std::string_view text);

}  // namespace ensue::cli
