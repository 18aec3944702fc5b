#include "daemon/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include "adapters/system_clock.h"
#include "daemon/deliverer.h"
#include "daemon/follower.h"
#include "daemon/intake.h"
#include "daemon/metrics.h"
#include "daemon/notify.h"
#include "daemon/source_watch.h"
#include "engine/schedule_state.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::daemon {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Files that change together are read together: after a pause, or when it has lasted long enough.
constexpr milliseconds kQuiet{150};
constexpr milliseconds kQuietMax{2000};
// How often a followed file is looked at, and how long a store that refuses is left alone.
constexpr milliseconds kLookAgain{100};
constexpr milliseconds kRefusedAgain{1000};
// Timers are looked at again at most this often, however busy the intake is.
constexpr milliseconds kTimersAgain{20};
// A stop that takes longer ends the process; what was acknowledged is in the store.
constexpr milliseconds kStopMax{4500};
constexpr milliseconds kStopHttpMax{2000};
constexpr milliseconds kStopCallsMax{2000};

void drain(int fd) {
  uint64_t count = 0;
  (void)!::read(fd, &count, sizeof count);
}

// An event that threads wait for with `poll`.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  int fd() const { return fd_; }
  void ring() {
    uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
  }
  void take() { drain(fd_); }

 private:
  int fd_;
};

// Signals of the whole process, read from a descriptor. Threads that begin after it have them
// blocked.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    fd_ = ::signalfd(-1, &set_, SFD_NONBLOCK | SFD_CLOEXEC);
  }
  ~Signals() { ::close(fd_); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  int fd() const { return fd_; }
  // 0: none.
  int take() {
    signalfd_siginfo info{};
    return ::read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }
  // A further signal ends the process as usual.
  void let_through() { pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

 private:
  sigset_t set_{};
  int fd_ = -1;
};

// Ends the process when a stop takes too long: a client that does not read, a service that does not
// answer. What was committed is in the store, and a commit under way is all or nothing.
class StopGuard {
 public:
  StopGuard(Log& log, int exit_code)
      : thread_([this, &log, exit_code] {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, kStopMax, [&] { return done_; })) return;
          log.warning("not everything came to its end; the process ends all the same");
          ::_exit(exit_code);
        }) {}
  ~StopGuard() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

void append_count(std::string& out, const char* name, uint64_t count) {
  out += out.size() > 1 ? ",\"" : "\"";
  out += name;
  out += "\":" + std::to_string(count);
}

// The answer to a request whose lines were committed.
HttpAnswer answer_of(const BatchReport& report) {
  HttpAnswer out;
  out.status = report.dead_letters.empty() ? 200 : 422;
  out.body = "{";
  append_count(out.body, "lines", report.lines);
  append_count(out.body, "events", report.events);
  append_count(out.body, "duplicates", report.duplicates);
  append_count(out.body, "snapshots", report.snapshots);
  append_count(out.body, "gaps", report.gaps);
  append_count(out.body, "decisions", report.decision_count());
  out.body += ",\"dead_letters\":[";
  for (size_t i = 0; i < report.dead_letters.size(); ++i) {
    const DeadLetterRow& letter = report.dead_letters[i];
    out.body += i == 0 ? "{" : ",{";
    out.body += "\"line\":" + std::to_string(letter.line) + ",\"reason\":";
    value::append_json_text(out.body, letter.reason);
    out.body += '}';
  }
  out.body += "]}\n";
  return out;
}

HttpAnswer refusal(int status, const std::string& error, std::optional<int> retry_after_s) {
  HttpAnswer out{status, "{\"error\":"};
  value::append_json_text(out.body, error);
  out.body += "}\n";
  out.retry_after_s = retry_after_s;
  return out;
}

class Daemon {
 public:
  Daemon(DaemonOptions options, const DaemonHost& host, Log& log)
      : options_(std::move(options)), host_(host), log_(log) {}

  DaemonEnd run() {
    metrics_.ready(false);
    DaemonEnd end = start();
    if (!ended_) end = loop();
    stop(end);
    return end;
  }

 private:
  // ---- Start ------------------------------------------------------------------------------------

