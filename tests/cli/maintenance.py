"""Keeping a store: recounting its counters, checking, backing up, compacting and archiving it."""
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

import support
from store import mounted
from support import FINE, USAGE, WORLD, WRONG, Failure, expect, has, same

SEED = int(os.environ.get("ENSUE_TEST_SEED", "20260101"))
DAYS, A_DAY = 12, 8

AUTOMATIONS = '''
action "Hot in" by "ana@x.test"
  when Lead is created
  for records of my team
  if Rating is "Hot"
  then add it to cadence "Outreach"
end

action "Working in" by "ana@x.test"
  when Lead is created or edited
  for records of my team
  and newly meets Status is "Working"
  then remind me within 2 days, expiring after 3 days to add it to cadence "Outreach"
end

flow "Welcome"
  when Lead is created
  run as the owner
  add it to cadence "Outreach"
end

cadence "Outreach"
  track main
    step "Call" after 1 day: call
end

limits "Careful"
  each user: at most 3 action executions per day
  flow "Welcome": at most 2 executions per 10 seconds
  day starts at 05:00 in "America/New_York"
end
'''


def lead(number, at, **fields):
    return {"id": f"m-{number}", "entity": "Lead", "ids": [f"00M{number}"], "kind": "create", "at": at, "by": "005ana", "set": {
        "LastName": f"Em {number}", "Status": "Open", "Rating": "Hot", "OwnerId": ("005ana", "005bob")[number % 2], **fields}}


def days_of_leads(days=DAYS, start=0):
    """Some leads a day, some of them within ten seconds, and a change of each."""
    rows = []
    for day in range(start, start + days):
        for number in range(A_DAY):
            at = f"2026-04-{day + 1:02}T{(number * 3) % 24:02}:00:{number % 7:02}Z"
            rows.append(lead(day * A_DAY + number, at))
            rows.append({"id": f"n-{day}-{number}", "entity": "Lead", "ids": [f"00M{day * A_DAY + number}"], "kind": "update", "at": at,
                         "set": {"Status": ("Open", "Working")[number % 2]}})
            rows.append(lead(10_000 + day * A_DAY + number, at, Rating="Cold"))
    return sorted(rows, key=lambda row: row["at"])


def run_days(box, store="s.db", rows=None, name="days.ndjson"):
    box.write("rules/rules.ensue", AUTOMATIONS)
    users = box.lines("users.ndjson", [
        {"entity": "User", "ids": ["005ana"], "kind": "snapshot", "set": {"Username": "ana@x.test", "Name": "Ana", "IsActive": True}},
        {"entity": "User", "ids": ["005bob"], "kind": "snapshot", "set": {"Username": "bob@x.test", "Name": "Bob", "IsActive": True,
                                                                         "ManagerId": "005ana"}}])
    return box.ensue("run", box.path("rules"), "--records", users, "--events", box.lines(name, rows or days_of_leads()), "--store", store,
                     "--verdicts", "all", "--format", "json").exits(FINE)


def numbers(box, store="s.db", sql="SELECT count(*) FROM run"):
    database = sqlite3.connect(f"file:{box.path(store)}?mode=ro", uri=True)
    rows = database.execute(sql).fetchall()
    database.close()
    return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows


def told(box, store="s.db"):
    """All that a store tells, its archives included."""
    asked = {f"why {which} {record}": box.start("why", which, "for", record, "--store", store, "--format", "json") for which, record in (
        ("Hot in", "Lead/00M17"), ("Welcome", "Lead/00M17"), ("Working in", "Lead/00M1"), ("Hot in", "Lead/00M10003"),
        ("Hot in", f"Lead/00M{(DAYS - 1) * A_DAY}"))}
    asked |= {f"runs {' '.join(words)}": box.start("runs", *words, "--store", store) for words in (
        ("--count", "3"), ("--since", "2026-04-03", "--count", "5"), ("--record", "Lead/00M17"), ("--status", "suppressed", "--count", "7"))}
    return {**box.contents(store), **{name: started.wait().exits(FINE).out for name, started in asked.items()}}


def alter(box, sql, store="s.db"):
    """Changes a store behind the program's back."""
    database = sqlite3.connect(box.path(store))
    database.executescript(sql)
    database.close()


# ---- limits --verify ----------------------------------------------------------------------------------------------------------


