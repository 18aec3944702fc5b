#include "support/simulation/store_state.h"

#include <sqlite3.h>

#include <algorithm>

#include "base/key128.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

std::string text_of(Instant at) { return value::instant_text(at); }
std::string text_of(const std::optional<Instant>& at) { return at ? text_of(*at) : "-"; }

// All that the verbs of a store show.
class Teller {
 public:
  explicit Teller(StoreReader& reader) : reader_(reader) {}

  Status tell(StoreState& out) {
    for (auto part :
         {&Teller::runs, &Teller::records, &Teller::counters, &Teller::reminders,
          &Teller::dead_letters, &Teller::activations, &Teller::timers, &Teller::flow_runs}) {
      if (Status told = (this->*part)(); !told) return told;
    }
    for (auto part : {&Teller::totals, &Teller::position, &Teller::intents}) {
      if (Status told = (this->*part)(out); !told) return told;
    }
    out.text = std::move(text_);
    return {};
  }

 private:
  template <class... Parts>
  void line(const char* kind, const Parts&... parts) {
    text_ += kind;
    ((text_ += '|', text_ += parts), ...);
    text_ += '\n';
  }

  Status runs() {
    return reader_.visit_runs({}, [&](const RunRow& row) {
      line("run", std::to_string(row.seq), base::to_hex(row.run), base::to_hex(row.rule),
           base::to_hex(row.event), text_of(row.at), row.automation, row.author, row.kind,
           row.record, row.user, row.status, row.detail);
      return true;
    });
  }
  Status records() {
    return reader_.visit_records("", [&](const RecordRow& row) {
      line("record", row.object, row.id, row.body, row.last_change, row.deleted ? "gone" : "");
      return true;
    });
  }
  Status counters() {
    return reader_.visit_counters([&](const CounterRow& row) {
      line("counter", row.scope, row.key, row.counter, row.window, std::to_string(row.used),
           std::to_string(row.max));
      return true;
    });
  }
  Status reminders() {
    return reader_.visit_reminders("", [&](const ReminderRow& row) {
      line("reminder", base::to_hex(row.id), base::to_hex(row.rule), base::to_hex(row.event),
           row.automation, row.author, row.record, row.person, row.state, row.effect, row.change,
           text_of(row.offered_at), text_of(row.due_at), text_of(row.expires_at),
           text_of(row.snoozed_until));
      return true;
    });
  }
  Status dead_letters() {
    return reader_.visit_dead_letters([&](const DeadLetterRow& row) {
      line("dead letter", std::to_string(row.seq), row.source, std::to_string(row.line),
           text_of(row.at), row.reason, row.text);
      return true;
    });
  }
  Status activations() {
    return reader_.visit_activations([&](const ActivationRow& row) {
      line("activation", base::to_hex(row.rule), row.automation, row.person,
           row.active ? "on" : "off");
      return true;
    });
  }
  Status timers() {
    Result<std::vector<TimerRow>> rows =
        reader_.due_timers(Instant{INT64_MAX / 2}, static_cast<size_t>(INT32_MAX));
    if (!rows) return rows.error();
    for (const TimerRow& row : *rows)
      line("timer", text_of(row.due), base::to_hex(row.id), row.kind, row.payload);
    return {};
  }
  Status flow_runs() {
    return reader_.visit_flow_runs("", [&](const FlowRunRow& row) {
      line("flow run", base::to_hex(row.run), base::to_hex(row.rule), row.automation, row.record,
           row.user, row.state, text_of(row.since), text_of(row.due), std::to_string(row.wakes),
           row.program, row.frame, row.detail);
      return true;
    });
  }
  Status totals(StoreState& out) {
    for (const char* name :
         {"events", "snapshots", "gaps", "dead letters", "executed", "reminded", "suppressed",
          "deferred", "waiting", "failed", "cancelled", "active_targets"}) {
      Result<int64_t> total = reader_.total(name);
      if (!total) return total.error();
      line("total", std::string(name), std::to_string(*total));
    }
    for (auto [name, place] :
         {std::pair("lines", &out.lines), std::pair("duplicates", &out.duplicates)}) {
      Result<int64_t> total = reader_.total(name);
      if (!total) return total.error();
      *place = *total;
    }
    for (const char* name : {"clock", "links"}) {
      Result<std::optional<std::string>> meta = reader_.meta(name);
      if (!meta) return meta.error();
      line("meta", std::string(name), meta->value_or("-"));
    }
    return {};
  }
  Status position(StoreState& out) {
    Result<std::optional<CursorRow>> cursor = reader_.cursor(kSource);
    if (!cursor) return cursor.error();
    out.cursor = *cursor ? (*cursor)->line : 0;
    // The line is not part of the text: it is behind while lines are worked on one by one.
    CursorRow whole = cursor_at(out.cursor);
    if (*cursor &&
        ((*cursor)->offset != whole.offset || (*cursor)->fingerprint != whole.fingerprint))
      line("a cursor of pieces", (*cursor)->fingerprint);
    Result<std::optional<AttemptRow>> attempt = reader_.attempt(kSource);
    if (!attempt) return attempt.error();
    out.alone = *attempt ? (*attempt)->line : 0;
    return {};
  }
  // Their states are the delivery's.
  Status intents(StoreState& out) {
    return reader_.visit_intents("", [&](const IntentRow& row) {
      line("intent", std::to_string(row.seq), base::to_hex(row.key), text_of(row.at), row.cause,
           row.record, row.request);
      out.intents.push_back(row);
      return true;
    });
  }