  DaemonEnd start() {
    ended_ = true;  // until all of it is there
    if (options_.http_on) {
      auto front = HttpFront::listen(options_.http, handlers());
      if (!front) return failed(front.error());
      front_ = std::move(*front);
      log_.info("listening",
                {{"address", options_.http.host + ":" + std::to_string(front_->port())}});
    }
    auto watch = SourceWatch::make(options_.watched);
    if (!watch) return failed(watch.error());
    watch_ = std::move(*watch);
    Result<std::shared_ptr<Store>> store = host_.open_store();
    if (!store) return failed(store.error());
    EngineOptions options;
    options.program = options_.program;
    if (options_.wall_clock) options.clock = &clock_;
    options.keep_all_verdicts = options_.keep_all_verdicts;
    options.threads = options_.threads;
    options.sink = options_.sink.get();
    options.services = options_.services.get();
    options.mail = options_.mail.get();
    auto engine = Engine::open(*store, options);
    if (!engine) return failed(engine.error());
    engine_ = std::move(*engine);
    if (host_.look_at_store) {
      Result<std::shared_ptr<Store>> look = host_.look_at_store();
      if (!look) return failed(look.error());
      look_ = std::move(*look);
    }
    intake_ = std::make_unique<Intake>(*engine_, metrics_, log_, options_.queued_lines_max,
                                       options_.batch_lines_max, [this] { notice_commit(); });
    if (std::optional<DaemonEnd> ended = load_first()) return *ended;
    if (options_.sink != nullptr || options_.services != nullptr || options_.mail != nullptr) {
      deliverer_ = std::make_unique<Deliverer>(*intake_, metrics_, log_, engine_->caller(),
                                               [this] { bell_.ring(); });
    }
    for (const std::string& path : options_.follow) start_following(path);
    if (options_.standard_input) readers_.emplace_back([this] { read_standard_input(); });
    ended_ = false;
    loaded_ = true;
    metrics_.ready(true);
    log_.info("ready");
    manager_.ready(rules_broken_ ? "the automations have errors; the last good ones act"
                                 : "running");
    return DaemonEnd::kStopped;
  }

  DaemonEnd failed(const Error& error) {
    log_.error(error.message);
    return DaemonEnd::kFailed;
  }

  // ---- Rules ------------------------------------------------------------------------------------

  engine::Loaded load(std::vector<SourceText> sources) const {
    return host_.load({std::move(sources), options_.program, nullptr, nullptr});
  }

  // Checked rules into force, and into the store, so that a later start has them.
  Status use(const engine::ProgramPtr& program) {
    Status used;
    intake_->with_engine([&](Engine& engine) {
      used = engine.use(program);
      if (used) used = host_.keep_sources(engine.store(), *program);
    });
    intake_->note(used);
    if (used) {
      std::lock_guard lock(look_mutex_);
      scheduled_.clear();
      for (const plan::UnitPtr& unit : program->units) {
        if (unit->trigger->kind == plan::TriggerKind::kSchedule)
          scheduled_.emplace_back(unit->name, unit->rule);
      }
    }
    new_rules_ = true;
    bell_.ring();
    return used;
  }

  void tell_loaded(const engine::Loaded& loaded, const char* message) {
    for (const std::string& left_out : loaded.program->not_run)
      log_.warning("left out, because this version does not run it", {{"automation", left_out}});
    if (loaded.has_warnings)
      tell_diagnostics(LogLevel::kWarning, "the automations have warnings", loaded);
    log_.info(message, {{"automations", std::to_string(loaded.program->units.size())},
                        {"files", std::to_string(loaded.program->sources().size())},
                        {"fingerprint", loaded.program->fingerprint}});
    loaded_at_ms_ = clock_.now().ms;
    metrics_.rules(Instant{loaded_at_ms_}, rules_broken_);
  }

  void tell_diagnostics(LogLevel level, std::string message, const engine::Loaded& loaded) {
    if (log_.format() == LogFormat::kJson) {
      std::initializer_list<LogField> fields{{"diagnostics", host_.render(loaded)}};
      level == LogLevel::kError ? log_.error(message, fields) : log_.warning(message, fields);
    } else {
      log_.log(level, message + "\n" + host_.render(loaded));
    }
  }

