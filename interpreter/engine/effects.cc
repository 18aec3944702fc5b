// The five cadence effects: one mechanism, from a target and a verb to trackers saved.
#include <algorithm>

#include "base/fold.h"
#include "base/key128.h"
#include "engine/cascade.h"

namespace ensue::engine {

using plan::EffectKind;

// The opportunity's contact role marked primary (LANGUAGE section 3), the first by id when several
// are.
std::string Cascade::primary_contact(const types::Record& opportunity) {
  const types::Schema& schema = c_.program.schema();
  types::ObjectId role = schema.find_object("OpportunityContactRole");
  const types::Object& shape = schema.object(role);
  uint32_t most = c_.program.options.bounds.query_rows_max;
  auto ids = c_.book.referring(role, shape.find_stored("OpportunityId"), opportunity.id, most);
  if (!ids) return {};
  for (const std::string& id : *ids) {
    types::RecordPtr row = c_.book.find(role, id);
    if (row == nullptr || !row->raw(shape.find_stored("IsPrimary")).truth()) continue;
    return std::string(row->raw(shape.find_stored("ContactId")).as_text());
  }
  return {};
}

Result<Cascade::Target> Cascade::find_target(Run& run, Frame& frame, const plan::UnitPlan& unit,
                                             const plan::EffectPlan& effect) {
  const types::Schema& schema = c_.program.schema();
  Result<Value> value = evaluate(run, frame, effect.target);
  if (!value) return value.error();
  Target out;
  out.id = value->as_text();
  types::RecordPtr record = record_in_hand(run);
  if (out.id.empty() && effect.primary_contact && record != nullptr)
    out.id = primary_contact(*record);
  if (out.id.empty()) return out;
  const plan::PathPlan& path = *unit.code.paths[unit.code.steps[effect.target.end - 1].a];
  std::vector<types::ObjectId> objects = path.from;
  if (!path.hops.empty())
    objects = schema.objects_of(schema.field(path.hops.back().fields[0]).type.objects);
  for (types::ObjectId object : objects) {
    if (c_.book.image(object, out.id) != nullptr) out.object = object;
  }
  // A record that never came is taken for what the lookup says first.
  if (!out.object) out.object = objects.front();
  out.name = schema.object(out.object).name + "/" + out.id;
  return out;
}

Result<EffectRecord> Cascade::apply_effect(Run& run, Frame& frame, const plan::UnitPlan& unit,
                                           const plan::EffectPlan& effect) {
  if (effect.reminder && !run.change.after->object)
    return {ErrorCode::kFault, "there is no record in hand to remind of"};
  if (effect.reminder)
    return offer_reminder(unit, effect, run.change, run.person, [&](plan::ProgramRange program) {
      return evaluate(run, frame, program);
    });
  Result<Target> target = find_target(run, frame, unit, effect);
  if (!target) return target.error();
  EffectInput input;
  input.kind = effect.kind;
  input.cadence = *effect.cadence;
  input.disposition = *effect.disposition;
  input.person = run.person;
  input.action = effect_key(run, frame);
  input.depth = run.change.depth + 1;
  if (!effect.assignee.empty()) {
    Result<Value> assignee = evaluate(run, frame, effect.assignee);
    if (!assignee) return assignee.error();
    input.assignee = assignee->as_text();
    input.assignee_given = true;
  }
  return apply_to_target(input, *target);
}

Result<EffectRecord> Cascade::apply_to_target(const EffectInput& input, const Target& target) {
  EffectRecord out;
  out.op = plan::effect_name(input.kind);
  out.target = target.name;
  out.cadence = input.cadence;
  out.disposition = input.disposition;
  types::RecordPtr record = target.id.empty() ? nullptr : c_.book.image(target.object, target.id);
  if (target.id.empty() || (record != nullptr && record->deleted)) {
    out.target = target.id.empty() ? "" : target.name;
    out.assignee = input.assignee;
    out.outcome = "no target";
    return out;
  }
  Result<EffectRecord> done = input.kind == EffectKind::kAdd ? add_to_cadence(input, target)
                                                             : change_trackers(input, target);
  if (!done) return done.error();
  done->op = out.op;
  done->target = out.target;
  if (done->cadence.empty()) done->cadence = out.cadence;
  done->disposition = out.disposition;
  return done;
}

Result<EffectRecord> Cascade::add_to_cadence(const EffectInput& input, const Target& target) {
  EffectRecord out;
  const Bounds& bounds = c_.program.options.bounds;
  types::RecordPtr record = c_.book.image(target.object, target.id);
  std::string owner = record != nullptr ? matcher_.owner_of(*record) : std::string();
  out.assignee = input.assignee_given ? input.assignee : !owner.empty() ? owner : input.person;
  auto refused = [&](const char* outcome) {
    out.outcome = outcome;
    return out;
  };
  if (input.assignee_given && input.assignee.empty()) return refused("no assignee");
  const cadence::Definition* definition = c_.program.find_cadence(input.cadence);
  const std::string& type = c_.program.schema().object(target.object).name;
  if (definition != nullptr) {
    out.cadence = definition->name;
    if (definition->draft) return refused("cadence not active");
    bool fits = definition->targets.empty() ||
                std::find(definition->targets.begin(), definition->targets.end(), type) !=
                    definition->targets.end();
    if (!fits) return refused("wrong target");
  }
  Result<std::vector<TrackerRecord>> trackers = trackers_of(target.id);
  if (!trackers) return trackers.error();
  size_t open = 0;
  for (const TrackerRecord& row : *trackers) {
    if (!row.tracker.open()) continue;
    ++open;
    if (!base::equal_folded(row.tracker.cadence, input.cadence)) continue;
    out.assignee = row.tracker.owner;
    return refused("already in cadence");
  }
  if (open >= bounds.cadences_per_target_max) return refused("cadence limit");
  Result<int64_t> active = c_.txn.total("active_targets");
  if (!active) return active.error();
  if (*active >= int64_t{bounds.active_targets_max}) return refused("target limit");
  if (Status counted = c_.txn.add_total("active_targets", 1); !counted) return counted.error();
  Status created = create_tracker(cadence::enter(definition, input.cadence, type, target.id,
                                                 out.assignee, c_.now, c_.program.zone),
                                  input);
  if (!created) return created.error();
  out.outcome = "added";
  return out;
}

// Only the assignee, the record's owner or the cadence's author removes a target; the system may
// (ENGINE section 6).
bool Cascade::may_remove(const EffectInput& input, const Target& target,
                         const cadence::Tracker& tracker) const {
  if (input.person.empty() || input.person == tracker.owner) return true;
  types::RecordPtr record = c_.book.image(target.object, target.id);
  std::string owner = record != nullptr ? matcher_.owner_of(*record) : std::string();
  if (owner.empty() || owner == input.person) return true;
  const cadence::Definition* definition = c_.program.find_cadence(tracker.cadence);
  return definition != nullptr && !definition->author.empty() &&
         c_.directory.user_named(definition->author) == input.person;
}

Result<EffectRecord> Cascade::change_trackers(const EffectInput& input, const Target& target) {
  struct Words {
    const char* done;
    const char* nothing;
  };
  static constexpr Words kWords[] = {{"added", ""},
                                     {"removed", "not in cadence"},
                                     {"paused", "already paused"},
                                     {"resumed", "not paused"},
                                     {"changed", "already assigned"}};
  const Words& words = kWords[static_cast<size_t>(input.kind)];
  EffectRecord out;
  if (input.kind == EffectKind::kChangeAssignee) {
    out.assignee = input.assignee;
    if (input.assignee.empty()) {
      out.outcome = "no assignee";
      return out;
    }
  }
  Result<std::vector<TrackerRecord>> trackers = trackers_of(target.id);
  if (!trackers) return trackers.error();
  bool any_open = false;
  bool forbidden = false;
  size_t ordinal = 0;
  for (const TrackerRecord& row : *trackers) {
    bool named = input.cadence.empty() || base::equal_folded(row.tracker.cadence, input.cadence);
    if (!row.tracker.open() || !named) continue;
    any_open = true;
    cadence::Tracker after = row.tracker;
    switch (input.kind) {
      case EffectKind::kRemove:
        if (!may_remove(input, target, row.tracker)) {
          forbidden = true;
          continue;
        }
        cadence::remove(after, input.disposition, c_.now);
        break;
      case EffectKind::kPause:
        if (row.tracker.state == cadence::State::kPaused) continue;
        cadence::pause(after, c_.now);
        break;
      case EffectKind::kResume:
        if (row.tracker.state != cadence::State::kPaused) continue;
        cadence::resume(after, c_.now);
        break;
      default:
        if (row.tracker.owner == input.assignee) continue;
        cadence::reassign(after, input.assignee, c_.program.find_cadence(row.tracker.cadence),
                          c_.now, c_.program.zone);
    }
    if (!after.open()) {
      if (Status counted = c_.txn.add_total("active_targets", -1); !counted) return counted.error();
    }
    out.cadences.push_back(row.tracker.cadence);
    if (Status saved = save_tracker(row, after, input, ordinal++); !saved) return saved.error();
    if (Status stepped = save_step_tracker(*row.record, after, input); !stepped)
      return stepped.error();
  }
  out.outcome = !out.cadences.empty() ? words.done
                : forbidden           ? "not permitted"
                : any_open            ? words.nothing
                                      : "not in cadence";
  if (!input.cadence.empty()) out.cadences.clear();
  return out;
}

Result<EffectRecord> Cascade::by_hand(const CadenceVerb& verb) {
  cause_ = "by hand";
  begin_chain();
  if (Status counted = c_.txn.add_total("by_hand", 1); !counted) return counted.error();
  Result<int64_t> number = c_.txn.total("by_hand");
  if (!number) return number.error();
  EffectInput input;
  input.kind = verb.kind;
  input.cadence = verb.cadence;
  input.disposition = verb.disposition;
  input.assignee = verb.assignee;
  input.assignee_given = !verb.assignee.empty();
  input.person = verb.person;
  input.action = base::hash_key({"by hand", std::to_string(*number)});
  input.depth = 1;
  Target target{verb.target_object, verb.target,
                c_.program.schema().object(verb.target_object).name + "/" + verb.target};
  Result<EffectRecord> done = apply_to_target(input, target);
  if (!done) return done.error();
  if (Status followed = follow_chain(); !followed) return followed.error();
  return done;
}

}  // namespace ensue::engine
