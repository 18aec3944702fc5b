// The lines of a batch, read in order, some ahead, by one thread or by several.
//
// Reading a line depends on the line alone, so that what comes out is the same however many threads
// there are.
#pragma once

#include <functional>
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

  // Says of each event that it has been read, a few before next() gives it.
  using OnRead = std::function<void(const types::Event&)>;
  void tell_to(OnRead on_read) { on_read_ = std::move(on_read); }

  // What the next line gave; called once for each line.
  LineResult next();
  // Of the lines read so far, those ahead among them.
  const IntakeCounts& counts() const { return first_->counts(); }

 private:
  std::unique_ptr<EventReader> make_reader() const;
  void read_ahead();
  void read_by_one();
  void read_by_all(size_t parts);

  const types::Schema& schema_;
  const Bounds& bounds_;
  std::string source_;
  bool needs_ids_;
  std::span<const InputLine> lines_;
  base::Workers& workers_;
  std::unique_ptr<EventReader> first_;                // counts for all
  std::vector<std::unique_ptr<EventReader>> others_;  // by part
  size_t at_ = 0;                                     // the next line
  std::vector<LineResult> ahead_;                     // of lines read together: `at_` is among …
  size_t ahead_begin_ = 0;                            // … those from here on
  OnRead on_read_;
};

}  // namespace ensue::intake
