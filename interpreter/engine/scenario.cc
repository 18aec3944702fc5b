// Carrying out the sentences of a test. What they expect is in scenario_expect.cc.
#include "engine/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/key128.h"
#include "calendar/business_time.h"
#include "engine/coerce.h"
#include "exec/evaluator.h"
#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {

using syntax::NodeId;
using syntax::NodeKind;
namespace ast = syntax::ast;

namespace {

// A test that sets no clock starts on a Monday morning.
constexpr Date kFirstDay{20'458};  // 2026-01-05
constexpr TimeOfDay kFirstTime{9 * 3'600'000};

}  // namespace

Scenario::Scenario(ProgramPtr program, std::shared_ptr<Store> store, Coverage* coverage) {
  RuntimeOptions options;
  options.coverage = coverage;
  options.services = &services_;
  options.mail = &services_;
  runtime_ = std::make_unique<Runtime>(std::move(store), options);
  // An empty store cannot fail to open; a later sentence would tell.
  (void)force(std::move(program));
  (void)runtime_->advance(program_->zone.instant(kFirstDay, kFirstTime));
}

Status Scenario::force(ProgramPtr program) {
  program_ = std::make_shared<Program>(*program);
  if (zone_) {
    program_->zone = *zone_;
    if (!program_->day_declared) program_->counter_zone = *zone_;
  }
  return runtime_->use(program_);
}

Status Scenario::use(ProgramPtr program) { return force(std::move(program)); }

void Scenario::set_columns(std::vector<std::string> names, std::vector<Value> values) {
  column_names_ = std::move(names);
  columns_ = std::move(values);
}

std::vector<Decision> Scenario::take_news() {
  std::vector<Decision> out(decisions_.begin() + static_cast<std::ptrdiff_t>(news_from_),
                            decisions_.end());
  news_from_ = decisions_.size();
  return out;
}

std::vector<std::string> Scenario::unexpected_faults() const {
  std::vector<std::string> out;
  for (const Fault& fault : faults_) {
    if (!fault.expected) out.push_back(fault.text);
  }
  return out;
}

Scenario::Outcome Scenario::carry_out(const check::CheckedModule& module,
                                      check::NodeRef statement) {
  module_ = &module;
  file_ = statement.file;
  tree_ = &module.tree(statement.file);
  NodeId id = statement.node;
  switch (tree_->kind(id)) {
    case NodeKind::kClockStmt: return set_clock(id);
    case NodeKind::kGivenRecord: {
      ast::GivenRecord given(*tree_, id);
      return put_record(given.object(), given.id(), given.assignments(),
                        types::ChangeKind::kSnapshot);
    }
    case NodeKind::kWhenCreated: {
      ast::WhenCreated when(*tree_, id);
      return put_record(when.object(), when.id(), when.assignments(), types::ChangeKind::kCreate);
    }
    case NodeKind::kWhenSet: return set_fields(id);
    case NodeKind::kWhenDeleted: return delete_record(id);
    case NodeKind::kWhenEvent: return event_arrives(id);
    case NodeKind::kWhenReminder: return use_reminder(id);
    case NodeKind::kWhenActivates: return activate(id);
    case NodeKind::kWhenCadence: return use_verb(id);
    case NodeKind::kGivenService: return give_service(id);
    case NodeKind::kWhenCalled: return call_flow(id);
    case NodeKind::kWhenAnswers: return answer_screen(id);
    case NodeKind::kAdvanceStmt: return advance(id);
    case NodeKind::kExpectStmt: return expect(id);
    default:
      return std::optional(
          Failure{tree_->span(id), "this version does not carry out this sentence"});
  }
}

// ---- Values -----------------------------------------------------------------------------------

Result<Value> Scenario::evaluate(const check::CheckedModule& module, check::NodeRef expr,
                                 bool as_condition,
                                 const std::optional<std::pair<std::string, std::string>>& it) {
  lower::Calendars calendars(module);
  lower::ExprPlan plan = lower::lower_expression(module, expr, as_condition, calendars);
  Result<Value> out = Value();
  Status looked = runtime_->read([&](RecordBook& book, Matcher& matcher, StoreReader&) -> Status {
    exec::Input input;
    types::RecordPtr in_hand =
        it ? book.find(module.schema.find_object(it->first), it->second) : nullptr;
    input.it = in_hand.get();
    input.now = runtime_->now();
    input.locals = columns_;
    out =
        exec::evaluate(plan.code, plan.program, plan.calendar.get(), input, matcher.environment());
    return {};
  });
  if (!looked) return looked.error();
  return out;
}

Result<types::FieldValues> Scenario::assigned(types::ObjectId object, const std::string& record,
                                              NodeId assignments, bool defaults) {
  const types::Object& shape = module_->schema.object(object);
  const check::Facts& facts = module_->file(file_).facts;
  types::FieldValues given;
  for (NodeId row : tree_->items(assignments)) {
    ast::Assignment assignment(*tree_, row);
    types::FieldId field = facts.paths[facts.of(assignment.path()).index].hops[0].fields[0].field;
    Result<Value> value = evaluate(*module_, {file_, assignment.value()}, false);
    if (!value) return value.error();
    given.set(field, std::move(*value));
  }
  Result<Currency> currency = currency_of(object, record, given);
  if (!currency) return currency.error();
  types::FieldValues out;
  Status status;
  given.for_each([&](types::FieldId field, const Value& value) {
    Result<Value> stored =
        coerce(value, shape.field(field), {module_->schema, program_->zone, *currency});
    if (stored) {
      out.set(field, std::move(*stored));
    } else if (status) {
      status = stored.error();
    }
  });
  if (!status) return status.error();
  if (!defaults) return out;
  // What a person leaves out when creating a record gets its default.
  for (size_t i = 0; i < shape.fields.size(); ++i) {
    types::FieldId field(i);
    if (!out.named().has(field) && !shape.fields[i].default_value.is_blank())
      out.set(field, shape.fields[i].default_value);
  }
  return out;
}

// The record's currency once `assigned` is written, else the org's.
Result<Currency> Scenario::currency_of(types::ObjectId object, const std::string& record,
                                       const types::FieldValues& assigned) {
  types::FieldId field = module_->schema.object(object).find_stored("CurrencyIsoCode");
  if (!field) return program_->currency;
  Value code = assigned[field];
  if (!assigned.named().has(field)) {
    Status looked = runtime_->read([&](RecordBook& book, Matcher&, StoreReader&) -> Status {
      types::RecordPtr image = book.image(object, record);
      if (image != nullptr) code = image->raw(field);
      return {};
    });
    if (!looked) return looked.error();
  }
  Currency own = Currency::of(code.as_text());
  return own.given() ? own : program_->currency;
}

Result<Instant> Scenario::instant(NodeId datetime) {
  NodeId zone_name = ast::DateTime(*tree_, datetime).zone();
  auto parsed = value::parse_datetime(tree_->text(datetime));
  if (!parsed) return Error{ErrorCode::kInvalidArgument, "this date and time does not exist"};
  if (parsed->offset_ms) return parsed->instant();
  calendar::Zone zone = zone_name.valid()
                            ? calendar::Zone::find(tree_->text(zone_name)).value_or(program_->zone)
                            : program_->zone;
  return zone.instant(parsed->date, parsed->time);
}

Result<int64_t> Scenario::count(NodeId id) {
  if (tree_->is(id, NodeKind::kNumber)) return value::parse_decimal(tree_->text(id))->coefficient;
  for (size_t i = 0; i < column_names_.size(); ++i) {
    bool whole = base::equal_folded(column_names_[i], tree_->text(id)) &&
                 columns_[i].is_numeric() && value::trimmed(columns_[i].as_decimal()).scale == 0;
    if (whole) return value::trimmed(columns_[i].as_decimal()).coefficient;
  }
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("`{}` is not a whole number here", tree_->text(id))};
}

