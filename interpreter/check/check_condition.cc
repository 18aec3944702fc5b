// The conditions of automations: which fields they look at, and whether they can ever hold.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "check/internal/checker.h"
#include "check/satisfiable.h"

namespace ensue::check::internal {
namespace {

template <class Fields>
std::string counted_fields(const Fields& fields) {
  std::string out;
  for (const auto& [field, name] : fields) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

void Checker::check_guard(NodeId guard, Automation& automation, const Place& place) {
  ast::Guard decl(*tree_, guard);
  automation.guard =
      decl.op() == syntax::kGuardNewlyMeets ? GuardKind::kNewlyMeets : GuardKind::kMeets;
  automation.condition = ref(decl.condition());
  size_t errors = sink_.error_count();
  infer_condition(decl.condition(), place);
  collect_condition_fields(decl.condition(), automation);
  if (sink_.error_count() == errors) lint_condition(automation, guard);
}

void Checker::collect_condition_fields(NodeId condition, Automation& automation) {
  std::map<types::FieldRef, std::string> own;  // and how the note names them
  std::map<std::pair<types::FieldRef, types::FieldRef>, std::string> cross;
  std::set<types::FieldId> watched;
  bool action = automation.kind == AutomationKind::kAction;
  auto name = [&](const types::FieldRef& field) { return module_->schema.field(field).name; };
  auto see = [&](const Path& path, Span at) {
    if (path.base == PathBase::kSearched && !path.hops.empty()) {
      const types::FieldRef& field = path.hops[0].fields[0];
      cross.emplace(std::pair(field, field),
                    module_->schema.object(field.object).name + "." + name(field));
      return;
    }
    if (path.base != PathBase::kIt || path.hops.empty()) return;
    const types::FieldRef& first = path.hops[0].fields[0];
    watched.insert(first.field);
    if (path.hops.size() == 1) own.emplace(first, name(first));
    if (path.hops.size() >= 2) {
      const types::FieldRef& second = path.hops[1].fields[0];
      cross.emplace(std::pair(first, second), name(first) + "." + name(second));
    }
    if (action && path.hops.size() > 2) {
      report(DiagnosticKind::kTooManyHops, at, {fmt::format("{}", path.hops.size() - 1)});
    }
  };
  std::vector<NodeId> stack{condition};
  while (!stack.empty()) {
    NodeId node = stack.back();
    stack.pop_back();
    const Fact& fact = facts_->of(node);
    if (fact.binding == Binding::kPath) see(facts_->paths[fact.index], span(node));
    for (NodeId child : tree_->children(node)) {
      if (child.valid()) stack.push_back(child);
    }
  }
  automation.watched.assign(watched.begin(), watched.end());
  if (!action) return;
  const Bounds& bounds = module_->options.bounds;
  if (own.size() > bounds.own_fields_max) {
    report(DiagnosticKind::kTooManyOwnFields, span(condition),
           {fmt::format("{}", own.size()), module_->schema.object(automation.object).name,
            fmt::format("{}", bounds.own_fields_max)})
        .note("they are " + counted_fields(own));
  }
  if (cross.size() > bounds.cross_fields_max) {
    report(DiagnosticKind::kTooManyCrossFields, span(condition),
           {fmt::format("{}", cross.size()), fmt::format("{}", bounds.cross_fields_max)})
        .note("they are " + counted_fields(cross));
  }
}

void Checker::lint_condition(const Automation& automation, NodeId guard) {
  NodeId condition = automation.condition.node;
  ConditionView view{*module_, *tree_, *facts_};
  if (auto witness = find_contradiction(view, condition)) {
    Finding& finding = report(DiagnosticKind::kNeverTrue, span(condition));
    finding.label(witness->first, "this").label(witness->second, "contradicts this");
  } else if (find_contradiction(view, condition, true)) {
    report(DiagnosticKind::kAlwaysTrue, span(condition));
  }
  if (automation.guard != GuardKind::kNewlyMeets) return;
  if (auto hidden = find_hidden_alternative(view, condition)) {
    report(DiagnosticKind::kNewlyMeetsOr, hidden->alternatives)
        .label(hidden->first, "once this holds")
        .label(hidden->second, "this becoming true starts nothing")
        .note("write two automations, or `and meets` with `changed to` on each side")
        .label(span(guard), "looked at as a whole, before and after the save");
  }
}

}  // namespace ensue::check::internal
