// Each promise of a store is one check. A check that meets a damaged page tells that and lets the
// others go on: the answer is a picture of the damage, not its first sign.
#include <sqlite3.h>

#include <iterator>
#include <set>

#include "adapters/internal/connection.h"
#include "adapters/internal/counter_proofs.h"
#include "adapters/internal/store_paths.h"
#include "adapters/sqlite_store.h"
#include "adapters/store_care.h"
#include "base/key128.h"

namespace ensue::adapters {
namespace {

constexpr size_t kToldMax = 10;  // of one check: enough to see the pattern, few enough to read

class Checker {
 public:
  // `place` stands before what is wrong, for archives: `2026-01-05: `.
  Checker(sqlite3* db, std::string place = "") : db_(db), place_(std::move(place)) {}

  void tell(StoreCheck& check, std::string what) const {
    if (check.wrong.size() < kToldMax) check.wrong.push_back(place_ + std::move(what));
    ++check.wrong_count;
  }

  // What a damaged file answers is a finding; a file that cannot be read is an error.
  Status finding(StoreCheck& check, const Status& done) const {
    if (done || done.error().code != ErrorCode::kStoreDamaged) return done;
    tell(check, done.error().message);
    return {};
  }

  Status count(StoreCheck& check, const char* noun, const char* sql) const {
    uint64_t rows = 0;
    Status read = each_row(db_, sql, [&](const Statement& row) {
      rows = static_cast<uint64_t>(row.integer(0));
      return false;
    });
    check.looked_at.emplace_back(rows, noun);
    return finding(check, read);
  }

  // A query whose rows are all wrong; the first column says how.
  Status search(StoreCheck& check, const char* sql) const {
    return finding(check, each_row(db_, sql, [&](const Statement& row) {
                     tell(check, row.text(0));
                     return true;
                   }));
  }

  Status pages(StoreCheck& check) const {
    Status read = each_row(db_, "PRAGMA integrity_check(20)", [&](const Statement& row) {
      if (row.text(0) != "ok") tell(check, row.text(0));
      return true;
    });
    if (Status told = finding(check, read); !told) return told;
    return count(check, "page", "PRAGMA page_count");
  }

  Status references(StoreCheck& check) const {
    Status read = each_row(db_, "PRAGMA foreign_key_check", [&](const Statement& row) {
      tell(check, row.text(0) + " row " + row.text(1) + " names a " + row.text(2) +
                      " row that is not there");
      return true;
    });
    if (Status told = finding(check, read); !told) return told;
    return search(check,
                  "SELECT 'a link of ' || object || '/' || id || ', which is not there' FROM link "
                  "WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.object = link.object AND "
                  "record.id = link.id)");
  }

  Status counters(StoreCheck& check) const {
    uint64_t counters = 0;
    uint64_t charges = 0;
    Status read = visit_counter_proofs(db_, [&](const CounterProof& proof) {
      counters += !proof.counter.scope.empty();
      charges += static_cast<uint64_t>(proof.charges);
      if (proof.agrees()) return true;
      if (check.disagree.size() < kToldMax) check.disagree.push_back(proof);
      ++check.wrong_count;
      return true;
    });
    check.looked_at.emplace_back(counters, "counter");
    check.looked_at.emplace_back(charges, "charge");
    return finding(check, read);
  }

  Status runs(StoreCheck& check) const {
    if (Status told = count(check, "run", "SELECT count(*) FROM run"); !told) return told;
    Status told = search(check,
                         "SELECT 'run ' || min(seq) || ' stands there ' || count(*) || ' times' "
                         "FROM run GROUP BY run HAVING count(*) > 1");
    if (!told) return told;
    told = search(check,
                  "SELECT 'run ' || seq || ' has the status \"' || status || '\"' FROM run WHERE "
                  "status NOT IN ('executed', 'reminded', 'suppressed', 'deferred', 'waiting', "
                  "'failed', 'cancelled')");
    if (!told) return told;
    return search(check,
                  "SELECT 'run ' || lower(hex(run)) || ' is charged ' || count(*) || ' times to "
                  "one counter' FROM charge GROUP BY run, quota HAVING count(*) > 1");
  }

