// The layout of a store file and the statements of the store, in one place so that they can be read
// beside each other. Private to adapters/.
#pragma once

#include <array>
#include <cstddef>

#include "ensue/version.h"

namespace ensue::adapters {

inline constexpr const char* kSchema = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE total (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cursor (source TEXT PRIMARY KEY, line INTEGER NOT NULL, byte_offset INTEGER NOT NULL,
                     fingerprint TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dedupe (event BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE record (row INTEGER PRIMARY KEY, object TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
                     last_change TEXT NOT NULL, deleted INTEGER NOT NULL);
CREATE UNIQUE INDEX record_by_id ON record (object, id);
CREATE TABLE link (object TEXT NOT NULL, field TEXT NOT NULL, target TEXT NOT NULL, id TEXT NOT NULL,
                   PRIMARY KEY (object, field, target, id)) WITHOUT ROWID;
CREATE INDEX link_by_record ON link (object, id);
CREATE TABLE run (seq INTEGER PRIMARY KEY, run BLOB NOT NULL, rule BLOB NOT NULL, event BLOB NOT NULL, at INTEGER NOT NULL,
                  automation TEXT NOT NULL, author TEXT NOT NULL, kind TEXT NOT NULL, record TEXT NOT NULL,
                  user TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL);
CREATE UNIQUE INDEX run_by_key ON run (run);
CREATE INDEX run_by_record ON run (record);
CREATE TABLE verdict (seq INTEGER PRIMARY KEY, rule BLOB NOT NULL, event BLOB NOT NULL, at INTEGER NOT NULL,
                      automation TEXT NOT NULL, record TEXT NOT NULL, user TEXT NOT NULL, verdict TEXT NOT NULL);
CREATE INDEX verdict_by_record ON verdict (record);
CREATE TABLE quota (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, key TEXT NOT NULL, counter TEXT NOT NULL,
                    day TEXT NOT NULL, used INTEGER NOT NULL, lim INTEGER NOT NULL, CHECK (used BETWEEN 0 AND lim));
CREATE UNIQUE INDEX quota_by_key ON quota (scope, key, counter, day);
CREATE TABLE charge (n INTEGER PRIMARY KEY, run BLOB NOT NULL, quota INTEGER NOT NULL REFERENCES quota (id),
                     at INTEGER NOT NULL);
CREATE TABLE burst (quota INTEGER NOT NULL REFERENCES quota (id), at INTEGER NOT NULL, n INTEGER NOT NULL,
                    PRIMARY KEY (quota, at)) WITHOUT ROWID;
CREATE TABLE reminder (id BLOB PRIMARY KEY, rule BLOB NOT NULL, event BLOB NOT NULL, automation TEXT NOT NULL,
                       author TEXT NOT NULL, record TEXT NOT NULL, person TEXT NOT NULL, state TEXT NOT NULL,
                       effect TEXT NOT NULL, change TEXT NOT NULL, offered_at INTEGER NOT NULL, due_at INTEGER, expires_at INTEGER,
                       snoozed_until INTEGER) WITHOUT ROWID;
CREATE INDEX reminder_by_record ON reminder (record);
CREATE TABLE timer (due INTEGER NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
                    PRIMARY KEY (due, id)) WITHOUT ROWID;
CREATE TABLE dead_letter (seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, line INTEGER NOT NULL,
                          at INTEGER NOT NULL, reason TEXT NOT NULL, text BLOB NOT NULL);
CREATE TABLE activation (rule BLOB NOT NULL, person TEXT NOT NULL, automation TEXT NOT NULL, active INTEGER NOT NULL,
                         PRIMARY KEY (rule, person)) WITHOUT ROWID;
)sql";

// What each later format added, in order; a new store gets all of it. Format 2: intents and
// attempts. Format 3: runs that wait, calls of services and e-mails among the intents. Format 4:
// the newest keys of events as one row a commit (admitted_keys.h).
inline constexpr std::array<const char*, 3> kMigrations = {R"sql(
CREATE TABLE intent (seq INTEGER PRIMARY KEY, key BLOB NOT NULL, at INTEGER NOT NULL, cause TEXT NOT NULL, record TEXT NOT NULL,
                     request TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, epoch INTEGER NOT NULL,
                     due INTEGER NOT NULL, result TEXT NOT NULL);
CREATE UNIQUE INDEX intent_by_key ON intent (key);
CREATE INDEX intent_open ON intent (record, seq) WHERE state IN ('ready', 'claimed', 'unknown');
CREATE INDEX intent_ready ON intent (seq) WHERE state = 'ready';
CREATE INDEX intent_parked ON intent (state, seq) WHERE state IN ('claimed', 'unknown', 'failed');
CREATE TABLE attempt (source TEXT PRIMARY KEY, line INTEGER NOT NULL, count INTEGER NOT NULL,
                      running INTEGER NOT NULL) WITHOUT ROWID;
)sql",
                                                           R"sql(
ALTER TABLE intent ADD COLUMN channel TEXT NOT NULL DEFAULT 'record';
ALTER TABLE intent ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE intent ADD COLUMN run BLOB;
ALTER TABLE intent ADD COLUMN answer TEXT NOT NULL DEFAULT '';
CREATE TABLE flow_run (seq INTEGER PRIMARY KEY AUTOINCREMENT, run BLOB NOT NULL, rule BLOB NOT NULL, automation TEXT NOT NULL,
                       record TEXT NOT NULL, user TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, due INTEGER,
                       wakes INTEGER NOT NULL, program TEXT NOT NULL, frame BLOB NOT NULL, detail TEXT NOT NULL);
CREATE UNIQUE INDEX flow_run_by_key ON flow_run (run);
CREATE INDEX flow_run_by_record ON flow_run (record, seq) WHERE state <> 'failed';
CREATE INDEX flow_run_by_rule ON flow_run (rule, seq) WHERE state <> 'failed';
)sql",
                                                           R"sql(
CREATE TABLE admitted (seq INTEGER PRIMARY KEY, keys BLOB NOT NULL);
)sql"};
static_assert(kMigrations.size() + 1 == kStoreFormatVersion);

// Every statement, prepared when it is first used.
enum class Sql : size_t {
  kBegin,
  kCommit,
  kRollback,
  kRecordGet,
  kRecordsOf,
  kRecordsAll,
  kLinked,
  kLinkDelete,
  kLinkAdd,
  kRunAdd,
  kRunList,
  kRunListNewest,
  kRunsAbout,
  kRunsAboutNewest,
  kVerdictAdd,
  kVerdictList,
  kVerdictsAbout,
  kQuotaList,
  kReminderPut,
  kReminderGet,
  kReminderList,
  kRemindersAbout,
  kTimerPut,
  kTimerDelete,
  kTimersDue,
  kTimerNext,
  kTimerCount,
  kDeadLetterAdd,
  kDeadLetterDelete,
  kDeadLetterList,
  kCursorGet,
  kCursorPut,
  kActivationPut,
  kActivationList,
  kTotalGet,
  kTotalAdd,
  kMetaGet,
  kMetaPut,
  kAttemptGet,
  kAttemptPut,
  kIntentAdd,
  kIntentGet,
  kIntentsOf,
  kIntentsReadyList,
  kIntentsParked,
  kIntentsReady,
  kIntentClaim,
  kIntentFinish,
  kIntentSettle,
  kIntentsOfFormat2,
  kFlowRunPut,
  kFlowRunDelete,
  kFlowRunGet,
  kFlowRunsAbout,
  kFlowRunsOf,
  kFlowRunsOfRecord,
  kFlowRunList,
  kSavepoint,
  kSavepointRollback,
  kSavepointRelease,
  kCount
};

inline constexpr std::array<const char*, static_cast<size_t>(Sql::kCount)> kSql = {
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SELECT object, id, body, last_change, deleted FROM record WHERE object = ? AND id = ?",
    "SELECT object, id, body, last_change, deleted FROM record WHERE object = ? ORDER BY id",
    "SELECT object, id, body, last_change, deleted FROM record ORDER BY object, id",
    "SELECT id FROM link WHERE object = ? AND field = ? AND target = ? ORDER BY id LIMIT ?",
    "DELETE FROM link WHERE object = ? AND id = ?",
    "INSERT OR IGNORE INTO link (object, field, target, id) VALUES (?, ?, ?, ?)",
    "INSERT INTO run (run, rule, event, at, automation, author, kind, record, user, status, "
    "detail) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "SELECT seq, run, rule, event, at, automation, author, kind, record, user, status, detail FROM "
    "run WHERE "
    "(?1 = '' OR automation = ?1) AND (?2 = '' OR record = ?2) AND (?3 = '' OR user = ?3) AND (?4 "
    "= '' OR status = ?4) "
    "AND at >= ?5 ORDER BY seq LIMIT ?6",
    "SELECT seq, run, rule, event, at, automation, author, kind, record, user, status, detail FROM "
    "run WHERE "
    "(?1 = '' OR automation = ?1) AND (?2 = '' OR record = ?2) AND (?3 = '' OR user = ?3) AND (?4 "
    "= '' OR status = ?4) "
    "AND at >= ?5 ORDER BY seq DESC LIMIT ?6",
    // Of one record, by the index: an `OR` above would read the whole table.
    "SELECT seq, run, rule, event, at, automation, author, kind, record, user, status, detail FROM "
    "run WHERE "
    "(?1 = '' OR automation = ?1) AND record = ?2 AND (?3 = '' OR user = ?3) AND (?4 = '' OR "
    "status = ?4) AND at >= ?5 ORDER BY seq LIMIT ?6",
    "SELECT seq, run, rule, event, at, automation, author, kind, record, user, status, detail FROM "
    "run WHERE "
    "(?1 = '' OR automation = ?1) AND record = ?2 AND (?3 = '' OR user = ?3) AND (?4 = '' OR "
    "status = ?4) AND at >= ?5 ORDER BY seq DESC LIMIT ?6",
    "INSERT INTO verdict (rule, event, at, automation, record, user, verdict) VALUES (?, ?, ?, ?, "
    "?, ?, ?)",
    "SELECT seq, rule, event, at, automation, record, user, verdict FROM verdict WHERE (?1 = '' OR "
    "automation = ?1) AND "
    "(?2 = '' OR record = ?2) ORDER BY seq",
    "SELECT seq, rule, event, at, automation, record, user, verdict FROM verdict WHERE (?1 = '' OR "
    "automation = ?1) AND record = ?2 ORDER BY seq",
    "SELECT scope, key, counter, day, used, lim FROM quota ORDER BY scope, key, counter, day",
    "INSERT OR REPLACE INTO reminder (id, rule, event, automation, author, record, person, state, "
    "effect, change, "
    "offered_at, due_at, expires_at, snoozed_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "?)",
    "SELECT id, rule, event, automation, author, record, person, state, effect, change, "
    "offered_at, due_at, expires_at, "
    "snoozed_until FROM reminder WHERE id = ?",
    "SELECT id, rule, event, automation, author, record, person, state, effect, change, "
    "offered_at, due_at, expires_at, "
    "snoozed_until FROM reminder WHERE ?1 = '' OR state = ?1 ORDER BY id",
    "SELECT id, rule, event, automation, author, record, person, state, effect, change, "
    "offered_at, due_at, expires_at, "
    "snoozed_until FROM reminder WHERE record = ? AND state IN ('open', 'snoozed') ORDER BY id",
    "INSERT OR REPLACE INTO timer (due, id, kind, payload) VALUES (?, ?, ?, ?)",
    "DELETE FROM timer WHERE due = ? AND id = ?",
    "SELECT due, id, kind, payload FROM timer WHERE due <= ? ORDER BY due, id LIMIT ?",
    "SELECT due FROM timer ORDER BY due LIMIT 1",
    "SELECT count(*) FROM timer",
    "INSERT INTO dead_letter (source, line, at, reason, text) VALUES (?, ?, ?, ?, ?)",
    "DELETE FROM dead_letter WHERE seq = ?",
    "SELECT seq, source, line, at, reason, text FROM dead_letter ORDER BY seq",
    "SELECT source, line, byte_offset, fingerprint FROM cursor WHERE source = ?",
    "INSERT OR REPLACE INTO cursor (source, line, byte_offset, fingerprint) VALUES (?, ?, ?, ?)",
    "INSERT OR REPLACE INTO activation (rule, person, automation, active) VALUES (?, ?, ?, ?)",
    "SELECT rule, person, automation, active FROM activation ORDER BY automation, person, rule",
    "SELECT count FROM total WHERE name = ?",
    "INSERT INTO total (name, count) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count "
    "+ excluded.count",
    "SELECT value FROM meta WHERE name = ?",
    "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",
    "SELECT source, line, count, running FROM attempt WHERE source = ?",
    "INSERT OR REPLACE INTO attempt (source, line, count, running) VALUES (?, ?, ?, ?)",
    "INSERT INTO intent (key, at, cause, record, request, state, attempt, epoch, due, result, "
    "channel, name, run, answer) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "SELECT seq, key, at, cause, record, request, state, attempt, epoch, due, result, "
    "channel, name, run, answer FROM intent "
    "WHERE key = ?",
    "SELECT seq, key, at, cause, record, request, state, attempt, epoch, due, result, "
    "channel, name, run, answer FROM intent "
    "WHERE ?1 = '' OR state = ?1 ORDER BY seq",
    // The words of the partial indexes, so that they are used.
    "SELECT seq, key, at, cause, record, request, state, attempt, epoch, due, result, "
    "channel, name, run, answer FROM intent WHERE state = 'ready' ORDER BY seq",
    "SELECT seq, key, at, cause, record, request, state, attempt, epoch, due, result, "
    "channel, name, run, answer FROM intent "
    "WHERE state = ?1 AND state IN ('claimed', 'unknown', 'failed') ORDER BY seq",
    "SELECT seq, key, at, cause, record, request, state, attempt, epoch, due, result, "
    "channel, name, run, answer FROM intent "
    "WHERE state = 'ready' AND due <= ? AND instr(?, channel) = 0 AND NOT EXISTS (SELECT 1 FROM "
    "intent ahead WHERE "
    "ahead.record = intent.record AND ahead.seq < intent.seq AND ahead.state IN ('ready', "
    "'claimed', 'unknown')) ORDER BY seq LIMIT ?",
    "UPDATE intent SET state = 'claimed', attempt = attempt + 1, epoch = ? WHERE key = ?",
    "UPDATE intent SET state = ?, due = ?, result = ?, answer = ? WHERE key = ? AND state = "
    "'claimed' AND "
    "epoch = ?",
    "UPDATE intent SET state = ?, due = ?, result = ?, answer = ? WHERE key = ? AND state <> "
    "'claimed'",
    "SELECT seq, key, at, cause, record, request, state, attempt, epoch, due, result FROM intent "
    "WHERE ?1 = '' OR state = ?1 ORDER BY seq",
    "INSERT INTO flow_run (run, rule, automation, record, user, state, since, due, wakes, program, "
    "frame, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET "
    "record = excluded.record, user = excluded.user, state = excluded.state, since = "
    "excluded.since, due = excluded.due, wakes = excluded.wakes, program = excluded.program, frame "
    "= excluded.frame, detail = excluded.detail",
    "DELETE FROM flow_run WHERE run = ?",
    "SELECT seq, run, rule, automation, record, user, state, since, due, wakes, program, frame, "
    "detail FROM flow_run WHERE run = ?",
    // The words of the partial indexes, so that they are used.
    "SELECT seq, run, rule, automation, record, user, state, since, due, wakes, program, frame, "
    "detail FROM flow_run WHERE record = ? AND state <> 'failed' ORDER BY seq LIMIT ?",
    "SELECT seq, run, rule, automation, record, user, state, since, due, wakes, program, frame, "
    "detail FROM flow_run WHERE rule = ?1 AND state <> 'failed' ORDER BY seq LIMIT ?2",
    // A record has few, a flow may have a million: by the index of the record.
    "SELECT seq, run, rule, automation, record, user, state, since, due, wakes, program, frame, "
    "detail FROM flow_run WHERE record = ?1 AND +rule = ?2 AND state <> 'failed' ORDER BY seq "
    "LIMIT ?3",
    "SELECT seq, run, rule, automation, record, user, state, since, due, wakes, program, frame, "
    "detail FROM flow_run WHERE ?1 = '' OR state = ?1 ORDER BY seq",
    "SAVEPOINT inner_work",
    "ROLLBACK TO inner_work",
    "RELEASE inner_work",
};

}  // namespace ensue::adapters