// ---- Doing ------------------------------------------------------------------------------------

Scenario::Outcome Scenario::set_clock(NodeId id) {
  NodeId at = ast::ClockStmt(*tree_, id).at();
  NodeId zone_name = ast::DateTime(*tree_, at).zone();
  if (zone_name.valid()) {
    zone_ = calendar::Zone::find(tree_->text(zone_name));
    std::shared_ptr<Program> same = program_;
    if (Status forced = force(same); !forced) return forced.error();
  }
  Result<Instant> when = instant(at);
  if (!when) return when.error();
  // The scenario's own start does not count: the clock may be set before it.
  runtime_->set_clock(*when);
  return std::optional<Failure>();
}

types::Event Scenario::new_event(types::ObjectId object, const std::string& record,
                                 types::ChangeKind kind) {
  types::Event event;
  event.key = base::hash_key({"scenario", std::to_string(++events_)});
  event.object = object;
  event.record = record;
  event.kind = kind;
  event.at = runtime_->now();
  return event;
}

Scenario::Outcome Scenario::submit(types::Event event) {
  return take(runtime_->submit(std::vector<types::Event>{std::move(event)}), NodeId());
}

// ---- Services and flows -----------------------------------------------------------------------

SinkAnswer ScenarioServices::call(const SinkCall& call) {
  auto found = behaviours_.find(std::string(call.name));
  if (call.channel != SinkChannel::kService || found == behaviours_.end()) return {};
  Behaviour& behaviour = found->second;
  if (behaviour.failure.empty()) return {SinkAnswer::Kind::kDone, "", behaviour.body};
  SinkAnswer out{SinkAnswer::Kind::kRefused, behaviour.failure, ""};
  if (behaviour.times > 0 && --behaviour.times == 0) behaviour.failure.clear();
  return out;
}

