// Services and e-mail: what a run asks of the world outside. Both are intents of the outbox,
// written in the commit of the run; a service's answer goes on with the run.
#include <fmt/format.h>

#include <utility>

#include "base/fold.h"
#include "base/key128.h"
#include "engine/cascade.h"
#include "intake/json_tape.h"
#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using intake::JsonTape;

// JSON as a value: objects are lists behind exec::kObjectMark.
Value value_of(const JsonTape& tape, uint32_t index) {
  const intake::JsonNode& node = tape.node(index);
  switch (node.kind) {
    case intake::JsonKind::kBoolean: return Value::boolean(node.truth);
    case intake::JsonKind::kString: return Value::text(node.text);
    case intake::JsonKind::kNumber: {
      auto number = value::parse_decimal(node.text);
      return number ? Value::number(*number) : Value::text(node.text);
    }
    case intake::JsonKind::kArray:
    case intake::JsonKind::kObject: {
      std::vector<Value> items;
      bool object = node.kind == intake::JsonKind::kObject;
      if (object) items.push_back(Value::text(exec::kObjectMark));
      tape.for_each(index, [&](uint32_t member) {
        if (object) items.push_back(Value::text(tape.node(member).key));
        items.push_back(value_of(tape, member));
      });
      return Value::list(std::move(items));
    }
    default: return {};
  }
}

std::string member(std::string_view name, std::string_view text) {
  std::string out = ",";
  value::append_json_text(out, name);
  out += ':';
  value::append_json_text(out, text);
  return out;
}

}  // namespace

Result<std::optional<limits::LimitState>> Cascade::charge_outside(const Run& run, const Key128& key,
                                                                  limits::Subject subject) {
  subject.kind = plan::unit_kind_name(run.unit.kind);
  subject.name = run.unit.name;
  return charge(key, subject);
}

Result<Value> Cascade::service_answer(const IntentRow& intent) const {
  if (intent.answer.empty()) return Value();
  const Bounds& bounds = c_.program.options.bounds;
  JsonTape tape({bounds.service_answer_bytes_max, bounds.event_nesting_max});
  if (Status parsed = tape.parse(intent.answer); !parsed) {
    return {ErrorCode::kFault,
            fmt::format("{} answered what is no JSON: {}", intent.name, parsed.error().message)};
  }
  return value_of(tape, JsonTape::kRoot);
}

// The first time the call becomes an intent, and the run waits. When it is done again, with the
// same key: the answer is there, or the call is to be made once more.
Result<Cascade::Next> Cascade::call_service(Run& run, Frame& frame, const plan::CallPlan& plan) {
  const uint32_t ordinal = frame.ordinal;
  Key128 key = effect_key(run, frame);
  auto wait = [&]() -> Result<Next> {
    frame.ordinal = ordinal;
    return suspend(run, frame, "calling", std::nullopt, plan.service);
  };
  EffectRecord effect;
  effect.op = "call_service";
  effect.target = run.decision.record;
  effect.name = plan.service;
  Result<std::optional<IntentRow>> known = c_.txn.intent(key);
  if (!known) return known.error();
  if (known->has_value()) {
    IntentRow intent = **known;
    bool answered = std::exchange(frame.answered, false);
    if (intent.state == "done") {
      Result<Value> answer = service_answer(intent);
      if (!answer) return answer.error();
      if (plan.slot != plan::kNoSlot) frame.stack.back().locals[plan.slot] = std::move(*answer);
      effect.outcome = "answered";
      run.decision.effects.push_back(std::move(effect));
      return Next::kOn;
    }
    bool definite = intent.state == "failed" || intent.state == "dropped";
    if (definite && answered) {
      return {ErrorCode::kFault,
              intent.result.empty() ? fmt::format("{} failed", plan.service) : intent.result};
    }
    if (definite) {
      intent.state = "ready";
      intent.due = c_.now;
      Result<bool> settled = c_.txn.settle_intent(intent);
      if (!settled) return settled.error();
      effect.outcome = "called again";
      run.decision.effects.push_back(std::move(effect));
    }
    return wait();
  }
  if (Status counted = count_effect(run); !counted) return counted.error();
  limits::Subject subject;
  subject.service = plan.service;
  auto refused = charge_outside(run, key, subject);
  if (!refused) return refused.error();
  if (*refused) {
    bool later = (*refused)->policy == limits::Policy::kPause ||
                 (*refused)->policy == limits::Policy::kDefer;
    if (!later) return {ErrorCode::kLimitReached, limits::limit_message(**refused)};
    frame.ordinal = ordinal;
    return suspend(run, frame, "retrying", (*refused)->resets_at, limits::limit_message(**refused));
  }
  std::string arguments = "{";
  for (const auto& [name, program] : plan.arguments) {
    Result<Value> value = evaluate(run, frame, program);
    if (!value) return value.error();
    if (arguments.size() > 1) arguments += ',';
    value::append_json_text(arguments, name);
    arguments += ':';
    value::append_json(arguments, *value);
  }
  IntentRow intent;
  intent.key = key;
  intent.at = intent.due = c_.now;
  intent.cause = fmt::format("{} \"{}\"", run.decision.kind, run.unit.name);
  // Calls of one run come one after the other; those of different runs do not wait for each other.
  intent.record = "run/" + base::to_hex(run.key);
  intent.request = arguments + "}";
  intent.channel = sink_channel_name(SinkChannel::kService);
  intent.name = plan.service;
  intent.run = run.key;
  intent.state = "ready";
  if (Result<bool> added = c_.txn.add_intent(intent); !added) return added.error();
  effect.outcome = "called";
  run.decision.effects.push_back(std::move(effect));
  return wait();
}

