#include "daemon/intake.h"

#include <chrono>
#include <exception>

namespace ensue::daemon {
namespace {

// Of each kind, in the log, for one batch; the rest are counted.
constexpr size_t kToldMax = 5;

WriterOptions writer_options(Metrics& metrics, size_t batch_lines_max) {
  WriterOptions out;
  out.lines_max = batch_lines_max;
  out.committed = [&metrics](size_t lines) { metrics.batch(lines); };
  return out;
}

}  // namespace

Intake::Intake(Engine& engine, Metrics& metrics, Log& log, size_t queued_lines_max,
               size_t batch_lines_max, std::function<void()> committed)
    : metrics_(metrics),
      log_(log),
      queued_lines_max_(static_cast<int64_t>(queued_lines_max)),
      committed_(std::move(committed)),
      writer_(std::make_unique<Writer>(engine, writer_options(metrics, batch_lines_max))) {}

Result<BatchReport> Intake::submit(const char* door, Submission submission) {
  auto begin = std::chrono::steady_clock::now();
  std::future<Result<BatchReport>> future;
  {
    std::lock_guard lock(mutex_);
    if (writer_ == nullptr) return Error{ErrorCode::kCancelled, "the daemon is stopping"};
    future = writer_->submit(std::move(submission));
  }
  std::optional<Result<BatchReport>> done;
  try {
    done = future.get();
  } catch (const std::exception& error) {
    done = Result<BatchReport>(ErrorCode::kIo, error.what());
  }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (*done) {
    tell(door, **done, took.count());
    note({});
  } else {
    note(done->error());
  }
  committed_();
  return std::move(*done);
}

bool Intake::reserve(size_t lines) {
  auto count = static_cast<int64_t>(lines);
  int64_t queued = queued_lines_ += count;
  metrics_.queued(queued);
  // One batch is always let in, however large.
  if (queued <= queued_lines_max_ || queued == count) return true;
  release(lines);
  return false;
}

void Intake::release(size_t lines) {
  metrics_.queued(queued_lines_ -= static_cast<int64_t>(lines));
}

bool Intake::with_engine(const std::function<void(Engine&)>& work) {
  std::future<void> future;
  {
    std::lock_guard lock(mutex_);
    if (writer_ == nullptr) return false;
    future = writer_->with_engine(work);
  }
  future.get();
  return true;
}

void Intake::tell(const char* door, const BatchReport& report, double seconds) {
  metrics_.committed(door, report, seconds);
  for (const std::string& notice : report.notices) log_.warning(notice);
  size_t told = 0;
  for (const DeadLetterRow& letter : report.dead_letters) {
    if (++told > kToldMax) break;
    log_.warning("dead letter", {{"source", letter.source},
                                 {"line", std::to_string(letter.line)},
                                 {"reason", letter.reason}});
  }
  if (report.dead_letters.size() > kToldMax)
    log_.warning("more dead letters in the same batch",
                 {{"count", std::to_string(report.dead_letters.size() - kToldMax)}});
  told = 0;
  for (const Decision& decision : report.decisions) {
    if (decision.status != "failed" || ++told > kToldMax) continue;
    log_.warning("a run failed", {{"automation", decision.automation},
                                  {"record", decision.record},
                                  {"fault", decision.fault}});
  }
  log_.debug("committed", {{"door", door},
                           {"lines", std::to_string(report.lines)},
                           {"events", std::to_string(report.events)},
                           {"duplicates", std::to_string(report.duplicates)},
                           {"timers", std::to_string(report.timers)},
                           {"decisions", std::to_string(report.decision_count())}});
}

void Intake::note(const Status& committed) {
  std::lock_guard lock(mutex_);
  if (committed) {
    if (trouble_) log_.info("the store takes commits again");
    trouble_.reset();
    return;
  }
  if (committed.error().code == ErrorCode::kCancelled) return;
  if (!trouble_ || trouble_->code != committed.error().code)
    log_.error("the store refuses commits", {{"reason", committed.error().message}});
  trouble_ = committed.error();
}

std::optional<Error> Intake::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

void Intake::close() {
  std::unique_ptr<Writer> writer;  // ends outside of the lock, which `note` takes
  std::lock_guard lock(mutex_);
  writer.swap(writer_);
}

}  // namespace ensue::daemon
