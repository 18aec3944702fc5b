#include "support/simulation/crash_run.h"

#include <algorithm>
#include <set>

#include "adapters/memory_store.h"

namespace ensue::testing {
namespace {

constexpr const char* kPath = "/store.db";
constexpr int kDepthMax = 3;  // crashes in a row

engine::RuntimeOptions options_with(RecordingService& service) {
  engine::RuntimeOptions out;
  out.sink = &service;
  return out;
}

std::string fault_name(const DiskFault& fault) {
  std::string out = fault.kind == DiskFault::Kind::kFull ? "full disk" : "I/O error";
  return out + (fault.lasting ? " from call " : " at call ") + std::to_string(fault.at);
}

engine::Runtime::Lines batch_of(const Scenario& scenario, uint64_t from, uint64_t to) {
  engine::Runtime::Lines out;
  out.source = kSource;
  for (uint64_t i = from; i < to; ++i) out.lines.push_back({scenario.lines[i].text, i + 1});
  out.cursor = cursor_at(to);
  return out;
}

}  // namespace

// ---- Figures ----------------------------------------------------------------------------------

void Figures::add(const std::vector<std::string>& found, const std::string& where) {
  constexpr size_t kShownMax = 12;
  violations += found.empty() ? 0 : 1;
  if (!found.empty() && first_violations.size() < kShownMax) {
    std::string text = where;
    for (const std::string& violation : found) text += "\n  " + violation;
    first_violations.push_back(text);
  }
}

std::string Figures::text() const {
  auto counted = [](uint64_t count, const char* what) {
    return std::to_string(count) + " " + what;
  };
  return counted(seeds, "seeds, ") + counted(crash_points, "crash points, ") +
         counted(recovery_crashes, "crashes during recovery, ") +
         counted(full_disk_runs, "full-disk runs, ") + counted(io_error_runs, "I/O-error runs, ") +
         counted(faults_told, "faults told, ") + counted(violations, "violations");
}

// ---- One process ------------------------------------------------------------------------------

// The engine with its store, from opening to its end.
class CrashRun::Process {
 public:
  Process(const Scenario& scenario, SimulatedDisk& disk, RecordingService& service,
          adapters::StoreSync sync)
      : scenario_(scenario), disk_(disk), vfs_(disk), service_(service), sync_(sync) {}

  // Opens the store, again if it has to; after an error nothing is open.
  Status start() {
    stop();
    Status started = open();
    if (!started) stop();
    return started;
  }
  // Ends in good order, and opens the store again.
  Status restart() {
    if (Status rested = runtime_->rest(); !rested) return rested;
    return start();
  }
  bool running() const { return runtime_ != nullptr; }
  void stop() {
    runtime_.reset();
    store_.reset();
  }
  Status submit(uint64_t from, uint64_t to) {
    bool failed = failed_syncs_ != disk_.failed_syncs();
    Result<BatchReport> report = runtime_->submit(batch_of(scenario_, from, to));
    if (!report) return report.error();
    went_on_ = went_on_ || failed;
    return {};
  }
  Status deliver() {
    Result<DeliveryReport> report = runtime_->deliver();
    if (!report) return report.error();
    return {};
  }
  // A commit was done although a sync had failed since the store was opened.
  bool went_on() const { return went_on_; }
  Store& store() { return *store_; }
  const SimulatedVfs& vfs() const { return vfs_; }
  const RecordingService& service() const { return service_; }

 private:
  Status open() {
    failed_syncs_ = disk_.failed_syncs();
    adapters::SqliteOptions options{vfs_.name(), sync_, scenario_.checkpoint_pages,
                                    scenario_.recent_keys};
    auto opened = adapters::open_sqlite_store(kPath, adapters::StoreAccess::kOwn, options);
    if (!opened) return opened.error();
    store_ = std::move(*opened);
    runtime_ = std::make_unique<engine::Runtime>(store_, options_with(service_));
    return runtime_->use(scenario_.program);
  }