Result<std::vector<std::pair<std::string, Value>>> Scenario::named_values(NodeId assignments) {
  std::vector<std::pair<std::string, Value>> out;
  for (NodeId row : tree_->items(assignments)) {
    ast::Assignment assignment(*tree_, row);
    Result<Value> value = evaluate(*module_, {file_, assignment.value()}, false);
    if (!value) return value.error();
    out.emplace_back(tree_->written(assignment.path()), std::move(*value));
  }
  return out;
}

Scenario::Outcome Scenario::give_service(NodeId id) {
  ast::GivenService given(*tree_, id);
  ScenarioServices::Behaviour behaviour;
  behaviour.failure = text(given.failure());
  if (given.times().valid()) {
    Result<int64_t> times = count(given.times());
    if (!times) return std::optional(Failure{tree_->span(given.times()), times.error().message});
    behaviour.times = *times;
  }
  if (given.answer().valid() && tree_->is(given.answer(), NodeKind::kList)) {
    auto members = named_values(given.answer());
    if (!members) return std::optional(Failure{tree_->span(id), members.error().message});
    behaviour.body = "{";
    for (const auto& [name, value] : *members) {
      if (behaviour.body.size() > 1) behaviour.body += ',';
      value::append_json_text(behaviour.body, name);
      behaviour.body += ':';
      value::append_json(behaviour.body, value);
    }
    behaviour.body += '}';
  } else if (given.answer().valid()) {
    Result<Value> value = evaluate(*module_, {file_, given.answer()}, false);
    if (!value) return std::optional(Failure{tree_->span(id), value.error().message});
    // A text that is an object or a list is the answer as it stands.
    std::string_view written = value->as_text();
    bool json = !written.empty() && (written.front() == '{' || written.front() == '[');
    if (json) {
      behaviour.body = written;
    } else {
      value::append_json(behaviour.body, *value);
    }
  }
  services_.set(text(given.service()), std::move(behaviour));
  return std::optional<Failure>();
}

Scenario::Outcome Scenario::call_flow(NodeId id) {
  ast::WhenCalled when(*tree_, id);
  auto arguments = named_values(when.assignments());
  if (!arguments) return std::optional(Failure{tree_->span(id), arguments.error().message});
  return take(runtime_->start_flow(text(when.flow()), *arguments, ""), id);
}

Scenario::Outcome Scenario::answer_screen(NodeId id) {
  ast::WhenAnswers when(*tree_, id);
  auto answers = named_values(when.answers());
  if (!answers) return std::optional(Failure{tree_->span(id), answers.error().message});
  return take(runtime_->answer_screen(text(when.person()), *answers), id);
}

Result<BatchReport> Scenario::settle(Result<BatchReport> report) {
  while (report) {
    Result<DeliveryReport> delivered = runtime_->deliver();
    if (!delivered) return delivered.error();
    if (delivered->calls == 0) break;
    Result<BatchReport> later = runtime_->advance(runtime_->now());
    if (!later) return later.error();
    report->add(std::move(*later));
  }
  return report;
}

