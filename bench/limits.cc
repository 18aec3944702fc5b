// What limits cost: the same rules on the same events through the whole engine, with limits and
// without.
//
//   bench_limits [--events N] [--rounds N] [--batch N] [--side with|without]
//
// The limits never bind: a number a day for each user, one for the org, and one in ten seconds for
// each user, so an execution is charged to three counters. The other side is the same program with
// its limits taken out, those of the library too. Sides take turns batch by batch, each in a
// process and on a store of its own (lockstep.h); the ratio is of processor time. Before, writes
// are looked at: each charge is one row, and each counter is written at most once for a batch,
// however many executions were charged to it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "ensue/engine.h"
#include "ensue/stores.h"
#include "fresh_engine.h"
#include "leads.h"
#include "lockstep.h"
#include "measure.h"
#include "recorded_writes.h"
#ifdef ENSUE_BENCH_CALLGRIND
#include <valgrind/callgrind.h>
#endif

namespace ensue::bench {
namespace {

constexpr size_t kCounters = 3;  // that an execution is charged to

struct Options {
  size_t events = 40'000;
  size_t rounds = 5;
  size_t batch = 500;
  std::string side;   // that this process is: alone for callgrind, or taking turns
  std::string turns;  // the stream and the kind of store
};

struct Stream {
  std::string word;
  std::string name;
  std::vector<std::string> lines;
  size_t executed = 0;
};

// An engine under way with its part of a stream.
class Run {
 public:
  // Empty `path`: a store in memory.
  Run(const std::string& path, const engine::ProgramPtr& program) {
    std::shared_ptr<Store> store;
    if (path.empty()) {
      store = make_memory_store();
    } else {
      remove_store(path);
      Result<std::shared_ptr<Store>> opened = open_store(path);
      if (!opened) fail(opened.error().message);
      store = std::move(*opened);
    }
    opened_ = fresh_engine(std::move(store), program, lead_users());
  }

  // The events from `first` on, one batch.
  void submit(const Stream& stream, size_t first, size_t batch) {
    rows_.clear();
    for (size_t i = first; i < std::min(first + batch, stream.lines.size()); ++i)
      rows_.push_back({stream.lines[i], i + 1});
    double begin = processor_seconds();
    Result<BatchReport> report = opened_.engine->submit("crm", rows_);
    seconds_ += processor_seconds() - begin;
    if (!report) fail(report.error().message);
    executed_ += report->statuses["executed"];
  }

  // Processor time of the batches.
  double finish(const Stream& stream) const {
    if (executed_ != stream.executed) fail("other actions ran than should");
    return seconds_;
  }

 private:
  FreshEngine opened_;
  std::vector<InputLine> rows_;
  double seconds_ = 0;
  uint64_t executed_ = 0;
};

struct CounterWrites {
  size_t charges = 0;  // rows, one for each counter of each execution
  size_t counters = 0;
  size_t sliding = 0;  // instants of sliding windows, put and taken away
};

// Ends the process when a counter is written twice in one commit.
CounterWrites counter_writes(const Recording& recording) {
  CounterWrites out;
  std::set<int64_t> written;
  for (const Write& write : recording.writes) {
    const std::string& sql = recording.sql(write);
    if (sql.rfind("BEGIN", 0) == 0) written.clear();
    if (sql.rfind("INSERT OR FAIL INTO charge", 0) == 0) ++out.charges;
    if (sql.find(" burst ") != std::string::npos) ++out.sliding;
    if (sql.rfind("UPDATE quota", 0) != 0) continue;
    ++out.counters;
    if (!written.insert(write.values.back().integer).second)
      fail("a counter is written twice in one commit");
  }
  return out;
}

class Comparison {
 public:
  explicit Comparison(const Options& options) : options_(options) {
    with_ =
        load_rules(lead_rules("  each user: at most 1_000_000 action executions per 10 seconds\n"));
    auto without = std::make_shared<engine::Program>(*with_);
    without->limits.clear();
    without_ = std::move(without);
  }

  // One side alone, of whose batches callgrind counts the instructions.
  void count_instructions(const Stream& stream, const std::string& path) const {
#ifdef ENSUE_BENCH_CALLGRIND
    Run run(path, options_.side == "with" ? with_ : without_);
    CALLGRIND_TOGGLE_COLLECT;
    for (size_t i = 0; i < stream.lines.size(); i += options_.batch)
      run.submit(stream, i, options_.batch);
    CALLGRIND_TOGGLE_COLLECT;
    run.finish(stream);
#else
    (void)stream, (void)path;
    fail("built without valgrind/callgrind.h: install valgrind, configure again");
#endif
  }

