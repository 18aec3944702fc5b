#include "cadence/tracker.h"

#include "base/fold.h"

namespace ensue::cadence {
namespace {

constexpr const char* kStates[] = {"Active", "Paused", "Complete", "Error"};

const Step* find_step(const Definition& definition, std::string_view track,
                      std::string_view title) {
  const Track* found = definition.track(track);
  if (found == nullptr) return nullptr;
  for (const Step& step : found->steps) {
    if (base::equal_folded(step.title, title)) return &step;
  }
  return nullptr;
}

}  // namespace

const char* state_name(State state) { return kStates[static_cast<size_t>(state)]; }

std::optional<State> state_of(std::string_view name) {
  for (size_t i = 0; i < std::size(kStates); ++i) {
    if (base::equal_folded(kStates[i], name)) return static_cast<State>(i);
  }
  return std::nullopt;
}

Tracker enter(const Definition* definition, std::string_view cadence, std::string target_type,
              std::string target, std::string owner, Instant now, const calendar::Zone& zone) {
  Tracker out;
  out.cadence = definition != nullptr ? definition->name : std::string(cadence);
  out.target = std::move(target);
  out.target_type = std::move(target_type);
  out.owner = std::move(owner);
  out.entered = now;
  if (definition == nullptr) return out;
  const Track* main = definition->track("main");
  if (main == nullptr) return out;
  out.track = main->name;
  if (main->steps.empty()) return out;
  const Step& first = main->steps.front();
  out.step = first.title;
  out.step_kind = first.kind;
  out.due = due_at(first, now, zone, definition->calendar.get());
  return out;
}

void pause(Tracker& tracker, Instant now) {
  tracker.state = State::kPaused;
  tracker.paused = now;
}

void resume(Tracker& tracker, Instant now) {
  tracker.state = State::kActive;
  if (tracker.due && tracker.paused)
    tracker.due = Instant{tracker.due->ms + (now.ms - tracker.paused->ms)};
  tracker.paused.reset();
}

void reassign(Tracker& tracker, std::string owner, const Definition* definition, Instant now,
              const calendar::Zone& zone) {
  tracker.owner = std::move(owner);
  if (definition == nullptr || tracker.step.empty()) return;
  if (const Step* step = find_step(*definition, tracker.track, tracker.step)) {
    tracker.due = due_at(*step, now, zone, definition->calendar.get());
    if (tracker.paused)
      tracker.paused = now;  // what was waited before does not count for the new due time
  }
}

void remove(Tracker& tracker, std::string disposition, Instant now) {
  tracker.state = State::kComplete;
  tracker.completed = now;
  tracker.reason = "ManuallyRemoved";
  tracker.disposition = std::move(disposition);
  tracker.paused.reset();
}

}  // namespace ensue::cadence
