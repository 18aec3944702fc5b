// The state machine of one target in one cadence. Pure functions: a tracker and an instant in, a
// tracker out.
//
//   (none) --enter--> Active --pause--> Paused --resume--> Active --remove--> Complete
//
// Stepping through (completing steps, changing tracks) is not run by this version.
#pragma once

#include <optional>
#include <string>

#include "cadence/definition.h"
#include "ensue/value.h"

namespace ensue::cadence {

enum class State : uint8_t { kActive, kPaused, kComplete, kError };
// As in ActionCadenceTracker.State.
const char* state_name(State state);
std::optional<State> state_of(std::string_view name);

struct Tracker {
  std::string cadence;
  std::string target;       // record id
  std::string target_type;  // Lead, Contact, PersonAccount
  std::string owner;        // the assignee, a user's id
  State state = State::kActive;
  std::string track;  // empty: the cadence is kept elsewhere, or is finished
  std::string step;   // the current step; empty: none
  std::string step_kind;
  std::optional<Instant> due;
  Instant entered;
  std::optional<Instant> paused;
  std::optional<Instant> completed;
  std::string reason;
  std::string disposition;

  bool open() const { return state == State::kActive || state == State::kPaused; }
};

// A target enters at step one of main. `definition` is null for a cadence that is not declared
// here: the tracker has no step.
Tracker enter(const Definition* definition, std::string_view cadence, std::string target_type,
              std::string target, std::string owner, Instant now, const calendar::Zone& zone);

// The current step's clock stops.
void pause(Tracker& tracker, Instant now);
// It goes on: the due time moves by the time that passed in the pause.
void resume(Tracker& tracker, Instant now);
// The current step is due anew, counted from now (sales-engagement 4.12).
void reassign(Tracker& tracker, std::string owner, const Definition* definition, Instant now,
              const calendar::Zone& zone);
// By hand or by an automation: completion reason ManuallyRemoved.
void remove(Tracker& tracker, std::string disposition, Instant now);

}  // namespace ensue::cadence
