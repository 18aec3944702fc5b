"""The store: disks that are full, owners, versions, damage, and going on where it stands."""
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
from support import FINE, WORLD, WRONG, Failure, NotRun, expect, has, lacks, same

SEED = 11


def leads(count, start=0, day="2026-04-01", fill=0):
    return [{"id": f"s-{n}", "entity": "Lead", "ids": [f"00S{n}"], "kind": "create", "at": f"{day}T08:{n // 60 % 60:02}:{n % 60:02}Z",
             "by": "005ana", "set": {"LastName": f"Roe {n}", "Company": "c" * fill, "LeadSource": "Web", "Rating": "Hot",
                                     "Email": f"r{n}@x.test", "OwnerId": ("005ana", "005bob")[n % 2]}} for n in range(start, start + count)]


def rows_of(text):
    """The rows of a command's JSON: of a list in one line, or one a line."""
    values = [json.loads(line) for line in text.split("\n") if line]
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def held_before(box, seen, before):
    """Everything done before is still there, and runs were only added."""
    runs_before, runs = rows_of(before["runs"]), rows_of(seen["runs"])
    same(runs[len(runs) - len(runs_before):], runs_before, "runs committed before")
    records = {(row["entity"], row["ids"][0]) for row in rows_of(seen["records"])}
    for row in rows_of(before["records"]):
        expect((row["entity"], row["ids"][0]) in records, f"the record {row['entity']}/{row['ids'][0]} is lost")


def bytes_beside(path):
    """The bytes of a store and of what SQLite keeps beside it."""
    return {name.name: name.read_bytes() for name in path.parent.iterdir() if name.name.startswith(path.name) and not
            name.name.endswith(("-lock", "-shm"))}


def mounted(box, name, size):
    if not support.is_root():
        raise NotRun("needs root, to mount a small disk")
    place = box.path(name)
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True)
    if done.returncode != 0:
        raise NotRun("mounting is refused: " + done.stderr.strip())
    box.mounts.append(place)
    return place


def totals_without_trouble(box, events):
    box.run_outreach("calm.db")
    box.ensue("run", box.outreach, "--events", events, "--store", "calm.db").exits(FINE)
    return box.contents("calm.db")


# ---- Full disks -------------------------------------------------------------------------------------------------------------


def test_full_disk(box):
    disk = mounted(box, "disk", "2m")
    events = box.lines("many.ndjson", leads(2000, fill=400))
    expected = totals_without_trouble(box, events)
    store = disk / "s.db"
    box.run_outreach(store)
    before = box.contents(store)
    ended = box.ensue("run", box.outreach, "--events", events, "--store", store).exits(WORLD, "disk is full", "s.db")
    lacks(ended.err, "2,000 new events", "the summary")
    held_before(box, box.contents(store), before)
    # It stays full: nothing is lost by trying again.
    again = box.contents(store)
    box.ensue("run", box.outreach, "--events", events, "--store", store).exits(WORLD, "disk is full")
    held_before(box, box.contents(store), again)
    # With room again the run is finished, and everything is as if nothing had happened.
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    box.ensue("run", box.outreach, "--events", events, "--store", store).exits(FINE)
    box.same_contents(box.contents(store), expected)


def test_disk_too_small_for_a_store(box):
    disk = mounted(box, "disk", "16k")
    box.ensue("run", box.outreach, "--store", disk / "s.db").exits(WORLD, "s.db")
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    box.run_outreach(disk / "s.db")


def test_formatting_on_a_full_disk(box):
    disk = mounted(box, "disk", "64k")
    text = 'action   "A" by "ana"\n when Lead is created\n then remove it from all cadences\nend\n' * 1 + "# " + "x" * 20_000 + "\n"
    (disk / "a.ensue").write_text(text)
    with open(disk / "filler", "wb") as filler:
        try:
            filler.write(b"x" * 1_000_000)
            filler.flush()
        except OSError:
            pass
    try:
        filler.close()
    except OSError:
        pass
    box.ensue("fmt", disk / "a.ensue").exits(WORLD, "a.ensue")
    same((disk / "a.ensue").read_text(), text, "the file that could not be replaced")
    same(sorted(name.name for name in disk.iterdir()), ["a.ensue", "filler"], "the files of the disk")