  const Scenario& scenario_;
  SimulatedDisk& disk_;
  SimulatedVfs vfs_;
  RecordingService& service_;
  adapters::StoreSync sync_;
  std::shared_ptr<Store> store_;
  std::unique_ptr<engine::Runtime> runtime_;
  uint64_t failed_syncs_ = 0;  // of the disk, when the store was opened
  bool went_on_ = false;
};

// ---- What is expected -------------------------------------------------------------------------

CrashRun::CrashRun(const Scenario& scenario, const CrashOptions& options, Figures& figures)
    : scenario_(scenario), options_(options), figures_(figures), random_(scenario.seed ^ 0x5EEDU) {
  ++figures_.seeds;
  SimulatedDisk disk(scenario.disk, 0);
  RecordingService service(scenario.sink);
  Process process(scenario, disk, service, adapters::StoreSync::kFull);
  std::shared_ptr<Store> memory = adapters::make_memory_store();
  engine::Runtime model(memory, options_with(service));
  Violations violations;
  auto keep = [&](const Status& done, const Status& modelled) {
    if (!done) violations.push_back("on a sound disk: " + done.error().message);
    if (!modelled) violations.push_back("in memory: " + modelled.error().message);
    if (!violations.empty()) return;
    StoreState state = *state_of(process.store());
    look_beneath(process.vfs(), kPath, state, violations);
    StoreState other = *state_of(*memory);
    std::string difference = first_difference(state.text, other.text);
    if (!difference.empty() || state.lines != other.lines || state.duplicates != other.duplicates)
      violations.push_back("the stores differ after line " + std::to_string(expected_.size()) +
                           ":\n" + difference);
    expected_.push_back(std::move(state));
  };
  Status started = process.start();
  keep(started, model.use(scenario.program));
  for (uint64_t line = 0; line < scenario.lines.size() && violations.empty(); ++line) {
    Result<BatchReport> report = model.submit(batch_of(scenario, line, line + 1));
    keep(process.submit(line, line + 1), report ? Status() : Status(report.error()));
  }
  disk.unplug();
  if (violations.empty()) {
    SimulatedDisk measured(logged_disk(), 1);
    Sent sent;
    Status done = whole_run(measured, service, sent);
    if (!done) violations.push_back("without a crash: " + done.error().message);
    calls_ = measured.call_log();
    log_hash_ = measured.log_hash();
  }
  sound_ = violations.empty();
  figures_.add(violations, scenario.text);
}

DiskOptions CrashRun::logged_disk() const {
  DiskOptions out = scenario_.disk;
  out.sync_lies = options_.sync_lies;
  out.keep_log_hash = true;
  return out;
}

// ---- Running ----------------------------------------------------------------------------------

Status CrashRun::send(Process& process, Sent& sent, size_t batch, uint64_t again,
                      Random& random) const {
  while (sent.acknowledged.line < scenario_.lines.size()) {
    uint64_t at = sent.acknowledged.line;
    uint64_t from = at - std::min(at, again);
    uint64_t to = std::min<uint64_t>(at + batch, scenario_.lines.size());
    again = 0;
    Position& next = sent.in_flight;
    next.line = next.cursor = to;
    next.lines += static_cast<int64_t>(to - at);
    for (uint64_t i = std::max(from + 1, sent.alone); i <= at; ++i) {
      ++next.lines;
      next.duplicates += scenario_.lines[i - 1].duplicates;
    }
    sent.alone = 0;
    next.duplicates += expected_[to].duplicates - expected_[at].duplicates;
    if (Status done = process.submit(from, to); !done) return done;
    sent.acknowledged = sent.in_flight;
    if (random.chance(scenario_.deliver_percent)) {
      if (Status delivered = process.deliver(); !delivered) return delivered;
    }
    if (random.chance(scenario_.reopen_percent)) {
      if (Status opened = process.restart(); !opened) return opened;
    }
  }
  return {};
}

Status CrashRun::whole_run(SimulatedDisk& disk, RecordingService& service, Sent& sent) const {
  seed_sqlite(scenario_.seed);
  Random random(scenario_.seed);
  Process process(scenario_, disk, service, options_.sync);
  if (Status started = process.start(); !started) return started;
  if (Status done = send(process, sent, scenario_.batch, 0, random); !done) return done;
  process.stop();
  return {};
}

// ---- Checking ---------------------------------------------------------------------------------

void CrashRun::check(Process& process, Sent& sent, Violations& violations) const {
  Result<StoreState> read = state_of(process.store());
  if (!read) {
    violations.push_back("the store cannot be read: " + read.error().message);
    return;
  }
  StoreState& state = *read;
  look_beneath(process.vfs(), kPath, state, violations);
  const Position& least = sent.acknowledged;
  const Position& most = sent.in_flight;
  uint64_t line = std::max(state.cursor, state.alone == 0 ? 0 : state.alone - 1);
  Position found{line, state.cursor, state.lines, state.duplicates};
  if (found.line < least.line || found.cursor < least.cursor) {
    violations.push_back("acknowledged lines are lost: it stands at " + std::to_string(found.line) +
                         " of " + std::to_string(least.line));
    return;
  }
  // Between the two only where lines are worked on one by one.
  bool between = state.alone != 0 && found.line <= most.line && found.lines >= least.lines &&
                 found.lines <= most.lines && found.duplicates >= least.duplicates &&
                 found.duplicates <= most.duplicates;
  if (!(found == least) && !(found == most) && !between) {
    violations.push_back(
        "it stands at line " + std::to_string(found.line) + " with " + std::to_string(found.lines) +
        " lines and " + std::to_string(found.duplicates) +
        " duplicates, which is neither what was acknowledged nor what was being sent");
    return;
  }
  const StoreState& expected = expected_[found.line];
  for (auto here : {&StoreState::text, &StoreState::beneath}) {
    std::string difference = first_difference(state.*here, expected.*here);
    if (!difference.empty())
      violations.push_back("after line " + std::to_string(found.line) +
                           " it is not what it was:\n" + difference);
  }
  for (const auto& [key, times] : process.service().effects) {
    bool known = std::any_of(state.intents.begin(), state.intents.end(),
                             [&, wanted = key](const IntentRow& row) { return row.key == wanted; });
    if (!known) violations.push_back("a change was delivered and is not known any more");
    if (times != 1)
      violations.push_back("a change was delivered " + std::to_string(times) + " times");
  }
  sent = {found, found, state.alone};
}

void CrashRun::check_end(Process& process, Sent& sent, Violations& violations) const {
  check(process, sent, violations);
  if (sent.acknowledged.cursor != scenario_.lines.size())
    violations.push_back("it ends at line " + std::to_string(sent.acknowledged.cursor));
}

// Everything comes to be delivered, once.
void CrashRun::check_deliveries(Process& process, Violations& violations) const {
  Status done = process.restart();
  if (done) done = process.deliver();
  Result<StoreState> state = done ? state_of(process.store()) : Result<StoreState>(done.error());
  if (!state) {
    violations.push_back("it does not deliver: " + state.error().message);
    return;
  }
  for (const IntentRow& row : state->intents) {
    auto effect = process.service().effects.find(row.key);
    if (row.state != "done") violations.push_back("a change of " + row.record + " is " + row.state);
    if (effect == process.service().effects.end() || effect->second != 1)
      violations.push_back("a change of " + row.record + " was not delivered once");
  }
}

// ---- Crashes ----------------------------------------------------------------------------------

CrashRun::Image CrashRun::image_of(const SimulatedDisk& disk, const RecordingService& service,
                                   const Sent& sent, uint64_t call, int depth,
                                   Random& random) const {
  constexpr std::array kTears = {Tear::kKeepAll, Tear::kDropAll, Tear::kPrefix, Tear::kSubset,
                                 Tear::kSubset,  Tear::kGarbage, Tear::kGarbage};
  Tear tear = kTears[random.below(kTears.size())];
  Image out{nullptr, service, sent, "", depth};
  out.how = "crash at call " + std::to_string(call) + ", " + tear_name(tear);
  out.disk = disk.crashed(tear, random);
  return out;
}

void CrashRun::crash() {
  if (!sound_) return;  // the constructor has told why
  std::vector<uint64_t> changing;
  for (uint64_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i] != DiskCall::kRead) changing.push_back(i);
  }
  std::multiset<uint64_t> chosen;
  for (size_t i = 0; i < options_.crash_points_max; ++i) chosen.insert(random_.pick(changing));
  std::vector<Image> images;
  SimulatedDisk disk(logged_disk(), 1);
  RecordingService service(scenario_.sink);
  Sent sent;
  disk.on_change([&](uint64_t call) {
    for (size_t i = 0; i < chosen.count(call); ++i)
      images.push_back(image_of(disk, service, sent, call, 0, random_));
  });
  Status done = whole_run(disk, service, sent);
  disk.on_change(nullptr);
  if (!done) figures_.add({"without a crash: " + done.error().message}, scenario_.text);
  if (disk.log_hash() != log_hash_ || disk.calls() != calls_.size())
    figures_.add({"the same seed made other calls"}, scenario_.text);
  for (Image& image : images) recover(std::move(image));
}

