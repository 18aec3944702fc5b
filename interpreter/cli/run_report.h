// What a run tells at its end: a few lines for people, JSON for machines, a page to keep.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime.h"
#include "ensue/engine.h"

namespace ensue::cli {

struct RunSummary {
  uint64_t first_line = 1;
  uint64_t last_line = 0;
  double seconds = 0;
  bool resumed = false;
  uint64_t records = 0;  // taken in from --records
  BatchReport counts;    // sums over all batches; decisions and dead letters are counted, not kept
  uint64_t dead_letter_count = 0;
  std::optional<DeliveryReport> delivery;  // sums; none where nothing is delivered
  std::map<std::string, int64_t> totals;   // of the store, all runs
  std::vector<std::string> warnings;
  std::map<std::string, uint64_t> unknown_fields;
  std::map<std::string, uint64_t> unknown_values;
  std::vector<std::string> notices;
  uint64_t notice_count = 0;

  void add(const BatchReport& report, bool snapshots);
  void add(const DeliveryReport& report);
  Status read_totals(Store& store);
  uint64_t decisions() const;
  uint64_t dead_letters() const { return dead_letter_count; }
  uint64_t status(const std::string& name) const;

  std::string text(bool with_store) const;
  std::string json() const;
};

// An HTML page with the summary, the decisions by automation and by user, the limits and the dead
// letters.
Status write_report(const std::string& path, engine::Runtime& runtime, const RunSummary& summary);

}  // namespace ensue::cli
