// `ensue run`: the main job, a stream of events through a folder of automations.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "adapters/system_clock.h"
#include "cli/command.h"
#include "cli/compiled.h"
#include "cli/delivery_flags.h"
#include "cli/line_reader.h"
#include "cli/progress.h"
#include "cli/run_report.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

volatile sig_atomic_t g_stop = 0;

// The first Ctrl-C asks to stop after the batch at hand; a second one ends the process as usual.
void ask_to_stop(int) {
  g_stop = 1;
  signal(SIGINT, SIG_DFL);
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // a blocked read returns, so that standard input can be left
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

struct RunFlags {
  ProgramFlags program;
  OutputFlags output;
  std::string events;
  std::vector<std::string> records;
  std::string store;
  std::string clock = "event";
  std::string source;
  std::string lines;
  std::string verdicts;
  std::string report;
  DeliveryFlags delivery;
  size_t batch = 500;
  size_t threads = 1;
  bool dry_run = false;
  bool from_start = false;
  bool strict = false;
  bool quiet = false;
};

class RunCommand {
 public:
  explicit RunCommand(const RunFlags& flags) : flags_(flags), compiled_(flags.store) {}

  int run() {
    LoadedProgram loaded = load_or_complain(
        flags_.program, flags_.output, true,
        [this](engine::LoadInput input) { return compiled_.load(std::move(input)); });
    if (loaded.exit_code != kExitFine) return loaded.exit_code;
    for (const std::string& left_out : loaded.loaded.program->not_run) {
      complain("left out, because this version does not run it: " + left_out);
    }
    warnings_ = loaded.loaded.has_warnings;
    Result<std::shared_ptr<Store>> store = open();
    if (!store) return fail(store.error());
    engine::RuntimeOptions options;
    if (flags_.clock == "wall") options.clock = &clock_;
    options.keep_all_verdicts = flags_.verdicts == "all";
    options.threads = flags_.threads;
    Result<Outside> outside = flags_.delivery.open(flags_.dry_run);
    if (!outside) return fail(outside.error());
    outside_ = std::move(*outside);
    options.sink = outside_.records.get();
    options.services = outside_.services.get();
    options.mail = outside_.mail.get();
    engine::Runtime runtime(*store, options);
    if (Status used = runtime.use(loaded.loaded.program); !used) return fail(used.error());
    if (!flags_.store.empty() && !flags_.dry_run) {
      if (Status kept = keep_sources(**store, *loaded.loaded.program); !kept)
        return fail(kept.error());
      compiled_.keep();
    }
    watch_signals();
    for (const std::string& file : flags_.records) {
      if (Status taken = take_records(runtime, file); !taken) return finish(runtime, taken.error());
    }
    Status done = flags_.events.empty() ? Status() : take_events(runtime);
    // What an earlier run left is delivered when there is nothing new, too.
    if (done) done = deliver(runtime);
    return finish(runtime, done ? std::nullopt : std::optional(done.error()));
  }

 private:
  // A dry run works on a copy in memory.
  Result<std::shared_ptr<Store>> open() {
    if (!flags_.dry_run || flags_.store.empty()) return open_store(flags_.store, true);
    auto copy = adapters::copy_sqlite_store(flags_.store);
    if (!copy) return copy.error();
    return std::shared_ptr<Store>(std::move(*copy));
  }

  std::string source_name(const std::string& file) const {
    if (!flags_.source.empty()) return flags_.source;
    return file == "-" ? "standard input" : std::filesystem::path(file).filename().string();
  }

  Status take_records(engine::Runtime& runtime, const std::string& file) {
    Result<LineReader> reader = LineReader::open(file, bounds(runtime).event_bytes_max);
    if (!reader) return reader.error();
    std::string source =
        file == "-" ? "standard input" : std::filesystem::path(file).filename().string();
    return read_batches(runtime, *reader, source, true);
  }

  Status take_events(engine::Runtime& runtime) {
    Result<LineReader> reader = LineReader::open(flags_.events, bounds(runtime).event_bytes_max);
    if (!reader) return reader.error();
    std::string source = source_name(flags_.events);
    if (!flags_.from_start) {
      if (Status resumed = resume(runtime, *reader, source); !resumed) return resumed;
    }
    summary_.first_line = reader->line_number() + 1;
    progress_.start(flags_.quiet ? 0 : reader->size().value_or(0), reader->offset());
    auto begin = std::chrono::steady_clock::now();
    Status done = read_batches(runtime, *reader, source, false);
    summary_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    summary_.last_line = reader->line_number();
    progress_.finish();
    return done;
  }

  Status resume(engine::Runtime& runtime, LineReader& reader, const std::string& source) {
    std::optional<CursorRow> cursor;
    Status looked = runtime.store().read([&](StoreReader& store) -> Status {
      Result<std::optional<CursorRow>> found = store.cursor(source);
      if (!found) return found.error();
      cursor = *found;
      return {};
    });
    if (!looked || !cursor) return looked;
    Result<bool> resumed = reader.resume(*cursor);
    if (!resumed) return resumed.error();
    if (*resumed) {
      summary_.resumed = true;
    } else {
      complain(fmt::format(
          "{} is not the file read before; reading it from its start, dropping what was seen",
          source));
    }
    return {};
  }

  // A run whose service has answered goes on at once, and may call again.
  Status deliver(engine::Runtime& runtime) {
    bool nobody = !outside_.records && !outside_.services && !outside_.mail;
    if (nobody) return {};
    while (g_stop == 0) {
      Result<DeliveryReport> report = runtime.deliver();
      if (!report) return report.error();
      summary_.add(*report);
      if (outside_.services == nullptr || report->done + report->failed == 0) return {};
      Result<BatchReport> moved = runtime.advance(runtime.now());
      if (!moved) return moved.error();
      summary_.add(*moved, false);
      if (Status told = tell(*moved); !told) return told;
    }
    return {};
  }

  // One line a decision, where they are asked for.
  Status tell(const BatchReport& report) const {
    if (flags_.lines != "ndjson") return {};
    for (const Decision& decision : report.decisions) {
      std::string text = decision.json() + "\n";
      if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
        return {ErrorCode::kIo, "cannot write to standard output"};
    }
    return {};
  }

  // Lines are copied into the batch: the reader's buffer moves on.
  Status read_batches(engine::Runtime& runtime, LineReader& reader, const std::string& source,
                      bool snapshots) {
    bool ended = false;
    while (!ended && g_stop == 0) {
      std::vector<std::string> texts;
      std::vector<uint64_t> numbers;
      // Of a stream that is being written, what has come is worked on at once.
      while (texts.size() < flags_.batch && g_stop == 0 &&
             (texts.empty() || !reader.would_wait())) {
        auto line = reader.next();
        if (!line && line.error().code == ErrorCode::kCancelled) break;
        if (!line) return line.error();
        ended = !line->has_value();
        if (ended) break;
        texts.emplace_back(**line);
        numbers.push_back(reader.line_number());
      }
      if (texts.empty()) continue;
      engine::Runtime::Lines batch;
      batch.source = source;
      batch.snapshots = snapshots;
      for (size_t i = 0; i < texts.size(); ++i) batch.lines.push_back({texts[i], numbers[i]});
      std::string fingerprint = snapshots ? "" : reader.fingerprint();
      if (!fingerprint.empty())
        batch.cursor = CursorRow{source, reader.line_number(), reader.offset(), fingerprint};
      Result<BatchReport> report = runtime.submit(batch);
      if (!report) return report.error();
      summary_.add(*report, snapshots);
      if (Status told = tell(*report); !told) return told;
      if (Status delivered = deliver(runtime); !delivered) return delivered;
      if (flags_.lines == "ndjson" && reader.would_wait() && std::fflush(stdout) != 0)
        return {ErrorCode::kIo, "cannot write to standard output"};
      for (const DeadLetterRow& letter : report->dead_letters) {
        constexpr uint64_t kShownMax = 5;
        if (++dead_letters_shown_ <= kShownMax) {
          progress_.clear();
          complain(fmt::format("{}:{}: {}", letter.source, letter.line, letter.reason));
        }
      }
      progress_.update(reader.offset(), summary_.decisions());
    }
    if (g_stop != 0) {
      return {ErrorCode::kCancelled,
              fmt::format("stopped at line {} of {}; everything up to there is {}",
                          reader.line_number(), source,
                          flags_.store.empty() || flags_.dry_run ? "done" : "committed")};
    }
    return {};
  }

  int finish(engine::Runtime& runtime, std::optional<Error> error) {
    progress_.finish();
    if (Status rested = runtime.rest(); !rested && !error) error = rested.error();
    if (std::fflush(stdout) != 0 && !error)
      error = Error{ErrorCode::kIo, "cannot write to standard output"};
    add_author_warnings(runtime);
    Status totals = summary_.read_totals(runtime.store());
    if (!totals && !error) error = totals.error();
    bool to_stdout = flags_.output.json() && flags_.lines.empty();
    if (flags_.output.json()) {
      fmt::print(to_stdout ? stdout : stderr, "{}\n", summary_.json());
    } else if (!flags_.quiet) {
      fmt::print(stderr, "{}", summary_.text(!flags_.store.empty()));
    }
    if (!flags_.report.empty() && (!error || error->code == ErrorCode::kCancelled)) {
      if (Status written = write_report(flags_.report, runtime, summary_); !written)
        return fail(written.error());
    }
    if (error) return fail(*error);
    bool parked = summary_.delivery && summary_.delivery->unknown > 0;
    if (parked) complain("`ensue runs --parked` lists what a person has to look at");
    if (summary_.dead_letters() > 0 || summary_.status("failed") > 0 || parked) return kExitWrong;
    bool doubts = warnings_ || !summary_.warnings.empty() || !summary_.unknown_fields.empty() ||
                  !summary_.unknown_values.empty();
    return flags_.strict && doubts ? kExitWrong : kExitFine;
  }

  // Authors that no user answers to: their actions are for nobody.
  void add_author_warnings(engine::Runtime& runtime) {
    std::map<std::string, size_t> nobody;
    for (uint32_t i = 0; i < runtime.program().units.size(); ++i) {
      const plan::UnitPlan& unit = *runtime.program().units[i];
      if (unit.kind == plan::UnitKind::kAction && runtime.index().author_of(i).empty())
        ++nobody[unit.author];
    }
    constexpr size_t kShownMax = 5;
    size_t shown = 0;
    for (const auto& [author, count] : nobody) {
      if (++shown > kShownMax) break;
      summary_.warnings.push_back(
          fmt::format("there is no user \"{}\"; {} for nobody until there is", author,
                      count == 1 ? "1 action is" : fmt::format("{} actions are", count)));
    }
    if (nobody.size() > kShownMax)
      summary_.warnings.push_back(
          fmt::format("and {} more authors that are no users", nobody.size() - kShownMax));
  }

  static const Bounds& bounds(const engine::Runtime& runtime) {
    return runtime.program().options.bounds;
  }

  const RunFlags& flags_;
  CompiledProgram compiled_;
  adapters::SystemClock clock_;
  Outside outside_;
  RunSummary summary_;
  Progress progress_;
  bool warnings_ = false;
  uint64_t dead_letters_shown_ = 0;
};

}  // namespace