  // The runs that charges name and that do not stand in the same file.
  Status runs_elsewhere(StoreCheck& check, std::set<Key128>& out) const {
    Status read = each_row(db_,
                           "SELECT run FROM charge WHERE NOT EXISTS (SELECT 1 FROM run WHERE "
                           "run.run = charge.run)",
                           [&](const Statement& row) {
                             out.insert(row.key(0));
                             return true;
                           });
    return finding(check, read);
  }

  // Takes out the runs that stand in this file.
  Status remove_found(StoreCheck& check, std::set<Key128>& wanted) const {
    Statement find;
    if (Status ready = find.prepare(db_, "SELECT 1 FROM run WHERE run = ?"); !ready)
      return finding(check, ready);
    for (auto at = wanted.begin(); at != wanted.end();) {
      Result<bool> found = find.bind(1, *at).step();
      find.reset();
      if (!found) return finding(check, found.error());
      at = *found ? wanted.erase(at) : std::next(at);
    }
    return {};
  }

  Status cursors(StoreCheck& check) const {
    if (Status told = count(check, "cursor", "SELECT count(*) FROM cursor"); !told) return told;
    // Each line has at least its end.
    return search(check,
                  "SELECT 'the cursor of ' || source || ' stands at line ' || line || ', byte ' || "
                  "byte_offset FROM cursor WHERE line < 0 OR byte_offset < line OR (byte_offset > "
                  "0 AND fingerprint = '')");
  }

  // Of the events that were admitted: the newest in rows of a commit, the others in the tree.
  Status keys(StoreCheck& check) const {
    Status told =
        count(check, "key",
              "WITH RECURSIVE each (keys, at) AS (SELECT keys, 1 FROM admitted UNION ALL SELECT "
              "keys, at + 16 FROM each WHERE at + 16 <= length(keys)) SELECT (SELECT count(*) FROM "
              "dedupe) + (SELECT count(*) FROM each WHERE NOT EXISTS (SELECT 1 FROM dedupe WHERE "
              "event = substr(keys, at, 16)))");
    if (!told) return told;
    return search(check,
                  "SELECT 'row ' || seq || ' of admitted holds keys that are not whole' FROM "
                  "admitted WHERE typeof(keys) <> 'blob' OR length(keys) = 0 OR length(keys) % 16 "
                  "<> 0 UNION ALL SELECT 'the key ' || lower(hex(event)) || ' is not whole' FROM "
                  "dedupe WHERE typeof(event) <> 'blob' OR length(event) <> 16");
  }

  Status records(StoreCheck& check) const {
    if (Status told = count(check, "record", "SELECT count(*) FROM record"); !told) return told;
    return search(check,
                  "SELECT object || '/' || id || ' cannot be read' FROM record WHERE NOT "
                  "json_valid(body) OR NOT json_valid(last_change)");
  }

  Status reminders(StoreCheck& check) const {
    if (Status told = count(check, "reminder", "SELECT count(*) FROM reminder"); !told) return told;
    for (const char* sql :
         {"SELECT 'the reminder ' || lower(hex(id)) || ' has the state \"' || state || '\"' FROM "
          "reminder WHERE state NOT IN ('open', 'snoozed', 'run', 'ignored', 'expired')",
          "SELECT 'the reminder ' || lower(hex(id)) || ' is snoozed without an end' FROM reminder "
          "WHERE state = 'snoozed' AND snoozed_until IS NULL",
          "SELECT 'nothing will end the reminder ' || lower(hex(id)) FROM reminder WHERE state IN "
          "('open', 'snoozed') AND expires_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM timer "
          "WHERE due = expires_at AND timer.id = reminder.id)",
          "SELECT 'nothing will wake the reminder ' || lower(hex(id)) FROM reminder WHERE state = "
          "'snoozed' AND snoozed_until IS NOT NULL AND NOT EXISTS (SELECT 1 FROM timer WHERE due = "
          "snoozed_until AND timer.id = reminder.id)"}) {
      if (Status told = search(check, sql); !told) return told;
    }
    return {};
  }

