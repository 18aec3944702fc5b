#include "engine/decision_json.h"

#include <nlohmann/json.hpp>

#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

void member(std::string& out, const char* name, std::string_view text) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":";
  value::append_json_text(out, text);
}

void raw_member(std::string& out, const char* name, std::string_view json) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":";
  out += json;
}

std::string text_or_null(const std::string& text) {
  if (text.empty()) return "null";
  std::string out;
  value::append_json_text(out, text);
  return out;
}

std::string effect_json(const EffectRecord& effect) {
  std::string out = "{";
  member(out, "op", effect.op);
  raw_member(out, "target", text_or_null(effect.target));
  bool plain = effect.op == "create" || effect.op == "update" || effect.op == "delete" ||
               effect.op == "call_service" || effect.op == "send_email" || effect.op == "log";
  if (!plain) raw_member(out, "cadence", text_or_null(effect.cadence));
  if (!effect.name.empty())
    member(out, effect.op == "call_service" ? "service" : "template", effect.name);
  if (effect.op == "log") member(out, "text", effect.text);
  if (!effect.cadences.empty()) {
    std::string list = "[";
    for (const std::string& name : effect.cadences) {
      if (list.size() > 1) list += ',';
      value::append_json_text(list, name);
    }
    raw_member(out, "cadences", list + "]");
  }
  if (!effect.assignee.empty()) member(out, "assignee", effect.assignee);
  if (!effect.disposition.empty()) member(out, "disposition", effect.disposition);
  if (!effect.person.empty()) member(out, "person", effect.person);
  member(out, "outcome", effect.outcome);
  return out + "}";
}

std::string effects_json(const Decision& decision) {
  std::string out = "[";
  for (const EffectRecord& effect : decision.effects) {
    if (out.size() > 1) out += ',';
    out += effect_json(effect);
  }
  return out + "]";
}

std::string branches_json(const Decision& decision) {
  std::string out = "[";
  for (const std::string& branch : decision.branches) {
    if (out.size() > 1) out += ',';
    value::append_json_text(out, branch);
  }
  return out + "]";
}

std::string limit_json(const LimitRecord& limit) {
  std::string out = "{";
  member(out, "scope", limit.scope);
  member(out, "key", limit.key);
  raw_member(out, "count", std::to_string(limit.count));
  raw_member(out, "max", std::to_string(limit.max));
  member(out, "resets_at", value::instant_text(limit.resets_at));
  return out + "}";
}

}  // namespace

std::string decision_detail(const Decision& decision) {
  std::string out = "{";
  if (decision.limit) {
    std::string limit = limit_json(*decision.limit);
    limit.back() = ',';  // the counter's name is kept, though the line of output leaves it out
    limit += "\"counter\":";
    value::append_json_text(limit, decision.limit->counter);
    raw_member(out, "limit", limit + "}");
  }
  if (!decision.fault.empty()) member(out, "fault", decision.fault);
  if (!decision.trace.empty()) member(out, "trace", decision.trace);
  if (decision.part != 0) raw_member(out, "part", std::to_string(decision.part));
  if (!decision.branches.empty()) raw_member(out, "branches", branches_json(decision));
  raw_member(out, "effects", effects_json(decision));
  return out + "}";
}

Decision decision_of(const RunRow& row) {
  Decision out;
  out.seq = row.seq;
  out.at = row.at;
  out.automation = row.automation;
  out.author = row.author;
  out.kind = row.kind;
  out.record = row.record;
  out.user = row.user;
  out.status = row.status;
  auto detail = nlohmann::json::parse(row.detail, nullptr, false);
  if (!detail.is_object()) return out;
  // What is not as it was written, in a damaged store, is left out.
  auto text = [](const nlohmann::json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  auto number = [](const nlohmann::json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
  };
  auto list = [](const nlohmann::json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_array() ? *found : nlohmann::json::array();
  };
  out.fault = text(detail, "fault");
  out.trace = text(detail, "trace");
  out.part = number(detail, "part");
  for (const auto& branch : list(detail, "branches")) {
    if (branch.is_string()) out.branches.push_back(branch.get<std::string>());
  }
  if (detail.contains("limit")) {
    const auto& limit = detail["limit"];
    LimitRecord record{text(limit, "scope"),   text(limit, "key"),   text(limit, "counter"),
                       number(limit, "count"), number(limit, "max"), {}};
    if (auto at = value::parse_datetime(text(limit, "resets_at"))) record.resets_at = at->instant();
    out.limit = std::move(record);
  }
  for (const auto& effect : list(detail, "effects")) {
    EffectRecord record;
    record.op = text(effect, "op");
    record.target = text(effect, "target");
    record.cadence = text(effect, "cadence");
    for (const auto& name : list(effect, "cadences")) {
      if (name.is_string()) record.cadences.push_back(name.get<std::string>());
    }
    record.assignee = text(effect, "assignee");
    record.disposition = text(effect, "disposition");
    record.person = text(effect, "person");
    record.name = text(effect, record.op == "call_service" ? "service" : "template");
    record.text = text(effect, "text");
    record.outcome = text(effect, "outcome");
    out.effects.push_back(std::move(record));
  }
  return out;
}

const char* stop_name(Stop stop) {
  static constexpr const char* kNames[] = {
      "starts",      "draft",     "other object", "other event", "author unknown",
      "no owner",    "not own",   "not in team",  "territory",   "not active",
      "not changed", "condition", "not newly",    "fault"};
  return kNames[static_cast<size_t>(stop)];
}

}  // namespace ensue::engine

namespace ensue {

std::string Decision::json() const {
  using namespace engine;
  std::string out = "{";
  raw_member(out, "seq", std::to_string(seq));
  member(out, "at", value::instant_text(at));
  member(out, "automation", automation);
  member(out, "kind", kind);
  member(out, "record", record);
  member(out, "user", user);
  member(out, "status", status);
  if (part != 0) raw_member(out, "part", std::to_string(part));
  if (limit) raw_member(out, "limit", limit_json(*limit));
  if (!fault.empty()) member(out, "fault", fault);
  raw_member(out, "effects", effects_json(*this));
  return out + "}";
}

}  // namespace ensue
