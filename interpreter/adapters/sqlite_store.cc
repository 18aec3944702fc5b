// Tables: small ids and append-only bodies, because random text keys clustered with large rows cost
// three times the writes (DURABILITY 1).
#include "adapters/sqlite_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "adapters/internal/admitted_keys.h"
#include "adapters/internal/charged_counters.h"
#include "adapters/internal/connection.h"
#include "adapters/internal/counter_proofs.h"
#include "adapters/internal/many_rows.h"
#include "adapters/internal/owner_lock.h"
#include "adapters/internal/sqlite_sql.h"
#include "adapters/internal/sqlite_statement.h"
#include "base/key128.h"
#include "ensue/version.h"
#include "value/time_text.h"

namespace ensue::adapters {
namespace {

constexpr int kApplicationId = 0x454E5355;  // "ENSU"
// Bytes of a page, and of the headers of a WAL and of each page in it (SQLite's file format, 4).
constexpr sqlite3_int64 kPage = 8192;
constexpr sqlite3_int64 kWalHeader = 32;
constexpr sqlite3_int64 kFrameHeader = 24;

// Of the file that keeps room for results: the rows and pages of some thousand calls.
constexpr off_t kBallastBytes = off_t{8} << 20;

class SqliteStore final : public Store, private StoreTxn {
 public:
  ~SqliteStore() override {
    counters_.close();
    keys_.close();
    for (Statement& statement : statements_) statement = Statement();
    record_puts_.close();
    if (db_ != nullptr) sqlite3_close_v2(db_);
  }

  Status open(const std::string& path, StoreAccess access, const SqliteOptions& options = {},
              bool lock = true) {
    bool own = access == StoreAccess::kOwn;
    bool on_machine = options.vfs.empty();
    if (!own && on_machine && ::access(path.c_str(), F_OK) != 0)
      return {ErrorCode::kIo, "there is no store " + path};
    if (own && lock && on_machine) {
      if (Status locked = lock_.take(path); !locked) return locked;
    }
    int flags = own ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int code =
        sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        on_machine ? nullptr : options.vfs.c_str());
    if (code != SQLITE_OK) return sqlite_error(db_, code, path + ": cannot open the store");
    sqlite3_busy_timeout(db_, 5000);
    if (Status fine = check_version(path, own); !fine) return fine;
    if (!own) return {};
    // What a crash left in the WAL goes into the file, so that the WAL's length is known.
    if (Status done = checkpoint(); !done) return done;
    if (Status done = migrate(); !done) return done;
    if (lock && on_machine) ballast_ = path + "-ballast";
    owns_ = lock;
    bool full = options.sync == StoreSync::kFull;
    // A charge refers to a counter that ChargedCounters has found or made: looking for it again at
    // each row would be a tenth of what limits cost. `store check` looks at all of them.
    for (const char* pragma : {full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                               "PRAGMA foreign_keys = OFF", "PRAGMA temp_store = MEMORY",
                               "PRAGMA cache_size = -65536"}) {
      if (Status done = execute(pragma); !done) return done.error();
    }
    counters_.use(db_);
    keys_.use(db_, options.recent_keys);
    checkpoint_pages_ = options.checkpoint_pages;
    sqlite3_wal_hook(db_, after_commit, this);
    return load_linked_objects();
  }

  // Opens a store in memory with what stands in the file.
  Status open_copy(const std::string& path) {
    if (::access(path.c_str(), F_OK) != 0) return open(":memory:", StoreAccess::kOwn, {}, false);
    SqliteStore original;
    if (Status opened = original.open(path, StoreAccess::kLook); !opened) return opened;
    int code =
        sqlite3_open_v2(":memory:", &db_,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) return sqlite_error(db_, code, "cannot copy the store");
    sqlite3_backup* backup = sqlite3_backup_init(db_, "main", original.db_, "main");
    if (backup == nullptr) return sqlite_error(db_, sqlite3_errcode(db_), "cannot copy the store");
    sqlite3_backup_step(backup, -1);
    code = sqlite3_backup_finish(backup);
    if (code != SQLITE_OK) return sqlite_error(db_, code, "cannot copy the store");
    counters_.use(db_);
    keys_.use(db_, SqliteOptions{}.recent_keys);
    version_ = original.version_;
    if (Status done = migrate(); !done) return done;
    return load_linked_objects();
  }

  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    if (broken_) return *broken_;
    Status committed = commit_once(write);
    // What a disk holds after a failed sync is unknown, and a second one would not tell: it may
    // succeed by having forgotten what the first could not write.
    if (owns_ && !committed && committed.error().code == ErrorCode::kIo) {
      broken_ = committed.error();
      cut_wal();
    }
    return committed;
  }