Scenario::Outcome Scenario::take(Result<BatchReport> report, NodeId id) {
  report = settle(std::move(report));
  if (!report) {
    const Error& error = report.error();
    bool refusal = error.code == ErrorCode::kNotPermitted ||
                   error.code == ErrorCode::kLimitReached || error.code == ErrorCode::kFault;
    if (refusal) {
      faults_.push_back({error.message, false});
      return std::optional<Failure>();
    }
    bool of_the_world = error.code == ErrorCode::kIo || error.code == ErrorCode::kStoreDamaged ||
                        error.code == ErrorCode::kStorageFull;
    if (of_the_world || !id.valid()) return error;
    return std::optional(Failure{tree_->span(id), error.message});
  }
  for (Decision& decision : report->decisions) {
    if (decision.status == "failed") faults_.push_back({decision.fault, false});
    decisions_.push_back(std::move(decision));
  }
  return std::optional<Failure>();
}

Scenario::Outcome Scenario::put_record(NodeId object_name, NodeId record, NodeId assignments,
                                       types::ChangeKind kind) {
  types::ObjectId object = module_->schema.find_object(text(object_name));
  types::Event event = new_event(object, text(record), kind);
  Result<types::FieldValues> fields = assigned(object, event.record, assignments, true);
  if (!fields) return take(fields.error(), assignments);
  event.set = std::move(*fields);
  records_[event.record] = object;
  return submit(std::move(event));
}

Scenario::Outcome Scenario::set_fields(NodeId id) {
  ast::WhenSet when(*tree_, id);
  auto object = object_of(text(when.id()));
  if (!object)
    return std::optional(
        Failure{tree_->span(when.id()), fmt::format("there is no record \"{}\"", text(when.id()))});
  types::Event event = new_event(*object, text(when.id()), types::ChangeKind::kUpdate);
  Result<types::FieldValues> fields = assigned(*object, event.record, when.assignments(), false);
  if (!fields) return take(fields.error(), when.assignments());
  event.set = std::move(*fields);
  return submit(std::move(event));
}

Scenario::Outcome Scenario::delete_record(NodeId id) {
  ast::WhenDeleted when(*tree_, id);
  auto object = object_of(text(when.id()));
  if (!object)
    return std::optional(
        Failure{tree_->span(when.id()), fmt::format("there is no record \"{}\"", text(when.id()))});
  bool undeleted = when.op() == 1;
  return submit(new_event(*object, text(when.id()),
                          undeleted ? types::ChangeKind::kUndelete : types::ChangeKind::kDelete));
}

Scenario::Outcome Scenario::advance(NodeId id) {
  ast::AdvanceStmt stmt(*tree_, id);
  Instant to = runtime_->now();
  if (stmt.to().valid()) {
    Result<Instant> at = instant(stmt.to());
    if (!at) return std::optional(Failure{tree_->span(stmt.to()), at.error().message});
    if (*at < to) {
      return std::optional(Failure{
          tree_->span(stmt.to()),
          fmt::format("the clock is at {} already, and never goes back", value::instant_text(to))});
    }
    to = *at;
  } else {
    const check::Facts& facts = module_->file(file_).facts;
    (void)facts;
    uint8_t op = tree_->op(stmt.duration());
    Duration duration{value::parse_decimal(tree_->text(stmt.duration()))->coefficient,
                      static_cast<DurationUnit>(op & 15), (op & syntax::kBusinessUnit) != 0};
    lower::CalendarPtr calendar = lower::Calendars(*module_).for_file(file_);
    auto moved =
        exec::add_duration(Value::datetime(to), duration, false, program_->zone, calendar.get());
    if (!moved) return std::optional(Failure{tree_->span(id), moved.error().message});
    to = moved->as_instant();
  }
  // From timer to timer, so that what one of them calls is answered at its time.
  Outcome begun = take(runtime_->advance(runtime_->now()), id);
  if (!begun || *begun) return begun;
  for (;;) {
    std::optional<Instant> next;
    Status looked = runtime_->store().read([&](StoreReader& reader) -> Status {
      Result<std::optional<Instant>> found = reader.next_timer();
      if (!found) return found.error();
      next = *found;
      return {};
    });
    if (!looked) return looked.error();
    if (!next || *next >= to) return take(runtime_->advance(to), id);
    Outcome stepped = take(runtime_->advance(std::max(*next, runtime_->now())), id);
    if (!stepped || *stepped) return stepped;
  }
}

