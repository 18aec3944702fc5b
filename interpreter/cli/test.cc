// `ensue test`: run the tests that stand in the sources.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "adapters/memory_store.h"
#include "base/markup.h"
#include "cli/command.h"
#include "engine/test_runner.h"
#include "source/render.h"

namespace ensue::cli {
namespace {

struct TestFlags {
  ProgramFlags program;
  OutputFlags output;
  std::string filter;
  std::string junit;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool coverage = false;
  bool strict = false;
};

// The failing sentence with its line, as a diagnostic is shown.
std::string shown_failure(const engine::TestResult& result, const source::SourceSet& sources,
                          bool color) {
  if (!result.failure) return "  " + result.world + "\n";
  Diagnostic diagnostic;
  diagnostic.code = "test";
  diagnostic.message = result.failure->message;
  diagnostic.primary.place = sources.place(result.failure->span);
  source::RenderOptions options;
  options.color = color;
  std::string text = source::render_text(std::span(&diagnostic, 1), sources, options);
  size_t bracket = text.find(']');
  size_t colon = text.find(": ", bracket);
  return colon == std::string::npos ? text : "  " + text.substr(colon + 2);
}

// XML 1.0 has no way to write the control characters, so they become blanks.
std::string xml(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
  }
  return base::escape_markup(text);
}

Status write_junit(const std::string& path, const std::vector<engine::TestResult>& results) {
  size_t failed = static_cast<size_t>(
      std::count_if(results.begin(), results.end(), [](const auto& r) { return !r.passed; }));
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"ensue\" tests=\"{}\" "
      "failures=\"{}\">\n",
      results.size(), failed);
  for (const engine::TestResult& result : results) {
    out += fmt::format("  <testcase name=\"{}\" classname=\"{}\" line=\"{}\"", xml(result.name),
                       xml(result.file), result.line);
    if (result.passed) {
      out += "/>\n";
      continue;
    }
    std::string message = result.failure ? result.failure->message : result.world;
    out += fmt::format(">\n    <failure message=\"{}\"/>\n  </testcase>\n", xml(message));
  }
  out += "</testsuite>\n";
  std::ofstream file(path, std::ios::binary);
  file << out;
  file.close();
  if (!file) return {ErrorCode::kIo, fmt::format("cannot write {}", path)};
  return {};
}

void print_json(const std::vector<engine::TestResult>& results, const source::SourceSet& sources,
                const std::optional<engine::CoverageReport>& coverage) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const engine::TestResult& result : results) {
    nlohmann::ordered_json row{{"name", result.name},
                               {"file", result.file},
                               {"line", result.line},
                               {"passed", result.passed}};
    if (result.failure) {
      Place place = sources.place(result.failure->span);
      row["failure"] = {
          {"message", result.failure->message}, {"line", place.line}, {"column", place.column}};
    }
    if (!result.world.empty()) row["error"] = result.world;
    rows.push_back(std::move(row));
  }
  nlohmann::ordered_json out{{"tests", std::move(rows)}};
  if (coverage) {
    out["coverage"] = {{"outcomes", coverage->outcomes},
                       {"outcomes_seen", coverage->outcomes_seen},
                       {"automations", coverage->automations},
                       {"automations_run", coverage->automations_run},
                       {"missing", coverage->missing}};
  }
  print(out.dump() + "\n");
}

int run_test(const TestFlags& flags) {
  LoadedProgram loaded = load_or_complain(flags.program, flags.output);
  if (loaded.exit_code != kExitFine) return loaded.exit_code;
  engine::Coverage coverage;
  engine::TestOptions options;
  options.filter = flags.filter;
  options.threads = flags.threads;
  options.coverage = flags.coverage ? &coverage : nullptr;
  options.make_store = [] { return std::shared_ptr<Store>(adapters::make_memory_store()); };
  std::vector<engine::TestResult> results =
      engine::run_tests(loaded.loaded.program, *loaded.loaded.module, options);
  std::optional<engine::CoverageReport> report;
  if (flags.coverage) report = engine::report_coverage(*loaded.loaded.program, coverage);
  size_t failed = 0;
  for (const engine::TestResult& result : results) failed += result.passed ? 0 : 1;
  if (flags.output.json()) {
    print_json(results, *loaded.loaded.sources, report);
  } else {
    bool color = flags.output.colored(STDOUT_FILENO);
    for (const engine::TestResult& result : results) {
      std::string mark = result.passed ? (color ? "\033[32mok\033[0m  " : "ok  ")
                                       : (color ? "\033[31mFAIL\033[0m" : "FAIL");
      print(fmt::format("{}  {}\n", mark, result.name));
      if (!result.passed) print(shown_failure(result, *loaded.loaded.sources, color));
    }
    if (report) {
      auto percent = [](size_t part, size_t whole) {
        return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
      };
      print(
          fmt::format("coverage: {} of {} automations started ({:.0f} %), {} of {} outcomes of "
                      "conditions seen ({:.0f} %)\n",
                      report->automations_run, report->automations,
                      percent(report->automations_run, report->automations), report->outcomes_seen,
                      report->outcomes, percent(report->outcomes_seen, report->outcomes)));
      for (const std::string& missing : report->missing) print("  " + missing + "\n");
    }
    std::string summary =
        results.empty()
            ? (flags.filter.empty() ? "no tests"
                                    : fmt::format("no test is called like \"{}\"", flags.filter))
            : fmt::format("{}: {} passed, {} failed", counted(results.size(), "test"),
                          results.size() - failed, failed);
    print(summary + "\n");
  }
  if (!flags.junit.empty()) {
    if (Status written = write_junit(flags.junit, results); !written) return fail(written.error());
  }
  bool nothing_found = results.empty() && !flags.filter.empty();
  return failed > 0 || nothing_found || (flags.strict && loaded.loaded.has_warnings) ? kExitWrong
                                                                                     : kExitFine;
}

}  // namespace

void add_test(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<TestFlags>();
  CLI::App* command = app.add_subcommand("test", "Run the tests that stand in the sources");
  flags->program.add_to(*command, true);
  command->add_option("--filter", flags->filter, "Only tests whose name contains this");
  command->add_option("--junit", flags->junit, "Write the results to this file, in JUnit's form");
  command->add_option("--threads", flags->threads, "How many tests run at the same time")
      ->check(CLI::Range(1u, 256u))
      ->capture_default_str();
  command->add_flag("--coverage", flags->coverage,
                    "Report which automations and which outcomes of conditions the tests saw");
  command->add_flag("--strict", flags->strict, "Warnings are errors");
  flags->output.add_to(*command);
  commands.push_back({command, [flags] { return run_test(*flags); }});
}

}  // namespace ensue::cli