def test_counters_agree(box):
    box.run_outreach()
    same(box.ensue("limits", "--verify", "--store", "s.db").exits(FINE).out, "4 counters, 10 charges: all agree\n", "what it prints")
    same(box.ensue("limits", "--verify", "--store", "s.db", "--format", "json").exits(FINE).json(),
         {"counters": 4, "charges": 10, "disagree": []}, "what it prints as JSON")
    # Beside the owner, which charges on.
    held = box.start("run", box.outreach, "--events", "-", "--store", "s.db", "--batch", "1", feed=True)
    for number in range(30):
        held.write(json.dumps({"id": f"v-{number}", "entity": "Lead", "ids": [f"00V{number}"], "kind": "create",
                               "at": f"2026-04-{number + 1:02}T08:00:00Z", "by": "005ana", "set": {
                                   "LastName": "Vee", "LeadSource": "Web", "Rating": "Hot", "Email": "v@x.test", "OwnerId": "005ana"}}) + "\n")
        if number % 6 == 0:
            has(box.ensue("limits", "--verify", "--store", "s.db").exits(FINE).out, ": all agree\n")
    held.close_input()
    held.wait().exits(FINE, "30 new events")
    same(box.ensue("limits", "--verify", "--store", "s.db").exits(FINE).out, "64 counters, 70 charges: all agree\n", "what it prints")


def test_altered_counters_are_told(box):
    box.run_outreach()
    alter(box, "UPDATE quota SET used = 3 WHERE scope = 'user' AND day = '2026-03-26';"
               "UPDATE quota SET used = 2 WHERE scope = 'org' AND day = '2026-03-27'")
    ended = box.ensue("limits", "--verify", "--store", "s.db").exits(WRONG)
    same(ended.out, "org, action executions, 2026-03-27: 2 used, 1 charged, at most 20,000\n"
                    "user 005ana, action executions, 2026-03-26: 3 used, 4 charged, at most 4\n"
                    "4 counters, 10 charges: 2 disagree\n", "what it prints")
    same([row["charged"] for row in box.ensue("limits", "--verify", "--store", "s.db", "--format", "json").exits(WRONG).json()["disagree"]],
         [1, 4], "the charges as JSON")
    alter(box, "DELETE FROM charge; DELETE FROM quota WHERE used = 1; UPDATE quota SET used = 0;"
               "INSERT INTO charge (run, quota, at) VALUES (x'00', 77, 0)")
    same(box.ensue("limits", "--verify", "--store", "s.db").exits(WRONG).out.split("\n")[-3], "1 charge of no counter", "what it prints")


def test_verify_asks_for_no_day(box):
    for words in (("--day", "2026-03-26"), ("--user", "005ana"), ("--all",)):
        box.ensue("limits", "--verify", *words, "--store", "s.db").exits(USAGE, "--verify")
    box.ensue("limits", "--verify", "--store", "gone.db").exits(WORLD, "there is no store gone.db")


# ---- store check ----------------------------------------------------------------------------------------------------------------


def checks(box, store="s.db", code=FINE):
    report = box.ensue("store", "check", store, "--format", "json").exits(code).json()
    return {check["check"]: check for check in report["checks"]}


def test_whole_store_is_checked(box):
    run_days(box)
    ended = box.ensue("store", "check", "s.db").exits(FINE)
    has(ended.out, "\ns.db is whole\n")
    seen = checks(box)
    same({name: check["wrong"] for name, check in seen.items()}, dict.fromkeys(
        ("pages", "references", "counters", "runs", "records", "cursors", "timers", "reminders", "intents", "waiting runs",
         "keys", "archives"), 0), "what is wrong")
    same(seen["runs"]["looked_at"], {"runs": numbers(box)}, "runs looked at")
    same(seen["cursors"]["looked_at"], {"cursors": 1}, "cursors looked at")
    same(seen["keys"]["looked_at"], {"keys": numbers(box, "s.db", "SELECT sum(length(keys)) / 16 FROM admitted")}, "keys looked at")
    expect(seen["timers"]["looked_at"]["timers"] > 0 and seen["reminders"]["looked_at"]["reminders"] > 0, "there is no reminder to check")
    # Beside an owner.
    held = box.start("run", box.path("rules"), "--events", "-", "--store", "s.db", "--batch", "1", feed=True)
    for number in range(20):
        held.write(json.dumps(lead(500 + number, f"2026-05-{number + 1:02}T09:00:00Z")) + "\n")
        if number % 5 == 0:
            checks(box)
    held.close_input()
    held.wait().exits(FINE)