  Status read(const std::function<Status(StoreReader&)>& look) override {
    // Inside a transaction it sees what that sees.
    if (sqlite3_get_autocommit(db_) == 0) return look(*this);
    if (Status begun = execute("BEGIN"); !begun) return begun;
    struct EndOfLook {
      sqlite3* db;
      ~EndOfLook() { sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr); }
    } end{db_};
    return look(*this);
  }

  // A file that takes up the room: given back, it lets the results of the calls at hand be written
  // on a full disk.
  Status reserve_results() override {
    if (ballast_.empty() || ::access(ballast_.c_str(), F_OK) == 0) return {};
    int fd = ::open(ballast_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int failed = fd < 0 ? errno : ::posix_fallocate(fd, 0, kBallastBytes);
    if (fd >= 0) ::close(fd);
    if (failed == 0) return {};
    ::unlink(ballast_.c_str());
    return {failed == ENOSPC ? ErrorCode::kStorageFull : ErrorCode::kIo,
            "no room for the results of calls, " + ballast_ + ": " + std::strerror(failed)};
  }

  Status commit_results(const std::function<Status(StoreTxn&)>& write) override {
    Status done = commit(write);
    bool full = !done && done.error().code == ErrorCode::kStorageFull;
    if (!full || ballast_.empty() || ::unlink(ballast_.c_str()) != 0) return done;
    return commit(write);
  }

  // A checkpoint by the writer: one beside it would keep the log from starting over.
  Status when_idle() override {
    if (broken_) return *broken_;
    Status done = checkpoint();
    if (!done && done.error().code == ErrorCode::kIo) broken_ = done.error();
    return !done && done.error().code == ErrorCode::kStoreLocked ? Status() : done;
  }

 private:
  // The end of a transaction, also when an exception ends it: what was not committed is taken back.
  // SQLITE_FULL rolls back by itself; then there is nothing left to take back.
  struct End {
    SqliteStore& store;
    bool committed = false;
    ~End() {
      store.savepoints_.clear();
      if (!committed) store.counters_.forget();
      if (!committed) store.keys_.forget();
      if (sqlite3_get_autocommit(store.db_) == 0) (void)store.statement(Sql::kRollback).run();
    }
  };

  Status commit_once(const std::function<Status(StoreTxn&)>& write) {
    if (Status begun = statement(Sql::kBegin).run(); !begun) return begun;
    End end{*this};
    Status status = write(*this);
    if (status) status = counters_.write();
    if (status) status = keys_.write();
    if (status) status = statement(Sql::kCommit).run();
    if (!status) return status;
    end.committed = true;
    counters_.committed();
    keys_.committed();
    return {};
  }

  // Moves a long WAL into the file. The commit is done by then, so a failure is told by the next
  // one; SQLite's own checkpoint would say nothing.
  static int after_commit(void* store, sqlite3*, const char*, int pages) {
    auto& self = *static_cast<SqliteStore*>(store);
    self.wal_pages_ = pages;
    if (pages < self.checkpoint_pages_) return SQLITE_OK;
    if (Status done = self.checkpoint(); !done && done.error().code == ErrorCode::kIo)
      self.broken_ = done.error();
    return SQLITE_OK;
  }

  Status checkpoint() {
    int pages = 0;
    int moved = 0;
    int code = sqlite3_wal_checkpoint_v2(db_, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (code != SQLITE_OK) return sqlite_error(db_, code, store_name(db_));
    // Once all are moved, the next commit writes from the start of the WAL. Both are -1 where there
    // is no WAL.
    wal_pages_ = pages > 0 && pages == moved ? 0 : pages;
    return {};
  }

  // Takes what a failed commit has written out of the WAL. The system may go on showing it to
  // the next process without ever having it on the disk; commits behind it would then be lost with
  // it when the power goes. Best effort: the error has been told.
  void cut_wal() {
    // A rollback journal is not to be cut: the next process needs it.
    if (wal_pages_ < 0) return;
    sqlite3_file* wal = nullptr;
    sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (wal == nullptr || wal->pMethods == nullptr) return;
    sqlite3_int64 bytes = 0;
    if (wal->pMethods->xFileSize(wal, &bytes) != SQLITE_OK) return;
    sqlite3_int64 sure = wal_pages_ == 0 ? 0 : kWalHeader + wal_pages_ * (kFrameHeader + kPage);
    if (bytes > sure) (void)wal->pMethods->xTruncate(wal, sure);
  }

  // ---- Opening ---------------------------------------------------------------------------------
  Status execute(const char* sql) {
    int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(db_, code, store_name(db_));
    return {};
  }

  Result<int64_t> pragma(const char* sql) {
    Statement query;
    if (Status prepared = query.prepare(db_, sql); !prepared) return prepared.error();
    Result<bool> row = query.step();
    if (!row) return row.error();
    return *row ? query.integer(0) : int64_t{0};
  }

  Status check_version(const std::string& path, bool own) {
    Result<int64_t> application = pragma("PRAGMA application_id");
    if (!application) return application.error();
    Result<int64_t> tables = pragma("SELECT count(*) FROM sqlite_master");
    if (!tables) return tables.error();
    Result<int64_t> version = pragma("PRAGMA user_version");
    if (!version) return version.error();
    if (*tables == 0) {
      if (!own) return {ErrorCode::kStoreDamaged, path + " is empty, not an Ensue store"};
      return create();
    }
    if (*application != kApplicationId)
      return {ErrorCode::kStoreDamaged, path + " is a database, but not an Ensue store"};
    if (*version > kStoreFormatVersion) {
      return {ErrorCode::kStoreTooNew,
              path + " was written by a later version of Ensue (store format " +
                  std::to_string(*version) + "; this version reads up to " +
                  std::to_string(kStoreFormatVersion) + ")"};
    }
    if (*version < 1)
      return {ErrorCode::kStoreDamaged, path + " says not in which format it is written"};
    version_ = static_cast<int32_t>(*version);
    return {};
  }

  // Brings an older file forward, one format at a time, each whole or not at all.
  Status migrate() {
    for (; version_ < kStoreFormatVersion; ++version_) {
      std::string steps = std::string("BEGIN IMMEDIATE;") + kMigrations[version_ - 1] +
                          "PRAGMA user_version = " + std::to_string(version_ + 1) + "; COMMIT";
      Status done = execute(steps.c_str());
      if (done) continue;
      if (sqlite3_get_autocommit(db_) == 0) (void)execute("ROLLBACK");
      if (done.error().code == ErrorCode::kIo) cut_wal();
      return done;
    }
    return {};
  }

  Status create() {
    for (const char* sql : {"PRAGMA page_size = 8192", "PRAGMA journal_mode = WAL"}) {
      if (Status done = execute(sql); !done) return done.error();
    }
    wal_pages_ = 0;
    Status done = create_tables();
    if (!done && done.error().code == ErrorCode::kIo) cut_wal();
    return done;
  }

  Status create_tables() {
    for (const char* sql : {"PRAGMA synchronous = FULL", "BEGIN", kSchema}) {
      if (Status done = execute(sql); !done) return done.error();
    }
    for (const char* added : kMigrations) {
      if (Status done = execute(added); !done) return done.error();
    }
    version_ = kStoreFormatVersion;
    std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                       "; PRAGMA user_version = " + std::to_string(kStoreFormatVersion) +
                       "; COMMIT";
    if (Status done = execute(mark.c_str()); !done) return done.error();
    return {};
  }

  Status load_linked_objects() {
    return each_row(db_, "SELECT DISTINCT object FROM link", [&](const Statement& row) {
      linked_objects_.insert(row.text(0));
      return true;
    });
  }

  Statement& statement(Sql which) {
    auto place = static_cast<size_t>(which);
    return statements_[place].once(db_, kSql[place]);
  }

  Status put_links(const RecordView& row) {
    if (linked_objects_.count(row.object) != 0) {
      Status done = statement(Sql::kLinkDelete).bind(1, row.object).bind(2, row.id).run();
      if (!done) return done;
    }
    for (const auto& [field, target] : row.links) {
      linked_objects_.emplace(row.object);
      Statement& add =
          statement(Sql::kLinkAdd).bind(1, row.object).bind(2, std::string_view(field));
      if (Status done = add.bind(3, std::string_view(target)).bind(4, row.id).run(); !done)
        return done;
    }
    return {};
  }

  // ---- Reading --------------------------------------------------------------------------------
  static RecordRow record_row(const Statement& row) {
    RecordRow out;
    out.object = row.text(0);
    out.id = row.text(1);
    out.body = row.text(2);
    out.last_change = row.text(3);
    out.deleted = row.integer(4) != 0;
    return out;
  }

  Result<std::optional<RecordRow>> record(std::string_view object, std::string_view id) override {
    std::optional<RecordRow> out;
    Statement& query = statement(Sql::kRecordGet).bind(1, object).bind(2, id);
    Status status = each(query, [&](Statement& row) {
      out = record_row(row);
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  Result<std::vector<std::string>> linked(std::string_view object, std::string_view field,
                                          std::string_view target, size_t most) override {
    std::vector<std::string> out;
    Statement& query = statement(Sql::kLinked).bind(1, object).bind(2, field).bind(3, target);
    query.bind(4, static_cast<int64_t>(std::min<size_t>(most, INT64_MAX - 1) + 1));
    Status status = each(query, [&](Statement& row) {
      out.push_back(row.text(0));
      return true;
    });
    if (!status) return status.error();
    return out;
  }

  Status visit_records(std::string_view object,
                       const std::function<bool(const RecordRow&)>& visit) override {
    Statement& query = statement(object.empty() ? Sql::kRecordsAll : Sql::kRecordsOf);
    if (!object.empty()) query.bind(1, object);
    return each(query, [&](Statement& row) { return visit(record_row(row)); });
  }

  Status visit_runs(const RunFilter& filter,
                    const std::function<bool(const RunRow&)>& visit) override {
    Statement& query =
        statement(filter.record.empty() ? filter.newest_first ? Sql::kRunListNewest : Sql::kRunList
                  : filter.newest_first ? Sql::kRunsAboutNewest
                                        : Sql::kRunsAbout);
    query.bind(1, std::string_view(filter.automation)).bind(2, std::string_view(filter.record));
    query.bind(3, std::string_view(filter.user)).bind(4, std::string_view(filter.status));
    query.bind(5, filter.since ? filter.since->ms : INT64_MIN);
    query.bind(6,
               filter.count_max > INT64_MAX ? INT64_MAX : static_cast<int64_t>(filter.count_max));
    return each(query, [&](Statement& row) {
      RunRow out;
      out.seq = row.integer(0);
      out.run = row.key(1);
      out.rule = row.key(2);
      out.event = row.key(3);
      out.at = row.instant(4);
      out.automation = row.text(5);
      out.author = row.text(6);
      out.kind = row.text(7);
      out.record = row.text(8);
      out.user = row.text(9);
      out.status = row.text(10);
      out.detail = row.text(11);
      return visit(out);
    });
  }

  Status visit_verdicts(std::string_view automation, std::string_view record_name,
                        const std::function<bool(const VerdictRow&)>& visit) override {
    Statement& query = statement(record_name.empty() ? Sql::kVerdictList : Sql::kVerdictsAbout);
    query.bind(1, automation).bind(2, record_name);
    return each(query, [&](Statement& row) {
      VerdictRow out{row.integer(0), row.key(1),  row.key(2),  row.instant(3),
                     row.text(4),    row.text(5), row.text(6), row.text(7)};
      return visit(out);
    });
  }

  Status visit_proofs(const std::function<bool(const CounterProof&)>& visit) override {
    if (Status written = counters_.write(); !written) return written;
    return visit_counter_proofs(db_, visit);
  }

  Status visit_counters(const std::function<bool(const CounterRow&)>& visit) override {
    if (Status written = counters_.write(); !written) return written;
    return each(statement(Sql::kQuotaList), [&](Statement& row) {
      return visit(
          {row.text(0), row.text(1), row.text(2), row.text(3), row.integer(4), row.integer(5)});
    });
  }

  Status visit_dead_letters(const std::function<bool(const DeadLetterRow&)>& visit) override {
    return each(statement(Sql::kDeadLetterList), [&](Statement& row) {
      return visit({row.integer(0), row.text(1), static_cast<uint64_t>(row.integer(2)),
                    row.instant(3), row.text(4), row.text(5)});
    });
  }

  static ReminderRow reminder_row(const Statement& row) {
    ReminderRow out;
    out.id = row.key(0);
    out.rule = row.key(1);
    out.event = row.key(2);
    out.automation = row.text(3);
    out.author = row.text(4);
    out.record = row.text(5);
    out.person = row.text(6);
    out.state = row.text(7);
    out.effect = row.text(8);
    out.change = row.text(9);
    out.offered_at = row.instant(10);
    out.due_at = row.optional_instant(11);
    out.expires_at = row.optional_instant(12);
    out.snoozed_until = row.optional_instant(13);
    return out;
  }

  Status visit_reminders(std::string_view state,
                         const std::function<bool(const ReminderRow&)>& visit) override {
    return each(statement(Sql::kReminderList).bind(1, state),
                [&](Statement& row) { return visit(reminder_row(row)); });
  }

  Result<std::optional<ReminderRow>> reminder(const Key128& id) override {
    std::optional<ReminderRow> out;
    Status status = each(statement(Sql::kReminderGet).bind(1, id), [&](Statement& row) {
      out = reminder_row(row);
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  Result<std::vector<ReminderRow>> reminders_about(std::string_view record_name) override {
    std::vector<ReminderRow> out;
    Status status = each(statement(Sql::kRemindersAbout).bind(1, record_name), [&](Statement& row) {
      out.push_back(reminder_row(row));
      return true;
    });
    if (!status) return status.error();
    return out;
  }

  Status visit_activations(const std::function<bool(const ActivationRow&)>& visit) override {
    return each(statement(Sql::kActivationList), [&](Statement& row) {
      return visit({row.key(0), row.text(2), row.text(1), row.integer(3) != 0});
    });
  }

  Result<std::vector<TimerRow>> due_timers(Instant now, size_t most) override {
    std::vector<TimerRow> out;
    Statement& query = statement(Sql::kTimersDue).bind(1, now).bind(2, static_cast<int64_t>(most));
    Status status = each(query, [&](Statement& row) {
      out.push_back({row.instant(0), row.key(1), row.text(2), row.text(3)});
      return true;
    });
    if (!status) return status.error();
    return out;
  }

  Result<std::optional<Instant>> next_timer() override {
    std::optional<Instant> out;
    Status status = each(statement(Sql::kTimerNext), [&](Statement& row) {
      out = row.instant(0);
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  Result<uint64_t> timer_count() override {
    uint64_t out = 0;
    Status status = each(statement(Sql::kTimerCount), [&](Statement& row) {
      out = static_cast<uint64_t>(row.count(0));
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  Result<std::optional<CursorRow>> cursor(std::string_view source) override {
    std::optional<CursorRow> out;
    Status status = each(statement(Sql::kCursorGet).bind(1, source), [&](Statement& row) {
      out = CursorRow{row.text(0), static_cast<uint64_t>(row.integer(1)),
                      static_cast<uint64_t>(row.integer(2)), row.text(3)};
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  Result<int64_t> total(std::string_view name) override {
    int64_t out = 0;
    Status status = each(statement(Sql::kTotalGet).bind(1, name), [&](Statement& row) {
      out = row.integer(0);
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  Result<std::optional<std::string>> meta(std::string_view name) override {
    std::optional<std::string> out;
    Status status = each(statement(Sql::kMetaGet).bind(1, name), [&](Statement& row) {
      out = row.text(0);
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  static IntentRow intent_row(const Statement& row) {
    IntentRow out;
    out.seq = row.integer(0);
    out.key = row.key(1);
    out.at = row.instant(2);
    out.cause = row.text(3);
    out.record = row.text(4);
    out.request = row.text(5);
    out.state = row.text(6);
    out.attempt = row.count(7);
    out.epoch = row.integer(8);
    out.due = row.instant(9);
    out.result = row.text(10);
    return out;
  }
  static IntentRow whole_intent_row(const Statement& row) {
    IntentRow out = intent_row(row);
    out.channel = row.text(11);
    out.name = row.text(12);
    if (!row.text(13).empty()) out.run = row.key(13);
    out.answer = row.text(14);
    return out;
  }
  static FlowRunRow flow_run_row(const Statement& row) {
    FlowRunRow out;
    out.seq = row.integer(0);
    out.run = row.key(1);
    out.rule = row.key(2);
    out.automation = row.text(3);
    out.record = row.text(4);
    out.user = row.text(5);
    out.state = row.text(6);
    out.since = row.instant(7);
    out.due = row.optional_instant(8);
    out.wakes = row.count(9);
    out.program = row.text(10);
    out.frame = row.text(11);
    out.detail = row.text(12);
    return out;
  }

  Result<std::optional<AttemptRow>> attempt(std::string_view source) override {
    std::optional<AttemptRow> out;
    Status status = each(statement(Sql::kAttemptGet).bind(1, source), [&](Statement& row) {
      out = AttemptRow{row.text(0), static_cast<uint64_t>(row.integer(1)), row.count(2),
                       row.integer(3) != 0};
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  Status visit_intents(std::string_view state,
                       const std::function<bool(const IntentRow&)>& visit) override {
    if (version_ < 2) return {};  // looked at as it is, without tables of later formats
    if (version_ < 3) {
      return each(statement(Sql::kIntentsOfFormat2).bind(1, state),
                  [&](Statement& row) { return visit(intent_row(row)); });
    }
    auto show = [&](Statement& row) { return visit(whole_intent_row(row)); };
    // Open ones are few beside those that are settled.
    if (state == "ready") return each(statement(Sql::kIntentsReadyList), show);
    bool parked = state == "claimed" || state == "unknown" || state == "failed";
    return each(statement(parked ? Sql::kIntentsParked : Sql::kIntentsOf).bind(1, state), show);
  }

  Result<std::optional<IntentRow>> intent(const Key128& key) override {
    std::optional<IntentRow> out;
    if (version_ < 3) {
      Status searched = visit_intents("", [&](const IntentRow& row) {
        if (row.key == key) out = row;
        return !out;
      });
      if (!searched) return searched.error();
      return out;
    }
    Status status = each(statement(Sql::kIntentGet).bind(1, key), [&](Statement& row) {
      out = whole_intent_row(row);
      return false;
    });
    if (!status) return status.error();
    return out;
  }

  // ---- Waiting runs ---------------------------------------------------------------------------
  Result<std::vector<FlowRunRow>> flow_runs(Statement& query) {
    std::vector<FlowRunRow> out;
    Status status = each(query, [&](Statement& row) {
      out.push_back(flow_run_row(row));
      return true;
    });
    if (!status) return status.error();
    return out;
  }
  Result<std::vector<FlowRunRow>> flow_runs_about(std::string_view record_name,
                                                  size_t most) override {
    if (version_ < 3) return std::vector<FlowRunRow>();
    Statement& query = statement(Sql::kFlowRunsAbout).bind(1, record_name);
    return flow_runs(query.bind(2, static_cast<int64_t>(most)));
  }
  Result<std::vector<FlowRunRow>> flow_runs_of(const Key128& rule, std::string_view record_name,
                                               size_t most) override {
    if (version_ < 3) return std::vector<FlowRunRow>();
    auto count = static_cast<int64_t>(most);
    if (record_name.empty())
      return flow_runs(statement(Sql::kFlowRunsOf).bind(1, rule).bind(2, count));
    Statement& query = statement(Sql::kFlowRunsOfRecord).bind(1, record_name).bind(2, rule);
    return flow_runs(query.bind(3, count));
  }
  Result<std::optional<FlowRunRow>> flow_run(const Key128& run) override {
    if (version_ < 3) return std::optional<FlowRunRow>();
    Result<std::vector<FlowRunRow>> rows = flow_runs(statement(Sql::kFlowRunGet).bind(1, run));
    if (!rows) return rows.error();
    return rows->empty() ? std::nullopt : std::optional(std::move(rows->front()));
  }
  Status visit_flow_runs(std::string_view state,
                         const std::function<bool(const FlowRunRow&)>& visit) override {
    if (version_ < 3) return {};
    return each(statement(Sql::kFlowRunList).bind(1, state),
                [&](Statement& row) { return visit(flow_run_row(row)); });
  }

  // ---- Writing --------------------------------------------------------------------------------
  Status put_flow_run(const FlowRunRow& row) override {
    Statement& put = statement(Sql::kFlowRunPut).bind(1, row.run).bind(2, row.rule);
    put.bind(3, std::string_view(row.automation))
        .bind(4, std::string_view(row.record))
        .bind(5, std::string_view(row.user))
        .bind(6, std::string_view(row.state));
    put.bind(7, row.since).bind(8, row.due).bind(9, row.wakes);
    put.bind(10, std::string_view(row.program)).bind(11, std::string_view(row.frame));
    return put.bind(12, std::string_view(row.detail)).run();
  }
  Status remove_flow_run(const Key128& run) override {
    return statement(Sql::kFlowRunDelete).bind(1, run).run();
  }

  // Savepoints of one name: SQLite means the innermost. Counters that are not written yet go back
  // with it.
  Status savepoint() override {
    // Charges made before it must not go with it.
    if (Status written = counters_.write_charges(); !written) return written;
    if (Status done = statement(Sql::kSavepoint).run(); !done) return done;
    savepoints_.push_back({counters_.mark(), keys_.mark()});
    return {};
  }
  Status rollback_savepoint() override {
    if (savepoints_.empty()) return {ErrorCode::kInvalidArgument, "no savepoint is open"};
    if (Status done = statement(Sql::kSavepointRollback).run(); !done) return done;
    counters_.rollback(savepoints_.back().counters);
    keys_.rollback(savepoints_.back().keys);
    return release_savepoint();
  }
  Status release_savepoint() override {
    if (savepoints_.empty()) return {ErrorCode::kInvalidArgument, "no savepoint is open"};
    savepoints_.pop_back();
    counters_.release();
    return statement(Sql::kSavepointRelease).run();
  }

  Result<bool> admit(const Key128& event) override { return keys_.admit(event); }
  void expect(const Key128& event) const override { keys_.expect(event); }

  Status put_record(const RecordRow& row) override {
    RecordView view = RecordView::of(row);
    return put_records({&view, 1});
  }

  Status put_records(std::span<const RecordView> rows) override {
    Status put = record_puts_.put(db_, rows.size(), [&](Statement& into, int place, size_t i) {
      const RecordView& row = rows[i];
      into.bind(place + 1, row.object).bind(place + 2, row.id).bind(place + 3, row.body);
      into.bind(place + 4, row.last_change).bind(place + 5, int64_t{row.deleted});
      return place + 5;
    });
    if (!put) return put;
    for (const RecordView& row : rows) {
      if (Status linked = put_links(row); !linked) return linked;
    }
    return {};
  }

  Result<ChargeResult> charge(const Key128& run, const std::vector<Charge>& charges) override {
    return counters_.charge(run, charges);
  }

  Result<bool> add_run(RunRow& row) override {
    Statement& add = statement(Sql::kRunAdd)
                         .bind(1, row.run)
                         .bind(2, row.rule)
                         .bind(3, row.event)
                         .bind(4, row.at);
    add.bind(5, std::string_view(row.automation))
        .bind(6, std::string_view(row.author))
        .bind(7, std::string_view(row.kind));
    add.bind(8, std::string_view(row.record))
        .bind(9, std::string_view(row.user))
        .bind(10, std::string_view(row.status));
    if (Status done = add.bind(11, std::string_view(row.detail)).run(); !done) return done.error();
    if (sqlite3_changes(db_) == 0) return false;
    row.seq = sqlite3_last_insert_rowid(db_);
    return true;
  }

  Status add_verdict(const VerdictRow& row) override {
    Statement& add =
        statement(Sql::kVerdictAdd).bind(1, row.rule).bind(2, row.event).bind(3, row.at);
    add.bind(4, std::string_view(row.automation))
        .bind(5, std::string_view(row.record))
        .bind(6, std::string_view(row.user));
    return add.bind(7, std::string_view(row.verdict)).run();
  }

  Status put_reminder(const ReminderRow& row) override {
    Statement& put =
        statement(Sql::kReminderPut).bind(1, row.id).bind(2, row.rule).bind(3, row.event);
    put.bind(4, std::string_view(row.automation))
        .bind(5, std::string_view(row.author))
        .bind(6, std::string_view(row.record));
    put.bind(7, std::string_view(row.person))
        .bind(8, std::string_view(row.state))
        .bind(9, std::string_view(row.effect));
    put.bind(10, std::string_view(row.change)).bind(11, row.offered_at).bind(12, row.due_at);
    return put.bind(13, row.expires_at).bind(14, row.snoozed_until).run();
  }

  Status put_timer(const TimerRow& row) override {
    Statement& put = statement(Sql::kTimerPut).bind(1, row.due).bind(2, row.id);
    return put.bind(3, std::string_view(row.kind)).bind(4, std::string_view(row.payload)).run();
  }
  Status remove_timer(Instant due, const Key128& id) override {
    return statement(Sql::kTimerDelete).bind(1, due).bind(2, id).run();
  }

  Status add_dead_letter(const DeadLetterRow& row) override {
    Statement& add = statement(Sql::kDeadLetterAdd).bind(1, std::string_view(row.source));
    add.bind(2, static_cast<int64_t>(row.line))
        .bind(3, row.at)
        .bind(4, std::string_view(row.reason));
    return add.bind(5, std::string_view(row.text)).run();
  }
  Status remove_dead_letter(int64_t seq) override {
    if (Status done = statement(Sql::kDeadLetterDelete).bind(1, seq).run(); !done) return done;
    if (sqlite3_changes(db_) == 0)
      return {ErrorCode::kNotFound, "there is no dead letter " + std::to_string(seq)};
    return {};
  }

  Status put_cursor(const CursorRow& row) override {
    Statement& put = statement(Sql::kCursorPut)
                         .bind(1, std::string_view(row.source))
                         .bind(2, static_cast<int64_t>(row.line));
    return put.bind(3, static_cast<int64_t>(row.offset))
        .bind(4, std::string_view(row.fingerprint))
        .run();
  }
  Status put_activation(const ActivationRow& row) override {
    Statement& put =
        statement(Sql::kActivationPut).bind(1, row.rule).bind(2, std::string_view(row.person));
    return put.bind(3, std::string_view(row.automation)).bind(4, int64_t{row.active}).run();
  }
  Status put_attempt(const AttemptRow& row) override {
    Statement& put = statement(Sql::kAttemptPut)
                         .bind(1, std::string_view(row.source))
                         .bind(2, static_cast<int64_t>(row.line));
    return put.bind(3, row.count).bind(4, int64_t{row.running}).run();
  }

  Result<bool> add_intent(const IntentRow& row) override {
    Statement& add = statement(Sql::kIntentAdd)
                         .bind(1, row.key)
                         .bind(2, row.at)
                         .bind(3, std::string_view(row.cause))
                         .bind(4, std::string_view(row.record))
                         .bind(5, std::string_view(row.request))
                         .bind(6, std::string_view(row.state));
    add.bind(7, row.attempt).bind(8, row.epoch).bind(9, row.due);
    add.bind(10, std::string_view(row.result))
        .bind(11, std::string_view(row.channel))
        .bind(12, std::string_view(row.name))
        .bind(13, row.run);
    if (Status done = add.bind(14, std::string_view(row.answer)).run(); !done) return done.error();
    return sqlite3_changes(db_) > 0;
  }

  Result<std::vector<IntentRow>> claim_intents(Instant now, int64_t epoch, size_t most,
                                               std::string_view without) override {
    std::vector<IntentRow> out;
    Statement& ready = statement(Sql::kIntentsReady).bind(1, now).bind(2, without);
    ready.bind(3, static_cast<int64_t>(most));
    Status read_rows = each(ready, [&](Statement& row) {
      out.push_back(whole_intent_row(row));
      return true;
    });
    if (!read_rows) return read_rows.error();
    for (IntentRow& row : out) {
      Status done = statement(Sql::kIntentClaim).bind(1, epoch).bind(2, row.key).run();
      if (!done) return done.error();
      row.state = "claimed";
      row.epoch = epoch;
      ++row.attempt;
    }
    return out;
  }

  Result<bool> finish_intent(const IntentRow& row, int64_t epoch) override {
    return change_intent(statement(Sql::kIntentFinish).bind(6, epoch), row);
  }
  Result<bool> settle_intent(const IntentRow& row) override {
    return change_intent(statement(Sql::kIntentSettle), row);
  }
  Result<bool> change_intent(Statement& change, const IntentRow& row) {
    change.bind(1, std::string_view(row.state)).bind(2, row.due);
    change.bind(3, std::string_view(row.result)).bind(4, std::string_view(row.answer));
    if (Status done = change.bind(5, row.key).run(); !done) return done.error();
    return sqlite3_changes(db_) > 0;
  }

  Status add_total(std::string_view name, int64_t count) override {
    return statement(Sql::kTotalAdd).bind(1, name).bind(2, count).run();
  }
  Status put_meta(std::string_view name, std::string_view value) override {
    return statement(Sql::kMetaPut).bind(1, name).bind(2, value).run();
  }

  OwnerLock lock_;
  std::string ballast_;  // the file's path; empty: a store without one
  int32_t version_ = kStoreFormatVersion;
  sqlite3* db_ = nullptr;
  int checkpoint_pages_ = 0;
  int wal_pages_ = -1;  // of the WAL that are committed and not all in the file yet; -1: no WAL
  bool owns_ = false;   // a file, to which nobody else writes
  std::optional<Error> broken_;
  std::array<Statement, static_cast<size_t>(Sql::kCount)> statements_;
  ManyRows record_puts_{
      "INSERT OR FAIL INTO record (object, id, body, last_change, deleted) VALUES ",
      "(?, ?, ?, ?, ?)",
      " ON CONFLICT (object, id) DO UPDATE SET body = excluded.body, last_change = "
      "excluded.last_change, deleted = excluded.deleted"};
  struct Savepoint {
    size_t counters;
    size_t keys;
  };
  std::vector<Savepoint> savepoints_;
  ChargedCounters counters_;
  AdmittedKeys keys_;
  std::set<std::string, std::less<>> linked_objects_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path, StoreAccess access,
                                                 const SqliteOptions& options) {
  auto store = std::make_unique<SqliteStore>();
  if (Status opened = store->open(path, access, options); !opened) return opened.error();
  return std::unique_ptr<Store>(std::move(store));
}

Result<std::unique_ptr<Store>> copy_sqlite_store(const std::string& path) {
  auto store = std::make_unique<SqliteStore>();
  if (Status opened = store->open_copy(path); !opened) return opened.error();
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace ensue::adapters
