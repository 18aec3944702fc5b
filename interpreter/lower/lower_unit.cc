#include <algorithm>

#include "base/check.h"
#include "lower/internal/body_lowering.h"
#include "lower/internal/expr_lowering.h"
#include "lower/lower.h"

namespace ensue::lower {

Calendars::Calendars(const check::CheckedModule& module) : module_(module) {
  for (const check::Calendar& declared : module.calendars) {
    auto out = std::make_shared<calendar::BusinessCalendar>();
    out->name = declared.name;
    out->zone = calendar::Zone::find(declared.zone).value_or(calendar::Zone::utc());
    for (const check::OpenSpan& open : declared.open) {
      out->week[static_cast<size_t>(open.weekday)].push_back({open.from_ms, open.to_ms});
    }
    for (auto& day : out->week) {
      std::sort(day.begin(), day.end(),
                [](const auto& a, const auto& b) { return a.from_ms < b.from_ms; });
    }
    out->holidays = declared.holidays;
    by_name_[declared.name] = std::move(out);
  }
}

CalendarPtr Calendars::for_file(source::FileId file) const {
  const check::Calendar* found = module_.calendar_for(file);
  return found == nullptr ? nullptr : by_name_.at(found->name);
}

std::shared_ptr<plan::UnitPlan> lower_automation(const check::CheckedModule& module,
                                                 const check::Automation& automation,
                                                 const Calendars& calendars) {
  ENSUE_CHECK(automation.runnable);
  auto unit = std::make_shared<plan::UnitPlan>();
  source::FileId file = automation.declaration.file;
  const syntax::Tree& tree = module.tree(file);
  auto range_of = [&](check::NodeRef ref) {
    source::Span span = module.span(ref);
    return plan::SourceRange{span.begin, span.end};
  };
  unit->kind = static_cast<plan::UnitKind>(automation.kind);
  unit->name = automation.name;
  unit->author = automation.author;
  unit->rule = plan::rule_key(unit->kind, automation.author, automation.name);
  unit->file = plan::Shared<std::string>(module.sources->file(file).name());
  unit->range = {automation.name_span.begin, automation.name_span.end};
  if (automation.priority) unit->priority = static_cast<uint32_t>(*automation.priority);
  unit->draft = automation.draft;
  unit->object = automation.object;
  unit->events = automation.events;
  unit->scope = static_cast<plan::Scope>(automation.scope);
  unit->activation = static_cast<plan::Activation>(automation.activation);
  unit->guard = static_cast<plan::Guard>(automation.guard);
  if (auto run_as = static_cast<plan::RunAs>(automation.run_as); run_as != plan::RunAs::kSystem)
    unit->trigger.edit().run_as = run_as;
  if (!automation.run_as_user.empty()) unit->trigger.edit().run_as_user = automation.run_as_user;
  unit->runs_per_record_max = static_cast<uint32_t>(automation.runs_per_record_max);
  unit->watched = automation.watched;
  unit->calendar = calendars.for_file(file);
  internal::ExprLowering lowering(module, file, unit->code);
  if (automation.condition.valid()) {
    unit->condition_range = range_of(automation.condition);
    unit->condition = lowering.condition(automation.condition.node);
  }
  for (const check::CadenceEffect& effect : automation.effects) {
    plan::EffectPlan out;
    out.kind = static_cast<plan::EffectKind>(effect.kind);
    out.range = range_of(effect.statement);
    out.primary_contact = effect.primary_contact;
    if (!effect.cadence.empty()) out.cadence = plan::Shared<std::string>(effect.cadence);
    if (!effect.disposition.empty())
      out.disposition = plan::Shared<std::string>(effect.disposition);
    out.reminder = effect.reminder;
    bool in_hand = tree.op(effect.target.node) == syntax::kPathIt &&
                   tree.children(effect.target.node).empty() && automation.object;
    out.target = in_hand ? lowering.record_in_hand(automation.object, range_of(effect.target))
                         : lowering.value(effect.target.node);
    if (effect.assignee.valid()) out.assignee = lowering.value(effect.assignee.node);
    if (effect.reminder) {
      plan::ReminderTerms& terms = out.terms.edit();
      if (effect.person.valid()) terms.person = lowering.value(effect.person.node);
      terms.within = effect.within;
      terms.expiring = effect.expiring;
    }
    unit->effects.push_back(std::move(out));
  }
  internal::BodyLowering body(module, automation, lowering, *unit);
  if (unit->kind == plan::UnitKind::kAction) {
    body.action();
  } else {
    body.flow();
  }
  lowering.finish();
  std::string broken = plan::verify(*unit, module.schema, module.functions);
  ENSUE_CHECK(broken.empty());
  return unit;
}

ExprPlan lower_expression(const check::CheckedModule& module, check::NodeRef expr,
                          bool as_condition, const Calendars& calendars) {
  ExprPlan out;
  out.calendar = calendars.for_file(expr.file);
  internal::ExprLowering lowering(module, expr.file, out.code);
  out.program = as_condition ? lowering.condition(expr.node) : lowering.value(expr.node);
  lowering.finish();
  return out;
}

}  // namespace ensue::lower