DAMAGES = [
    ("counters", "UPDATE quota SET used = used - 1 WHERE used = (SELECT max(used) FROM quota)", "used"),
    ("counters", "DELETE FROM charge WHERE n = 3", "charged"),
    ("references", "UPDATE charge SET quota = 4711 WHERE n = 3", "charge row 3 names a quota row that is not there"),
    ("references", "INSERT INTO link VALUES ('Lead', 'OwnerId', '005ana', 'gone')", "a link of Lead/gone"),
    ("runs", "DROP INDEX run_by_key; INSERT INTO run (run, rule, event, at, automation, author, kind, record, user, status, detail) SELECT run, "
             "rule, event, at, automation, author, kind, record, user, status, detail FROM run WHERE seq = 2", "run 2 stands there 2 times"),
    ("runs", "UPDATE run SET status = 'done' WHERE seq = 5", 'run 5 has the status "done"'),
    ("runs", "DELETE FROM run WHERE run = (SELECT run FROM charge WHERE n = 1)", "which is not there"),
    ("records", "UPDATE record SET body = '{\"LastName\":' WHERE id = '00M3'", "Lead/00M3 cannot be read"),
    ("cursors", "UPDATE cursor SET byte_offset = 3", "byte 3"),
    ("cursors", "UPDATE cursor SET fingerprint = ''", "the cursor of days.ndjson"),
    ("timers", "UPDATE timer SET kind = 'alarm'", 'unknown kind "alarm"'),
    ("timers", "DELETE FROM reminder", "without its reminder"),
    ("timers", "INSERT INTO timer VALUES (9e12, x'00', 'deferred', '{\"rule\":\"\"}')", "cannot be read"),
    ("reminders", "DELETE FROM timer", "nothing will end the reminder"),
    ("reminders", "UPDATE reminder SET state = 'snoozed', snoozed_until = NULL WHERE state = 'open'", "without an end"),
    ("reminders", "UPDATE reminder SET state = 'snoozed', snoozed_until = 5 WHERE state = 'open'", "nothing will wake"),
    ("reminders", "UPDATE reminder SET state = 'lost'", 'the state "lost"'),
    ("intents", "INSERT INTO intent VALUES (1, x'01', 0, 'a', 'Lead/00M1', '{}', 'claimed', 0, 1, 0, '', 'record', '', x'', '')",
     "intent 1 of Lead/00M1"),
    ("waiting runs", "INSERT INTO flow_run VALUES (1, x'01', x'02', 'Wait', 'Lead/00M1', '', 'lost', 0, NULL, 0, '', x'', '')", 'the state "lost"'),
    ("waiting runs", "INSERT INTO flow_run VALUES (1, x'01', x'02', 'Wait', 'Lead/00M1', '', 'waiting', 0, 5, 0, '', x'', '')", "nothing will wake the run 01"),
    ("keys", "INSERT INTO admitted (keys) VALUES (x'0102')", "holds keys that are not whole"),
    ("keys", "INSERT INTO dedupe VALUES (x'0102')", "the key 0102 is not whole"),
    ("archives", "INSERT INTO meta VALUES ('archive.2026-01-05', 7)", "2026-01-05 is not there any more"),
    ("runs", "DROP INDEX run_by_record; DROP TABLE run", "no such table"),
]


def test_damage_is_found(box):
    run_days(box)
    for number, (check, sql, message) in enumerate(DAMAGES):
        shutil.copy(box.path("s.db"), box.path("t.db"))
        alter(box, sql, "t.db")
        ended = box.ensue("store", "check", "t.db").exits(WRONG)
        has(ended.out, "t.db is damaged: ", f"damage {number}")
        lines = [line for line in ended.out.split("\n") if line.startswith(check + ": ")]
        expect(any(message in line for line in lines), f"damage {number}: `{message}` is not told: {support.short(ended.out, 3000)}")
        expect(len(lines) <= 11, f"damage {number}: {len(lines)} lines about {check}")
        expect(checks(box, "t.db", WRONG)[check]["wrong"] > 0, f"damage {number} in JSON")
        same(checks(box)[check]["wrong"], 0, f"{check} of the store that was not altered")


