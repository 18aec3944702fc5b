// A day goes in two steps. First its archive is written anew, with what it held before, beside the
// old one, through to the disk, and gets its name at once as a whole: archives never change under a
// reader. Then one transaction deletes from the store what the archive holds. Between the two the
// day stands in both files, which readers take for once (archived_store.cc) and the next call
// finishes.
//
// What is written twice is the same twice: runs and verdicts are known by their key and number, and
// the counters of a day are replaced as a whole as long as the store still has them.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "adapters/internal/connection.h"
#include "adapters/internal/counter_proofs.h"
#include "adapters/internal/store_paths.h"
#include "adapters/sqlite_store.h"
#include "adapters/store_care.h"

namespace ensue::adapters {
namespace {

namespace fs = std::filesystem;

// Numbers of rows. Rows are nearly in order of time, so that a range of numbers with the time as a
// filter reads little more than the day.
struct Range {
  int64_t first = INT64_MAX;
  int64_t last = -1;
  void add(int64_t number) {
    first = std::min(first, number);
    last = std::max(last, number);
  }
  std::string holds(const char* column) const {
    return std::string(column) + " BETWEEN " + std::to_string(first) + " AND " +
           std::to_string(last);
  }
};
// `begin` and `end` are set as soon as a row has shown them.
struct Day {
  ArchiveDay day;
  Range runs, verdicts, charges;

  std::string holds(const char* column) const {
    return std::string(column) + " >= " + std::to_string(day.begin.ms) + " AND " + column + " < " +
           std::to_string(day.end.ms);
  }
};

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

// Counters whose window is a day bear its date; the others are of sliding windows.
constexpr const char* kSliding = "day NOT LIKE '____-__-__'";
// Of rows of `burst`: the unit was in its window at the last charge (charged_counters.h). All are
// where the name of the window says no length.
constexpr const char* kInWindow =
    "burst.at > (SELECT max(newest.at) FROM burst AS newest WHERE newest.quota = burst.quota) - "
    "(SELECT CASE WHEN sliding.day GLOB '[1-9]* s' THEN 1000 * CAST(sliding.day AS INTEGER) ELSE "
    "9000000000000000000 END FROM quota AS sliding WHERE sliding.id = burst.quota)";

class Archivist {
 public:
  Archivist(std::string path, const ArchivePlan& plan) : path_(std::move(path)), plan_(plan) {}

  Status work(const std::function<void(const ArchivedDay&)>& done) {
    // Owning would make a missing store.
    auto looked = open_sqlite_store(path_, StoreAccess::kLook);
    if (!looked) return looked.error();
    looked->reset();
    auto owner = open_sqlite_store(path_, StoreAccess::kOwn);
    if (!owner) return owner.error();
    if (Status opened = db_.open(path_, SQLITE_OPEN_READWRITE); !opened) return opened;
    Status ready = db_.execute(
        "PRAGMA synchronous = FULL; CREATE TEMP TABLE moving (id INTEGER PRIMARY KEY, used INTEGER "
        "NOT NULL, sliding INTEGER NOT NULL)");
    if (!ready) return ready;
    if (Status agree = counters_agree(); !agree) return agree;
    if (Status found = find_days(); !found) return found;
    for (const auto& [name, day] : days_) {
      Result<ArchivedDay> moved = move(day);
      if (!moved) return moved.error();
      if (moved->runs + moved->verdicts + moved->counters + moved->charges > 0) done(*moved);
    }
    return {};
  }

 private:
  // What is moved can be recounted later only if it can be now.
  Status counters_agree() {
    bool agree = true;
    Status read = visit_counter_proofs(db_.get(), [&](const CounterProof& proof) {
      agree = proof.agrees();
      return agree;
    });
    if (!read || agree) return read;
    return {ErrorCode::kStoreDamaged,
            store_name(db_.get()) + " has counters that disagree with their charges"};
  }

  // ---- Finding what is to move ------------------------------------------------------------------

  // Whether what happened then is to move; then `day()` is where.
  bool moves(Instant at) {
    // Mostly the day is that of the row before.
    if (at < known_.begin || at >= known_.end) {
      known_ = plan_.day_of(at);
      known_day_ = nullptr;
    }
    return known_.name < plan_.before;
  }
  Day& day() {
    if (known_day_ == nullptr) {
      known_day_ = &days_[known_.name];
      known_day_->day = known_;
    }
    return *known_day_;
  }