void CrashRun::recover(Image image) {
  ++figures_.crash_points;
  if (image.depth > 0) ++figures_.recovery_crashes;
  Violations violations;
  std::optional<Image> again;
  SimulatedDisk& disk = *image.disk;
  {
    Process process(scenario_, disk, image.service, options_.sync);
    Sent sent = image.sent;
    // Counted from the opening: sometimes before anything is written, sometimes batches later.
    uint64_t left = image.depth < kDepthMax && random_.chance(25) ? 1 + random_.below(60) : 0;
    disk.on_change([&](uint64_t call) {
      if (left == 0 || --left != 0) return;
      again = image_of(disk, image.service, sent, call, image.depth + 1, random_);
    });
    Status started = process.start();
    if (!started) {
      violations.push_back("it does not open: " + started.error().message);
    } else {
      uint64_t known = sent.acknowledged.line;
      check(process, sent, violations);
      if (violations.empty()) {
        // The sender may begin again at what it knows to be acknowledged, or even before it.
        uint64_t resent = random_.chance(50) ? sent.acknowledged.line - known : 0;
        if (random_.chance(30)) resent += random_.below(5);
        size_t batch = random_.chance(50) ? scenario_.batch : 1 + random_.below(15);
        Status done = send(process, sent, batch, resent, random_);
        if (!done) violations.push_back("it does not go on: " + done.error().message);
        if (violations.empty()) check_end(process, sent, violations);
        // Each delivery is two commits: not every time.
        if (violations.empty() && random_.chance(25)) check_deliveries(process, violations);
      }
    }
    disk.on_change(nullptr);
    disk.unplug();
  }
  figures_.add(violations, scenario_.text + "; " + image.how);
  if (!again || !violations.empty()) return;
  again->how = image.how + "; then " + again->how;
  recover(std::move(*again));
}

