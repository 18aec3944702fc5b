// `ensue serve`: the scheduler daemon.
#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <set>

#include "cli/command.h"
#include "cli/compiled.h"
#include "cli/delivery_flags.h"
#include "daemon/daemon.h"
#include "source/render.h"

namespace ensue::cli {
namespace {

struct ServeFlags {
  ProgramFlags program;
  std::string store;
  std::string clock = "wall";
  std::string listen = "127.0.0.1:8250";
  std::vector<std::string> follow;
  std::string verdicts;
  DeliveryFlags delivery;
  std::string log_format = "text";
  std::string log_level = "info";
  size_t batch = 500;
  size_t threads = 1;
  size_t body_mib = 16;
  size_t queued_lines = 100'000;
  bool standard_input = false;
};

// `HOST:PORT`, `[::1]:PORT`, `:PORT`.
std::optional<daemon::HttpOptions> address_of(const std::string& text) {
  size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  daemon::HttpOptions out;
  const char* end = text.data() + text.size();
  auto [read, error] = std::from_chars(text.data() + colon + 1, end, out.port);
  if (error != std::errc() || read != end || out.port < 0 || out.port > 65'535) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (!host.empty()) out.host = host;
  return out;
}

LogLevel level_of(const std::string& name) {
  return name == "debug"     ? LogLevel::kDebug
         : name == "warning" ? LogLevel::kWarning
         : name == "error"   ? LogLevel::kError
                             : LogLevel::kInfo;
}

// What is wrong with the options, if anything.
std::optional<std::string> problem(const ServeFlags& flags) {
  if (auto wrong = flags.program.problem()) return wrong;
  if (flags.listen != "none" && !address_of(flags.listen))
    return fmt::format("--listen {}: an address is written as 127.0.0.1:8250, or none",
                       flags.listen);
  std::set<std::string> names;
  for (const std::string& file : flags.follow) {
    std::string name = std::filesystem::path(file).filename().string();
    if (name.empty()) return fmt::format("--follow {}: that is no file", file);
    if (!names.insert(name).second)
      return fmt::format(
          "--follow: two files are called {}; the name is the source's, so they need two", name);
  }
  return std::nullopt;
}

int run_serve(const ServeFlags& flags) {
  if (auto wrong = problem(flags)) {
    complain(*wrong);
    return kExitUsage;
  }
  daemon::Log log(flags.log_format == "json" ? daemon::LogFormat::kJson : daemon::LogFormat::kText,
                  level_of(flags.log_level));
  daemon::DaemonOptions options;
  options.program = flags.program.options();
  options.wall_clock = flags.clock == "wall";
  options.keep_all_verdicts = flags.verdicts == "all";
  options.threads = flags.threads;
  options.http_on = flags.listen != "none";
  if (options.http_on) options.http = *address_of(flags.listen);
  options.http.body_bytes_max = flags.body_mib << 20;
  options.follow = flags.follow;
  options.standard_input = flags.standard_input;
  options.batch_lines_max = flags.batch;
  options.queued_lines_max = flags.queued_lines;
  options.watched = flags.program.paths;
  Result<Outside> outside = flags.delivery.open(false);
  if (!outside) return fail(outside.error());
  options.sink = std::move(outside->records);
  options.services = std::move(outside->services);
  options.mail = std::move(outside->mail);
  daemon::DaemonHost host;
  host.read_sources = [&] { return read_sources(flags.program.paths); };
  CompiledProgram compiled(flags.store);
  host.load = [&](engine::LoadInput input) { return compiled.load(std::move(input)); };
  host.open_store = [&] { return open_store(flags.store, true); };
  host.look_at_store = [&] { return open_store(flags.store, false); };
  host.stored_sources = stored_sources;
  host.keep_sources = [&](Store& store, const engine::Program& program) {
    Status kept = keep_sources(store, program);
    if (kept) compiled.keep();
    return kept;
  };
  host.render = [](const engine::Loaded& loaded) {
    std::string out = source::render_text(loaded.diagnostics, *loaded.sources, {});
    return out + source::render_counts(loaded.diagnostics);
  };
  switch (daemon::serve(std::move(options), host, log)) {
    case daemon::DaemonEnd::kStopped: return kExitFine;
    case daemon::DaemonEnd::kInterrupted: return kExitInterrupted;
    case daemon::DaemonEnd::kBroken: return kExitWrong;
    case daemon::DaemonEnd::kFailed: return kExitWorld;
  }
  return kExitWorld;
}

}  // namespace

void add_serve(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* command =
      app.add_subcommand("serve", "Run as a service: events from several doors, timers, reloading");
  flags->program.add_to(*command, true);
  command
      ->add_option("--store", flags->store,
                   "Keep everything in this SQLite file, and go on from where it stands")
      ->required();
  command
      ->add_option("--clock", flags->clock,
                   "wall: this machine's clock; event: the latest `at` seen")
      ->check(CLI::IsMember({"event", "wall"}))
      ->capture_default_str();
  command
      ->add_option("--listen", flags->listen,
                   "Take events and answer about itself by HTTP at this address; none: not at all")
      ->capture_default_str();
  command->add_option("--follow", flags->follow,
                      "Take the lines that another program appends to this file, through rotation");
  command->add_flag("--stdin", flags->standard_input, "Take events from standard input, too");
  command->add_option("--verdicts", flags->verdicts, "all: keep why automations did not start, too")
      ->check(CLI::IsMember({"all"}));
  flags->delivery.add_to(*command);
  command
      ->add_option("--batch", flags->batch,
                   "Lines in one commit, at most; the body of a request is never divided")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      ->add_option("--threads", flags->threads,
                   "Threads that read lines and encode records; the output is the same for any")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--body-mib", flags->body_mib, "The largest body of a request, in MiB")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_option("--queued-lines", flags->queued_lines,
                   "Lines of requests that may wait for a commit; more are refused")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command->add_option("--log-format", flags->log_format, "text for people, json for machines")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_option("--log-level", flags->log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  command->footer(
      "SIGTERM and SIGINT finish the batch at hand and stop; SIGHUP reads the automations again.\n"
      "Exit codes: 0 stopped by SIGTERM; 1 the automations are wrong, and the store has none that "
      "were good;\n2 usage; 3 a file, a disk, a port or a store failed; 130 stopped by SIGINT.");
  commands.push_back({command, [flags] { return run_serve(*flags); }});
}

}  // namespace ensue::cli