  Status find_days() {
    // The newest rows stay: their numbers must not be given again.
    Status found =
        each_row(db_.get(), "SELECT seq, at FROM run WHERE seq < (SELECT max(seq) FROM run)",
                 [&](const Statement& row) {
                   if (moves(row.instant(1))) day().runs.add(row.integer(0));
                   return true;
                 });
    if (!found) return found;
    found = each_row(db_.get(),
                     "SELECT seq, at FROM verdict WHERE seq < (SELECT max(seq) FROM verdict)",
                     [&](const Statement& row) {
                       if (moves(row.instant(1))) day().verdicts.add(row.integer(0));
                       return true;
                     });
    if (!found) return found;
    return find_charges();
  }

  Status find_charges() {
    // A counter of a day belongs to the day it names, whatever the zone was when it was charged.
    std::map<int64_t, Day*> of_quota;
    Status found = each_row(db_.get(), "SELECT id, day FROM quota WHERE day LIKE '____-__-__'",
                            [&](const Statement& row) {
                              std::string name = row.text(1);
                              Day* day = name < plan_.before ? &days_[name] : nullptr;
                              if (day != nullptr) day->day.name = name;
                              of_quota[row.integer(0)] = day;
                              return true;
                            });
    if (!found) return found;
    std::map<int64_t, int64_t> held_since;
    std::string oldest =
        std::string("SELECT quota, min(at) FROM burst WHERE ") + kInWindow + " GROUP BY quota";
    found = each_row(db_.get(), oldest.c_str(), [&](const Statement& row) {
      held_since[row.integer(0)] = row.integer(1);
      return true;
    });
    if (!found) return found;
    return each_row(db_.get(), "SELECT n, quota, at FROM charge", [&](const Statement& row) {
      auto quota = of_quota.find(row.integer(1));
      if (quota != of_quota.end()) {
        if (quota->second != nullptr) quota->second->charges.add(row.integer(0));
        return true;
      }
      if (!moves(row.instant(2))) return true;
      auto held = held_since.find(row.integer(1));
      if (held == held_since.end() || held->second >= known_.end.ms)
        day().charges.add(row.integer(0));
      return true;
    });
  }

  // ---- Moving a day -----------------------------------------------------------------------------

  Result<ArchivedDay> move(const Day& day) {
    std::string file = archive_path(path_, day.day.name);
    std::string part = file + ".part";
    ArchivedDay out;
    out.name = day.day.name;
    Status written = make_part(file, part, day.day.name);
    // Nobody sees the part, so it needs neither journal nor order.
    if (written)
      written =
          attached(part, "PRAGMA archive.journal_mode = OFF; PRAGMA archive.synchronous = OFF",
                   [&] { return transact("BEGIN", [&] { return copy(day, out); }); });
    if (written) written = sync_path(part);
    std::error_code error;
    if (written) fs::rename(part, file, error);
    if (error) written = {ErrorCode::kIo, "cannot write " + file + ": " + error.message()};
    if (!written) {
      std::error_code none;
      fs::remove(part, none);
      if (written.error().code == ErrorCode::kStorageFull)
        return {ErrorCode::kStorageFull, "cannot write " + file + ": the disk is full"};
      return written.error();
    }
    if (Status named = sync_path(folder_of(file)); !named) return named.error();
    Status removed = attached(
        file, "", [&] { return transact("BEGIN IMMEDIATE", [&] { return remove(day, out); }); });
    if (!removed) return removed.error();
    return out;
  }

  Status attached(const std::string& file, const std::string& set,
                  const std::function<Status()>& work) {
    if (Status there = db_.execute("ATTACH " + quoted(file) + " AS archive"); !there) return there;
    Status done = db_.execute(set);
    if (done) done = work();
    Status gone = db_.execute("DETACH archive");
    return done ? gone : done;
  }

  Status transact(const char* begin, const std::function<Status()>& work) {
    if (Status begun = db_.execute(begin); !begun) return begun;
    Status done = work();
    if (done) done = db_.execute("COMMIT");
    if (!done && sqlite3_get_autocommit(db_.get()) == 0) (void)db_.execute("ROLLBACK");
    return done;
  }