  void check_writes(const Stream& stream, const std::string& path) const {
    for (const engine::ProgramPtr& program : {with_, without_}) {
      Recorder recorder;
      Run run(path, program);
      recorder.start();
      for (size_t i = 0; i < stream.lines.size(); i += options_.batch)
        run.submit(stream, i, options_.batch);
      run.finish(stream);
      CounterWrites writes = counter_writes(recorder.stop().row_by_row());
      if (writes.charges != (program == with_ ? stream.executed * kCounters : 0))
        fail("executions were charged otherwise than they should");
      if (program != with_) continue;
      auto each = [&](size_t count) {
        return static_cast<double>(count) / static_cast<double>(stream.executed);
      };
      fmt::print("  {}: {:.2f} charges, {:.2f} counters, {:.2f} instants of windows written\n",
                 stream.name, each(writes.charges), each(writes.counters), each(writes.sliding));
    }
  }

  // Each side in a process of its own; in memory or in a file.
  void measure(const Stream& stream, const std::string& store) const {
    std::vector<double> with;
    std::vector<double> without;
    std::vector<double> ratios;
    auto words = [&](const char* side) {
      return std::vector<std::string>{"--side",   side,
                                      "--turns",  stream.word + "-" + store,
                                      "--events", std::to_string(options_.events),
                                      "--batch",  std::to_string(options_.batch)};
    };
    size_t steps = (stream.lines.size() + options_.batch - 1) / options_.batch;
    for (size_t round = 0; round < options_.rounds; ++round) {
      std::vector<Used> used = take_turns({words("with"), words("without")}, steps);
      with.push_back(used[0].processor);
      without.push_back(used[1].processor);
      ratios.push_back(with.back() / without.back());
    }
    double each = 1e6 / static_cast<double>(stream.lines.size());
    double execution =
        (median(with) - median(without)) / static_cast<double>(stream.executed) * 1e6;
    auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    fmt::print("  {:<36}{:<8}{:>7.2f}{:>9.2f}{:>14.2f}{:>9.3f}   {:.3f} to {:.3f}\n", stream.name,
               store == "memory" ? "memory" : "SQLite", median(without) * each, median(with) * each,
               execution, median(ratios), *least, *most);
  }

  // The process of one side.
  void take_part(const Stream& stream, const std::string& path) const {
    Run run(path, options_.side == "with" ? with_ : without_);
    work_in_step([&](size_t i) { run.submit(stream, i * options_.batch, options_.batch); });
    run.finish(stream);
  }

 private:
  Options options_;
  engine::ProgramPtr with_;
  engine::ProgramPtr without_;
};

int run(const Options& options) {
  std::filesystem::path folder = std::filesystem::current_path() / "bench_limits.tmp";
  std::filesystem::create_directories(folder);
  std::string path = folder / ("engine" + options.side + ".db");
  auto tenth = [&] {
    return Stream{"tenth", "one event in ten executes an action", leads(options.events, 10),
                  (options.events + 9) / 10};
  };
  auto every = [&] {
    return Stream{"every", "every event executes an action", leads(options.events / 4, 1),
                  options.events / 4};
  };
  Comparison comparison(options);
  if (!options.turns.empty()) {
    bool memory = options.turns.ends_with("memory");
    comparison.take_part(options.turns.starts_with("tenth") ? tenth() : every(),
                         memory ? "" : path);
    if (!memory) remove_store(path);
    return 0;
  }
  if (!options.side.empty()) {
    comparison.count_instructions(tenth(), path);
    std::filesystem::remove_all(folder);
    return 0;
  }
  std::vector<Stream> streams = {tenth(), every()};
  fmt::print(
      "Limits: {} and {} events, {} automations, {} events a commit; {} rounds, sides in turn "
      "batch by batch, medians\n\n"
      "  written for an execution, {} counters each\n",
      streams[0].lines.size(), streams[1].lines.size(), kUsers * kActionsOfUser, options.batch,
      options.rounds, kCounters);
  for (const Stream& stream : streams) comparison.check_writes(stream, path);
  fmt::print("\n  {:<44}{:>7}{:>9}{:>14}{:>9}\n", "processor, us an event", "without", "with",
             "an execution", "ratio");
  for (const Stream& stream : streams) {
    for (const char* store : {"file", "memory"}) comparison.measure(stream, store);
  }
  fmt::print("\n  an execution: us that its charges add\n\n");
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace ensue::bench

int main(int count, char** words) {
  ensue::bench::Options options;
  CLI::App app("The whole engine with limits and without", "bench_limits");
  app.add_option("--events", options.events)
      ->check(CLI::Range(40, 1'000'000))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--batch", options.batch)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--side", options.side, "Run one side alone, for callgrind")
      ->check(CLI::IsMember({"with", "without"}));
  app.add_option("--turns", options.turns, "Of a side that is told by another process what to do")
      ->check(CLI::IsMember({"tenth-file", "tenth-memory", "every-file", "every-memory"}));
  CLI11_PARSE(app, count, words);
  return ensue::bench::run(options);
}