// ---- Faults -----------------------------------------------------------------------------------

void CrashRun::meet_fault(DiskFault::Kind kind) {
  if (!sound_) return;  // the constructor has told why
  std::vector<uint64_t> calls;
  for (uint64_t i = 0; i < calls_.size(); ++i) {
    if (kind == DiskFault::Kind::kFull && calls_[i] == DiskCall::kRead) continue;
    // Syncs are few among the writes, and matter most.
    calls.insert(calls.end(), calls_[i] == DiskCall::kSync ? 10 : 1, i);
  }
  DiskFault fault{kind, random_.pick(calls), random_.chance(60)};
  DiskOptions options = scenario_.disk;
  options.failed_sync_drops = random_.chance(50);
  SimulatedDisk disk(options, random_.fork());
  disk.set_fault(fault);
  RecordingService service(scenario_.sink);
  Sent sent;
  // The power goes at a call after the fault, sometimes.
  std::optional<Image> later;
  uint64_t left = random_.chance(80) ? 1 + random_.below(random_.chance(50) ? 15 : 120) : 0;
  disk.on_change([&](uint64_t call) {
    if (!disk.fault_met() || left == 0 || --left != 0) return;
    later = image_of(disk, service, sent, call, kDepthMax, random_);
  });
  bool told = false;
  Violations violations = outlive(disk, service, sent, fault, random_, told);
  disk.on_change(nullptr);
  disk.unplug();
  ++(kind == DiskFault::Kind::kFull ? figures_.full_disk_runs : figures_.io_error_runs);
  figures_.faults_told += told ? 1 : 0;
  std::string where = scenario_.text + "; " + fault_name(fault) +
                      (options.failed_sync_drops ? ", failed syncs drop" : "");
  figures_.add(violations, where);
  if (!later || !violations.empty()) return;
  later->how = fault_name(fault) + (options.failed_sync_drops ? ", failed syncs drop" : "") +
               "; then " + later->how;
  recover(std::move(*later));
}

