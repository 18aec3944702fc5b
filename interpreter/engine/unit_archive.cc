// The bytes of values, paths, calendars and units.
#include <variant>

#include "engine/internal/archive.h"

namespace ensue::engine::internal {

using plan::ProgramRange;

// ---- Values -----------------------------------------------------------------------------------

namespace {

constexpr int64_t kCoefficientMax = 999'999'999'999'999'999;  // eighteen digits
constexpr int8_t kScaleMax = 18;
constexpr int32_t kDaysLeast = -719'162;  // 0001-01-01
constexpr int32_t kDaysMost = 2'932'896;  // 9999-12-31
constexpr int64_t kDayMs = 86'400'000;
constexpr int kListsMost = 8;  // inside one another

Decimal load_decimal(Input& in) {
  Decimal out;
  in(out.coefficient, out.scale);
  need(out.scale >= 0 && out.scale <= kScaleMax);
  need(out.coefficient >= -kCoefficientMax && out.coefficient <= kCoefficientMax);
  return out;
}

Value load_value(Input& in, int lists) {
  uint8_t kind = 0;
  in(kind);
  switch (static_cast<Value::Kind>(kind)) {
    case Value::Kind::kBlank: return {};
    case Value::Kind::kBoolean: {
      bool truth = false;
      in(truth);
      return Value::boolean(truth);
    }
    case Value::Kind::kNumber: return Value::number(load_decimal(in));
    case Value::Kind::kPercent: return Value::percent(load_decimal(in));
    case Value::Kind::kMoney: {
      Decimal amount = load_decimal(in);
      Currency currency;
      in(currency.packed);
      return Value::money(amount, currency);
    }
    case Value::Kind::kText: return load_often(in);
    case Value::Kind::kDate: {
      Date date;
      in(date);
      need(date.days >= kDaysLeast && date.days <= kDaysMost);
      return Value::date(date);
    }
    case Value::Kind::kDatetime: {
      Instant instant;
      in(instant.ms);
      need(instant.ms >= kDaysLeast * kDayMs && instant.ms < (kDaysMost + 1) * kDayMs);
      return Value::datetime(instant);
    }
    case Value::Kind::kTime: {
      TimeOfDay time;
      in(time);
      need(time.ms >= 0 && time.ms < kDayMs);
      return Value::time(time);
    }
    case Value::Kind::kDuration: {
      Duration duration;
      in(duration);
      return Value::duration(duration);
    }
    case Value::Kind::kList: {
      need(lists < kListsMost);
      uint32_t count = 0;
      in(count);
      need(count <= in.left());
      std::vector<Value> items;
      for (uint32_t i = 0; i < count; ++i) items.push_back(load_value(in, lists + 1));
      return Value::list(std::move(items));
    }
  }
  throw Damaged();
}

}  // namespace

void save(Output& out, const Value& value) {
  out(static_cast<uint8_t>(value.kind()));
  switch (value.kind()) {
    case Value::Kind::kBlank: return;
    case Value::Kind::kBoolean: out(value.truth()); return;
    case Value::Kind::kNumber:
    case Value::Kind::kPercent:
      out(value.as_decimal().coefficient, value.as_decimal().scale);
      return;
    case Value::Kind::kMoney:
      out(value.as_decimal().coefficient, value.as_decimal().scale, value.as_currency().packed);
      return;
    case Value::Kind::kText: save_often(out, value.as_text()); return;
    case Value::Kind::kDate: out(value.as_date()); return;
    case Value::Kind::kDatetime: out(value.as_instant().ms); return;
    case Value::Kind::kTime: out(value.as_time()); return;
    case Value::Kind::kDuration: out(value.as_duration()); return;
    case Value::Kind::kList:
      out(static_cast<uint32_t>(value.as_list().size()));
      for (const Value& item : value.as_list()) out(item);
      return;
  }
}

void load(Input& in, Value& value) { value = load_value(in, 0); }

// ---- What units share -------------------------------------------------------------------------

namespace {

template <class Archive>
void serialize(Archive& ar, calendar::OpenHours& hours) {
  ar(hours.from_ms, hours.to_ms);
}

constexpr uint32_t kNoCalendar = UINT32_MAX;

}  // namespace

void save(Output& out, const CalendarPtr& calendar) {
  if (calendar == nullptr) {
    out(kNoCalendar);
    return;
  }
  auto [at, fresh] = out.pointers.try_emplace(calendar.get(), out.calendar_count);
  out(at->second);
  if (!fresh) return;
  ++out.calendar_count;
  out(calendar->name, calendar->zone, calendar->holidays);
  for (const auto& day : calendar->week) {
    out(static_cast<uint32_t>(day.size()));
    for (const calendar::OpenHours& hours : day) out(hours.from_ms, hours.to_ms);
  }
}

void load(Input& in, CalendarPtr& calendar) {
  uint32_t number = 0;
  in(number);
  calendar = nullptr;
  if (number == kNoCalendar) return;
  need(number <= in.calendars.size());
  if (number == in.calendars.size()) {
    auto made = std::make_shared<calendar::BusinessCalendar>();
    in(made->name, made->zone, made->holidays);
    for (const Date& date : made->holidays) need(date.days >= kDaysLeast && date.days <= kDaysMost);
    for (auto& day : made->week) {
      uint32_t count = 0;
      in(count);
      int32_t before = 0;
      for (uint32_t i = 0; i < count; ++i) {
        calendar::OpenHours hours;
        in(hours.from_ms, hours.to_ms);
        need(before <= hours.from_ms && hours.from_ms <= hours.to_ms && hours.to_ms <= kDayMs);
        before = hours.to_ms;
        day.push_back(hours);
      }
    }
    in.calendars.push_back(std::move(made));
  }
  calendar = in.calendars[number];
}

void save(Output& out, const SharedText& text) {
  auto [at, fresh] = out.pointers.try_emplace(&*text, out.text_count);
  out(at->second);
  if (!fresh) return;
  ++out.text_count;
  out(*text);
}

void load(Input& in, SharedText& text) {
  uint32_t number = 0;
  in(number);
  need(number <= in.shared_texts.size());
  if (number == in.shared_texts.size()) {
    SharedText made;
    in(made.edit());
    in.shared_texts.push_back(std::move(made));
  }
  text = in.shared_texts[number];
}

void save(Output& out, const plan::PathPtr& path) {
  auto [at, fresh] = out.pointers.try_emplace(path.get(), out.path_count);
  out(at->second);
  if (!fresh) return;
  ++out.path_count;
  out(static_cast<uint8_t>(path->base), path->local, path->from, path->members);
  out(static_cast<uint32_t>(path->hops.size()));
  for (const plan::HopPlan& hop : path->hops) out(hop.fields);
}

void load(Input& in, plan::PathPtr& path) {
  uint32_t number = 0;
  in(number);
  need(number <= in.paths.size());
  if (number == in.paths.size()) {
    auto made = std::make_shared<plan::PathPlan>();
    in(up_to(made->base, plan::PathBase::kLocal), made->local, made->from, made->members);
    uint32_t hops = 0;
    in(hops);
    need(hops <= in.left());
    for (uint32_t i = 0; i < hops; ++i) in(made->hops.emplace_back().fields);
    in.paths.push_back(std::move(made));
  }
  path = in.paths[number];
}

// ---- Units ------------------------------------------------------------------------------------

template <class Archive>
void serialize(Archive& ar, ProgramRange& range) {
  ar(range.begin, range.end);
}
template <class Archive>
void serialize(Archive& ar, plan::SourceRange& range) {
  ar(range.begin, range.end);
}
template <class Archive>
void serialize(Archive& ar, plan::RelationPlan& row) {
  ar(up_to(row.quantifier, plan::Quantifier::kEach), row.child, row.lookup, row.parent,
     row.condition);
}
template <class Archive>
void serialize(Archive& ar, plan::RareRows& rows) {
  ar(rows.relations, rows.local_datetimes);
}
template <class Archive>
void serialize(Archive& ar, plan::Code& code) {
  ar(code.steps, code.ranges, code.constants, code.paths, code.rare, code.stack_max);
}
template <class Archive>
void serialize(Archive& ar, plan::ReminderTerms& row) {
  ar(row.person, row.within, row.expiring);
}
template <class Archive>
void serialize(Archive& ar, plan::EffectPlan& row) {
  ar(up_to(row.kind, plan::EffectKind::kChangeAssignee), row.primary_contact, row.reminder,
     row.range, row.target, row.assignee, row.cadence, row.disposition, row.terms);
}
template <class Archive>
void serialize(Archive& ar, plan::Instruction& row) {
  ar(up_to(row.op, plan::Do::kLog), row.a, row.b, row.target, row.range);
}
template <class Archive>
void serialize(Archive& ar, plan::FinderPlan& row) {
  ar(row.object, row.all, row.descending, row.where, row.order_by, row.lookup, row.parent,
     row.narrows);
}
template <class Archive>
void serialize(Archive& ar, plan::AssignPlan& row) {
  ar(row.field, row.value);
}
template <class Archive>
void serialize(Archive& ar, plan::WritePlan& row) {
  ar(row.object, row.objects, row.assignments);
}
template <class Archive>
void serialize(Archive& ar, plan::WaitPlan& row) {
  ar(row.duration, row.until, row.at_most);
}
template <class Archive>
void serialize(Archive& ar, plan::TryPlan& row) {
  ar(row.retries, row.starting, row.doubling, row.fault_slot);
}
template <class Archive>
void serialize(Archive& ar, plan::RunPlan& row) {
  ar(row.rule, row.subflow, row.arguments, row.slot, row.given);
}
template <class Archive>
void serialize(Archive& ar, plan::CallPlan& row) {
  ar(row.service, row.arguments, row.slot);
}
template <class Archive>
void serialize(Archive& ar, plan::MailPlan& row) {
  ar(row.to, row.objects, row.template_name);
}
template <class Archive>
void serialize(Archive& ar, plan::AskPlan& row) {
  ar(row.name, row.label, row.required, row.default_value, row.type, row.slot);
}
template <class Archive>
void serialize(Archive& ar, plan::ScreenPlan& row) {
  ar(row.title, row.asks);
}
template <class Archive>
void serialize(Archive& ar, plan::ParameterPlan& row) {
  ar(row.name, row.type, row.slot);
}
template <class Archive>
void serialize(Archive& ar, plan::Body& body) {
  ar(body.code, body.slots, body.takes, body.gives, body.texts, body.programs, body.finders,
     body.writes, body.waits, body.tries, body.runs, body.calls, body.mails, body.screens);
}

template <class Archive>
void serialize(Archive& ar, schedule::Weekly& row) {
  ar(row.weekdays, row.times);
}
template <class Archive>
void serialize(Archive& ar, schedule::Monthly& row) {
  ar(row.days, row.times);
}
template <class Archive>
void serialize(Archive& ar, schedule::Elapsed& row) {
  ar(row.interval_ms);
}
template <class Archive>
void serialize(Archive& ar, schedule::Periodic& row) {
  ar(row.count, up_to(row.unit, DurationUnit::kYear));
}
template <class Archive>
void serialize(Archive& ar, schedule::Once& row) {
  ar(row.date, row.time);
}

namespace {

// What a schedule's functions rely on.
bool sound(const schedule::Weekly& row) {
  return row.weekdays > 0 && row.weekdays < 128 && !row.times.empty();
}
bool sound(const schedule::Monthly& row) { return !row.days.empty() && !row.times.empty(); }
bool sound(const schedule::Elapsed& row) {
  return row.interval_ms >= 1000 && row.interval_ms <= kDayMs;
}
bool sound(const schedule::Periodic& row) {
  return row.count >= 1 && row.unit >= DurationUnit::kDay;
}
bool sound(const schedule::Once& row) {
  return row.date.days >= kDaysLeast && row.date.days <= kDaysMost;
}

template <class Rule>
void load_rule(Input& in, schedule::Schedule& out) {
  Rule rule;
  in(rule);
  need(sound(rule));
  out.rule = std::move(rule);
}

}  // namespace

void save(Output& out, const schedule::Schedule& row) {
  out(static_cast<uint8_t>(row.rule.index()));
  std::visit([&](const auto& rule) { out(rule); }, row.rule);
  out(row.zone, static_cast<uint8_t>(row.catch_up));
}
void load(Input& in, schedule::Schedule& row) {
  uint8_t rule = 0;
  in(rule);
  switch (rule) {
    case 0: load_rule<schedule::Weekly>(in, row); break;
    case 1: load_rule<schedule::Monthly>(in, row); break;
    case 2: load_rule<schedule::Elapsed>(in, row); break;
    case 3: load_rule<schedule::Periodic>(in, row); break;
    case 4: load_rule<schedule::Once>(in, row); break;
    default: throw Damaged();
  }
  in(row.zone, up_to(row.catch_up, schedule::CatchUp::kNever));
}

template <class Archive>
void serialize(Archive& ar, plan::TriggerPlan& row) {
  ar(up_to(row.kind, plan::TriggerKind::kCalled), row.before_save, row.objects, row.step,
     row.cadence, row.outcome, row.ends, row.schedule, row.org_zone, row.over, row.batch, row.gap,
     row.overflow, up_to(row.run_as, plan::RunAs::kUser), row.run_as_user,
     up_to(row.mode, plan::Mode::kParallel), row.per_record, row.at_most);
}

// The part itself, or that it is the one of all actions.
enum class Part : uint8_t { kPlain, kOfActions, kOwn };

void save(Output& out, const plan::Shared<plan::Body>& part) {
  bool of_actions = &*part == &*plan::action_body();
  out(static_cast<uint8_t>(of_actions        ? Part::kOfActions
                           : part.is_plain() ? Part::kPlain
                                             : Part::kOwn));
  if (!of_actions && !part.is_plain()) out(*part);
}
void load(Input& in, plan::Shared<plan::Body>& part) {
  Part kind = Part::kPlain;
  in(up_to(kind, Part::kOwn));
  part = {};
  if (kind == Part::kOfActions) part = plan::action_body();
  if (kind == Part::kOwn) in(part.edit());
}

namespace {

template <class Archive, class Unit>
void archive_unit(Archive& ar, Unit& unit) {
  ar(unit.rule, unit.name, often(unit.author), unit.file, unit.range,
     up_to(unit.kind, plan::UnitKind::kRouting), unit.draft, unit.events,
     up_to(unit.scope, plan::Scope::kEverybody),
     up_to(unit.activation, plan::Activation::kAssigneesOff),
     up_to(unit.guard, plan::Guard::kNewlyMeets), unit.priority, unit.runs_per_record_max,
     unit.object, unit.trigger, unit.condition_range, unit.condition, unit.watched, unit.effects,
     unit.body, unit.calendar, unit.code);
}

}  // namespace

void save(Output& out, const plan::UnitPlan& unit) {
  // The archive reads only; the wrappers are those of reading, too.
  archive_unit(out, const_cast<plan::UnitPlan&>(unit));
}

void load(Input& in, plan::UnitPlan& unit) {
  archive_unit(in, unit);
  for (const plan::Step& step : unit.code.steps) need(step.op <= plan::Op::kOrJump);
}

}  // namespace ensue::engine::internal