// ---- E-mail -----------------------------------------------------------------------------------

// Merge fields walk lookups by name; what is not there is blank.
std::string Cascade::render(const std::vector<MailPart>& parts, const Run& run,
                            const types::Record* recipient) {
  const types::Schema& schema = c_.program.schema();
  std::string out;
  for (const MailPart& part : parts) {
    out += part.text;
    if (part.names.empty()) continue;
    types::RecordPtr held;
    const types::Record* record = nullptr;
    if (base::equal_folded(part.names[0], "Recipient")) record = recipient;
    if (base::equal_folded(part.names[0], "Sender") && !run.person.empty()) {
      held = c_.book.find(schema.find_object("User"), run.person);
      record = held.get();
    }
    Value value = record != nullptr ? Value::text(record->id) : Value();
    for (size_t i = 1; i < part.names.size(); ++i) {
      types::FieldId field;
      if (record != nullptr) field = schema.object(record->object).find(part.names[i]);
      if (!field) {
        value = Value();
        break;
      }
      value = types::read_field(schema, *record, field, c_.program.currency);
      const types::Type& type = schema.object(record->object).field(field).type;
      record = nullptr;
      if (!type.is(types::TypeKind::kRecord)) continue;
      for (types::ObjectId object : schema.objects_of(type.objects)) {
        types::RecordPtr found = c_.book.find(object, value.as_text());
        if (found == nullptr) continue;
        held = found;
        record = held.get();
      }
    }
    out += value::plain_text(value);
  }
  return out;
}

Result<Cascade::Next> Cascade::send_email(Run& run, Frame& frame, const plan::MailPlan& plan) {
  const types::Schema& schema = c_.program.schema();
  if (Status counted = count_effect(run); !counted) return counted.error();
  const uint32_t ordinal = frame.ordinal;
  Key128 key = effect_key(run, frame);
  Result<Value> to = evaluate(run, frame, plan.to);
  if (!to) return to.error();
  EffectRecord effect;
  effect.op = "send_email";
  effect.name = plan.template_name;
  auto told = [&](const char* outcome) -> Result<Next> {
    effect.outcome = outcome;
    run.decision.effects.push_back(std::move(effect));
    return Next::kOn;
  };
  types::RecordPtr recipient;
  for (types::ObjectId object : plan.objects) {
    if (recipient == nullptr && !to->is_blank()) recipient = c_.book.find(object, to->as_text());
  }
  auto field = [&](const types::Record* record, const char* name) -> Value {
    types::FieldId id;
    if (record != nullptr) id = schema.object(record->object).find_stored(name);
    return id ? types::read_field(schema, *record, id, c_.program.currency) : Value();
  };
  std::string address(plan.objects.empty() ? to->as_text()
                                           : field(recipient.get(), "Email").as_text());
  if (recipient != nullptr) effect.target = record_name(schema, *recipient);
  if (plan.objects.empty()) effect.target = address;
  if (effect.target.empty()) return told("no recipient");
  if (address.empty()) return told("no address");
  if (field(recipient.get(), "HasOptedOutOfEmail").truth()) return told("opted out");
  auto found = run.program->templates.find(plan.template_name);
  if (found == run.program->templates.end())
    return {ErrorCode::kFault, fmt::format("there is no template \"{}\"", plan.template_name)};
  limits::Subject subject;
  subject.user = run.person;
  subject.counter = "automated emails";
  auto refused = charge_outside(run, key, subject);
  if (!refused) return refused.error();
  if (*refused) {
    switch ((*refused)->policy) {
      case limits::Policy::kFail:
        return {ErrorCode::kLimitReached, limits::limit_message(**refused)};
      case limits::Policy::kDefer:
      case limits::Policy::kPause:
        frame.ordinal = ordinal;
        return suspend(run, frame, "retrying", (*refused)->resets_at,
                       limits::limit_message(**refused));
      default: return told("suppressed by limit");
    }
  }
  types::RecordPtr sender =
      run.person.empty() ? nullptr : c_.book.find(schema.find_object("User"), run.person);
  IntentRow intent;
  intent.key = key;
  intent.at = intent.due = c_.now;
  intent.cause = fmt::format("{} \"{}\"", run.decision.kind, run.unit.name);
  intent.record = "email/" + base::to_hex(key);
  intent.channel = sink_channel_name(SinkChannel::kEmail);
  intent.name = plan.template_name;
  intent.request = "{\"id\":\"" + base::to_hex(key) + "\",\"at\":\"" + value::instant_text(c_.now) +
                   '"' + member("template", plan.template_name);
  Value from = field(sender.get(), "Email");
  if (!from.is_blank()) {
    intent.request += member("from", from.as_text());
    Value name = field(sender.get(), "Name");
    if (!name.is_blank()) intent.request += member("from_name", name.as_text());
  }
  intent.request += member("to", address);
  Value name = field(recipient.get(), "Name");
  if (!name.is_blank()) intent.request += member("to_name", name.as_text());
  intent.request += member("subject", render(found->second.subject, run, recipient.get()));
  intent.request += member("body", render(found->second.body, run, recipient.get())) + '}';
  intent.state = "ready";
  if (Result<bool> added = c_.txn.add_intent(intent); !added) return added.error();
  return told("sent");
}

}  // namespace ensue::engine