  Status intents(StoreCheck& check) const {
    if (Status told = count(check, "intent", "SELECT count(*) FROM intent"); !told) return told;
    return search(check,
                  "SELECT 'intent ' || seq || ' of ' || record || ' is \"' || state || '\" after ' "
                  "|| attempt || ' attempts' FROM intent WHERE state NOT IN ('ready', 'claimed', "
                  "'done', 'unknown', 'failed', 'dropped') OR attempt < (state = 'claimed')");
  }

  Status flow_runs(StoreCheck& check) const {
    if (Status told = count(check, "waiting run", "SELECT count(*) FROM flow_run"); !told)
      return told;
    for (const char* sql :
         {"SELECT 'the run ' || lower(hex(run)) || ' has the state \"' || state || '\"' FROM "
          "flow_run WHERE state NOT IN ('waiting', 'calling', 'retrying', 'asking', 'queued', "
          "'failed')",
          "SELECT 'nothing will wake the run ' || lower(hex(run)) FROM flow_run WHERE due IS NOT "
          "NULL AND state IN ('waiting', 'retrying') AND NOT EXISTS (SELECT 1 FROM timer WHERE "
          "timer.due = flow_run.due AND timer.kind = 'wait' AND payload = lower(hex(run)))",
          "SELECT 'the program of the run ' || lower(hex(run)) || ' is not there' FROM flow_run "
          "WHERE NOT EXISTS (SELECT 1 FROM meta WHERE name = 'program/' || program)"}) {
      if (Status told = search(check, sql); !told) return told;
    }
    return {};
  }

  Status timers(StoreCheck& check) const {
    if (Status told = count(check, "timer", "SELECT count(*) FROM timer"); !told) return told;
    for (const char* sql :
         {"SELECT 'a timer of unknown kind \"' || kind || '\"' FROM timer WHERE kind NOT IN "
          "('reminder_expiry', 'reminder_snooze', 'deferred', 'wait', 'answer', 'schedule')",
          "SELECT 'the timer of a ' || kind || ' without its reminder ' || lower(hex(id)) FROM "
          "timer WHERE kind LIKE 'reminder_%' AND NOT EXISTS (SELECT 1 FROM reminder WHERE "
          "reminder.id = timer.id)",
          "SELECT 'the deferred run ' || lower(hex(id)) || ' cannot be read' FROM timer WHERE kind "
          "= 'deferred' AND NOT CASE WHEN json_valid(payload) THEN json_type(payload, '$.rule') IS "
          "'text' AND json_type(payload, '$.run') IS 'text' ELSE 0 END"}) {
      if (Status told = search(check, sql); !told) return told;
    }
    return {};
  }

 private:
  sqlite3* db_;
  std::string place_;
};

using Verb = Status (Checker::*)(StoreCheck&) const;
struct Row {
  const char* name;
  Verb look;
  int64_t format = 1;  // that has it first
};
constexpr Row kChecks[] = {
    {"pages", &Checker::pages},        {"references", &Checker::references},
    {"counters", &Checker::counters},  {"runs", &Checker::runs},
    {"records", &Checker::records},    {"cursors", &Checker::cursors},
    {"timers", &Checker::timers},      {"reminders", &Checker::reminders},
    {"intents", &Checker::intents, 2}, {"waiting runs", &Checker::flow_runs, 3},
    {"keys", &Checker::keys, 4},
};
constexpr Row kArchiveChecks[] = {
    {"pages", &Checker::pages}, {"counters", &Checker::counters}, {"runs", &Checker::runs}};

// A file that is looked at, as of one moment.
struct Looked {
  std::unique_ptr<Store> store;  // it knows the format
  Connection db;

