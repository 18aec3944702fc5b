// Loading: how long a program of many automations takes from its sources to ready, against what
// ANTLR alone needs to parse them, and what it keeps in memory.
//
//   bench_loading [--rules 100000] [--users-a-file 10] [--rounds 3]
//
// Every measurement runs in a process of its own, forked before it, so that memory and caches of
// one do not reach another; the sides of a round run one after the other. Times are processor time.
#include <EnsueLexer.h>
#include <EnsueParser.h>
#include <antlr4-runtime.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "engine/program.h"
#include "engine/program_cache.h"
#include "match/rule_index.h"
#include "measure.h"

namespace ensue::bench {
namespace {

// ---- The automations --------------------------------------------------------------------------

constexpr int kActionsPerUser = 50;

std::string conditions(std::mt19937_64& chance) {
  auto below = [&](uint64_t n) { return chance() % n; };
  const std::vector<std::pair<const char*, std::vector<const char*>>> picklists = {
      {"LeadSource", {"Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"}},
      {"Rating", {"Hot", "Warm", "Cold"}},
      {"Industry", {"Banking", "Energy", "Retail", "Media"}},
      {"Status", {"Open - Not Contacted", "Working - Contacted"}}};
  const std::vector<const char*> texts = {"Company", "City", "State", "PostalCode", "Title"};
  const std::vector<const char*> numbers = {"NumberOfEmployees", "AnnualRevenue"};
  std::vector<std::string> all;
  for (const auto& [field, values] : picklists)
    all.push_back(fmt::format("{} is \"{}\"", field, values[below(values.size())]));
  for (const char* field : texts) all.push_back(fmt::format("{} is \"T{}\"", field, below(999)));
  for (const char* field : numbers) all.push_back(fmt::format("{} >= {}", field, below(9'999)));
  size_t count = 1 + below(5);
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    std::swap(all[i], all[i + below(all.size() - i)]);
    out += (i == 0 ? "" : " and ") + all[i];
  }
  return out;
}

std::vector<SourceText> sources_of(int rules, int users_a_file) {
  std::mt19937_64 chance(20261121);
  std::vector<SourceText> out{
      {"cadences.ensue",
       "cadence \"Outreach\"\n  targets Lead\n  track main\n    step \"Call\" immediately: "
       "call\nend\n"}};
  for (int n = 0; n < rules; ++n) {
    int user = n / kActionsPerUser;
    if (n % (kActionsPerUser * users_a_file) == 0)
      out.push_back({fmt::format("users/{:05}.ensue", user), ""});
    out.back().text += fmt::format(
        "action \"Rule {}\" by \"u{}@x.test\"\n  when Lead is created or edited\n"
        "  for my records\n  if {}\n  then add it to cadence \"Outreach\"\nend\n\n",
        n % kActionsPerUser, user, conditions(chance));
  }
  return out;
}

// ---- Measuring --------------------------------------------------------------------------------

struct Figures {
  double cpu = 0;         // seconds
  double wall = 0;        // seconds
  double kept_bytes = 0;  // allocated and alive afterwards
  double peak_bytes = 0;  // resident, at the most
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

size_t allocated() {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

double resident_peak() {
  std::string line;
  FILE* status = fopen("/proc/self/status", "r");
  char text[256];
  double kib = 0;
  while (fgets(text, sizeof text, status) != nullptr) {
    if (std::string_view(text).starts_with("VmHWM:")) kib = std::strtod(text + 6, nullptr);
  }
  fclose(status);
  return kib * 1024;
}

// `work` gives what must stay alive while the memory is counted.
Figures measured(const std::function<std::shared_ptr<const void>()>& work) {
  int ends[2];
  if (pipe(ends) != 0) std::exit(1);
  pid_t child = fork();
  if (child == 0) {
    Figures out;
    malloc_trim(0);
    size_t before = allocated();
    double cpu = cpu_seconds();
    auto begin = std::chrono::steady_clock::now();
    std::shared_ptr<const void> kept = work();
    out.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    out.cpu = cpu_seconds() - cpu;
    out.kept_bytes = static_cast<double>(allocated()) - static_cast<double>(before);
    out.peak_bytes = resident_peak();
    bool written = write(ends[1], &out, sizeof out) == sizeof out;
    _exit(written && kept != nullptr ? 0 : 1);
  }
  close(ends[1]);
  Figures out;
  bool whole = read(ends[0], &out, sizeof out) == sizeof out;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!whole || status != 0) {
    fmt::print(stderr, "a measurement failed\n");
    std::exit(1);
  }
  return out;
}

std::shared_ptr<const void> antlr_alone(const std::vector<SourceText>& sources) {
  size_t nodes = 0;
  for (const SourceText& source : sources) {
    antlr4::ANTLRInputStream input(source.text);
    grammar::EnsueLexer lexer(&input);
    antlr4::CommonTokenStream tokens(&lexer);
    grammar::EnsueParser parser(&tokens);
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
        antlr4::atn::PredictionMode::SLL);
    nodes += parser.file()->children.size();
    if (parser.getNumberOfSyntaxErrors() > 0) std::exit(1);
  }
  return std::make_shared<size_t>(nodes);
}

engine::ProgramPtr from_source(const std::vector<SourceText>& sources, unsigned threads) {
  engine::Loaded loaded = engine::load_program({sources, {}, nullptr, nullptr, threads});
  if (loaded.has_errors) std::exit(1);
  return loaded.program;
}

engine::ProgramPtr from_cache(const std::vector<SourceText>& sources, const std::string& bytes) {
  engine::LoadInput input{sources, {}, nullptr, nullptr};
  std::optional<engine::Loaded> loaded = engine::decode_program(bytes, input);
  if (!loaded) std::exit(1);
  return loaded->program;
}

// With the index that a runtime builds before the first event.
struct Ready {
  engine::ProgramPtr program;
  match::RuleIndex index;
};
std::shared_ptr<const void> ready(engine::ProgramPtr program) {
  auto out = std::make_shared<Ready>();
  out->program = std::move(program);
  out->index = match::RuleIndex(out->program->units, out->program->schema(),
                                out->program->options.bounds.run_steps_max,
                                [](const std::string& author) { return author; });
  return out;
}

}  // namespace
}  // namespace ensue::bench

int main(int argc, char** argv) {
  using namespace ensue::bench;
  int rules = 100'000;
  int users_a_file = 10;
  int rounds = 3;
  CLI::App app("Loading, against what ANTLR alone needs", "bench_loading");
  app.add_option("--rules", rules)->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--users-a-file", users_a_file)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rounds", rounds)->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  std::vector<ensue::SourceText> sources = sources_of(rules, users_a_file);
  size_t bytes = 0;
  for (const ensue::SourceText& source : sources) bytes += source.text.size();
  fmt::print("{} automations in {} files, {:.1f} MB\n", rules, sources.size(),
             static_cast<double>(bytes) / 1e6);
  const double text = static_cast<double>(bytes) / rules;
  std::string cache;
  {
    ensue::engine::Loaded loaded = ensue::engine::load_program({sources, {}, nullptr, nullptr});
    cache = ensue::engine::encode_program(loaded);
  }
  malloc_trim(0);
  fmt::print("compiled: {:.0f} bytes a rule\n", static_cast<double>(cache.size()) / rules);
  struct Side {
    const char* name;
    std::function<std::shared_ptr<const void>()> work;
    std::vector<double> cpu{}, wall{}, kept{}, peak{};
  };
  std::vector<Side> sides = {
      {"ANTLR alone", [&] { return antlr_alone(sources); }},
      {"from source, one thread", [&] { return from_source(sources, 1); }},
      {"from source, all cores", [&] { return from_source(sources, 0); }},
      {"from source, one, and indexed", [&] { return ready(from_source(sources, 1)); }},
      {"from the cache", [&] { return from_cache(sources, cache); }},
      {"from the cache, and indexed", [&] { return ready(from_cache(sources, cache)); }}};
  for (int round = 0; round < rounds; ++round) {
    for (Side& side : sides) {
      Figures seen = measured(side.work);
      side.cpu.push_back(seen.cpu);
      side.wall.push_back(seen.wall);
      side.kept.push_back(seen.kept_bytes);
      side.peak.push_back(seen.peak_bytes);
    }
  }
  auto per_rule = [&](double total) { return total / rules; };
  fmt::print("{:<30} {:>10} {:>10} {:>10} {:>12} {:>12}\n", "", "CPU, us", "/ ANTLR", "wall, us",
             "kept, bytes", "peak, bytes");
  double alone = median(sides[0].cpu);
  for (const Side& side : sides) {
    double cpu = median(side.cpu);
    fmt::print("{:<30} {:10.2f} {:10.2f} {:10.2f} {:12.0f} {:12.0f}\n", side.name,
               per_rule(cpu) * 1e6, cpu / alone, per_rule(median(side.wall)) * 1e6,
               per_rule(median(side.kept)) - text, per_rule(median(side.peak)));
  }
  fmt::print("(an automation each; kept: beyond its source of {:.0f} bytes)\n", text);
  fmt::print("from source / from the cache: {:.1f}; both with the index: {:.1f}\n",
             median(sides[1].cpu) / median(sides[4].cpu),
             median(sides[3].cpu) / median(sides[5].cpu));
  return 0;
}
