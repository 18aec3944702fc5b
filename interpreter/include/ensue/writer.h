// Writer: many threads hand in lines, one thread commits what is queued together.
//
// A commit costs a synchronisation of the disk, whatever it holds. The writer takes everything that
// is queued into the next commit and adds no delay of its own: an idle one commits a single line at
// once, a busy one hundreds together (DURABILITY section 1 has the figures).
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

class Writer {
 public:
  // Until the writer is gone nobody else may use the engine, which must outlive it.
  explicit Writer(Engine& engine);
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
