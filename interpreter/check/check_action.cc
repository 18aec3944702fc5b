// Automated actions, and the cadence effects that actions and flows share.
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"

namespace ensue::check::internal {
namespace {

constexpr std::string_view kWatchable[] = {
    "Lead", "Contact", "PersonAccount", "Case", "Opportunity", "EmailEngagement", "CallEngagement"};
constexpr std::string_view kTargets[] = {"Lead", "Contact", "PersonAccount"};

template <size_t N>
bool contains(const std::string_view (&names)[N], std::string_view name) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](std::string_view n) { return base::equal_folded(n, name); });
}

// `set fields`, `create records`: what a statement does, for the message that an action cannot.
const char* deed(NodeKind kind) {
  switch (kind) {
    case NodeKind::kSetStmt: return "set fields";
    case NodeKind::kCreateStmt: return "create records";
    case NodeKind::kUpdateStmt: return "update records";
    case NodeKind::kDeleteStmt: return "delete records";
    case NodeKind::kSendStmt: return "send e-mail";
    case NodeKind::kCallStmt: return "call services";
    case NodeKind::kWaitStmt: return "wait";
    case NodeKind::kIfStmt: return "branch";
    case NodeKind::kForStmt: return "loop";
    case NodeKind::kRouteStmt: return "route records";
    case NodeKind::kRunStmt: return "run subflows";
    default: return "do this";
  }
}

}  // namespace