  Status copy(const Day& day, ArchivedDay& out) {
    std::string name = quoted(day.day.name);
    // Counters of sliding windows hold nothing of a day in the past; their charges are kept.
    std::string counters =
        "DELETE FROM moving; INSERT INTO moving SELECT id, used, 0 FROM quota WHERE day = " + name +
        "; INSERT INTO moving SELECT id, 0, 1 FROM quota WHERE " + kSliding +
        " AND id IN (SELECT quota FROM charge WHERE " + day.charges.holds("n") + " AND " +
        day.holds("at") +
        ") AND NOT EXISTS (SELECT 1 FROM burst WHERE burst.quota = quota.id AND "
        "burst.at < " +
        std::to_string(day.day.end.ms) + " AND " + kInWindow + ")";
    if (Status chosen = db_.execute(counters); !chosen) return chosen;
    Status fits = must_be_none(
        "SELECT count(*) FROM moving JOIN main.quota m USING (id) JOIN archive.quota a USING "
        "(scope, key, counter, day) WHERE a.used <> moving.used",
        day, "counters");
    if (!fits) return fits;
    Status copied = db_.execute(
        "INSERT OR IGNORE INTO archive.run SELECT * FROM main.run WHERE " + runs_of(day) +
        "; INSERT OR IGNORE INTO archive.verdict SELECT * FROM main.verdict WHERE " +
        verdicts_of(day) +
        "; INSERT INTO archive.quota (scope, key, counter, day, used, lim) SELECT scope, key, "
        "counter, day, moving.used, lim FROM moving JOIN main.quota USING (id) WHERE true ON "
        "CONFLICT (scope, key, counter, day) DO NOTHING"
        "; DELETE FROM archive.charge WHERE quota IN (SELECT a.id FROM moving JOIN main.quota "
        "USING (id) JOIN archive.quota a USING (scope, key, counter, day))"
        "; INSERT INTO archive.charge (run, quota, at) SELECT c.run, a.id, c.at FROM main.charge c "
        "JOIN moving ON moving.id = c.quota JOIN main.quota m ON m.id = c.quota JOIN archive.quota "
        "a ON a.scope = m.scope AND a.key = m.key AND a.counter = m.counter AND a.day = m.day "
        "WHERE " +
        day.charges.holds("c.n") + " AND " + charges_of(day) + " ORDER BY c.n");
    if (copied) out.charges = static_cast<uint64_t>(sqlite3_changes64(db_.get()));
    return copied;
  }

  Status remove(const Day& day, ArchivedDay& out) {
    Status same = must_be_none("SELECT count(*) FROM main.run m WHERE " + runs_of(day) +
                                   " AND NOT EXISTS (SELECT 1 FROM archive.run a WHERE a.run = "
                                   "m.run AND a.seq = m.seq AND "
                                   "a.at = m.at AND a.status = m.status AND a.detail = m.detail)",
                               day, "runs");
    if (!same) return same;
    same = must_be_none(
        "SELECT count(*) FROM main.verdict m WHERE " + verdicts_of(day) +
            " AND NOT EXISTS (SELECT 1 FROM archive.verdict a WHERE a.seq = m.seq AND a.event = "
            "m.event AND a.rule = m.rule)",
        day, "verdicts");
    if (!same) return same;
    auto erase = [&](const std::string& sql, uint64_t* count) -> Status {
      Status done = db_.execute("DELETE FROM " + sql);
      if (done && count != nullptr) *count = static_cast<uint64_t>(sqlite3_changes64(db_.get()));
      return done;
    };
    if (Status done = erase("main.run WHERE " + runs_of(day), &out.runs); !done) return done;
    if (Status done = erase("main.verdict WHERE " + verdicts_of(day), &out.verdicts); !done)
      return done;
    Status done = erase("main.charge WHERE " + day.charges.holds("n") +
                            " AND EXISTS (SELECT 1 FROM moving WHERE moving.id = charge.quota AND "
                            "(NOT moving.sliding OR (" +
                            day.holds("charge.at") + ")))",
                        nullptr);
    if (!done) return done;
    done = erase("main.quota WHERE day = " + quoted(day.day.name), &out.counters);
    if (!done) return done;
    // What failed is told by its decision, which is in the archive; nobody does it again any more.
    done = erase("main.flow_run WHERE state = 'failed' AND " + day.holds("since"), nullptr);
    if (!done) return done;
    // Programs stand there for the runs that began with them.
    done = erase(
        "main.meta WHERE name GLOB 'program/*' AND substr(name, 9) NOT IN (SELECT program FROM "
        "main.flow_run)",
        nullptr);
    if (!done) return done;
    // How much the archive holds, and the number of its last run, so that readers and checks know
    // without opening it.
    return db_.execute("INSERT OR REPLACE INTO main.meta (name, value) SELECT 'archive.' || " +
                       quoted(day.day.name) + ", coalesce(max(seq), 0) FROM archive.run");
  }

