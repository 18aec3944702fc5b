#include "plan/plan.h"

#include "base/fold.h"

namespace ensue::plan {

const char* effect_name(EffectKind kind) {
  static constexpr const char* kNames[] = {"add_to_cadence", "remove_from_cadence", "pause_cadence",
                                           "resume_cadence", "change_assignee"};
  return kNames[static_cast<size_t>(kind)];
}

const char* unit_kind_name(UnitKind kind) {
  static constexpr const char* kNames[] = {"action", "flow", "subflow", "screen flow",
                                           "routing table"};
  return kNames[static_cast<size_t>(kind)];
}

const char* do_name(Do what) {
  static constexpr const char* kNames[] = {"jump",   "unless", "each",  "try",       "end-try",
                                           "run",    "stop",   "fault", "branch",    "let",
                                           "find",   "turn",   "set",   "update",    "update-all",
                                           "create", "delete", "wait",  "wait-time", "wait-until",
                                           "show",   "call",   "send",  "effect",    "log"};
  return kNames[static_cast<size_t>(what)];
}

const Shared<Body>& action_body() {
  static const Shared<Body> kBody = [] {
    Body body;
    body.code = {{Do::kEffect, 0, 0, 0, {}}, {Do::kStop, 0, 0, 0, {}}};
    return Shared<Body>(std::move(body));
  }();
  return kBody;
}

SourceRange range_at(const UnitPlan& unit, uint32_t instruction) {
  if (unit.kind == UnitKind::kAction && !unit.effects.empty()) return unit.effects.front().range;
  return unit.body->code[instruction].range;
}

base::Key128 rule_key(UnitKind kind, std::string_view author, std::string_view name) {
  // Flows are unique by name; only actions are told apart by their author.
  std::string folded_author = kind == UnitKind::kAction ? base::fold_case(author) : "";
  return base::hash_key({"rule", unit_kind_name(kind), folded_author, base::fold_case(name)});
}

bool runs_before(const UnitPlan& a, const UnitPlan& b) {
  auto rank = [](const UnitPlan& unit) {
    return unit.trigger->before_save ? 0 : 1 + static_cast<int>(unit.kind);
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (a.priority != b.priority) return a.priority < b.priority;
  if (int order = base::compare_folded(a.name, b.name)) return order < 0;
  return base::compare_folded(a.author, b.author) < 0;
}

}  // namespace ensue::plan