  // Empty: go on.
  std::optional<DaemonEnd> load_first() {
    Result<std::vector<SourceText>> sources = host_.read_sources();
    if (!sources) return failed(sources.error());
    sources_seen_ = *sources;
    engine::Loaded loaded = load(std::move(*sources));
    if (loaded.has_errors) {
      metrics_.reloaded("broken");
      Result<std::vector<SourceText>> kept = host_.stored_sources(engine_->store());
      if (!kept) return failed(kept.error());
      engine::Loaded good;
      if (!kept->empty()) good = load(std::move(*kept));
      if (good.program == nullptr) {
        tell_diagnostics(LogLevel::kError, "the automations have errors", loaded);
        return DaemonEnd::kBroken;
      }
      tell_diagnostics(LogLevel::kError,
                       "the automations have errors; those that the store was last run with act",
                       loaded);
      rules_broken_ = true;
      loaded = std::move(good);
    } else {
      metrics_.reloaded("ok");
    }
    if (Status used = use(loaded.program); !used) return failed(used.error());
    tell_loaded(loaded, "rules loaded");
    return std::nullopt;
  }

  void reload(bool asked) {
    if (Status watched = watch_->renew(); !watched) log_.warning(watched.error().message);
    Result<std::vector<SourceText>> sources = host_.read_sources();
    if (!sources) {
      metrics_.reloaded("failed");
      log_.error("the automations cannot be read; the last good version stays in force",
                 {{"reason", sources.error().message}});
      return;
    }
    auto same = [](const SourceText& a, const SourceText& b) {
      return a.name == b.name && a.text == b.text;
    };
    if (std::equal(sources->begin(), sources->end(), sources_seen_.begin(), sources_seen_.end(),
                   same)) {
      if (asked) log_.info("the automations are as they were");
      return;
    }
    sources_seen_ = *sources;
    engine::Loaded loaded = load(std::move(*sources));
    if (loaded.has_errors) {
      rules_broken_ = true;
      metrics_.reloaded("broken");
      metrics_.rules(Instant{loaded_at_ms_}, true);
      tell_diagnostics(LogLevel::kError,
                       "the automations have errors; the last good version stays in force", loaded);
      manager_.status("the automations have errors; the last good ones act");
      return;
    }
    if (Status used = use(loaded.program); !used) {
      sources_seen_.clear();  // tried again with the next change, or when asked
      metrics_.reloaded("failed");
      return;
    }
    rules_broken_ = false;
    metrics_.reloaded("ok");
    tell_loaded(loaded, "rules reloaded");
    manager_.status("running");
  }

  // ---- Doors ------------------------------------------------------------------------------------

  HttpHandlers handlers() {
    HttpHandlers out;
    out.events = [this](const std::string& source, std::string body) {
      return take_events(source, body);
    };
    out.health = [] { return HttpAnswer{200, "{\"status\":\"alive\"}\n"}; };
    out.ready = [this] { return readiness(); };
    out.metrics = [this] {
      look();
      return HttpAnswer{200, metrics_.text(), "text/plain; version=0.0.4; charset=utf-8"};
    };
    out.refused = [this](const std::string& reason) { metrics_.refused(reason); };
    out.answered = [this](int status) { metrics_.answered(status); };
    return out;
  }

  HttpAnswer take_events(const std::string& source, const std::string& body) {
    constexpr size_t kSourceBytesMax = 200;
    if (source.size() > kSourceBytesMax)
      return refusal(400, "the name of the source is too long", {});
    if (!loaded_ || stopping_) {
      metrics_.refused(stopping_ ? "stopping" : "loading");
      return refusal(503, stopping_ ? "the daemon is stopping" : "the daemon is starting", 1);
    }
    LineBuffer buffer(options_.program.bounds.event_bytes_max);
    std::vector<LineBuffer::Line> lines;
    buffer.add(body, lines);
    buffer.finish(lines);
    if (lines.empty()) return refusal(400, "the body has no lines", {});
    if (!intake_->reserve(lines.size())) {
      metrics_.refused("busy");
      return refusal(503, "too many lines wait for a commit; send it again", 1);
    }
    Submission submission;
    submission.source = source.empty() ? "http" : source;
    submission.needs_ids = true;
    for (LineBuffer::Line& line : lines) submission.lines.push_back(std::move(line.text));
    Result<BatchReport> done = intake_->submit("http", std::move(submission));
    intake_->release(lines.size());
    if (done) return answer_of(*done);
    metrics_.refused(done.error().code == ErrorCode::kStorageFull ? "full" : "store");
    return refusal(503, "nothing of it was kept: " + done.error().message, 5);
  }

