// `ensue dead-letters`: lines that could not be read.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/store_flags.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

struct DeadLetterFlags {
  StoreFlags store;
  std::vector<std::string> words;
  bool text = false;
};

Result<std::vector<DeadLetterRow>> read_letters(Store& store) {
  std::vector<DeadLetterRow> rows;
  Status looked = store.read([&](StoreReader& reader) {
    return reader.visit_dead_letters([&](const DeadLetterRow& row) {
      rows.push_back(row);
      return true;
    });
  });
  if (!looked) return looked.error();
  return rows;
}

int list(const DeadLetterFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  Result<std::vector<DeadLetterRow>> rows = read_letters(**store);
  if (!rows) return fail(rows.error());
  if (flags.store.output.json()) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const DeadLetterRow& row : *rows) {
      out.push_back({{"number", row.seq},
                     {"source", row.source},
                     {"line", row.line},
                     {"at", value::instant_text(row.at)},
                     {"reason", row.reason},
                     {"text", row.text}});
    }
    print(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return kExitFine;
  }
  if (rows->empty()) {
    print("no dead letters\n");
    return kExitFine;
  }
  std::vector<std::vector<std::string>> cells{{"number", "source", "line", "reason"}};
  for (const DeadLetterRow& row : *rows)
    cells.push_back({std::to_string(row.seq), row.source, std::to_string(row.line), row.reason});
  print(table(cells, {true, false, true}));
  if (!flags.text) return kExitFine;
  for (const DeadLetterRow& row : *rows) print(fmt::format("{}: {}\n", row.seq, row.text));
  return kExitFine;
}

int retry(DeadLetterFlags flags) {
  std::optional<int64_t> wanted;
  size_t paths_from = 1;
  if (flags.words.size() > 1 && flags.words[1] != "all" &&
      flags.words[1].find_first_not_of("0123456789") == std::string::npos) {
    wanted = std::stoll(flags.words[1]);
    paths_from = 2;
  } else if (flags.words.size() > 1 && flags.words[1] == "all") {
    paths_from = 2;
  }
  flags.store.program.paths.assign(flags.words.begin() + static_cast<std::ptrdiff_t>(paths_from),
                                   flags.words.end());
  OpenedRuntime opened =
      open_runtime(flags.store.store, flags.store.program, flags.store.output, true);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  Result<std::vector<DeadLetterRow>> rows = read_letters(opened.runtime->store());
  if (!rows) return fail(rows.error());
  size_t tried = 0;
  size_t read = 0;
  for (const DeadLetterRow& row : *rows) {
    if (wanted && row.seq != *wanted) continue;
    ++tried;
    engine::Runtime::Lines batch;
    batch.source = row.source;
    batch.lines = {{row.text, row.line}};
    batch.dead_letter = row.seq;
    Result<BatchReport> report = opened.runtime->submit(batch);
    if (!report) return fail(report.error());
    if (report->dead_letters.empty()) ++read;
    for (const DeadLetterRow& again : report->dead_letters)
      complain(fmt::format("{}:{}: {}", again.source, again.line, again.reason));
    for (const Decision& decision : report->decisions) print(decision.json() + "\n");
  }
  if (wanted && tried == 0)
    return fail({ErrorCode::kNotFound, fmt::format("there is no dead letter {}", *wanted)});
  fmt::print(stderr, "{} tried, {} read\n", counted(tried, "dead letter"), grouped(read));
  return read == tried ? kExitFine : kExitWrong;
}

int run_dead_letters(const DeadLetterFlags& flags) {
  if (flags.words.empty() || flags.words[0] == "list") return list(flags);
  if (flags.words[0] == "retry") return retry(flags);
  complain("write: ensue dead-letters [list | retry [NUMBER | all] [PATH…]]");
  return kExitUsage;
}

}  // namespace

void add_dead_letters(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<DeadLetterFlags>();
  CLI::App* command = app.add_subcommand(
      "dead-letters", "List the lines that could not be read, or try them again");
  command->add_option("WORDS", flags->words, "[list] | retry [NUMBER | all] [PATH…]");
  flags->store.add_to(*command, false);
  command->add_flag("--text", flags->text, "Show the lines too");
  commands.push_back({command, [flags] { return run_dead_letters(*flags); }});
}

}  // namespace ensue::cli
