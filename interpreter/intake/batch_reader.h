// The lines of a batch, read in order by one thread or ahead by several.
//
// Reading a line depends on the line alone, so that what comes out is the same however many threads
// there are.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/workers.h"
#include "ensue/engine.h"
#include "intake/event_reader.h"

namespace ensue::intake {

class BatchReader {
 public:
  // `workers`, `schema` and `bounds` outlive the reader; as EventReader otherwise.
  BatchReader(const types::Schema& schema, const Bounds& bounds, std::string source, bool needs_ids,
              std::span<const InputLine> lines, base::Workers& workers);

  // What the next line gave; called once for each line.
  LineResult next();
  // Of the lines read so far.
  const IntakeCounts& counts() const { return first_->counts(); }

 private:
  std::unique_ptr<EventReader> make_reader() const;
  void read_ahead();

  const types::Schema& schema_;
  const Bounds& bounds_;
  std::string source_;
  bool needs_ids_;
  std::span<const InputLine> lines_;
  base::Workers& workers_;
  std::unique_ptr<EventReader> first_;                // counts for all
  std::vector<std::unique_ptr<EventReader>> others_;  // by part
  size_t at_ = 0;                                     // the next line
  size_t window_end_ = 0;                             // of the lines that are read together
  // By line, the last one before window_end_; empty when lines are read as they are asked for.
  std::vector<LineResult> ahead_;
};

}  // namespace ensue::intake
