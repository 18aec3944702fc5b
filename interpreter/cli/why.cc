// `ensue why` and `ensue why not`.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/line_reader.h"
#include "cli/store_flags.h"
#include "engine/explain.h"

namespace ensue::cli {
namespace {

struct WhyFlags {
  ProgramFlags program;
  OutputFlags output;
  std::vector<std::string> words;
  std::string store;
  std::string events;
  std::vector<std::string> records;
};

constexpr const char* kUsage =
    "write: ensue why [not] \"AUTOMATION\" for Object/id [since TIME] [PATH…] --store FILE";

struct Question {
  bool negated = false;
  std::string automation;
  std::string record;
  std::string since;
  std::vector<std::string> paths;
};

std::optional<Question> parse(const std::vector<std::string>& words) {
  Question out;
  size_t at = 0;
  if (at < words.size() && words[at] == "not") {
    out.negated = true;
    ++at;
  }
  if (at + 2 >= words.size() || words[at + 1] != "for") return std::nullopt;
  out.automation = words[at];
  out.record = words[at + 2];
  at += 3;
  if (at < words.size() && words[at] == "since") {
    if (at + 1 >= words.size()) return std::nullopt;
    out.since = words[at + 1];
    at += 2;
  }
  out.paths.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  return out;
}

// Without a store the question is answered by running the stream in memory first.
Status replay(engine::Runtime& runtime, const std::string& file, bool snapshots) {
  Result<LineReader> reader =
      LineReader::open(file, runtime.program().options.bounds.event_bytes_max);
  if (!reader) return reader.error();
  for (;;) {
    auto line = reader->next();
    if (!line) return line.error();
    if (!line->has_value()) return {};
    engine::Runtime::Lines batch;
    batch.source = file;
    batch.lines = {{**line, reader->line_number()}};
    batch.snapshots = snapshots;
    Result<BatchReport> report = runtime.submit(batch);
    if (!report) return report.error();
  }
}

int run_why(WhyFlags flags) {
  std::optional<Question> question = parse(flags.words);
  if (!question) {
    complain(kUsage);
    return kExitUsage;
  }
  flags.program.paths = question->paths;
  if (flags.store.empty() && flags.events.empty()) {
    complain("name a store with --store, or a stream with --events");
    return kExitUsage;
  }
  OpenedRuntime opened = open_runtime(flags.store, flags.program, flags.output, false);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  engine::Runtime& runtime = *opened.runtime;
  if (flags.store.empty()) {
    for (const std::string& file : flags.records) {
      if (Status done = replay(runtime, file, true); !done) return fail(done.error());
    }
    if (Status done = replay(runtime, flags.events, false); !done) return fail(done.error());
  }
  std::optional<Instant> since;
  if (!question->since.empty()) {
    since = instant_option(question->since, runtime.program().zone.name());
    if (!since) {
      complain(fmt::format("\"{}\" is no date or time", question->since));
      return kExitUsage;
    }
  }
  Result<engine::Explanation> explanation =
      engine::explain(runtime, question->automation, question->record, since);
  if (!explanation) return fail(explanation.error());
  if (flags.output.json()) {
    print(explanation->json() + "\n");
    return kExitFine;
  }
  if (question->negated && explanation->started()) print("it did run\n");
  print(explanation->text());
  return kExitFine;
}

}  // namespace

void add_why(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<WhyFlags>();
  CLI::App* command =
      app.add_subcommand("why", "Tell why an automation ran on a record, or why not");
  command
      ->add_option("WORDS", flags->words, "[not] \"AUTOMATION\" for Object/id [since TIME] [PATH…]")
      ->required();
  command->add_option(
      "--store", flags->store,
      "The store that ran it; the automations kept in it are used unless a PATH is given");
  command->add_option("--events", flags->events,
                      "Without a store: run this stream in memory first");
  command->add_option("--records", flags->records, "Records to start that run with");
  command->add_option("--zone", flags->program.zone, "The org's time zone")->capture_default_str();
  command->add_option("--currency", flags->program.currency, "The org's currency")
      ->capture_default_str();
  command->add_option("--as", flags->program.as, "The author of actions without `by`");
  flags->output.add_to(*command);
  commands.push_back({command, [flags] { return run_why(*flags); }});
}

}  // namespace ensue::cli