  HttpAnswer readiness() {
    std::optional<Error> trouble = loaded_ ? intake_->trouble() : std::nullopt;
    bool ready = loaded_ && !stopping_ && !trouble;
    metrics_.ready(ready);
    HttpAnswer out{ready ? 200 : 503, ready ? "{\"ready\":true" : "{\"ready\":false"};
    if (!ready) {
      out.body += ",\"reason\":";
      value::append_json_text(out.body, trouble     ? trouble->message
                                        : stopping_ ? "the daemon is stopping"
                                                    : "the daemon is starting");
    }
    if (loaded_) {
      out.body += rules_broken_ ? ",\"rules\":\"last good\"" : ",\"rules\":\"current\"";
      out.body += ",\"rules_loaded_at\":\"" + value::instant_text(Instant{loaded_at_ms_}) + "\"";
    }
    out.body += "}\n";
    return out;
  }

  // Takes what the store holds into the metrics, by a view of its own.
  void look() {
    std::lock_guard lock(look_mutex_);
    if (!loaded_ || look_ == nullptr) return;
    StoreGauges gauges;
    Status looked = look_->read([&](StoreReader& reader) -> Status {
      for (const char* state : {"ready", "claimed", "unknown", "failed"}) {
        uint64_t& count = gauges.outbox[state];
        Status visited = reader.visit_intents(state, [&](const IntentRow&) { return ++count > 0; });
        if (!visited) return visited;
      }
      Status visited = reader.visit_dead_letters(
          [&](const DeadLetterRow&) { return ++gauges.dead_letters > 0; });
      if (!visited) return visited;
      Result<std::optional<Instant>> next = reader.next_timer();
      if (!next) return next.error();
      gauges.next_timer = *next;
      Result<uint64_t> timers = reader.timer_count();
      if (!timers) return timers.error();
      gauges.timers = *timers;
      for (const auto& [flow, rule] : scheduled_) {
        Result<engine::ScheduleState> state = engine::read_schedule_state(reader, rule);
        if (!state) return state.error();
        gauges.schedules.push_back({flow, state->runs, state->missed});
      }
      return {};
    });
    if (looked) metrics_.store(gauges);
  }

  // Hands lines in until they are committed; false when the daemon stops before.
  bool commit(const char* door, const Submission& submission) {
    for (;;) {
      Result<BatchReport> done = intake_->submit(door, submission);
      if (done) return true;
      // A full disk may pass; anything else ends the daemon.
      if (done.error().code != ErrorCode::kStorageFull) return false;
      if (wait_or_stop(kRefusedAgain)) return false;
    }
  }

  bool wait_or_stop(milliseconds time) {
    std::unique_lock lock(stop_mutex_);
    return stop_changed_.wait_for(lock, time, [&] { return stopping_.load(); });
  }

  void start_following(const std::string& path) {
    std::string source = std::filesystem::path(path).filename().string();
    auto follower =
        std::make_shared<Follower>(path, source, options_.program.bounds.event_bytes_max);
    std::optional<CursorRow> cursor;
    intake_->with_engine([&](Engine& engine) {
      (void)engine.store().read([&](StoreReader& reader) -> Status {
        Result<std::optional<CursorRow>> found = reader.cursor(source);
        if (!found) return found.error();
        cursor = *found;
        return {};
      });
    });
    if (cursor) follower->resume(*cursor);
    log_.info("following", {{"file", path}, {"line", std::to_string(cursor ? cursor->line : 0)}});
    readers_.emplace_back([this, follower, path] { follow(*follower, path); });
  }

  void follow(Follower& follower, const std::string& path) {
    std::string trouble;
    while (!stopping_) {
      Result<std::optional<Follower::Batch>> batch =
          follower.next(options_.batch_lines_max, WriterOptions{}.bytes_max);
      for (const std::string& notice : follower.take_notices())
        log_.warning("the followed file " + notice, {{"file", path}});
      std::string error = batch ? "" : batch.error().message;
      if (!error.empty() && error != trouble) log_.error(error, {{"file", path}});
      trouble = error;
      if (!batch || !batch->has_value()) {
        if (wait_or_stop(kLookAgain)) return;
        continue;
      }
      Submission submission;
      submission.source = follower.source();
      submission.lines = std::move((*batch)->lines);
      submission.first_number = (*batch)->first_number;
      submission.cursor = (*batch)->cursor;
      if (!commit("file", submission)) return;
    }
  }

