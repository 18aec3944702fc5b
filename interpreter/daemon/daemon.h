// The scheduler daemon: rules from folders, events from several doors, timers, a store, until it is
// told to stop. `ensue serve` is a thin wrapper around it.
//
// Threads: the caller's runs the loop (signals, files that changed, timers, deliveries); one
// commits (ensue/writer.h); one reads each followed file and standard input; some answer HTTP.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/http_front.h"
#include "daemon/log.h"
#include "engine/program.h"
#include "ensue/engine.h"

namespace ensue::daemon {

struct DaemonOptions {
  ProgramOptions program;
  bool wall_clock = true;  // else the clock of the events, and timers fire between them
  bool keep_all_verdicts = false;
  size_t threads = 1;  // as in EngineOptions
  bool http_on = true;
  HttpOptions http;
  std::vector<std::string> follow;  // files that other programs append to
  bool standard_input = false;
  size_t batch_lines_max = 500;       // of one commit; a request is not divided
  size_t queued_lines_max = 100'000;  // of all requests that wait for a commit
  std::vector<std::string> watched;   // paths of the automations
  // Where changes of records, calls of services and e-mails go; null: nowhere.
  std::unique_ptr<Sink> sink{};
  std::unique_ptr<Sink> services{};
  std::unique_ptr<Sink> mail{};
};

// What the daemon asks of the program it stands in.
struct DaemonHost {
  // The automations as they are on disk now.
  std::function<Result<std::vector<SourceText>>()> read_sources;
  // Loads them: engine::load_program, or from what is kept of an earlier start.
  std::function<engine::Loaded(engine::LoadInput)> load;
  std::function<Result<std::shared_ptr<Store>>()> open_store;
  // A second view of the store, for looking beside the engine; null: there is none.
  std::function<Result<std::shared_ptr<Store>>()> look_at_store;
  // The automations the store was last run with, and keeping those of now.
  std::function<Result<std::vector<SourceText>>(Store&)> stored_sources;
  std::function<Status(Store&, const engine::Program&)> keep_sources;
  // Diagnostics as text, for the log.
  std::function<std::string(const engine::Loaded&)> render;
};

// How it ended.
enum class DaemonEnd : unsigned char {
  kStopped,      // SIGTERM
  kInterrupted,  // SIGINT
  kBroken,       // the automations have errors, and the store has none that were good
  kFailed,       // the world: a port, a store, a disk
};

// Runs until a signal or an error ends it; everything is told in the log. SIGTERM and SIGINT finish
// the batch at hand and end within 5 seconds; SIGHUP reads the automations again.
DaemonEnd serve(DaemonOptions options, const DaemonHost& host, Log& log);

}  // namespace ensue::daemon