Automation Checker::automation_head(NodeId id, NodeId name, NodeId attributes) {
  ast::Attributes attribute_view(*tree_, attributes);
  Automation out;
  out.name = text(name);
  out.declaration = ref(id);
  out.name_span = span(name);
  out.draft = attribute_view.op() == 1;
  out.author = text(attribute_view.author());
  if (attribute_view.priority().valid()) {
    out.priority = whole_number(attribute_view.priority(), 0, 1'000'000, "the priority");
  }
  if (attribute_view.version().valid()) {
    out.version =
        whole_number(attribute_view.version(), 0, 1'000'000'000, "the version").value_or(0);
  }
  return out;
}

void Checker::check_record_trigger(NodeId trigger, Automation& automation) {
  ast::RecordTrigger record_trigger(*tree_, trigger);
  automation.object = object_named(record_trigger.object());
  automation.events = record_trigger.op() & 15;
  automation.before_save = (record_trigger.op() & syntax::kBeforeSave) != 0;
}

bool Checker::watchable(const Automation& automation) const {
  return automation.object && contains(kWatchable, module_->schema.object(automation.object).name);
}

void Checker::check_action_trigger(NodeId id, const Automation& automation) {
  ast::RecordTrigger trigger(*tree_, id);
  if (automation.object && !watchable(automation)) {
    report(DiagnosticKind::kNotWatchable, span(trigger.object()),
           {module_->schema.object(automation.object).name});
  }
  // The events stand between `is` and the comma; the comma and `before save` or `after save` close
  // the clause.
  Span events = span(id);
  Span timing = span(id);
  std::span<const syntax::Token> tokens = tree_->tokens();
  auto first = std::lower_bound(
      tokens.begin(), tokens.end(), span(trigger.object()).end,
      [](const syntax::Token& token, uint32_t begin) { return token.begin < begin; });
  for (; first != tokens.end() && first->end <= span(id).end; ++first) {
    const syntax::Token& token = *first;
    if (token.trivia()) continue;
    std::string_view written = tree_->source_text().substr(token.begin, token.end - token.begin);
    if (base::equal_folded(written, "is")) {
      events.begin = 0;
    } else if (events.begin == 0) {
      events.begin = token.begin;
      events.end = token.end;
    } else if (written == ",") {
      timing.begin = token.begin;
      break;
    } else {
      events.end = token.end;
    }
  }
  if (automation.events != syntax::kOnCreated &&
      automation.events != (syntax::kOnCreated | syntax::kOnEdited)) {
    Finding& finding = report(DiagnosticKind::kActionEvents, events);
    if (automation.events == syntax::kOnEdited)
      finding.note("the action then also sees new records");
    if ((automation.events & syntax::kOnEdited) != 0) {
      finding.fix(events, "created or edited", "write");
    } else if ((automation.events & syntax::kOnCreated) != 0) {
      finding.fix(events, "created", "write");
    }
  }
  bool before = (trigger.op() & syntax::kBeforeSave) != 0;
  if (before || (trigger.op() & syntax::kAfterSave) != 0) {
    report(DiagnosticKind::kSaveTiming, timing, {before ? "before save" : "after save"})
        .fix(timing, "", "leave it out");
  }
}

void Checker::check_action(NodeId id) {
  ast::ActionDecl decl(*tree_, id);
  Automation automation = automation_head(id, decl.name(), decl.attributes());
  automation.kind = AutomationKind::kAction;
  ast::Attributes attribute_view(*tree_, decl.attributes());
  if (automation.author.empty()) automation.author = module_->options.author;
  if (automation.author.empty()) {
    report(DiagnosticKind::kNoAuthor, span(decl.name()), {automation.name})
        .note("write `by \"…\"` after the name");
  } else if (input_.known != nullptr && input_.known->users.count(automation.author) == 0) {
    Span at = attribute_view.author().valid() ? span(attribute_view.author()) : span(decl.name());
    std::vector<std::string> names(input_.known->users.begin(), input_.known->users.end());
    report(DiagnosticKind::kUnknownUser, at, {"user", automation.author})
        .suggest_quoted(base::nearest(automation.author, names));
  }
  automation.scope = decl.scope().valid() && tree_->op(decl.scope()) == syntax::kTeamRecords
                         ? Scope::kTeam
                         : Scope::kOwn;
  if (decl.activation().valid())
    automation.activation = static_cast<ActivationPolicy>(tree_->op(decl.activation()));
  if (!decl.trigger().valid()) {
    report(DiagnosticKind::kMissingTrigger, span(decl.name()),
           {fmt::format("action \"{}\"", automation.name)});
    return;
  }
  check_record_trigger(decl.trigger(), automation);
  check_action_trigger(decl.trigger(), automation);

  Place place;
  place.it_told = !automation.object;
  if (automation.object) place.it = module_->schema.record_type(automation.object);
  place.changes = true;
  if (decl.guard().valid()) {
    check_guard(decl.guard(), automation, place);
  } else if ((automation.events & syntax::kOnEdited) != 0) {
    report(DiagnosticKind::kEditNeverRuns, span(decl.trigger()))
        .note("write `created` alone, or say with `if` which fields matter");
  }
  place.changes = false;
  place.why_not_changes = "an effect works on the record as it is now";
  size_t count = 0;
  for (NodeId statement : tree_->items(decl.body())) {
    ++count;
    if (auto effect = check_cadence_effect(statement, automation, place)) {
      if (count > 1) {
        report(DiagnosticKind::kOneEffect, span(statement), {fmt::format("{}", count)})
            .note("write one action for each effect");
      } else {
        automation.effects.push_back(*effect);
      }
    } else {
      refuse_statement_in_action(statement);
    }
  }
  if (count == 0) report(DiagnosticKind::kMissingEffect, span(decl.name()), {automation.name});
  for (const CadenceEffect& effect : automation.effects) {
    if (!effect.reminder) collect_tracker_writes(effect, automation);
  }
  automation.runnable = true;
  automations_.push_back(std::move(automation));
}

void Checker::refuse_statement_in_action(NodeId id) {
  NodeKind kind = tree_->kind(id);
  bool effect = kind == NodeKind::kAddEffect || kind == NodeKind::kRemoveEffect ||
                kind == NodeKind::kPauseEffect || kind == NodeKind::kChangeEffect ||
                kind == NodeKind::kRemindStmt;
  if (effect) return;  // an effect with a mistake in it, reported already
  report(DiagnosticKind::kNotAnActionEffect, span(id), {deed(kind)})
      .note(
          "a flow can: write `flow \"…\"` with the same trigger and `and meets` for the condition");
}

// ---- Cadence effects --------------------------------------------------------------------------

std::string Checker::cadence_named(NodeId quoted) {
  std::string name = text(quoted);
  bool known = names_->cadences.count(name) != 0 || broken("cadence", name) ||
               (input_.known != nullptr && input_.known->cadences.count(name) != 0);
  if (!known) unknown_cadences_.emplace(name, span(quoted));
  return name;
}

// Each is told once.
void Checker::report_unknown_cadences() {
  if (unknown_cadences_.empty()) return;
  std::vector<std::string> names = names_of(names_->cadences);
  for (const auto& [name, at] : unknown_cadences_) {
    report(DiagnosticKind::kUnknownCadence, at, {name}).suggest_quoted(base::nearest(name, names));
  }
}

std::optional<std::string> Checker::cadence_scope(NodeId scope) {
  if (!scope.valid()) return "";
  NodeId name = ast::CadenceScope(*tree_, scope).name();
  return name.valid() ? cadence_named(name) : "";
}

void Checker::check_person(NodeId id, const Place& place) {
  Type type = infer(id, place);
  if (type.error()) return;
  std::vector<types::ObjectId> objects = objects_of(type);
  types::ObjectId user = module_->schema.find_object("User");
  if (std::find(objects.begin(), objects.end(), user) != objects.end() && !type.list) return;
  report(DiagnosticKind::kNotAPerson, span(id), {a_name_of(type)});
}

void Checker::check_target(NodeId target, CadenceEffect& effect, const Automation& automation,
                           const Place& place) {
  Type type = infer(target, place);
  effect.target = ref(target);
  if (type.error()) return;
  const Fact& fact = facts_->of(target);
  const Path& path = facts_->paths[fact.index];
  std::vector<types::ObjectId> objects = objects_of(type);
  bool fits = !objects.empty() && !type.list &&
              std::all_of(objects.begin(), objects.end(), [&](types::ObjectId id) {
                return contains(kTargets, module_->schema.object(id).name);
              });
  if (!fits) {
    bool told = automation.kind == AutomationKind::kAction && !watchable(automation);
    if (told) return;
    Finding& finding = report(DiagnosticKind::kNotATarget, span(target), {a_name_of(type)});
    std::string object = automation.object ? module_->schema.object(automation.object).name : "";
    if (object == "Case" || object == "Opportunity") {
      finding.fix(span(target), "PrimaryContact", "did you mean `PrimaryContact`?");
    } else if (object == "EmailEngagement" || object == "CallEngagement") {
      finding.fix(span(target), "Person", "did you mean `Person`?");
    }
    return;
  }
  bool of_it = path.base == PathBase::kIt && path.hops.size() == 1;
  if (of_it && automation.object &&
      base::equal_folded(module_->schema.object(automation.object).name, "Opportunity")) {
    effect.primary_contact =
        base::equal_folded(module_->schema.field(path.hops[0].fields[0]).name, "PrimaryContact");
  }
  if (automation.kind == AutomationKind::kAction && path.hops.size() > 1) {
    report(DiagnosticKind::kTooManyHops, span(target), {fmt::format("{}", path.hops.size())});
  }
}

std::optional<CadenceEffect> Checker::check_cadence_effect(NodeId id, const Automation& automation,
                                                           const Place& place) {
  CadenceEffect effect;
  effect.statement = ref(id);
  switch (tree_->kind(id)) {
    case NodeKind::kRemindStmt: {
      ast::RemindStmt remind(*tree_, id);
      auto inner = check_cadence_effect(remind.effect(), automation, place);
      if (!inner) {
        if (automation.kind == AutomationKind::kAction) refuse_statement_in_action(remind.effect());
        return std::nullopt;
      }
      effect = *inner;
      effect.statement = ref(id);
      effect.reminder = true;
      effect.person = ref(remind.person());
      effect.within = read_duration(remind.within());
      effect.expiring = read_duration(remind.expiring());
      bool me = tree_->is(remind.person(), NodeKind::kPath) &&
                tree_->op(remind.person()) == syntax::kPathMe &&
                tree_->children(remind.person()).empty();
      if (automation.kind == AutomationKind::kAction && !me)
        report(DiagnosticKind::kReminderPerson, span(remind.person()));
      check_person(remind.person(), place);
      return effect;
    }
    case NodeKind::kAddEffect: {
      ast::AddEffect add(*tree_, id);
      effect.kind = EffectKind::kAdd;
      check_target(add.target(), effect, automation, place);
      effect.cadence = cadence_named(add.cadence());
      if (add.assignee().valid()) {
        check_person(add.assignee(), place);
        effect.assignee = ref(add.assignee());
      }
      return effect;
    }
    case NodeKind::kRemoveEffect: {
      ast::RemoveEffect remove(*tree_, id);
      effect.kind = EffectKind::kRemove;
      check_target(remove.target(), effect, automation, place);
      effect.cadence = *cadence_scope(remove.scope());
      effect.disposition = text(remove.disposition());
      if (remove.disposition().valid()) {
        types::ObjectId tracker = module_->schema.find_object("ActionCadenceTracker");
        types::FieldId field = module_->schema.object(tracker).find("CompletionDisposition");
        check_picklist_value(module_->schema.object(tracker).field(field).type, effect.disposition,
                             span(remove.disposition()), "the dispositions");
      }
      return effect;
    }
    case NodeKind::kPauseEffect: {
      ast::PauseEffect pause(*tree_, id);
      effect.kind = pause.op() == 1 ? EffectKind::kResume : EffectKind::kPause;
      check_target(pause.target(), effect, automation, place);
      effect.cadence = *cadence_scope(pause.scope());
      return effect;
    }
    case NodeKind::kChangeEffect: {
      ast::ChangeEffect change(*tree_, id);
      effect.kind = EffectKind::kChangeAssignee;
      check_target(change.target(), effect, automation, place);
      check_person(change.assignee(), place);
      effect.assignee = ref(change.assignee());
      effect.cadence = *cadence_scope(change.scope());
      return effect;
    }
    default: return std::nullopt;
  }
}

// The trackers are records like any other: an effect on them may start what watches them.
void Checker::collect_tracker_writes(const CadenceEffect& effect, Automation& automation) {
  types::ObjectId tracker = module_->schema.find_object("ActionCadenceTracker");
  types::ObjectId step_tracker = module_->schema.find_object("ActionCadenceStepTracker");
  if (!tracker || !step_tracker) return;
  Span at = module_->span(effect.statement);
  auto edit = [&](types::ObjectId object, const char* field) {
    automation.writes.push_back(
        {object, module_->schema.object(object).find(field), syntax::kOnEdited, std::nullopt, at});
  };
  switch (effect.kind) {
    case EffectKind::kAdd:
      automation.writes.push_back({tracker, {}, syntax::kOnCreated, std::nullopt, at});
      automation.writes.push_back({step_tracker, {}, syntax::kOnCreated, std::nullopt, at});
      break;
    case EffectKind::kRemove:
      for (const char* field :
           {"State", "CompletionReason", "CompletionDisposition", "CompletedDate"})
        edit(tracker, field);
      edit(step_tracker, "State");
      break;
    case EffectKind::kPause:
    case EffectKind::kResume:
      for (const char* field : {"State", "PausedDate", "CurrentStepDueDate"}) edit(tracker, field);
      for (const char* field : {"State", "DueDate"}) edit(step_tracker, field);
      break;
    case EffectKind::kChangeAssignee:
      for (const char* field : {"Owner", "CurrentStepDueDate"}) edit(tracker, field);
      for (const char* field : {"Owner", "DueDate"}) edit(step_tracker, field);
      break;
  }
}

// ---- How many an author has -------------------------------------------------------------------

void Checker::check_authors() {
  struct Count {
    std::vector<Span> own;
    std::vector<Span> team;
  };
  std::map<std::string, Count, base::FoldedLess> by_author;
  for (const Automation& automation : module_->automations) {
    if (automation.kind != AutomationKind::kAction) continue;
    Count& count = by_author[automation.author];
    (automation.scope == Scope::kTeam ? count.team : count.own).push_back(automation.name_span);
  }
  const Bounds& bounds = module_->options.bounds;
  for (const auto& [author, count] : by_author) {
    auto over = [&, &whose = author](const std::vector<Span>& spans, uint32_t most,
                                     DiagnosticKind kind) {
      if (spans.size() <= most) return;
      report(kind, spans[most], {whose, fmt::format("{}", spans.size()), fmt::format("{}", most)})
          .here("the first one too many");
    };
    over(count.own, bounds.own_actions_max, DiagnosticKind::kTooManyOwnActions);
    over(count.team, bounds.team_actions_max, DiagnosticKind::kTooManyTeamActions);
  }
}

}  // namespace ensue::check::internal