  void read_standard_input() {
    LineBuffer buffer(options_.program.bounds.event_bytes_max);
    std::vector<LineBuffer::Line> lines;
    // What a pipe holds is a batch, when the last one is done; by itself it holds 64 KiB.
    constexpr int kPipeBytes = 1 << 20;
    (void)::fcntl(STDIN_FILENO, F_SETPIPE_SZ, kPipeBytes);
    std::string bytes(kPipeBytes, '\0');
    uint64_t number = 0;
    bool open = true;
    while (open && !stopping_) {
      pollfd waits[] = {{STDIN_FILENO, POLLIN, 0}, {stop_bell_.fd(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) break;
      if (waits[1].revents != 0) break;
      if (waits[0].revents == 0) continue;
      ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      open = got > 0;
      if (open) {
        buffer.add(std::string_view(bytes).substr(0, static_cast<size_t>(got)), lines);
      } else {
        buffer.finish(lines);
      }
      for (size_t at = 0; at < lines.size() && !stopping_;) {
        Submission submission;
        submission.source = "standard input";
        submission.needs_ids = true;
        submission.first_number = number + 1;
        for (; at < lines.size() && submission.lines.size() < options_.batch_lines_max; ++at)
          submission.lines.push_back(std::move(lines[at].text));
        number += submission.lines.size();
        if (!commit("stdin", submission)) return;
      }
      lines.clear();
    }
    if (!open) log_.info("standard input has ended", {{"lines", std::to_string(number)}});
  }

  // ---- The loop ---------------------------------------------------------------------------------

  DaemonEnd loop() {
    bell_.ring();  // what became due while nothing ran
    for (;;) {
      wait();
      bell_.take();
      while (int signal = signals_.take()) {
        if (signal == SIGHUP) {
          log_.info("reading the automations again, as SIGHUP asks");
          reload(true);
          continue;
        }
        log_.info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
        return signal == SIGTERM ? DaemonEnd::kStopped : DaemonEnd::kInterrupted;
      }
      watch_sources();
      fire();
      if (auto trouble = intake_->trouble(); trouble && trouble->code != ErrorCode::kStorageFull) {
        log_.error("stopping, because the store cannot go on", {{"reason", trouble->message}});
        return DaemonEnd::kFailed;
      }
    }
  }

  void wait() {
    auto now = Steady::now();
    auto until = now + std::chrono::hours(1);
    if (reload_at_) until = std::min(until, *reload_at_);
    if (fire_at_) until = std::min(until, *fire_at_);
    if (intake_->trouble()) until = std::min(until, now + kRefusedAgain);
    auto left = std::chrono::ceil<milliseconds>(until - now).count();
    pollfd waits[] = {
        {signals_.fd(), POLLIN, 0}, {watch_->fd(), POLLIN, 0}, {bell_.fd(), POLLIN, 0}};
    (void)::poll(waits, 3, static_cast<int>(std::max<int64_t>(left, 0)));
  }

  void watch_sources() {
    auto now = Steady::now();
    if (watch_->take()) {
      if (!changed_since_) changed_since_ = now;
      reload_at_ = std::min(now + kQuiet, *changed_since_ + kQuietMax);
    }
    if (!reload_at_ || now < *reload_at_) return;
    reload_at_.reset();
    changed_since_.reset();
    reload(false);
  }

  // Fires what is due, and delivers what waits; notes when to look again.
  void fire() {
    auto now = Steady::now();
    if (now < fired_at_ + kTimersAgain) {
      fire_at_ = fired_at_ + kTimersAgain;
      return;
    }
    fired_at_ = now;
    fire_at_.reset();
    if (intake_->trouble() && now < refused_at_ + kRefusedAgain) return;
    std::optional<Instant> next;
    Status done;
    intake_->with_engine([&](Engine& engine) {
      if (options_.wall_clock) done = fire_due(engine, next);
    });
    intake_->note(done);
    if (!done) {
      refused_at_ = now;
      return;
    }
    if (!next) return;
    int64_t wait_ms = std::clamp<int64_t>(next->ms - clock_.now().ms, 0, 3'600'000);
    fire_at_ = Steady::now() + std::max(milliseconds(wait_ms), kTimersAgain);
  }

  // On the thread of the engine.
  Status fire_due(Engine& engine, std::optional<Instant>& next) {
    Result<std::optional<Instant>> due = engine.next_due();
    if (!due) return due.error();
    // After a refusal a commit is tried, whether something is due or not; and new rules bring
    // schedules that have no timer yet.
    if (intake_->trouble() || new_rules_ || (*due && **due <= clock_.now())) {
      auto begin = Steady::now();
      Result<BatchReport> fired = engine.advance(clock_.now());
      if (!fired) return fired.error();
      new_rules_ = false;
      std::chrono::duration<double> took = Steady::now() - begin;
      intake_->tell("timer", *fired, took.count());
      if (deliverer_ != nullptr) deliverer_->notice();
      due = engine.next_due();
      if (!due) return due.error();
    }
    next = *due;
    return {};
  }

  // After each commit and each refusal of the store.
  void notice_commit() {
    bell_.ring();
    if (deliverer_ != nullptr) deliverer_->notice();
  }

  // ---- Stop -------------------------------------------------------------------------------------

  void stop(DaemonEnd end) {
    manager_.stopping();
    int exit_code = end == DaemonEnd::kStopped ? 0 : end == DaemonEnd::kInterrupted ? 130 : 3;
    StopGuard guard(log_, exit_code);
    signals_.let_through();
    {
      std::lock_guard lock(stop_mutex_);
      stopping_ = true;
    }
    stop_changed_.notify_all();
    stop_bell_.ring();
    if (front_ != nullptr) front_->stop();
    for (std::thread& reader : readers_) reader.join();
    // Calls that are answered in time are noted; the others are settled by the next start.
    bool called = deliverer_ == nullptr || deliverer_->stop(kStopCallsMax);
    // Requests at work are answered once their lines are committed.
    if (intake_ != nullptr) intake_->close();
    bool answered = front_ == nullptr || front_->stopped(kStopHttpMax.count());
    if (answered) front_.reset();
    {
      std::lock_guard lock(look_mutex_);
      look_.reset();
    }
    engine_.reset();
    log_.info("stopped");
    // A client that keeps its connection, or a service that does not answer, is not waited for.
    if (!answered || !called) ::_exit(exit_code);
  }

  DaemonOptions options_;
  const DaemonHost& host_;
  Log& log_;
  adapters::SystemClock clock_;
  Signals signals_;  // before any thread
  Bell bell_;        // something was committed
  Bell stop_bell_;   // for those who wait in `poll`
  ServiceManager manager_;
  Metrics metrics_;
  std::unique_ptr<SourceWatch> watch_;
  std::unique_ptr<Engine> engine_;
  std::mutex look_mutex_;
  std::shared_ptr<Store> look_;
  std::vector<std::pair<std::string, Key128>> scheduled_;  // flows, under look_mutex_
  std::unique_ptr<Intake> intake_;
  std::vector<std::thread> readers_;
  std::unique_ptr<HttpFront> front_;
  std::unique_ptr<Deliverer> deliverer_;

  std::vector<SourceText> sources_seen_;
  std::atomic<int64_t> loaded_at_ms_{0};
  std::atomic<bool> rules_broken_{false};
  std::atomic<bool> loaded_{false};
  std::atomic<bool> stopping_{false};
  std::mutex stop_mutex_;
  std::condition_variable stop_changed_;
  bool ended_ = false;
  bool new_rules_ = false;  // since the timers were looked at
  std::optional<Steady::time_point> changed_since_;
  std::optional<Steady::time_point> reload_at_;
  std::optional<Steady::time_point> fire_at_;
  Steady::time_point fired_at_{};
  Steady::time_point refused_at_{};
};

}  // namespace

DaemonEnd serve(DaemonOptions options, const DaemonHost& host, Log& log) {
  return Daemon(std::move(options), host, log).run();
}

}  // namespace ensue::daemon