  StoreReader& reader_;
  std::string text_;
};

struct Question {
  const char* violation;  // null: the rows are part of the state
  const char* sql;        // rows of one text
};

// The burst counters are known by their window, which is a length and not a date. A unit is in it
// as of the last one.
#define ENSUE_IN_WINDOW                                                          \
  "burst.at > (SELECT max(newest.at) FROM burst AS newest WHERE newest.quota = " \
  "burst.quota) - 1000 * CAST(quota.day AS INTEGER)"
constexpr Question kQuestions[] = {
    {"integrity",
     "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> "
     "'ok'"},
    {"a reference to nothing",
     "SELECT \"table\" || ' row ' || rowid FROM pragma_foreign_key_check"},
    {"a counter over its maximum",
     "SELECT scope || ' ' || key || ' ' || counter || ' ' || day || ': ' || used || ' of ' || lim "
     "FROM quota WHERE used > lim OR used < 0"},
    {"a counter that is not its charges",
     "SELECT scope || ' ' || key || ' ' || day || ': ' || used || ' used' FROM quota WHERE used <> "
     "CASE WHEN day LIKE '____-__-__' THEN (SELECT count(*) FROM charge WHERE quota = quota.id) "
     "ELSE (SELECT coalesce(sum(n), 0) FROM burst WHERE quota = quota.id AND " ENSUE_IN_WINDOW
     ") END"},
    {"a unit charged twice",
     "SELECT hex(run) || ' on ' || quota FROM charge GROUP BY run, quota HAVING count(*) > 1"},
    {"a run decided twice",
     "SELECT automation || ' on ' || record FROM run WHERE status <> 'deferred' GROUP BY rule, "
     "event, record HAVING count(*) > 1"},
    {"keys of events that are not whole",
     "SELECT 'row ' || seq FROM admitted WHERE length(keys) = 0 OR length(keys) % 16 <> 0"},
    {nullptr,
     "WITH RECURSIVE each (keys, at) AS (SELECT keys, 1 FROM admitted UNION ALL SELECT keys, at + "
     "16 FROM each WHERE at + 16 <= length(keys)) SELECT 'event ' || hex(substr(keys, at, 16)) "
     "FROM each UNION SELECT 'event ' || hex(event) FROM dedupe ORDER BY 1"},
    {nullptr,
     "SELECT 'charge ' || n || ' ' || hex(run) || ' ' || scope || '|' || key || '|' || counter || "
     "'|' || day || ' ' || at FROM charge JOIN quota ON quota.id = charge.quota ORDER BY n"},
    {nullptr,
     "SELECT 'burst ' || scope || '|' || key || '|' || counter || '|' || day || ' ' || at || ' ' "
     "|| n FROM burst JOIN quota ON quota.id = burst.quota WHERE " ENSUE_IN_WINDOW " ORDER BY 1"},
};

}  // namespace

CursorRow cursor_at(uint64_t line) {
  return {kSource, line, line * 100, "mark " + std::to_string(line)};
}

Result<StoreState> state_of(Store& store) {
  StoreState out;
  Status told = store.read([&](StoreReader& reader) { return Teller(reader).tell(out); });
  if (!told) return told.error();
  return out;
}

void look_beneath(const SimulatedVfs& vfs, const std::string& path, StoreState& state,
                  std::vector<std::string>& violations) {
  sqlite3* db = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                             vfs.name().c_str());
  if (code == SQLITE_OK) sqlite3_exec(db, "BEGIN", nullptr, nullptr, nullptr);
  for (const Question& question : kQuestions) {
    sqlite3_stmt* query = nullptr;
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(db, question.sql, -1, &query, nullptr);
    if (code != SQLITE_OK) break;
    while ((code = sqlite3_step(query)) == SQLITE_ROW) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(query, 0));
      std::string row = text == nullptr ? "(nothing)" : text;
      if (question.violation == nullptr) {
        state.beneath += row + "\n";
      } else {
        violations.push_back(question.violation + (": " + row));
      }
    }
    code = code == SQLITE_DONE ? SQLITE_OK : code;
    sqlite3_finalize(query);
  }
  if (code != SQLITE_OK)
    violations.push_back("the tables cannot be read: " + std::string(sqlite3_errmsg(db)));
  sqlite3_close(db);
}

std::string first_difference(const std::string& found, const std::string& expected) {
  if (found == expected) return "";
  auto [a, b] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  auto line_at = [](const std::string& text, std::string::const_iterator at) {
    auto index = static_cast<size_t>(at - text.begin());
    size_t begin = index == 0 ? 0 : text.rfind('\n', index - 1) + 1;
    size_t end = std::min(text.find('\n', index), begin + 300);
    return begin >= text.size() ? "(the end)" : text.substr(begin, end - begin);
  };
  return "found    " + line_at(found, a) + "\nexpected " + line_at(expected, b);
}

}  // namespace ensue::testing