def test_largest_file_size(box):
    """As a full disk, without root: the system refuses to let files grow."""
    events = box.lines("many.ndjson", leads(2000, fill=400))
    expected = totals_without_trouble(box, events)
    box.run_outreach()
    before = box.contents()

    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))

    box.ensue("run", box.outreach, "--events", events, "--store", "s.db", before=small).exits(WORLD, "s.db")
    held_before(box, box.contents(), before)
    box.ensue("run", box.outreach, "--events", events, "--store", "s.db").exits(FINE)
    box.same_contents(box.contents(), expected)


def test_full_standard_output(box):
    """What cannot be written is told, by every command that prints data."""
    box.run_outreach()
    box.write("loose.ensue", 'limits   "L"\n each user: at most 2 action executions per day\nend\n')
    stream = ("--records", box.outreach / "records.ndjson", "--events", box.outreach / "events.ndjson")
    silent = []
    for words in (("run", box.outreach, *stream, "--output", "ndjson"), ("run", box.outreach, *stream, "--format", "json"),
                  ("check", box.outreach, "--format", "json"), ("check", box.outreach, "--dump", "plan"), ("test", box.outreach),
                  ("test", box.outreach, "--format", "json"), ("graph", box.outreach, "--svg"), ("graph", box.outreach, "--out", "/dev/full"),
                  ("test", box.outreach, "--junit", "/dev/full"), ("run", box.outreach, "--report", "/dev/full"),
                  ("fmt", "--check", "loose.ensue"), ("runs", "--store", "s.db"), ("records", "--store", "s.db", "--format", "json"),
                  ("limits", "--store", "s.db"), ("reminders", "--store", "s.db"), ("targets", "--store", "s.db"),
                  ("dead-letters", "--store", "s.db"), ("why", "Team: stop when unqualified", "for", "Lead/00Q01", "--store", "s.db")):
        ended = box.ensue(*words, stdout="/dev/full")
        if ended.code != WORLD or "ensue: " not in ended.err:
            silent.append(f"{' '.join(str(word) for word in words[:1] + words[-2:])} exits {ended.code}")
    ended = box.ensue("fmt", "--stdin", stdin='limits "L"\nend\n', stdout="/dev/full")
    if ended.code == FINE:
        silent.append("fmt --stdin exits 0")
    expect(not silent, "exit 3 and a message on a full disk are missing: " + "; ".join(silent))


def test_full_standard_output_keeps_the_store(box):
    """The batch whose lines could not be printed is committed or not, as a whole, and the run can be finished."""
    expected = (box.run_outreach("calm.db"), box.contents("calm.db"))[1]
    stream = ("--records", box.outreach / "records.ndjson", "--events", box.outreach / "events.ndjson", "--store", "s.db")
    box.ensue("run", box.outreach, *stream, "--output", "ndjson", "--batch", "1", stdout="/dev/full").exits(WORLD, "standard output")
    box.run_outreach()
    box.same_contents(box.contents(), expected)


# ---- Owners -----------------------------------------------------------------------------------------------------------------


def owner(box, store="s.db"):
    """A run that owns the store and waits for lines."""
    held = box.start("run", box.outreach, "--events", "-", "--store", store, feed=True)
    lock = box.path(store + "-lock")
    deadline = time.monotonic() + 30
    while not (lock.exists() and lock.read_text() == str(held.pid)):
        expect(time.monotonic() < deadline and held.running(), f"the run does not own the store: {held.stderr_so_far()}")
        time.sleep(0.01)
    return held


