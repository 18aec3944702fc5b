// Writer: many threads hand in lines, one thread commits what is queued together.
//
// A commit costs a synchronisation of the disk, whatever it holds. The writer takes everything that
// is queued into the next commit, up to a bound, and adds no delay of its own: an idle one commits
// a single line at once, a busy one hundreds together (DURABILITY section 1 has the figures).
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ensue/engine.h"

namespace ensue {

// Lines of one source, in order. The writer owns them until they are committed.
struct Submission {
  std::string source;
  std::vector<std::string> lines;
  uint64_t first_number = 1;  // of the first line in its source
  std::optional<CursorRow> cursor;
  bool needs_ids = false;  // as in Batch
};

struct WriterOptions {
  // Of one commit. What is queued beyond them waits for the next one, so that nobody waits long for
  // the others; a submission is never divided, so one that is larger is a commit of its own.
  size_t lines_max = 2000;
  size_t bytes_max = size_t{8} << 20;
  // Told the lines of each commit that went through, before those who wait for it are; on the
  // writer's thread.
  std::function<void(size_t lines)> committed;
};

class Writer {
 public:
  // Until the writer is gone nobody else may use the engine, which must outlive it.
  explicit Writer(Engine& engine, WriterOptions options = {});
  // Commits what is queued, then ends its thread.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // From any thread. The future is there when the lines are durable; an error says that nothing of
  // them was kept, and that handing them in again is safe. Submissions are committed in the order
  // they came in.
  std::future<Result<BatchReport>> submit(Submission submission);
  // Runs `work` on the engine between two commits, in its turn.
  std::future<void> with_engine(std::function<void(Engine&)> work);

  // Commits of submissions so far: how many went together is what was handed in, divided by it.
  uint64_t commits() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ensue
