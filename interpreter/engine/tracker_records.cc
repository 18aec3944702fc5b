// Trackers as the records they are: ActionCadenceTracker and ActionCadenceStepTracker.
#include "base/check.h"
#include "base/fold.h"
#include "base/key128.h"
#include "engine/cascade.h"

namespace ensue::engine {
namespace {

// Sets fields of a record by their names in the library.
class FieldWriter {
 public:
  FieldWriter(const types::Schema& schema, types::Record& record)
      : object_(schema.object(record.object)), record_(record) {}
  FieldWriter& set(const char* name, Value value) {
    types::FieldId field = object_.find_stored(name);
    // The library declares it; a project may have replaced the field, never removed it.
    ENSUE_CHECK(field.valid());
    record_.fields.set(field, std::move(value));
    return *this;
  }

 private:
  const types::Object& object_;
  types::Record& record_;
};

std::string text_of(const types::Object& object, const types::Record& record, const char* name) {
  return std::string(record.raw(object.find_stored(name)).as_text());
}

std::optional<Instant> instant_of(const types::Object& object, const types::Record& record,
                                  const char* name) {
  const Value& value = record.raw(object.find_stored(name));
  return value.is(Value::Kind::kDatetime) ? std::optional(value.as_instant()) : std::nullopt;
}

Value instant_value(const std::optional<Instant>& instant) {
  return instant ? Value::datetime(*instant) : Value();
}

const char* step_state(const cadence::Tracker& tracker) {
  switch (tracker.state) {
    case cadence::State::kActive: return "Active";
    case cadence::State::kPaused: return "Paused";
    case cadence::State::kComplete: return "Cancelled";
    default: return "Error";
  }
}

}  // namespace

types::Record Cascade::tracker_record(const cadence::Tracker& tracker, types::Record base) const {
  FieldWriter write(c_.program.schema(), base);
  write.set("CadenceName", Value::text(tracker.cadence))
      .set("TargetId", Value::text(tracker.target))
      .set("TargetType", Value::text(tracker.target_type))
      .set("OwnerId", Value::text(tracker.owner))
      .set("State", Value::text(cadence::state_name(tracker.state)))
      .set("CurrentTrack", Value::text(tracker.open() ? tracker.track : ""))
      .set("CurrentStepTitle", Value::text(tracker.open() ? tracker.step : ""))
      .set("CurrentStepDueDate", tracker.open() ? instant_value(tracker.due) : Value())
      .set("EnteredDate", Value::datetime(tracker.entered))
      .set("PausedDate", instant_value(tracker.paused))
      .set("CompletedDate", instant_value(tracker.completed))
      .set("CompletionReason", Value::text(tracker.reason))
      .set("CompletionDisposition", Value::text(tracker.disposition))
      .set("LastModifiedDate", Value::datetime(c_.now));
  return base;
}

cadence::Tracker Cascade::tracker_of(const types::Record& record) const {
  const types::Object& object = c_.program.schema().object(record.object);
  cadence::Tracker out;
  out.cadence = text_of(object, record, "CadenceName");
  out.target = text_of(object, record, "TargetId");
  out.target_type = text_of(object, record, "TargetType");
  out.owner = text_of(object, record, "OwnerId");
  out.state = cadence::state_of(text_of(object, record, "State")).value_or(cadence::State::kError);
  out.track = text_of(object, record, "CurrentTrack");
  out.step = text_of(object, record, "CurrentStepTitle");
  out.due = instant_of(object, record, "CurrentStepDueDate");
  out.entered = instant_of(object, record, "EnteredDate").value_or(Instant{});
  out.paused = instant_of(object, record, "PausedDate");
  out.completed = instant_of(object, record, "CompletedDate");
  out.reason = text_of(object, record, "CompletionReason");
  out.disposition = text_of(object, record, "CompletionDisposition");
  return out;
}

Result<std::vector<Cascade::TrackerRecord>> Cascade::trackers_of(std::string_view target) {
  const types::Schema& schema = c_.program.schema();
  types::ObjectId object = schema.find_object("ActionCadenceTracker");
  uint32_t most = c_.program.options.bounds.query_rows_max;
  auto ids = c_.book.referring(object, schema.object(object).find_stored("TargetId"), target, most);
  if (!ids) return ids.error();
  std::vector<TrackerRecord> out;
  for (const std::string& id : *ids) {
    types::RecordPtr record = c_.book.find(object, id);
    if (record != nullptr) out.push_back({record, tracker_of(*record)});
  }
  return out;
}

Status Cascade::create_tracker(const cadence::Tracker& tracker, const EffectInput& input) {
  const types::Schema& schema = c_.program.schema();
  types::Record record;
  record.object = schema.find_object("ActionCadenceTracker");
  record.id = base::short_id("trk", input.action);
  record = tracker_record(tracker, std::move(record));
  FieldWriter(schema, record)
      .set("CreatedDate", Value::datetime(c_.now))
      .set("CreatedById", Value::text(input.person));
  std::string tracker_id = record.id;
  Status saved = save(std::move(record), plan::kCreated, input.action, input.person, input.depth);
  if (!saved || tracker.step.empty()) return saved;
  types::Record step;
  step.object = schema.find_object("ActionCadenceStepTracker");
  step.id = base::short_id("stp", base::hash_key({"step", input.action.view()}));
  FieldWriter(schema, step)
      .set("ActionCadenceTrackerId", Value::text(tracker_id))
      .set("ActionCadenceName", Value::text(tracker.cadence))
      .set("TargetId", Value::text(tracker.target))
      .set("TargetType", Value::text(tracker.target_type))
      .set("OwnerId", Value::text(tracker.owner))
      .set("StepTitle", Value::text(tracker.step))
      .set("StepType", Value::text(tracker.step_kind))
      .set("Track", Value::text(tracker.track))
      .set("State", Value::text(step_state(tracker)))
      .set("DueDate", instant_value(tracker.due))
      .set("StartedDate", Value::datetime(c_.now))
      .set("CreatedDate", Value::datetime(c_.now))
      .set("LastModifiedDate", Value::datetime(c_.now));
  return save(std::move(step), plan::kCreated, input.action, input.person, input.depth);
}

Status Cascade::save_tracker(const TrackerRecord& before, const cadence::Tracker& after,
                             const EffectInput& input, size_t ordinal) {
  Key128 cause = base::hash_key({"tracker", input.action.view(), std::to_string(ordinal)});
  return save(tracker_record(after, *before.record), plan::kEdited, cause, input.person,
              input.depth);
}

// The step the target is on follows its tracker: assignee, due time, paused or cancelled.
Status Cascade::save_step_tracker(const types::Record& record, const cadence::Tracker& tracker,
                                  const EffectInput& input) {
  const types::Schema& schema = c_.program.schema();
  types::ObjectId object = schema.find_object("ActionCadenceStepTracker");
  const types::Object& shape = schema.object(object);
  uint32_t most = c_.program.options.bounds.query_rows_max;
  auto ids =
      c_.book.referring(object, shape.find_stored("ActionCadenceTrackerId"), record.id, most);
  if (!ids) return ids.error();
  for (const std::string& id : *ids) {
    types::RecordPtr step = c_.book.find(object, id);
    if (step == nullptr) continue;
    std::string state = text_of(shape, *step, "State");
    if (state != "Active" && state != "Paused") continue;
    types::Record after = *step;
    FieldWriter write(schema, after);
    write.set("OwnerId", Value::text(tracker.owner))
        .set("State", Value::text(step_state(tracker)))
        .set("DueDate", instant_value(tracker.due))
        .set("LastModifiedDate", Value::datetime(c_.now));
    if (!tracker.open()) write.set("CompletedDate", Value::datetime(c_.now));
    Key128 cause = base::hash_key({"step", input.action.view(), id});
    Status saved = save(std::move(after), plan::kEdited, cause, input.person, input.depth);
    if (!saved) return saved;
  }
  return {};
}

}  // namespace ensue::engine