def test_store_opened_by_another_process(box):
    box.run_outreach()
    before = box.contents()
    reminder = json.loads(before["reminders"])[0]
    held = owner(box)
    message = f"in use by process {held.pid}"
    events = box.lines("more.ndjson", leads(3))
    box.ensue("run", box.outreach, "--events", events, "--store", "s.db").exits(WORLD, message)
    box.ensue("reminders", "run", reminder["id"], "--as", "005ana", "--store", "s.db").exits(WORLD, message)
    box.ensue("reminders", "ignore", reminder["id"], "--as", "005ana", "--store", "s.db").exits(WORLD, message)
    box.ensue("deactivate", "Re-engage quiet leads", "--as", "005ana", "--store", "s.db").exits(WORLD, message)
    box.ensue("dead-letters", "retry", "all", "--store", "s.db").exits(WORLD, message)
    # Looking works beside it, and so does a run on a copy.
    box.same_contents(box.contents(), before)
    box.ensue("why", "Hot web leads into outreach", "for", "Lead/00Q01", "--store", "s.db").exits(FINE)
    box.ensue("run", box.outreach, "--events", events, "--store", "s.db", "--dry-run").exits(FINE)
    # What the owner does is its own affair.
    held.write(json.dumps(leads(1, start=7)[0]) + "\n")
    held.close_input()
    held.wait().exits(FINE, "1 new event")
    box.ensue("run", box.outreach, "--events", events, "--store", "s.db").exits(FINE, "3 new events")
    held_before(box, box.contents(), before)


def test_lock_of_a_killed_process_is_free(box):
    box.run_outreach()
    held = owner(box)
    held.signal(signal.SIGKILL)
    held.wait(killed=True)
    box.ensue("run", box.outreach, "--store", "s.db").exits(FINE)


def test_race_for_a_new_store(box):
    """Several begin at once: one owns the store at a time, and nothing is done twice."""
    box.run_outreach("calm.db")
    words = ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", box.outreach / "events.ndjson", "--store", "s.db")
    for ended in [started.wait() for started in [box.start(*words) for _ in range(4)]]:
        if ended.code != FINE:
            ended.exits(WORLD, "the store is in use")
    box.run_outreach()
    box.same_contents(box.contents(), box.contents("calm.db"))


def test_looking_while_lines_come_in(box):
    """A reader sees whole commits only, and disturbs nobody."""
    box.run_outreach()
    held = box.start("run", box.outreach, "--events", "-", "--store", "s.db", "--batch", "1", feed=True)
    for event in leads(40):
        held.write(json.dumps(event) + "\n")
    seen = [len(rows_of(box.ensue("records", "Lead", "--store", "s.db", "--format", "json").exits(FINE).out)) for _ in range(4)]
    same(seen, sorted(seen), "the numbers of records seen")
    held.close_input()
    held.wait().exits(FINE, "40 new events")


# ---- Files that are no store of ours ----------------------------------------------------------------------------------------

LOOKING = (("runs",), ("limits",), ("records",), ("targets",), ("reminders",), ("dead-letters",),
           ("why", "Re-engage quiet leads", "for", "Lead/00Q02"))


def refused(box, store, *parts):
    """Every command says why, and none touches the file."""
    before = bytes_beside(box.path(store))
    for words in (*LOOKING, ("run", box.outreach, "--events", box.outreach / "events.ndjson"), ("run", box.outreach, "--dry-run"),
                  ("deactivate", "Re-engage quiet leads", "--as", "005ana"), ("dead-letters", "retry", "all")):
        box.ensue(*words, "--store", store).exits(WORLD, store, *parts)
    same({name: support.short(data, 80) for name, data in bytes_beside(box.path(store)).items()},
         {name: support.short(data, 80) for name, data in before.items()}, "the files beginning")
    expect(bytes_beside(box.path(store)) == before, f"{store} was changed")


def test_store_of_a_newer_version(box):
    box.run_outreach()
    database = sqlite3.connect(box.path("s.db"))
    now = database.execute("PRAGMA user_version").fetchone()[0]
    database.execute(f"PRAGMA user_version = {now + 98}")
    database.commit()
    database.close()
    refused(box, "s.db", "later version", f"store format {now + 98}", f"up to {now}")


def test_file_that_is_not_sqlite(box):
    box.write("text.db", "This is not a database, and never was one.\n" * 100)
    refused(box, "text.db", "not a database")
    box.write("empty.db", b"\0" * 8192)
    refused(box, "empty.db")


def test_short_file_that_is_not_sqlite(box):
    """Shorter than the header of a database, which SQLite might take for an empty one."""
    box.write("notes.db", "Not a store: three lines of notes,\nwhich a wrong --store\nmust not cost.\n")
    refused(box, "notes.db")


def test_database_of_another_program(box):
    database = sqlite3.connect(box.path("other.db"))
    database.execute("CREATE TABLE run (a)")
    database.commit()
    database.close()
    refused(box, "other.db", "not an Ensue store")