void add_run(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* command = app.add_subcommand("run", "Run a stream of events through automations");
  flags->program.add_to(*command, true);
  command->add_option("--events", flags->events, "The stream: a file, or - for standard input");
  command->add_option("--records", flags->records,
                      "Records to start with; every line fills the copy and starts nothing");
  command->add_option("--store", flags->store,
                      "Keep everything in this SQLite file, and go on from where it stands");
  command
      ->add_option("--clock", flags->clock,
                   "event: the latest `at` seen; wall: this machine's clock")
      ->check(CLI::IsMember({"event", "wall"}))
      ->capture_default_str();
  command->add_option("--source", flags->source, "The stream's name, where it is not the file's");
  command->add_option("--output", flags->lines, "ndjson: one line a decision on standard output")
      ->check(CLI::IsMember({"ndjson"}));
  command->add_option("--verdicts", flags->verdicts, "all: keep why automations did not start, too")
      ->check(CLI::IsMember({"all"}));
  flags->delivery.add_to(*command);
  command->add_option("--batch", flags->batch, "Lines in one commit")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      ->add_option("--threads", flags->threads,
                   "Threads that read lines and encode records; the output is the same for any")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--report", flags->report, "Write an HTML page of what happened");
  command->add_flag("--dry-run", flags->dry_run, "Change nothing: work on a copy of the store");
  command->add_flag("--from-start", flags->from_start,
                    "Read the stream again from its start, dropping what was seen");
  command->add_flag("--strict", flags->strict, "Warnings are errors");
  command->add_flag("--quiet", flags->quiet, "No progress and no summary");
  flags->output.add_to(*command);
  command->footer(
      "Exit codes: 0 fine; 1 the automations or the data are wrong (dead letters, faults, parked "
      "calls); 2 usage; 3 a file,\n"
      "a disk or a store failed; 130 stopped by Ctrl-C, with everything done so far committed.");
  commands.push_back({command, [flags] { return RunCommand(*flags).run(); }});
}

}  // namespace ensue::cli
