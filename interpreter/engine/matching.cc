#include "engine/matching.h"

#include <algorithm>

#include "base/fold.h"

namespace ensue::engine {

std::string record_name(const types::Schema& schema, const types::Record& record) {
  return schema.object(record.object).name + "/" + record.id;
}

Change change_from(const LastChange& last, types::RecordPtr present) {
  Change out;
  out.event = last.event;
  out.at = last.at;
  out.by = last.by;
  out.is_new = last.kind == types::ChangeKind::kCreate;
  out.kind = out.is_new                                  ? plan::kCreated
             : last.kind == types::ChangeKind::kDelete   ? plan::kDeleted
             : last.kind == types::ChangeKind::kUndelete ? plan::kUndeleted
                                                         : plan::kEdited;
  if (!out.is_new) {
    types::Record before = *present;
    before.deleted = false;
    before.fields.set_all(last.before);
    out.before = std::make_shared<const types::Record>(std::move(before));
  }
  out.changed = last.before.named();
  if (last.whole) out.changed = present->fields.present();
  out.after = std::move(present);
  return out;
}

bool Activations::active(const plan::UnitPlan& unit, std::string_view person) const {
  auto said = [&](std::string_view who) -> std::optional<bool> {
    auto found = rows_.find({unit.rule, std::string(who)});
    return found == rows_.end() ? std::nullopt : std::optional(found->second);
  };
  if (unit.activation == plan::Activation::kCreator) return said("").value_or(true);
  return said(person).value_or(unit.activation == plan::Activation::kAssigneesOn);
}

Matcher::Matcher(const Program& program, RecordBook& book, const Directory& directory,
                 const Activations& activations, const match::RuleIndex& index)
    : program_(program),
      directory_(directory),
      activations_(activations),
      index_(index),
      environment_{program.schema(), program.functions(), program.bodies,        book,
                   program.zone,     program.currency,    program.options.bounds} {}

std::string Matcher::owner_of(const types::Record& record) const {
  if (!record.object) return {};
  types::FieldId field = program_.schema().object(record.object).named().owner;
  if (!field) return {};
  std::string owner(record.raw(field).as_text());
  return directory_.find(owner) != nullptr ? owner : std::string();
}

Stop Matcher::check_person(uint32_t number, const types::Record& record, MatchResult& out) const {
  const plan::UnitPlan& unit = *program_.units[number];
  std::string owner = owner_of(record);
  if (unit.kind != plan::UnitKind::kAction) {
    if (unit.trigger->run_as == plan::RunAs::kOwner) out.person = owner;
    if (unit.trigger->run_as == plan::RunAs::kUser)
      out.person = directory_.user_named(unit.trigger->run_as_user);
    return Stop::kNone;
  }
  const std::string& author = index_.author_of(number);
  out.subject = unit.author;
  if (author.empty()) return Stop::kAuthor;
  out.subject = owner;
  if (owner.empty()) return Stop::kNoOwner;
  if (unit.scope == plan::Scope::kOwn && owner != author) return Stop::kOwner;
  uint32_t levels = program_.options.bounds.manager_levels_max;
  if (unit.scope == plan::Scope::kTeam && !directory_.is_below(owner, author, levels))
    return Stop::kTeam;
  out.person = owner;
  // Only leads are filtered by territory (ENGINE section 1).
  const types::Object& object = program_.schema().object(record.object);
  if (object.name == "Lead") {
    types::FieldId field = object.find_stored("SalesTerritory");
    std::string_view territory = field ? record.raw(field).as_text() : std::string_view();
    const User* user = directory_.find(author);
    out.subject = territory;
    if (!base::equal_folded(territory, user != nullptr ? user->territory : ""))
      return Stop::kTerritory;
  }
  return Stop::kNone;
}

Result<bool> Matcher::condition(const plan::UnitPlan& unit, const Change& change,
                                std::string_view person, Instant now, bool before_save,
                                exec::Trace* trace) {
  exec::Input input;
  input.it = before_save ? change.before.get() : change.after.get();
  input.before = change.before.get();
  input.changed = &change.changed;
  input.is_new = change.is_new;
  input.before_save = before_save;
  input.me = person;
  input.now = now;
  return exec::holds(unit.code, unit.condition, unit.calendar.get(), input, environment_, trace);
}

MatchResult Matcher::examine(uint32_t number, const Change& change, Instant now,
                             exec::Trace* trace) {
  const plan::UnitPlan& unit = *program_.units[number];
  MatchResult out;
  auto stop = [&](Stop why) {
    out.stop = why;
    return out;
  };
  bool record_trigger = unit.trigger->kind == plan::TriggerKind::kRecord;
  const std::vector<types::ObjectId>& heard = unit.trigger->objects;
  bool right = unit.trigger->kind == plan::TriggerKind::kChanges
                   ? std::find(heard.begin(), heard.end(), change.after->object) != heard.end()
                   : unit.object == change.after->object;
  if (!right) return stop(Stop::kObject);
  if (unit.draft) return stop(Stop::kDraft);
  if (record_trigger && (unit.events & change.kind) == 0) return stop(Stop::kEvent);
  if (Stop why = check_person(number, *change.after, out); why != Stop::kNone) return stop(why);
  if (unit.kind == plan::UnitKind::kAction && !activations_.active(unit, out.person))
    return stop(Stop::kInactive);
  // On an edit an action is looked at only when a field named in its conditions changed, a flow
  // when anything did.
  bool touched = unit.kind == plan::UnitKind::kFlow
                     ? !change.changed.empty()
                     : std::any_of(unit.watched.begin(), unit.watched.end(),
                                   [&](types::FieldId f) { return change.changed.has(f); });
  if (record_trigger && change.kind == plan::kEdited && !touched) return stop(Stop::kUnchanged);
  Result<bool> after = condition(unit, change, out.person, now, false, trace);
  if (!after) {
    out.fault = after.error().message;
    return stop(Stop::kFault);
  }
  if (!*after) return stop(Stop::kCondition);
  bool newly = unit.guard == plan::Guard::kNewlyMeets && change.before != nullptr && !change.is_new;
  if (!newly) return out;
  Result<bool> before = condition(unit, change, out.person, now, true, nullptr);
  // A condition that could not be judged before the save counts as false before it.
  if (before && *before) return stop(Stop::kNotNewly);
  return out;
}

bool Matcher::still_holds(const plan::UnitPlan& unit, const Change& change, std::string_view person,
                          Instant now) {
  Result<bool> holds = condition(unit, change, person, now, false, nullptr);
  return holds && *holds;
}

}  // namespace ensue::engine
