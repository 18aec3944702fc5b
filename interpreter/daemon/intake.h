// The way of lines into the engine, from whichever door they come: counted, logged, bounded, and
// told apart from the ones that the store refused.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/log.h"
#include "daemon/metrics.h"
#include "ensue/writer.h"

namespace ensue::daemon {

class Intake {
 public:
  // `committed` is called after each commit and each refusal, on the thread that handed it in.
  // `batch_lines_max`: of one commit, as in WriterOptions.
  Intake(Engine& engine, Metrics& metrics, Log& log, size_t queued_lines_max,
         size_t batch_lines_max, std::function<void()> committed);

  // From any thread; waits for the commit. `door` is `http`, `file` or `stdin`. Errors: of the
  // store, and kCancelled after `close`: nothing of the lines was kept.
  Result<BatchReport> submit(const char* door, Submission submission);
  // Takes the place of so many lines in the queue, or refuses when it is full. Given back by
  // `release`.
  bool reserve(size_t lines);
  void release(size_t lines);
  // Runs `work` on the engine between two commits; waits for it. False after `close`.
  bool with_engine(const std::function<void(Engine&)>& work);
  // Counts and logs what a commit that was made by way of `with_engine` did.
  void tell(const char* door, const BatchReport& report, double seconds);
  // What the store said last: an error is kept until a commit goes through.
  void note(const Status& committed);
  // The error of the store that stands, if any; a full disk passes, others do not.
  std::optional<Error> trouble() const;
  // Commits what is queued, and takes nothing more.
  void close();

 private:
  Metrics& metrics_;
  Log& log_;
  int64_t queued_lines_max_;
  std::function<void()> committed_;
  std::atomic<int64_t> queued_lines_{0};
  mutable std::mutex mutex_;
  std::optional<Error> trouble_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace ensue::daemon
