#include "check/checked_module.h"

#include "base/fold.h"

namespace ensue::check {

const char* step_kind_name(StepKind kind) {
  static constexpr const char* kNames[] = {"Automated Email",    "Manual Email", "Call",
                                           "Connection Request", "InMail",       "Custom",
                                           "Screen Flow",        "Link"};
  return kNames[static_cast<size_t>(kind)];
}

const CadenceTrack* Cadence::track(std::string_view wanted) const {
  for (const CadenceTrack& row : tracks) {
    if (base::equal_folded(row.name, wanted)) return &row;
  }
  return nullptr;
}

const Cadence* CheckedModule::find_cadence(std::string_view name) const {
  auto found = cadence_index.find(name);
  return found == cadence_index.end() ? nullptr : &cadences[found->second];
}

const Calendar* CheckedModule::calendar_for(source::FileId file) const {
  const Calendar* own = nullptr;
  for (const Calendar& calendar : calendars) {
    if (calendar.file != file) continue;
    if (own != nullptr) return nullptr;
    own = &calendar;
  }
  if (own != nullptr) return own;
  return calendars.size() == 1 ? &calendars.front() : nullptr;
}

const char* automation_kind_name(AutomationKind kind) {
  static constexpr const char* kNames[] = {"action", "flow", "subflow", "screen flow"};
  return kNames[static_cast<size_t>(kind)];
}

const char* limit_scope_name(LimitScope scope) {
  static constexpr const char* kNames[] = {"user", "org", "automation", "service"};
  return kNames[static_cast<size_t>(scope)];
}

const char* limit_policy_name(LimitPolicy policy) {
  static constexpr const char* kNames[] = {"drop", "defer", "remind", "fail", "pause"};
  return kNames[static_cast<size_t>(policy)];
}

std::string describe(const Automation& automation) {
  std::string out =
      std::string(automation_kind_name(automation.kind)) + " \"" + automation.name + "\"";
  if (automation.kind == AutomationKind::kAction && !automation.author.empty()) {
    out += " by \"" + automation.author + "\"";
  }
  return out;
}

}  // namespace ensue::check
