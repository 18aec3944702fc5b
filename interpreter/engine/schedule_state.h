// How a schedule stands, as a store keeps it: when it fires next, how often it has run and how
// often it was missed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ensue/store.h"
#include "schedule/schedule.h"

namespace ensue::engine {

struct ScheduleState {
  bool known = false;  // the store has met it
  std::string text;    // its first firings of all: what it is known by
  int64_t runs = 0;
  int64_t missed = 0;  // firings that nothing ran for, by `catch up`
  std::optional<schedule::Firing> next;
};

// `rule`: of the flow. Errors: kStoreDamaged, and those of the store.
Result<ScheduleState> read_schedule_state(StoreReader& reader, const Key128& rule);
Status keep_schedule_state(StoreTxn& txn, const Key128& rule, const std::string& flow,
                           const ScheduleState& state);
// Of a flow that is gone.
Status forget_schedule_state(StoreTxn& txn, const Key128& rule);

}  // namespace ensue::engine