def test_store_that_is_not_there(box):
    for words in LOOKING:
        box.ensue(*words, "--store", "gone.db").exits(WORLD, "gone.db")
    expect(not box.path("gone.db").exists(), "looking at a store makes one")
    box.ensue("run", box.outreach, "--store", "no/folder/s.db").exits(WORLD, "no/folder/s.db")


def test_empty_file_becomes_a_store(box):
    box.write("s.db", "")
    box.ensue("runs", "--store", "s.db").exits(WORLD, "s.db")
    box.run_outreach()


def test_store_without_its_tables(box):
    """A damaged schema is told; it is not a crash and not an empty answer."""
    box.run_outreach()
    for table in ("run", "record", "quota", "meta", "cursor", "dedupe", "admitted", "timer"):
        shutil.copy(box.path("s.db"), box.path("t.db"))
        database = sqlite3.connect(box.path("t.db"))
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(f"DROP TABLE {table}")
        database.commit()
        database.close()
        events = box.lines("more.ndjson", leads(3))
        box.ensue("run", box.outreach, "--events", events, "--store", "t.db").exits(WORLD, "t.db")


def test_truncated_store(box):
    box.run_outreach()
    size = box.path("s.db").stat().st_size
    for keep in (size // 2, 8192, 100, 50):
        shutil.copy(box.path("s.db"), box.path("t.db"))
        os.truncate(box.path("t.db"), keep)
        for words in (("records",), ("run", box.outreach, "--events", box.lines("more.ndjson", leads(3)))):
            box.ensue(*words, "--store", "t.db").exits(WORLD, "t.db")


def test_flipped_bytes(box):
    """Whatever is damaged: an answer or a message, never a crash and never a hang. In the first page it is always told."""
    box.run_outreach()
    whole = box.path("s.db").read_bytes()
    events = box.lines("more.ndjson", leads(3))
    source = random.Random(SEED)
    print(f"      flipped bytes: seed {SEED}")
    told = 0
    for trial in range(24):
        data = bytearray(whole)
        for _ in range(source.choice((1, 8, 64, 512))):
            data[source.randrange(16, len(data))] ^= 1 << source.randrange(8)
        box.write("t.db", bytes(data))
        words = (("records",), ("runs",), ("limits", "--all"), ("targets",), ("reminders", "--state", "all"),
                 ("run", box.outreach, "--events", events))[trial % 6]
        ended = box.ensue(*words, "--store", "t.db", "--format", "json")
        for name in ("t.db", "t.db-wal", "t.db-shm"):
            box.path(name).unlink(missing_ok=True)
        expect(ended.code in (FINE, WRONG, WORLD), f"trial {trial}: {ended.name} exits {ended.code}: {support.short(ended.err)}")
        if ended.code != FINE:
            told += 1
            has(ended.err, "ensue: ", f"trial {trial}: standard error of {ended.name}")
    expect(told > 0, "no damage was ever told")
    # A page of noise, in the middle.
    data = bytearray(whole)
    data[8192:] = source.randbytes(len(data) - 8192)
    box.write("t.db", bytes(data))
    for words in (("records",), ("runs",), ("run", box.outreach, "--events", events)):
        box.ensue(*words, "--store", "t.db").exits(WORLD, "t.db")


def test_damaged_journal(box):
    """A broken tail of the journal is as a crash a little earlier: the rest is done again, with the same result."""
    events = box.lines("many.ndjson", leads(200))
    expected = totals_without_trouble(box, events)
    box.run_outreach()
    held = box.start("run", box.outreach, "--events", events, "--store", "s.db", "--batch", "1")
    journal = box.path("s.db-wal")
    deadline = time.monotonic() + 30
    while not (journal.exists() and journal.stat().st_size > 400_000) and held.running():
        expect(time.monotonic() < deadline, "the journal does not grow")
        time.sleep(0.002)
    held.signal(signal.SIGKILL)
    if held.wait(killed=True).code == FINE:
        raise Failure("the run ended before it could be killed")
    data = bytearray(journal.read_bytes())
    for at in range(len(data) * 2 // 3, len(data), 1000):
        data[at] ^= 0xFF
    journal.write_bytes(data)
    box.path("s.db-shm").unlink(missing_ok=True)
    box.ensue("run", box.outreach, "--events", events, "--store", "s.db").exits(FINE)
    box.same_contents(box.contents(), expected)


def test_folder_that_cannot_be_written(box):
    before = support.as_nobody(box) if support.is_root() else None  # root writes everywhere
    folder = box.path("fixed")
    folder.mkdir()
    box.run_outreach("fixed/s.db")
    expected = box.contents("fixed/s.db")
    for name in folder.iterdir():
        name.chmod(0o444)
    folder.chmod(0o555)
    try:
        box.ensue("check", box.outreach, before=before).exits(FINE)
    except (OSError, Failure):
        raise NotRun("root writes everywhere, and another user cannot reach the program or the tree") from None
    box.ensue("run", box.outreach, "--store", "fixed/s.db", before=before).exits(WORLD, "fixed/s.db")
    box.ensue("run", box.outreach, "--store", "fixed/new.db", before=before).exits(WORLD, "fixed/new.db")
    box.ensue("run", box.outreach, "--report", "fixed/report.html", before=before).exits(WORLD, "fixed/report.html")
    box.ensue("graph", box.outreach, "--svg", "--out", "fixed/graph.svg", before=before).exits(WORLD, "fixed/graph.svg")
    box.ensue("test", box.outreach, "--junit", "fixed/junit.xml", before=before).exits(WORLD, "fixed/junit.xml")
    box.same_contents(box.contents("fixed/s.db"), expected)
    # Looking needs no right to write.
    box.ensue("runs", "--store", "fixed/s.db", before=before).exits(FINE)
    box.ensue("run", box.outreach, "--store", "fixed/s.db", "--dry-run", before=before).exits(FINE)


# ---- Going on ---------------------------------------------------------------------------------------------------------------


def test_second_run_finds_nothing_new(box):
    box.run_outreach()
    before = box.contents()
    has(box.run_outreach().err, "nothing new", "the second run")
    summary = box.run_outreach("s.db", "--format", "json").json()
    same({name: summary[name] for name in ("records", "lines", "events", "decisions")}, dict.fromkeys(("records", "lines", "events", "decisions"), 0),
         "the second run's counts")
    box.same_contents(box.contents(), before)


def test_only_appended_events_are_read(box):
    events = box.lines("grows.ndjson", leads(30))
    run = ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", events, "--format", "json")
    same(box.ensue(*run, "--store", "s.db").exits(FINE).json()["lines"], 30, "lines of the first run")
    with open(events, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in leads(20, start=30))
    summary = box.ensue(*run, "--store", "s.db").exits(FINE).json()
    same((summary["lines"], summary["events"], summary["duplicates"]), (20, 20, 0), "lines, events and duplicates of the second run")
    box.ensue(*run, "--store", "whole.db").exits(FINE)
    box.same_contents(box.contents(), box.contents("whole.db"))


def test_replaced_file_is_read_again(box):
    events = box.lines("turns.ndjson", leads(30))
    run = ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", events, "--store", "s.db", "--format", "json")
    box.ensue(*run).exits(FINE)
    # Another file under the same name, that holds ten lines of before, in another place.
    box.lines("turns.ndjson", leads(5, start=100) + leads(10) + leads(25, start=200))
    ended = box.ensue(*run).exits(FINE, "turns.ndjson is not the file read before")
    summary = ended.json()
    same((summary["lines"], summary["events"], summary["duplicates"]), (40, 30, 10), "lines, events and duplicates of the replaced file")
    # Shorter than before.
    box.lines("turns.ndjson", leads(2))
    summary = box.ensue(*run).exits(FINE, "is not the file read before").json()
    same((summary["lines"], summary["events"], summary["duplicates"]), (2, 0, 2), "lines, events and duplicates of the shorter file")
    records = rows_of(box.ensue("records", "Lead", "--store", "s.db", "--format", "json").exits(FINE).out)
    same(len(records), 60, "leads in the store")


def test_from_start(box):
    box.run_outreach()
    before = box.contents()
    summary = box.run_outreach("s.db", "--from-start", "--format", "json").json()
    same((summary["lines"], summary["events"], summary["duplicates"]), (15, 0, 15), "lines, events and duplicates")
    box.same_contents(box.contents(), before)


def test_standard_input_twice(box):
    stream = "".join(json.dumps(row) + "\n" for row in leads(10))
    run = ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", "-", "--store", "s.db", "--format", "json")
    same(box.ensue(*run, stdin=stream).exits(FINE).json()["events"], 10, "events of the first run")
    before = box.contents()
    summary = box.ensue(*run, stdin=stream).exits(FINE).json()
    same((summary["events"], summary["duplicates"]), (0, 10), "events and duplicates of the second run")
    box.same_contents(box.contents(), before)


def test_two_streams_in_one_store(box):
    """Each stream has its own place; what one has read is no news of the other."""
    one, two = box.lines("one.ndjson", leads(5)), box.lines("two.ndjson", leads(5, start=50))
    run = ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--store", "s.db", "--format", "json")
    for events in (one, two):
        same(box.ensue(*run, "--events", events).exits(FINE).json()["events"], 5, f"events of {events.name}")
    for events in (one, two):
        same(box.ensue(*run, "--events", events).exits(FINE).json()["lines"], 0, f"lines of {events.name} the second time")
    same(box.ensue(*run, "--events", one, "--source", "another").exits(FINE).json()["events"], 5, "events under another name")


def test_a_compiled_program_is_kept_beside_the_store(box):
    """The second start reads it, and nobody sees a difference; what is wrong with it is nobody's trouble."""
    kept, never = box.path("s.db-program"), box.path("t.db-program")

    def run(number):
        stream = box.lines(f"events{number}.ndjson", leads(4, start=number * 10))
        words = ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", stream, "--quiet", "--store")
        if never.exists():
            never.unlink()
        box.ensue(*words, "t.db").exits(FINE)
        return box.ensue(*words, "s.db").exits(FINE)
    first = run(1)
    expect(kept.exists(), "nothing is kept beside the store")
    whole, written = kept.read_bytes(), kept.stat().st_mtime_ns
    run(2)
    same(kept.stat().st_mtime_ns, written, "the time it was written: a start that takes it leaves it alone")
    for number, damaged in enumerate((whole[:-1], whole[:40], b"", whole[:200] + b"?" + whole[201:], whole[:20] + b"?" + whole[21:]), 3):
        kept.write_bytes(damaged)
        same(run(number).err, first.err, "what is said of a damaged one")
        expect(kept.read_bytes() == whole, "it is written anew")
    kept.unlink()
    kept.mkdir()
    same(run(8).err, first.err, "what is said where it cannot be written")
    expect(kept.is_dir(), "what cannot be replaced stays")
    box.same_contents(box.contents("s.db"), box.contents("t.db"))


def test_a_compiled_program_follows_its_sources(box):
    rules = box.write("rules/r.ensue", '''cadence "C"
  targets Lead
  track main
    step "Call" immediately: call
end
action "First" by "ana@x.test"
  when Lead is created
  for my records
  if Company is "never"
  then add it to cadence "C"
end
''')
    events = box.lines("few.ndjson", leads(1))
    run = ("run", rules, "--events", events, "--store", "s.db")
    box.ensue(*run).exits(FINE)
    before = box.path("s.db-program").read_bytes()
    rules.write_text(rules.read_text().replace("First", "Other"))
    box.ensue(*run, "--dry-run").exits(FINE)
    expect(box.path("s.db-program").read_bytes() == before, "a dry run changes nothing")
    box.ensue(*run).exits(FINE)
    expect(box.path("s.db-program").read_bytes() != before, "another source, another compiled program")
    rules.write_text(rules.read_text().replace("end\n", "", 1))
    kept = box.path("s.db-program").read_bytes()
    box.ensue(*run).exits(WRONG)
    expect(box.path("s.db-program").read_bytes() == kept, "a program with errors is not kept")


def test_batches_do_not_matter(box):
    events = box.lines("many.ndjson", leads(60))
    run = ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", events)
    stores = []
    for batch in ("1", "7", "100000"):
        box.ensue(*run, "--store", f"{batch}.db", "--batch", batch).exits(FINE)
        stores.append(box.contents(f"{batch}.db"))
    box.same_contents(stores[1], stores[0])
    box.same_contents(stores[2], stores[0])


if __name__ == "__main__":
    support.main(globals(), jobs=2)
