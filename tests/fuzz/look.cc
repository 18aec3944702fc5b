#include "fuzz/look.h"

#include <vector>

#include "base/key128.h"
#include "engine/decision_json.h"
#include "engine/explain.h"
#include "value/time_text.h"

namespace ensue::fuzz {
namespace {

std::string instant(std::optional<Instant> at) { return at ? value::instant_text(*at) : "never"; }

std::string ended(const Status& status) {
  return status ? "" : "error: " + status.error().message + "\n";
}

std::string rows_of(StoreReader& reader) {
  std::string out;
  auto add = [&](auto&&... parts) {
    ((out += parts, out += ' '), ...);
    out += '\n';
    return true;
  };
  out += ended(reader.visit_records("", [&](const RecordRow& row) {
    return add(row.object, row.id, row.body, row.last_change, std::to_string(row.deleted));
  }));
  for (bool newest_first : {false, true}) {
    RunFilter filter;
    filter.newest_first = newest_first;
    out += ended(reader.visit_runs(
        filter, [&](const RunRow& row) { return add(engine::decision_of(row).json()); }));
  }
  out += ended(reader.visit_verdicts("", "", [&](const VerdictRow& row) {
    return add(instant(row.at), row.automation, row.record, row.user, row.verdict);
  }));
  out += ended(reader.visit_counters([&](const CounterRow& row) {
    return add(row.scope, row.key, row.counter, row.window, std::to_string(row.used),
               std::to_string(row.max));
  }));
  out += ended(reader.visit_dead_letters([&](const DeadLetterRow& row) {
    return add(row.source, std::to_string(row.line), instant(row.at), row.reason, row.text);
  }));
  out += ended(reader.visit_reminders("", [&](const ReminderRow& row) {
    return add(base::to_hex(row.id), row.automation, row.record, row.person, row.state, row.effect,
               row.change, instant(row.offered_at), instant(row.due_at), instant(row.expires_at),
               instant(row.snoozed_until));
  }));
  out += ended(reader.visit_intents("", [&](const IntentRow& row) {
    return add(std::to_string(row.seq), base::to_hex(row.key), instant(row.at), row.cause,
               row.record, row.request, row.state, std::to_string(row.attempt), instant(row.due),
               row.result);
  }));
  out += ended(reader.visit_flow_runs("", [&](const FlowRunRow& row) {
    return add(std::to_string(row.seq), base::to_hex(row.run), row.automation, row.record, row.user,
               row.state, instant(row.since), instant(row.due), std::to_string(row.wakes),
               row.program, row.detail);
  }));
  out += ended(reader.visit_activations([&](const ActivationRow& row) {
    return add(base::to_hex(row.rule), row.automation, row.person, std::to_string(row.active));
  }));
  return out;
}

}  // namespace

std::string look_at_everything(Store& store) {
  std::string out;
  Status looked = store.read([&](StoreReader& reader) -> Status {
    out += rows_of(reader);
    if (auto next = reader.next_timer()) out += instant(*next) + "\n";
    if (auto due = reader.due_timers({INT64_MAX}, 100)) {
      for (const TimerRow& row : *due) out += instant(row.due) + row.kind + row.payload + "\n";
    }
    if (auto cursor = reader.cursor("crm"); cursor && *cursor)
      out += std::to_string((*cursor)->line) + (*cursor)->fingerprint + "\n";
    if (auto attempt = reader.attempt("crm"); attempt && *attempt)
      out += std::to_string((*attempt)->count) + "\n";
    for (const char* name : {"lines", "events", "executed", "active_targets", "deferred"}) {
      if (auto total = reader.total(name)) out += std::to_string(*total) + "\n";
    }
    for (const char* name : {"clock", "links"}) {
      if (auto text = reader.meta(name); text && *text) out += **text + "\n";
    }
    return {};
  });
  return out + ended(looked);
}

std::string explain_everything(engine::Runtime& runtime) {
  constexpr size_t kRecordsMax = 6;
  std::vector<std::string> records;
  Status looked = runtime.store().read([&](StoreReader& reader) {
    return reader.visit_records("Lead", [&](const RecordRow& row) {
      records.push_back("Lead/" + row.id);
      return records.size() < kRecordsMax;
    });
  });
  std::string out = ended(looked);
  for (const plan::UnitPtr& unit : runtime.program().units) {
    for (const std::string& record : records) {
      auto told = engine::explain(runtime, unit->name, record, std::nullopt);
      out += told ? told->text() + told->json() : told.error().message;
      out += '\n';
    }
  }
  return out;
}

}  // namespace ensue::fuzz
