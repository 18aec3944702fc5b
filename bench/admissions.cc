// Durable admissions: events that each run an action, committed one by one and in groups, next to a
// bare SQLite loop that writes the same rows.
//
//   bench_admissions [--events N] [--rounds N] [--clients N]
//
// What the bare loop writes is not chosen by hand. A first, untimed pass of the engine is watched
// through SQLite's own trace; every INSERT, UPDATE, DELETE, BEGIN and COMMIT it made is kept with
// its values, and the loop runs them again as prepared statements on a fresh store. The files are
// compared afterwards: both must hold the same rows.
#include <fmt/format.h>
#include <sqlite3.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "ensue/engine.h"
#include "ensue/writer.h"
#include "fresh_engine.h"
#include "measure.h"
#include "recorded_writes.h"

namespace ensue::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kRules = R"(
cadence "Outreach"
  track main
    step "Call" immediately: call
end
action "Start" by "ana@x.test"
  when Lead is created or edited
  for my records
  if NumberOfEmployees >= 100 and LeadSource is "Web"
  then add it to cadence "Outreach"
end
limits "Bench"
  each user: at most 10_000_000 action executions per day
  whole org: at most 10_000_000 action executions per day
end
)";

std::string lead(size_t n) {
  return fmt::format(
      R"({{"id":"e{0}","entity":"Lead","ids":["00Q{0:07}"],"kind":"create","at":"2026-01-05T14:{1:02}:{2:02}Z","by":"005ana","set":{{"LastName":"Roe {0}","Company":"Firm {3}","LeadSource":"Web","NumberOfEmployees":{4},"Email":"l{0}@x.test","OwnerId":"005ana"}}}})",
      n, n / 60 % 60, n % 60, n % 20'000, 100 + n % 900);
}

// ---- Two sides --------------------------------------------------------------------------------

FreshEngine open_engine(const std::string& path) {
  return fresh_engine(
      path, kRules,
      {R"({"entity":"User","ids":["005ana"],"kind":"snapshot","set":{"Username":"ana@x.test","IsActive":true}})"});
}

void engine_singly(const std::string& path, const std::vector<std::string>& lines, Side& side,
                   Recorder* recorder = nullptr) {
  FreshEngine engines = open_engine(path);
  if (recorder != nullptr) recorder->start();
  auto begin = SteadyClock::now();
  for (size_t i = 0; i < lines.size(); ++i) {
    auto from = SteadyClock::now();
    Result<BatchReport> report = engines.engine->submit("crm", {{lines[i], i + 1}});
    if (!report) fail(report.error().message);
    if (report->statuses["executed"] != 1) fail("an event that ran nothing");
    side.latencies.push_back(Seconds(SteadyClock::now() - from).count());
  }
  side.seconds.push_back(Seconds(SteadyClock::now() - begin).count());
  side.commits += lines.size();
}

// Clients that wait for their answer before they send the next line.
void engine_grouped(const std::string& path, const std::vector<std::string>& lines, size_t clients,
                    Side& side) {
  FreshEngine engines = open_engine(path);
  std::vector<std::vector<double>> latencies(clients);
  auto begin = SteadyClock::now();
  {
    Writer writer(*engines.engine);
    std::vector<std::thread> threads;
    for (size_t client = 0; client < clients; ++client) {
      threads.emplace_back([&, client] {
        for (size_t i = client; i < lines.size(); i += clients) {
          auto from = SteadyClock::now();
          Result<BatchReport> report =
              writer.submit({fmt::format("crm {}", client), {lines[i]}, i + 1, {}}).get();
          if (!report) fail(report.error().message);
          latencies[client].push_back(Seconds(SteadyClock::now() - from).count());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    side.commits += writer.commits();
  }
  side.seconds.push_back(Seconds(SteadyClock::now() - begin).count());
  for (const auto& of_client : latencies)
    side.latencies.insert(side.latencies.end(), of_client.begin(), of_client.end());
}

// ---- The table --------------------------------------------------------------------------------

double percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(part * static_cast<double>(values.size())))];
}

void print(const char* name, const Side& side, size_t lines, const Side* against) {
  std::string ratio = "";
  if (against != nullptr) {
    std::vector<double> ratios;
    for (size_t i = 0; i < side.seconds.size(); ++i)
      ratios.push_back(side.seconds[i] / against->seconds[i]);
    ratio = fmt::format("{:8.2f}", median(ratios));
  }
  double admissions = static_cast<double>(lines * side.seconds.size());
  fmt::print("  {:<34}{:10.0f}{:10.2f}{:10.2f}{:12.1f}{}\n", name,
             static_cast<double>(lines) / median(side.seconds),
             percentile(side.latencies, 0.5) * 1000, percentile(side.latencies, 0.99) * 1000,
             admissions / static_cast<double>(side.commits), ratio);
}

int run(size_t events, size_t rounds, size_t clients) {
  std::filesystem::path folder = std::filesystem::current_path() / "bench_admissions.tmp";
  std::filesystem::create_directories(folder);
  std::string engine_path = folder / "engine.db";
  std::string bare_path = folder / "bare.db";
  std::vector<std::string> lines;
  for (size_t i = 0; i < events; ++i) lines.push_back(lead(i));

  Side unmeasured;
  Recording recording;
  {
    Recorder recorder;
    engine_singly(engine_path, lines, unmeasured, &recorder);
    recording = recorder.stop();
  }
  size_t written = recording.rows();
  open_engine(bare_path);  // and closed: an empty store of the same layout
  BareLoop(bare_path, recording).run(1, unmeasured);
  if (row_counts(engine_path) != row_counts(bare_path)) fail("the two have not written the same");

  Side bare_single;
  Side engine_single;
  Side bare_group;
  Side engine_group;
  for (size_t round = 0; round < rounds; ++round) {
    auto bare = [&](Side& side, size_t group) {
      open_engine(bare_path);
      BareLoop(bare_path, recording).run(group, side);
    };
    if (round % 2 == 0) bare(bare_single, 1);
    engine_singly(engine_path, lines, engine_single);
    if (round % 2 == 1) bare(bare_single, 1);
    engine_grouped(engine_path, lines, clients, engine_group);
    // As many together as the engine had.
    bare(bare_group, std::max<uint64_t>(1, events * (round + 1) / engine_group.commits));
  }
  fmt::print(
      "Durable admissions: {} events, each runs an action ({:.1f} rows written by each); {} rounds "
      "in turn, medians;\nSQLite {} in WAL mode, synchronous = FULL, on the disk of {}\n\n",
      events, static_cast<double>(written) / static_cast<double>(events), rounds,
      sqlite3_libversion(), std::filesystem::current_path().filename().string());
  fmt::print("  {:<34}{:>10}{:>10}{:>10}{:>12}{:>8}\n", "", "per s", "p50 ms", "p99 ms", "a commit",
             "ratio");
  print("bare SQLite loop, one by one", bare_single, events, nullptr);
  print("Engine::submit, one by one", engine_single, events, &bare_single);
  print("bare SQLite loop, grouped", bare_group, events, nullptr);
  print(fmt::format("Writer, {} clients", clients).c_str(), engine_group, events, &bare_group);
  fmt::print("\n  ratio: time against the bare loop above, median of the rounds\n\n");
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace ensue::bench

int main(int count, char** words) {
  size_t events = 4000;
  size_t rounds = 5;
  size_t clients = 64;
  CLI::App app("Durable admissions next to a bare SQLite loop", "bench_admissions");
  app.add_option("--events", events)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rounds", rounds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--clients", clients)->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, count, words);
  return ensue::bench::run(events, rounds, clients);
}