def test_broken_pages_are_found(box):
    """Whatever is broken: said, not survived in silence."""
    run_days(box)
    whole = box.path("s.db").read_bytes()
    source = random.Random(SEED)
    print(f"      broken pages: seed {SEED} (ENSUE_TEST_SEED)")
    for trial in range(12):
        data = bytearray(whole)
        page = source.randrange(1, len(data) // 8192) * 8192
        data[page:page + 64] = source.randbytes(64)
        box.write("t.db", bytes(data))
        ended = box.ensue("store", "check", "t.db")
        expect(ended.code in (WRONG, WORLD), f"trial {trial}, page {page // 8192 + 1}: {ended.name} exits {ended.code}: {ended.out}")
        for name in ("t.db-wal", "t.db-shm"):
            box.path(name).unlink(missing_ok=True)


def test_what_is_no_store(box):
    box.write("text.db", "not a database, and never was one\n" * 300)
    box.write("empty.db", "")
    alter(box, "CREATE TABLE notes (text)", "other.db")
    box.run_outreach("new.db")
    alter(box, "PRAGMA user_version = 99", "new.db")
    for command in (("check",), ("backup", "copy.db"), ("compact",), ("archive",)):
        for store, message in (("gone.db", "there is no store gone.db"), ("text.db", "not a database"), ("other.db", "not an Ensue store"),
                               ("new.db", "later version")):
            before = box.path(store).read_bytes() if store != "gone.db" else None
            box.ensue("store", command[0], store, *command[1:]).exits(WORLD, message, store)
            expect(box.path(store).exists() == (before is not None), f"{command[0]} makes or removes {store}")
            expect(before is None or box.path(store).read_bytes() == before, f"{command[0]} changes {store}")
        if command[0] != "compact":
            box.ensue("store", command[0], "empty.db", *command[1:]).exits(WORLD, "empty.db")
    expect(not box.path("copy.db").exists() and not box.path("copy.db.part").exists(), "a backup of nothing is there")
    for words in ((), ("mend", "s.db"), ("check",), ("backup", "s.db"), ("compact", "s.db", "t.db"), ("archive", "s.db", "--keep-days", "1"),
                  ("archive", "s.db", "--keep-days", "3", "--before", "2026-01-01")):
        box.ensue("store", *words).exits(USAGE)


# ---- store backup ---------------------------------------------------------------------------------------------------------------


def test_backup_is_a_store(box):
    run_days(box)
    has(box.ensue("store", "backup", "s.db", "t.db").exits(FINE).out, "t.db holds s.db: ")
    same(sorted(name.name for name in box.dir.glob("t.db*")), ["t.db"], "the files of the backup")
    expected = told(box)
    box.same_contents(told(box, "t.db"), expected)
    checks(box, "t.db")
    # It goes on as the first would.
    more = days_of_leads(2, start=DAYS)
    for store in ("s.db", "t.db"):
        run_days(box, store, more, "more.ndjson")
    box.same_contents(told(box, "t.db"), told(box))


def test_backup_beside_an_owner(box):
    """Each is the store as of one moment: runs without a gap, and counters that agree."""
    run_days(box)
    held = box.start("run", box.path("rules"), "--events", "-", "--store", "s.db", "--batch", "1", "--quiet", feed=True)
    rows = days_of_leads(10, start=DAYS)
    counts = []
    for number, row in enumerate(rows):
        held.write(json.dumps(row) + "\n")
        if number % 40 == 20:
            store = f"b{number}.db"
            box.ensue("store", "backup", "s.db", store).exits(FINE)
            counts.append(numbers(box, store))
            checks(box, store)
    held.close_input()
    held.wait().exits(FINE)
    same(counts, sorted(counts), "the runs of the backups")
    expect(counts[-1] > counts[0], f"the owner did not write beside the backups: {counts}")


def test_backup_replaces_nothing(box):
    box.run_outreach()
    box.write("kept.txt", "kept")
    box.ensue("store", "backup", "s.db", "kept.txt").exits(WORLD, "kept.txt is there already")
    same(box.path("kept.txt").read_text(), "kept", "the file that was there")
    box.path("link.db").symlink_to("nowhere.db")
    box.ensue("store", "backup", "s.db", "link.db").exits(WORLD, "link.db is there already")
    box.write("v.db-wal", "")  # left by one who only looked
    box.ensue("store", "backup", "s.db", "v.db").exits(FINE)
    box.write("u.db-wal", "of another")
    box.ensue("store", "backup", "s.db", "u.db").exits(WORLD, "u.db-wal is there already")
    box.ensue("store", "backup", "s.db", "no/folder/t.db").exits(WORLD, "no/folder/t.db.part")
    box.ensue("store", "backup", "s.db", "s.db").exits(WORLD, "s.db is there already")
    same(sorted(name.name for name in box.dir.glob("*.part")), [], "parts left behind")


def small_files(size):
    """As a full disk, without root: the system refuses to let files grow."""

    def before():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return before


def test_backup_on_a_full_disk(box):
    run_days(box)
    before = told(box)
    box.ensue("store", "backup", "s.db", "t.db", before=small_files(100_000)).exits(WORLD, "t.db.part")
    same(sorted(name.name for name in box.dir.glob("t.db*")), [], "what a failed backup leaves")
    box.ensue("store", "backup", "s.db", "t.db").exits(FINE)
    box.same_contents(told(box, "t.db"), before)


def enlarge(box, rows, store="s.db"):
    """Many more runs, on the days there are: so that what is killed takes a while."""
    alter(box, f"""
        CREATE TEMP TABLE model AS SELECT * FROM run WHERE seq <= 200;
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
        INSERT INTO run (run, rule, event, at, automation, author, kind, record, user, status, detail)
        SELECT randomblob(16), rule, randomblob(16), at, automation, author, kind, record || '-' || i, user, status, detail
        FROM n JOIN model ON model.seq = 1 + i % (SELECT count(*) FROM model);
        """, store)


def killed(box, seconds, *words):
    started = box.start(*words)
    time.sleep(seconds)
    started.signal(signal.SIGKILL)
    return started.wait(killed=True).code == -signal.SIGKILL


def killed_at_file(box, name, *words):
    """Kills a program as soon as it has written the file of this name."""
    box.path(name).unlink(missing_ok=True)
    started = box.start(*words)
    started.until_written(box.path(name))
    started.signal(signal.SIGKILL)
    return started.wait(killed=True).code == -signal.SIGKILL


def took(box, *words):
    began = time.monotonic()
    box.ensue(*words).exits(FINE)
    return time.monotonic() - began


def test_killed_backup_leaves_no_half(box):
    run_days(box)
    enlarge(box, 60_000)
    whole = took(box, "store", "backup", "s.db", "whole.db")
    source = random.Random(SEED)
    print(f"      killed backups: seed {SEED} (ENSUE_TEST_SEED)")
    expected, hits, parts = numbers(box), 0, 0
    for trial in range(12):
        if trial % 2:  # at any moment of it
            hits += killed(box, source.uniform(0, whole), "store", "backup", "s.db", "t.db")
        else:  # once it writes, however long the program took to start
            hits += killed_at_file(box, "t.db.part", "store", "backup", "s.db", "t.db")
        parts += box.path("t.db.part").exists()
        if box.path("t.db").exists():
            same(numbers(box, "t.db"), expected, f"trial {trial}: runs of the backup")
            for name in ("t.db", "t.db-wal", "t.db-shm"):  # what looking at it leaves
                box.path(name).unlink(missing_ok=True)
    expect(hits > 0 and parts > 0, f"{hits} of 12 backups were killed, {parts} left a part")
    print(f"      {hits} of 12 backups were killed, {parts} of them under way")
    box.ensue("store", "backup", "s.db", "t.db").exits(FINE)
    same(sorted(name.name for name in box.dir.glob("t.db*")), ["t.db"], "the files of the backup")
    same(numbers(box, "t.db", "PRAGMA integrity_check"), "ok", "the backup's pages")


# ---- store compact --------------------------------------------------------------------------------------------------------------


def test_compact(box):
    run_days(box)
    enlarge(box, 4000)
    alter(box, "DELETE FROM run WHERE record LIKE '%-%'")
    before, size = told(box), box.path("s.db").stat().st_size
    held = box.start("run", box.path("rules"), "--events", "-", "--store", "s.db", feed=True)
    support.at_rest(held.pid)
    box.ensue("store", "compact", "s.db").exits(WORLD, f"in use by process {held.pid}")
    held.close_input()
    held.wait().exits(FINE)
    box.ensue("store", "compact", "s.db", before=small_files(60_000)).exits(WORLD, "s.db")
    box.same_contents(told(box), before)
    ended = box.ensue("store", "compact", "s.db").exits(FINE)
    after = box.path("s.db").stat().st_size
    same(ended.out, f"s.db: {size:,} bytes before, {after:,} bytes after\n", "what it prints")
    expect(after < size / 2, f"{size} bytes became {after}")
    box.same_contents(told(box), before)
    checks(box)


# ---- store archive --------------------------------------------------------------------------------------------------------------


def archive_all(box, store="s.db"):
    return box.ensue("store", "archive", store, "--keep-days", "2").exits(FINE)


def test_archived_days_are_still_told(box):
    run_days(box)
    expected, runs = told(box), numbers(box)
    verified = box.ensue("limits", "--verify", "--store", "s.db", "--format", "json").exits(FINE).json()
    ended = archive_all(box)
    has(ended.out, "2026-04-05  ")
    days = sorted(name.name for name in box.path("s.db.archive").iterdir())
    same(days[0], "2026-03-31.db", "the first day")  # the day starts at five in New York
    same(days[-1], "2026-04-09.db", "the last day")
    same(len(days), 10, "days")
    expect(numbers(box) < runs / 2, f"{numbers(box)} of {runs} runs stay")
    # Nothing is told otherwise than before.
    box.same_contents(told(box), expected)
    seen = box.ensue("limits", "--verify", "--store", "s.db", "--format", "json").exits(FINE).json()
    same(seen["charges"], verified["charges"], "charges recounted")
    same(seen["disagree"], [], "what disagrees")
    same(checks(box)["archives"]["looked_at"], {"days": 10, "runs": runs - numbers(box)}, "archives looked at")
    # Each archive is a store that can be looked at alone, and one file.
    for day in days:
        has(box.ensue("limits", "--verify", "--store", box.path("s.db.archive") / day).exits(FINE).out, "all agree")
    has(archive_all(box).out, "nothing to archive before 2026-04-10")
    box.same_contents(told(box), expected)


def test_archived_failures_are_done_with(box):
    """A run that failed on an archived day is told, and not kept to be done again; nor is the program it began with."""
    flow = 'flow "Breaks"\n  when Lead is created{}\n  stop with fault "a bad one"\nend\n'
    for day, more in ((1, ""), (9, " and meets Company is not blank")):
        box.write("flow.ensue", flow.format(more))
        event = {"id": f"e{day}", "entity": "Lead", "ids": [f"L{day}"], "kind": "create", "at": f"2026-04-0{day}T12:00:00Z",
                 "set": {"LastName": "Roe", "Company": "Firm"}}
        box.ensue("run", "flow.ensue", "--events", box.lines(f"day{day}.ndjson", [event]), "--store", "s.db", "--quiet").exits(WRONG)
    failed = ("timers", "--state", "failed", "--store", "s.db", "--format", "json")
    same([row["record"] for row in box.ensue(*failed).exits(FINE).json()], ["Lead/L1", "Lead/L9"], "what has failed")
    runs = box.ensue("runs", "--store", "s.db", "--format", "json").exits(FINE).out
    box.ensue("store", "archive", "s.db", "--before", "2026-04-02").exits(FINE)
    same([row["record"] for row in box.ensue(*failed).exits(FINE).json()], ["Lead/L9"], "what has failed on days that are not archived")
    same(box.ensue("runs", "--store", "s.db", "--format", "json").exits(FINE).out, runs, "the decisions")
    with sqlite3.connect(box.path("s.db")) as db:
        same(db.execute("SELECT count(*) FROM meta WHERE name GLOB 'program/*'").fetchone(), (1,), "programs kept for runs")
    box.ensue("store", "check", "s.db").exits(FINE)


def test_archived_events_do_not_act_again(box):
    run_days(box)
    run_days(box, "plain.db")
    archive_all(box)
    box.ensue("store", "compact", "s.db").exits(FINE)
    summary = box.ensue("run", box.path("rules"), "--events", box.path("days.ndjson"), "--store", "s.db", "--from-start", "--format", "json",
                        "--verdicts", "all").exits(FINE).json()
    same((summary["events"], summary["decisions"], summary["duplicates"]), (0, 0, summary["lines"]), "events, decisions and duplicates")
    box.ensue("run", box.path("rules"), "--events", box.path("days.ndjson"), "--store", "plain.db", "--from-start", "--verdicts", "all").exits(FINE)
    # It goes on like a store that was never archived: the same runs under the same numbers. Late events are archived later.
    more = [lead(900 + n, f"2026-04-0{n + 1}T12:00:00Z") for n in range(4)] + days_of_leads(6, start=DAYS)
    for store in ("s.db", "plain.db"):
        run_days(box, store, more, "more.ndjson")
    archive_all(box)
    box.same_contents(told(box), told(box, "plain.db"))
    same(checks(box)["archives"]["looked_at"]["days"], 16, "days archived")
    has(box.ensue("runs", "--record", "Lead/00M900", "--store", box.path("s.db.archive/2026-04-01.db")).exits(FINE).out, "Lead/00M900")


def test_days_that_stay(box):
    run_days(box)
    has(box.ensue("store", "archive", "s.db").exits(FINE).out, "5 days archived")
    same(sorted(name.stem for name in box.path("s.db.archive").iterdir()), ["2026-03-31", "2026-04-01", "2026-04-02", "2026-04-03", "2026-04-04"],
         "days archived when seven stay")
    box.ensue("store", "archive", "s.db", "--before", "2026-04-11").exits(USAGE, "only days before 2026-04-10 can be archived")
    box.ensue("store", "archive", "s.db", "--before", "soon").exits(USAGE, '"soon" is no date')
    has(box.ensue("store", "archive", "s.db", "--before", "2026-04-06").exits(FINE).out, "1 day archived")
    box.run_outreach("o.db")
    has(box.ensue("store", "archive", "o.db").exits(FINE).out, "nothing to archive")
    expect(not box.path("o.db.archive").exists(), "a folder for nothing")


def test_archiving_needs_the_store(box):
    run_days(box)
    held = box.start("run", box.path("rules"), "--events", "-", "--store", "s.db", feed=True)
    support.at_rest(held.pid)
    box.ensue("store", "archive", "s.db").exits(WORLD, f"in use by process {held.pid}")
    held.close_input()
    held.wait().exits(FINE)
    expect(not box.path("s.db.archive").exists(), "something was archived")
    alter(box, "UPDATE quota SET used = used - 1 WHERE used = (SELECT max(used) FROM quota)")
    before = box.contents()
    box.ensue("store", "archive", "s.db").exits(WORLD, "counters that disagree")
    box.same_contents(box.contents(), before)


def test_archiving_on_a_full_disk(box):
    run_days(box)
    expected = told(box)
    box.ensue("store", "archive", "s.db", before=small_files(90_000)).exits(WORLD, "s.db.archive/2026-03-31.db")
    same(list(box.path("s.db.archive").iterdir()), [], "what a failed archive leaves")
    box.same_contents(told(box), expected)
    archive_all(box)
    box.same_contents(told(box), expected)


def test_full_disk(box):
    """Where a small disk can be mounted, it is told for what it is; and with room again the work is done."""
    disk = mounted(box, "disk", "1500k")
    run_days(box)
    shutil.copy(box.path("s.db"), disk / "s.db")
    (disk / "filler").write_bytes(b"x" * (1_400_000 - box.path("s.db").stat().st_size))
    expected = told(box)
    for words in (("backup", disk / "s.db", disk / "t.db"), ("archive", disk / "s.db"), ("compact", disk / "s.db")):
        box.ensue("store", *words).exits(WORLD, "the disk is full", str(disk))
        box.same_contents(told(box, disk / "s.db"), expected)
    expect(not (disk / "t.db").exists(), "half a backup has its name")
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    box.ensue("store", "backup", disk / "s.db", disk / "t.db").exits(FINE)
    archive_all(box, disk / "s.db")
    box.same_contents(told(box, disk / "s.db"), expected)


def test_archive_cut_short_between_its_steps(box):
    """A day that is copied and not yet deleted stands in both files: it is told once, and the next call finishes it."""
    run_days(box)
    expected = told(box)
    shutil.copy(box.path("s.db"), box.path("before.db"))
    archive_all(box)
    box.path("s.db").unlink()
    for name in ("s.db-wal", "s.db-shm"):
        box.path(name).unlink(missing_ok=True)
    shutil.copy(box.path("before.db"), box.path("s.db"))
    box.write("s.db.archive/2026-04-02.db.part", "what a killed process left")
    box.path("s.db.archive/2026-04-03.db").unlink()
    box.same_contents(told(box), expected)
    checks(box)
    has(archive_all(box).out, "10 days archived")
    box.same_contents(told(box), expected)
    checks(box)
    same([name.name for name in box.path("s.db.archive").glob("*.part")], [], "parts left behind")
    same(numbers(box, "s.db.archive/2026-04-05.db", "SELECT count(*) - count(DISTINCT run) FROM run"), 0, "runs twice in an archive")


def test_archives_of_an_older_format(box):
    """They are read as they are, and brought forward when they get more."""
    run_days(box)
    archive_all(box)
    expected = told(box)
    now = numbers(box, "s.db", "PRAGMA user_version")
    for file in box.path("s.db.archive").iterdir():
        alter(box, "DROP TABLE intent; DROP TABLE attempt; DROP TABLE flow_run; DROP TABLE admitted; PRAGMA user_version = 1", file)
    box.same_contents(told(box), expected)
    checks(box)
    run_days(box, "s.db", [lead(900, "2026-04-03T12:00:00Z"), lead(901, "2026-04-20T12:00:00Z")], "more.ndjson")
    expected = told(box)
    archive_all(box)
    box.same_contents(told(box), expected)
    checks(box)
    formats = {day: numbers(box, f"s.db.archive/2026-04-{day}.db", "PRAGMA user_version") for day in ("02", "03")}
    same(formats, {"02": 1, "03": now}, "formats of the archives")
    same([name.name for name in box.path("s.db.archive").iterdir() if name.suffix != ".db"], [], "files beside the archives")


def test_archive_of_another_store_is_refused(box):
    run_days(box)
    archive_all(box)
    run_days(box, "u.db")
    alter(box, "UPDATE run SET detail = replace(detail, 'added', 'dropped')", "u.db")
    shutil.copytree(box.path("s.db.archive"), box.path("u.db.archive"))
    before = numbers(box, "u.db")
    box.ensue("store", "archive", "u.db").exits(WORLD, "holds other runs of 2026-03-31 than the store")
    same(numbers(box, "u.db"), before, "runs of the store")


def test_killed_archive_is_finished(box):
    run_days(box)
    enlarge(box, 12_000)
    shutil.copy(box.path("s.db"), box.path("first.db"))
    expected = told(box)
    whole = took(box, "store", "archive", "s.db", "--keep-days", "2")
    box.same_contents(told(box), expected)
    source = random.Random(SEED)
    print(f"      killed archives: seed {SEED} (ENSUE_TEST_SEED)")
    hits, states, trials = 0, set(), 0
    # A kill can come before the first file or after the last, as busy as the machine is: there are as many as it takes.
    while trials < 6 or (trials < 40 and (hits < 7 or len(states) < 3)):
        trial, trials = trials, trials + 1
        for name in ("s.db", "s.db-wal", "s.db-shm"):
            box.path(name).unlink(missing_ok=True)
        shutil.rmtree(box.path("s.db.archive"))
        shutil.copy(box.path("first.db"), box.path("s.db"))
        for _ in range(2):
            hits += killed(box, source.uniform(0.1, 0.9) * whole, "store", "archive", "s.db", "--keep-days", "2")
            folder = box.path("s.db.archive")
            states.add(tuple(sorted(name.name for name in folder.iterdir())) if folder.exists() else ())
        try:
            if trial % 2 == 0:
                box.same_contents(told(box), expected)
            archive_all(box)
            box.same_contents(told(box), expected)
            checks(box)
        except Failure as failure:
            raise Failure(f"trial {trial} (seed {SEED}): {failure}") from None
        same(len(list(box.path("s.db.archive").iterdir())), 10, "files of the archive")
    expect(hits > 6 and len(states) > 2, f"{hits} of {2 * trials} archives were killed, in {len(states)} states")
    print(f"      {hits} of {2 * trials} archives were killed, in {len(states)} different states of the folder")


if __name__ == "__main__":
    support.main(globals(), jobs=2)