  std::string runs_of(const Day& day) const {
    return day.runs.holds("seq") + " AND " + day.holds("at");
  }
  std::string verdicts_of(const Day& day) const {
    return day.verdicts.holds("seq") + " AND " + day.holds("at");
  }
  // Of the counters in `moving`.
  std::string charges_of(const Day& day) const {
    return "(NOT moving.sliding OR (" + day.holds("c.at") + "))";
  }

  Status must_be_none(const std::string& count, const Day& day, const char* what) {
    Result<int64_t> found = db_.integer(count.c_str());
    if (!found) return found.error();
    if (*found == 0) return {};
    return {ErrorCode::kStoreDamaged, archive_path(path_, day.day.name) + " holds other " + what +
                                          " of " + day.day.name + " than the store"};
  }

  // ---- Files ------------------------------------------------------------------------------------

  // A copy of the archive there is, brought to the store's format, or a new one.
  Status make_part(const std::string& file, const std::string& part, const std::string& day) {
    fs::path folder = folder_of(file);
    std::error_code error;
    if (fs::create_directory(folder, error)) {
      if (Status kept = sync_path(folder_of(folder)); !kept) return kept;
    }
    if (!error) fs::remove(part, error);  // left by a killed process
    bool there = !error && fs::exists(file, error);
    if (!error && there) fs::copy_file(file, part, error);
    if (error) {
      ErrorCode code =
          error == std::errc::no_space_on_device ? ErrorCode::kStorageFull : ErrorCode::kIo;
      return {code, "cannot write " + part + ": " + error.message()};
    }
    return there ? bring_forward(part) : make_new(part, day);
  }

  // A store of the same layout, with a rollback journal, so that a file at rest is one file.
  Status make_new(const std::string& part, const std::string& day) {
    Result<int64_t> application = db_.integer("PRAGMA application_id");
    if (!application) return application.error();
    Result<int64_t> format = db_.integer("PRAGMA user_version");
    if (!format) return format.error();
    std::string sql = "PRAGMA page_size = 8192; PRAGMA synchronous = OFF; BEGIN; ";
    Status read = each_row(db_.get(),
                           "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE "
                           "'sqlite_%' ORDER BY type DESC, rowid",
                           [&](const Statement& row) {
                             sql += row.text(0) + "; ";
                             return true;
                           });
    if (!read) return read;
    sql += "INSERT INTO meta (name, value) VALUES ('archived_day', " + quoted(day) +
           "); PRAGMA application_id = " + std::to_string(*application) +
           "; PRAGMA user_version = " + std::to_string(*format) + "; COMMIT";
    Connection archive;
    Status made = archive.open(part, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    return made ? archive.execute(sql) : made;
  }

  static Status bring_forward(const std::string& part) {
    auto owned = open_sqlite_store(part, StoreAccess::kOwn);
    if (!owned) return owned.error();
    owned->reset();
    // The store's own lock keeps others from its archives.
    std::error_code none;
    fs::remove(part + "-lock", none);
    return {};
  }

  std::string path_;
  const ArchivePlan& plan_;
  Connection db_;
  std::map<std::string, Day> days_;  // to be moved, by name
  ArchiveDay known_;
  Day* known_day_ = nullptr;
};

}  // namespace

Status archive_store(const std::string& path, const ArchivePlan& plan,
                     const std::function<void(const ArchivedDay&)>& done) {
  return Archivist(path, plan).work(done);
}

}  // namespace ensue::adapters
