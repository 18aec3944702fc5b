#include "engine/schedule_state.h"

#include <nlohmann/json.hpp>

#include "base/key128.h"

namespace ensue::engine {
namespace {

std::string name_of(const Key128& rule) { return "schedule/" + base::to_hex(rule); }

}  // namespace

Result<ScheduleState> read_schedule_state(StoreReader& reader, const Key128& rule) {
  ScheduleState out;
  Result<std::optional<std::string>> kept = reader.meta(name_of(rule));
  if (!kept) return kept.error();
  if (!kept->has_value()) return out;
  auto row = nlohmann::json::parse(**kept, nullptr, false);
  if (!row.is_object()) return {ErrorCode::kStoreDamaged, "the state of a schedule cannot be read"};
  out.known = true;
  out.text = row.value("schedule", "");
  out.runs = row.value("runs", int64_t{0});
  out.missed = row.value("missed", int64_t{0});
  if (row.contains("next") && row["next"].is_array() && row["next"].size() == 3) {
    schedule::Firing next;
    next.at.ms = row["next"][0].get<int64_t>();
    next.date.days = row["next"][1].get<int32_t>();
    next.time_ms = row["next"][2].get<int32_t>();
    out.next = next;
  }
  return out;
}

Status keep_schedule_state(StoreTxn& txn, const Key128& rule, const std::string& flow,
                           const ScheduleState& state) {
  nlohmann::ordered_json row{
      {"flow", flow}, {"schedule", state.text}, {"runs", state.runs}, {"missed", state.missed}};
  if (state.next) row["next"] = {state.next->at.ms, state.next->date.days, state.next->time_ms};
  return txn.put_meta(name_of(rule), row.dump());
}

Status forget_schedule_state(StoreTxn& txn, const Key128& rule) {
  return txn.put_meta(name_of(rule), "{}");
}

}  // namespace ensue::engine