CrashRun::Violations CrashRun::outlive(SimulatedDisk& disk, RecordingService& service, Sent& sent,
                                       const DiskFault& fault, Random& random, bool& told) const {
  Violations violations;
  auto process = std::make_unique<Process>(scenario_, disk, service, options_.sync);
  Random reopening(scenario_.seed);
  seed_sqlite(scenario_.seed);
  // A fault is told once; what follows is on a sound disk, and so ends.
  for (int tries = 0; tries < 4 && violations.empty(); ++tries) {
    Status done = process->running() ? Status() : process->start();
    if (done && tries > 0) {
      check(*process, sent, violations);
      if (!violations.empty()) break;
    }
    if (done) done = send(*process, sent, scenario_.batch, 0, reopening);
    if (process->went_on()) violations.push_back("after a failed sync it goes on");
    if (done) break;
    if (!disk.fault_met()) violations.push_back("an error of nothing: " + done.error().message);
    if (told) violations.push_back("an error after the fault: " + done.error().message);
    told = true;
    bool running = process->running();
    bool reopens = !running || done.error().code != ErrorCode::kStorageFull;
    if (fault.kind == DiskFault::Kind::kFull && running && reopens &&
        done.error().code != ErrorCode::kIo)
      violations.push_back("a full disk is told as " +
                           std::string(error_code_name(done.error().code)) + ": " +
                           done.error().message);
    if (running && done.error().code == ErrorCode::kIo &&
        sent.in_flight.line > sent.acknowledged.line) {
      // It refuses, and leaves the disk alone.
      uint64_t calls = disk.calls();
      Status refused = process->submit(sent.acknowledged.line, sent.in_flight.line);
      if (refused || refused.error().message != done.error().message || disk.calls() != calls)
        violations.push_back("after an I/O error it goes on: " + done.error().message);
      // Nor does the next process see what failed.
      sent.in_flight = sent.acknowledged;
    }
    // The process ends before the disk is mended, or after.
    bool ends_first = random.chance(50);
    if (!ends_first) disk.clear_fault();
    if (reopens) {
      process = nullptr;
      process = std::make_unique<Process>(scenario_, disk, service, options_.sync);
    } else {
      // The same store, on the same disk, with room again.
      sent.in_flight = sent.acknowledged;
    }
    disk.clear_fault();
  }
  // A call that the run did not come to is not to be met by the checks.
  disk.clear_fault();
  if (violations.empty()) check_end(*process, sent, violations);
  // A checkpoint after the last commit has nobody to tell of its error: the next process goes on.
  Status opened = violations.empty() ? process->start() : Status();
  if (!opened) violations.push_back("it does not open at the end: " + opened.error().message);
  if (violations.empty()) check_deliveries(*process, violations);
  return violations;
}

}  // namespace ensue::testing