  Status open(const std::string& path) {
    auto opened = open_sqlite_store(path, StoreAccess::kLook);
    if (!opened) return opened.error();
    store = std::move(*opened);
    if (Status ready = db.open(path, SQLITE_OPEN_READONLY); !ready) return ready;
    return db.execute("BEGIN; SELECT count(*) FROM sqlite_master");
  }
};

// The archives that the store has made, by what it wrote down when it did.
Status registered_days(sqlite3* db, std::set<std::string>& out) {
  return each_row(db, "SELECT substr(name, 9) FROM meta WHERE name LIKE 'archive.____-__-__'",
                  [&](const Statement& row) {
                    out.insert(row.text(0));
                    return true;
                  });
}

// All archives are one check; the runs that charges name are looked for in all files.
Status check_archives(const std::string& path, Looked& store, StoreCheck& runs, StoreCheck& out) {
  Checker main(store.db.get());
  std::set<Key128> elsewhere;
  if (Status told = main.runs_elsewhere(runs, elsewhere); !told) return told;
  Result<std::vector<std::string>> days = archived_days(path);
  if (!days) return days.error();
  std::set<std::string> missing;
  if (Status told = main.finding(out, registered_days(store.db.get(), missing)); !told) return told;
  uint64_t run_count = 0;
  auto each_archive = [&](const std::function<Status(Checker&)>& look) -> Status {
    for (const std::string& day : *days) {
      missing.erase(day);
      Looked archive;
      Checker checker(nullptr, day + ": ");
      Status done = archive.open(archive_path(path, day));
      if (done) {
        checker = Checker(archive.db.get(), day + ": ");
        done = look(checker);
      }
      if (Status told = checker.finding(out, done); !told) return told;
    }
    return {};
  };
  Status looked = each_archive([&](Checker& archive) -> Status {
    for (const Row& row : kArchiveChecks) {
      StoreCheck part;
      if (Status told = (archive.*row.look)(part); !told) return told;
      for (std::string& wrong : part.wrong) {
        if (out.wrong.size() < kToldMax) out.wrong.push_back(std::move(wrong));
      }
      for (CounterProof& proof : part.disagree) {
        if (out.disagree.size() < kToldMax) out.disagree.push_back(std::move(proof));
      }
      out.wrong_count += part.wrong_count;
      if (row.look == &Checker::runs && !part.looked_at.empty())
        run_count += part.looked_at[0].first;
    }
    return archive.runs_elsewhere(out, elsewhere);
  });
  if (!looked) return looked;
  if (Status told = main.remove_found(runs, elsewhere); !told) return told;
  if (!elsewhere.empty()) {
    looked = each_archive([&](Checker& archive) { return archive.remove_found(out, elsewhere); });
    if (!looked) return looked;
  }
  for (const std::string& day : missing) main.tell(out, day + " is not there any more");
  // In an archive that is gone may stand what is missing.
  if (missing.empty()) {
    for (const Key128& run : elsewhere)
      main.tell(runs, "a charge for the run " + base::to_hex(run) + ", which is not there");
  }
  out.looked_at = {{days->size(), "day"}, {run_count, "run"}};
  return {};
}

}  // namespace

Result<StoreReport> check_store(const std::string& path) {
  Looked store;
  if (Status opened = store.open(path); !opened) return opened.error();
  Result<int64_t> format = store.db.integer("PRAGMA user_version");
  if (!format) return format.error();
  StoreReport out;
  out.format = *format;
  size_t runs = 0;
  for (const Row& row : kChecks) {
    if (out.format < row.format) continue;
    if (row.look == &Checker::runs) runs = out.checks.size();
    StoreCheck& check = out.checks.emplace_back();
    check.name = row.name;
    if (Status told = (Checker(store.db.get()).*row.look)(check); !told) return told.error();
  }
  StoreCheck archives;
  archives.name = "archives";
  if (Status told = check_archives(path, store, out.checks[runs], archives); !told)
    return told.error();
  out.checks.push_back(std::move(archives));
  return out;
}

}  // namespace ensue::adapters
