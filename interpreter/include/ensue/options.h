// Options and bounds. Every bound has a name, a default and the reason for it; docs/limits.md is
// generated from this file's tables. Crossing a bound is an ordinary error, never a crash.
#pragma once

#include <cstdint>
#include <string>

namespace ensue {

// ENSUE_BOUND(type, name, default, unit, reason)
#define ENSUE_BOUNDS(ENSUE_BOUND)                                                                  \
  ENSUE_BOUND(uint32_t, source_bytes_max, 16u << 20, "bytes",                                      \
              "a larger file is generated text or not a source at all")                            \
  ENSUE_BOUND(uint32_t, nesting_max, 200, "levels",                                                \
              "parentheses and blocks; beyond what a person can read")                             \
  ENSUE_BOUND(uint32_t, event_bytes_max, 4u << 20, "bytes",                                        \
              "one line of a stream; the CRM's change events stay below 1 MB")                     \
  ENSUE_BOUND(uint32_t, event_nesting_max, 32, "levels",                                           \
              "JSON inside an event; the deepest envelope in use has 5")                           \
  ENSUE_BOUND(uint32_t, event_records_max, 10'000, "records",                                      \
              "record ids in one event; the CRM merges at most 100")                               \
  ENSUE_BOUND(uint32_t, text_bytes_max, 131'072, "bytes",                                          \
              "one text value; the longest field of the CRM (integrations 3, row 30)")             \
  ENSUE_BOUND(uint32_t, own_actions_max, 50, "actions",                                            \
              "per author, for own records (sales-engagement 1.11)")                               \
  ENSUE_BOUND(uint32_t, team_actions_max, 25, "actions",                                           \
              "per author, for the team (sales-engagement 1.11)")                                  \
  ENSUE_BOUND(uint32_t, own_fields_max, 5, "fields",                                               \
              "of the object, in one action (sales-engagement 1.5)")                               \
  ENSUE_BOUND(uint32_t, cross_fields_max, 5, "fields",                                             \
              "through lookups, in one action (sales-engagement 1.5)")                             \
  ENSUE_BOUND(uint32_t, cadence_steps_max, 100, "steps", "per cadence (sales-engagement 4.1)")     \
  ENSUE_BOUND(uint32_t, step_variants_max, 3, "variants", "per step (sales-engagement 4.8)")       \
  ENSUE_BOUND(uint32_t, quick_repeats_max, 10, "times",                                            \
              "per quick cadence (sales-engagement 4.9)")                                          \
  ENSUE_BOUND(uint32_t, cadences_per_target_max, 5, "cadences", "at once (sales-engagement 4.1)")  \
  ENSUE_BOUND(uint32_t, active_targets_max, 500'000, "targets",                                    \
              "in cadences, the whole org (sales-engagement 4.1)")                                 \
  ENSUE_BOUND(uint32_t, chain_depth_max, 16, "levels",                                             \
              "saves that cause saves; the CRM stops at 16 triggers deep")                         \
  ENSUE_BOUND(uint32_t, chain_events_max, 10'000, "events", "caused by one event from outside")    \
  ENSUE_BOUND(uint32_t, run_steps_max, 100'000, "steps",                                           \
              "evaluated for one automation on one event")                                         \
  ENSUE_BOUND(uint32_t, run_effects_max, 10'000, "effects", "of one run")                          \
  ENSUE_BOUND(uint32_t, query_rows_max, 50'000, "records", "looked at by one `has (…)` or `find`") \
  ENSUE_BOUND(uint32_t, subflow_depth_max, 32, "levels",                                           \
              "subflows that run subflows; deeper is a loop")                                      \
  ENSUE_BOUND(uint32_t, frame_bytes_max, 1u << 20, "bytes",                                        \
              "what one waiting run holds: its locals and where it stands")                        \
  ENSUE_BOUND(uint32_t, service_answer_bytes_max, 1u << 20, "bytes",                               \
              "the body of one answer of a service; a callout of the CRM takes 1 MB from a flow")  \
  ENSUE_BOUND(uint32_t, manager_levels_max, 50, "levels",                                          \
              "walked up the manager hierarchy; a longer one is a loop")

struct Bounds {
#define ENSUE_BOUND(type, name, value, unit, reason) type name = value;
  ENSUE_BOUNDS(ENSUE_BOUND)
#undef ENSUE_BOUND
};

// What a program is checked and run under.
struct ProgramOptions {
  Bounds bounds;
  std::string zone = "UTC";      // the org's zone where the program has no `day starts at`
  std::string currency = "USD";  // the org's currency: of a money field whose record names none
  std::string author;            // who writes actions without `by`; empty: such actions are refused
};

}  // namespace ensue