Scenario::Outcome Scenario::event_arrives(NodeId id) {
  Runtime::Lines batch;
  batch.source = "test";
  std::string line(tree_->text(id));
  std::replace(line.begin(), line.end(), '\n', ' ');
  batch.lines = {{line, ++events_}};
  Result<BatchReport> report = runtime_->submit(batch);
  if (report && !report->dead_letters.empty()) {
    return std::optional(
        Failure{tree_->span(id), "the event cannot be read: " + report->dead_letters[0].reason});
  }
  return take(std::move(report), id);
}

Scenario::Outcome Scenario::use_reminder(NodeId id) {
  ast::WhenReminder when(*tree_, id);
  std::optional<Instant> until;
  if (when.until().valid()) {
    Result<Instant> at = instant(when.until());
    if (!at) return std::optional(Failure{tree_->span(when.until()), at.error().message});
    until = *at;
  }
  if (when.duration().valid()) {
    uint8_t op = tree_->op(when.duration());
    Duration duration{value::parse_decimal(tree_->text(when.duration()))->coefficient,
                      static_cast<DurationUnit>(op & 15), (op & syntax::kBusinessUnit) != 0};
    lower::CalendarPtr calendar = lower::Calendars(*module_).for_file(file_);
    auto moved = exec::add_duration(Value::datetime(runtime_->now()), duration, false,
                                    program_->zone, calendar.get());
    if (!moved) return std::optional(Failure{tree_->span(id), moved.error().message});
    until = moved->as_instant();
  }
  uint8_t verb = when.op();
  return take(runtime_->reminder(text(when.about()), text(when.person()),
                                 [&](Cascade& cascade, const ReminderRow& row) {
                                   if (verb == syntax::kReminderRuns)
                                     return cascade.run_reminder(row, row.person);
                                   if (verb == syntax::kReminderIgnores)
                                     return cascade.ignore_reminder(row);
                                   return cascade.snooze_reminder(row, until);
                                 }),
              id);
}

Scenario::Outcome Scenario::activate(NodeId id) {
  ast::WhenActivates when(*tree_, id);
  Status done = runtime_->set_active(text(when.action()), text(when.author()), text(when.person()),
                                     when.op() == 0);
  if (done) return std::optional<Failure>();
  return take(done.error(), id);
}

Scenario::Outcome Scenario::use_verb(NodeId id) {
  ast::WhenCadence when(*tree_, id);
  static constexpr plan::EffectKind kKinds[] = {plan::EffectKind::kAdd, plan::EffectKind::kRemove,
                                                plan::EffectKind::kPause, plan::EffectKind::kResume,
                                                plan::EffectKind::kChangeAssignee};
  CadenceVerb verb;
  verb.kind = kKinds[when.op()];
  verb.person = runtime_->directory().user_named(text(when.person()));
  if (verb.person.empty())
    return std::optional(Failure{tree_->span(when.person()),
                                 fmt::format("there is no user \"{}\"", text(when.person()))});
  auto object = object_of(text(when.target()));
  if (!object)
    return std::optional(Failure{tree_->span(when.target()),
                                 fmt::format("there is no record \"{}\"", text(when.target()))});
  verb.target_object = *object;
  verb.target = text(when.target());
  if (when.scope().valid()) verb.cadence = text(ast::CadenceScope(*tree_, when.scope()).name());
  verb.disposition = text(when.disposition());
  // By hand a target is given to its owner, unless another assignee is named.
  if (when.assignee().valid()) {
    Result<Value> assignee = evaluate(*module_, {file_, when.assignee()}, false);
    if (!assignee)
      return std::optional(Failure{tree_->span(when.assignee()), assignee.error().message});
    verb.assignee = assignee->as_text();
  }
  std::string outcome;
  Outcome taken = take(runtime_->in_cascade([&](Cascade& cascade) -> Status {
    Result<EffectRecord> done = cascade.by_hand(verb);
    if (!done) return done.error();
    outcome = done->outcome;
    return {};
  }),
                       id);
  if (outcome == "not permitted")
    faults_.push_back({fmt::format("{} may not remove {}", verb.person, verb.target), false});
  return taken;
}

std::optional<types::ObjectId> Scenario::object_of(const std::string& record) const {
  auto found = records_.find(record);
  return found == records_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace ensue::engine
