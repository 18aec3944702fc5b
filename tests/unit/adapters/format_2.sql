-- A store of format 2, as `sqlite3 FILE .dump` shows it, with a row in each of its tables but verdict and burst.
PRAGMA application_id = 1162761045;
PRAGMA user_version = 2;
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE activation (rule BLOB NOT NULL, person TEXT NOT NULL, automation TEXT NOT NULL, active INTEGER NOT NULL,
                         PRIMARY KEY (rule, person)) WITHOUT ROWID;
INSERT INTO "activation" VALUES(X'08080808080808080808080808080808','u1','Hot leads',1);
CREATE TABLE attempt (source TEXT PRIMARY KEY, line INTEGER NOT NULL, count INTEGER NOT NULL,
                      running INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "attempt" VALUES('crm',0,1,0);
CREATE TABLE burst (quota INTEGER NOT NULL REFERENCES quota (id), at INTEGER NOT NULL, n INTEGER NOT NULL,
                    PRIMARY KEY (quota, at)) WITHOUT ROWID;
CREATE TABLE charge (n INTEGER PRIMARY KEY, run BLOB NOT NULL, quota INTEGER NOT NULL REFERENCES quota (id),
                     at INTEGER NOT NULL);
INSERT INTO "charge" VALUES(1,X'09090909090909090909090909090909',1,1767621600000);
CREATE TABLE cursor (source TEXT PRIMARY KEY, line INTEGER NOT NULL, byte_offset INTEGER NOT NULL,
                     fingerprint TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "cursor" VALUES('crm',2,300,'mark');
CREATE TABLE dead_letter (seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, line INTEGER NOT NULL,
                          at INTEGER NOT NULL, reason TEXT NOT NULL, text BLOB NOT NULL);
INSERT INTO "dead_letter" VALUES(1,'crm',7,1767621600000,'this is no JSON','x');
CREATE TABLE dedupe (event BLOB PRIMARY KEY) WITHOUT ROWID;
INSERT INTO "dedupe" VALUES(X'01010101010101010101010101010101');
INSERT INTO "dedupe" VALUES(X'02020202020202020202020202020202');
CREATE TABLE intent (seq INTEGER PRIMARY KEY, key BLOB NOT NULL, at INTEGER NOT NULL, cause TEXT NOT NULL, record TEXT NOT NULL,
                     request TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, epoch INTEGER NOT NULL,
                     due INTEGER NOT NULL, result TEXT NOT NULL);
INSERT INTO "intent" VALUES(1,X'14141414141414141414141414141414',1767621600000,'action "Hot leads" by "ana@x.test"','Lead/L1','{}','done',1,3,1767621600000,'');
INSERT INTO "intent" VALUES(2,X'15151515151515151515151515151515',1767621600000,'action "Hot leads" by "ana@x.test"','Lead/L1','{}','ready',1,3,1767621600000,'');
INSERT INTO "intent" VALUES(3,X'16161616161616161616161616161616',1767621600000,'action "Hot leads" by "ana@x.test"','Lead/L1','{}','failed',1,3,1767621600000,'');
CREATE TABLE link (object TEXT NOT NULL, field TEXT NOT NULL, target TEXT NOT NULL, id TEXT NOT NULL,
                   PRIMARY KEY (object, field, target, id)) WITHOUT ROWID;
INSERT INTO "link" VALUES('Lead','OwnerId','u1','L1');
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('clock','2026-01-05T14:00:00Z');
INSERT INTO "meta" VALUES('epoch','3');
CREATE TABLE quota (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, key TEXT NOT NULL, counter TEXT NOT NULL,
                    day TEXT NOT NULL, used INTEGER NOT NULL, lim INTEGER NOT NULL, CHECK (used BETWEEN 0 AND lim));
INSERT INTO "quota" VALUES(1,'user','u1','action executions','2026-01-05',1,250);
CREATE TABLE record (row INTEGER PRIMARY KEY, object TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
                     last_change TEXT NOT NULL, deleted INTEGER NOT NULL);
INSERT INTO "record" VALUES(1,'User','u1','{"Username":"ana@x.test"}','',0);
INSERT INTO "record" VALUES(2,'Lead','L1','{"LastName":"Roe","Status":"Open","OwnerId":"u1"}','',0);
CREATE TABLE reminder (id BLOB PRIMARY KEY, rule BLOB NOT NULL, event BLOB NOT NULL, automation TEXT NOT NULL,
                       author TEXT NOT NULL, record TEXT NOT NULL, person TEXT NOT NULL, state TEXT NOT NULL,
                       effect TEXT NOT NULL, change TEXT NOT NULL, offered_at INTEGER NOT NULL, due_at INTEGER, expires_at INTEGER,
                       snoozed_until INTEGER) WITHOUT ROWID;
INSERT INTO "reminder" VALUES(X'07070707070707070707070707070707',X'06060606060606060606060606060606',X'02020202020202020202020202020202','Offer','ana@x.test','Lead/L1','u1','open','add it','{}',1767621600000,NULL,1767708000000,NULL);
CREATE TABLE run (seq INTEGER PRIMARY KEY, run BLOB NOT NULL, rule BLOB NOT NULL, event BLOB NOT NULL, at INTEGER NOT NULL,
                  automation TEXT NOT NULL, author TEXT NOT NULL, kind TEXT NOT NULL, record TEXT NOT NULL,
                  user TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL);
INSERT INTO "run" VALUES(1,X'09090909090909090909090909090909',X'08080808080808080808080808080808',X'01010101010101010101010101010101',1767621600000,'Hot leads','ana@x.test','action','Lead/L1','u1','executed','{}');
CREATE TABLE timer (due INTEGER NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
                    PRIMARY KEY (due, id)) WITHOUT ROWID;
INSERT INTO "timer" VALUES(1767708000000,X'07070707070707070707070707070707','reminder_expiry','');
CREATE TABLE total (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "total" VALUES('events',2);
INSERT INTO "total" VALUES('executed',1);
CREATE TABLE verdict (seq INTEGER PRIMARY KEY, rule BLOB NOT NULL, event BLOB NOT NULL, at INTEGER NOT NULL,
                      automation TEXT NOT NULL, record TEXT NOT NULL, user TEXT NOT NULL, verdict TEXT NOT NULL);
CREATE UNIQUE INDEX record_by_id ON record (object, id);
CREATE INDEX link_by_record ON link (object, id);
CREATE UNIQUE INDEX run_by_key ON run (run);
CREATE INDEX run_by_record ON run (record);
CREATE INDEX verdict_by_record ON verdict (record);
CREATE UNIQUE INDEX quota_by_key ON quota (scope, key, counter, day);
CREATE INDEX reminder_by_record ON reminder (record);
CREATE UNIQUE INDEX intent_by_key ON intent (key);
CREATE INDEX intent_open ON intent (record, seq) WHERE state IN ('ready', 'claimed', 'unknown');
CREATE INDEX intent_ready ON intent (seq) WHERE state = 'ready';
CREATE INDEX intent_parked ON intent (state, seq) WHERE state IN ('claimed', 'unknown', 'failed');
COMMIT;
