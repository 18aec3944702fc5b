"""A run that is killed at any moment is finished by the next: the same totals, nothing twice, nobody over a limit."""
import collections
import concurrent.futures
import json
import os
import random
import re
import signal
import time

import support
from support import FINE, INTERRUPTED, WORLD, WRONG, Failure, expect, same

SEED = int(os.environ.get("ENSUE_TEST_SEED", "20260101"))
EVENTS = 20_000
USERS = 12
PER_DAY = 2
TRIALS = int(os.environ.get("ENSUE_KILL_TRIALS", "10"))
DEAD = 20

AUTOMATIONS = f'''
cadence "Outreach"
  track main
    step "Call" after 1 day: call
end

action "Hot in" by "u0@x.test" priority 1
  when Lead is created
  for records of my team
  if Rating is "Hot" and LeadSource is "Web"
  then add it to cadence "Outreach", assigned to me
end

action "Own in" by "u1@x.test"
  when Lead is created or edited
  for my records
  and newly meets Status is "Working"
  then add it to cadence "Outreach"
end

action "Out" by "u0@x.test"
  when Lead is created or edited
  for records of my team
  and newly meets Status is "Unqualified"
  then remove it from all cadences, with disposition "Disqualified"
end

action "Offer" by "u2@x.test"
  when Lead is created or edited
  for my records
  if Status is "Working" and Rating is "Cold"
  then remind me within 2 days, expiring after 5 days to add it to cadence "Outreach"
end

flow "Welcome"
  when Lead is created
  and meets LeadSource is "Phone" and Rating is "Hot"
  run as the owner
  add it to cadence "Outreach"
end

limits "Two a day"
  each user: at most {PER_DAY} action executions per day, at most 9 flow executions per day
end

limits "Not at once"
  flow "Welcome": at most 20 executions per day
  when reached defer
end
'''


def generate(box, count):
    """The automations, the users and the stream, from the seed: creates, updates, deletions, repeated deliveries, wrong lines."""
    source = random.Random(SEED)
    box.write("rules/rules.ensue", AUTOMATIONS)
    users = [f"005{i:03}" for i in range(USERS)]
    box.lines("users.ndjson", [{"entity": "User", "ids": [user], "kind": "snapshot", "set": {
        "Username": f"u{i}@x.test", "Name": f"User {i}", "IsActive": True, **({"ManagerId": users[0]} if i else {})}}
        for i, user in enumerate(users)])
    at, leads, lines, given = 1_767_600_000_000, 0, [], []
    wrong = set(source.sample(range(100, count), DEAD))
    for i in range(count):
        at += source.randrange(0, 240_000)
        dice = source.random()
        if i in wrong:
            lines.append(f'{{"id":"bad-{i}","entity":"Leed","ids":["x"],"kind":"create","at":{at}}}')
            continue
        if given and dice < 0.1:
            lines.append(source.choice(given[-200:]))  # delivered again
            continue
        event = {"id": f"e{i}", "entity": "Lead", "at": at, "by": source.choice(users)}
        if leads < 10 or dice < 0.4:
            leads += 1
            event.update(ids=[f"00Q{leads}"], kind="create", set={
                "LastName": f"Lead {leads}", "LeadSource": source.choice(["Web", "Phone"]), "Rating": source.choice(["Hot", "Cold"]),
                "Status": "Open", "OwnerId": source.choice(users)})
        elif dice < 0.42:
            event.update(ids=[f"00Q{source.randrange(1, leads + 1)}"], kind="delete")
        else:
            event.update(ids=[f"00Q{source.randrange(max(1, leads - 300), leads + 1)}"], kind="update",
                         set={"Status": source.choice(["Open", "Working", "Unqualified"])})
        lines.append(json.dumps(event))
        given.append(lines[-1])
    box.lines("events.ndjson", lines)
    return lines


def words(box, store, *more):
    return ("run", box.path("rules"), "--records", box.path("users.ndjson"), "--events", box.path("events.ndjson"), "--store", store, *more)


class Totals:
    """What a finished store says. Lines are not compared: the records are read again by every run, and count as lines."""

    def __init__(self, box, store, ended):
        self.store = {name: count for name, count in ended.json()["store"].items() if name != "lines"}
        self.contents = box.contents(store)
        self.runs = [json.loads(line) for line in self.contents["runs"].split("\n") if line]

    def like(self, box, other, what):
        try:
            same(self.store, other.store, "totals")
            box.same_contents(self.contents, other.contents)
        except Failure as failure:
            raise Failure(f"{what}: {failure}") from None


def finish(box, store, *more):
    ended = box.ensue(*words(box, store, "--format", "json", *more))
    return Totals(box, store, ended.exits(WRONG if ended.code == WRONG else FINE))  # 1: dead letters were among the rest


def nobody_over_the_limit(totals):
    used = collections.Counter()
    for run in totals.runs:
        if run["kind"] == "action" and run["status"] in ("executed", "failed"):
            used[run["user"], run["at"][:10]] += 1
    expect(used and max(used.values()) <= PER_DAY, f"over the limit: {used.most_common(3)}")
    expect(max(used.values()) == PER_DAY, "the limit was never reached: the test does not bite")
    for row in json.loads(totals.contents["limits"]):
        expect(row["used"] <= row["max"], f"over the limit: {row}")
    # Each run is for one event of one record: a repeated one would show as the same line but for its number.
    for number, run in enumerate(reversed(totals.runs), 1):
        same(run["seq"], number, "the numbers of the runs")


def killed_run(box, store, batch, seconds, seq):
    """Starts a run and kills it after `seconds`, or when it has printed decision `seq`, whichever is first. The last one printed."""
    started = box.start(*words(box, store, "--output", "ndjson", "--quiet", "--batch", batch), piped=True)
    out = started.process.stdout
    os.set_blocking(out.fileno(), False)
    deadline, last, tail = time.monotonic() + seconds, 0, b""
    while time.monotonic() < deadline and last < seq and started.running():
        try:
            chunk = os.read(out.fileno(), 1 << 16)
        except BlockingIOError:
            time.sleep(0.002)
            continue
        if not chunk:
            break
        tail = tail[-200:] + chunk
        seen = re.findall(rb'"seq":(\d+),', tail)
        last = int(seen[-1]) if seen else last
    started.signal(signal.SIGKILL)
    os.set_blocking(out.fileno(), True)
    ended = started.wait(killed=True)
    if ended.code not in (FINE, WRONG, -signal.SIGKILL):
        ended.exits(WRONG)
    return ended.code == -signal.SIGKILL, last


def one_trial(box, trial, whole):
    source = random.Random(SEED * 1000 + trial)
    store, batch = f"t{trial}.db", (1, 7, 500)[trial % 3]
    decisions = len(whole.runs)
    # Early: while the program starts, makes the store or takes the records in. Then anywhere, by what was printed. Batches of
    # one line are slow, for each is written through to the disk: those runs are cut by time and the last is done in larger ones.
    points = [(source.uniform(0.0, 0.15), decisions)]
    points += [(source.uniform(0.2, 1.0) if batch < 500 else 60, seq) for seq in sorted(source.sample(range(1, decisions), 2))]
    done = [killed_run(box, store, batch, *point) for point in points]
    # Late: near the end, in the batches of 500.
    done.append(killed_run(box, store, 500, 60, decisions - source.randrange(20, 700)))
    finish(box, store, "--batch", source.choice(("7", "500"))).like(box, whole, f"trial {trial} (seed {SEED}, batch {batch}, killed at {done})")
    for name in ("", "-wal", "-shm", "-lock"):
        box.path(store + name).unlink(missing_ok=True)
    return done


def test_killed_runs_are_finished(box):
    print(f"      killed runs: seed {SEED} (ENSUE_TEST_SEED)")
    generate(box, EVENTS)
    whole = finish(box, "whole.db")
    expect(whole.store["duplicates"] > 1000 and whole.store["dead_letters"] == DEAD, f"the stream is not what it should be: {whole.store}")
    for status in ("executed", "reminded", "suppressed", "deferred"):
        expect(whole.store[status] > 0, f"no run is {status}: {whole.store}")
    nobody_over_the_limit(whole)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = [kill for trial in pool.map(lambda trial: one_trial(box, trial, whole), range(TRIALS)) for kill in trial]
    hits = [last for hit, last in done if hit]
    listed = sorted(hits) if len(hits) <= 40 else f"{min(hits)} to {max(hits)}"
    print(f"      {len(hits)} of {len(done)} runs were killed, after decisions {listed} of {len(whole.runs)}")
    expect(len(hits) >= 2 * TRIALS, f"only {len(hits)} of {len(done)} runs were killed before they ended")
    expect(min(hits) == 0, "none was killed before its first decision")
    expect(max(hits) > len(whole.runs) * 9 // 10, "none was killed near its end")


def test_killed_while_the_store_is_made(box):
    source = random.Random(SEED)
    box.run_outreach("calm.db")
    expected = box.contents("calm.db")
    killed = 0
    for trial in range(12):
        store = f"t{trial}.db"
        started = box.start("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", box.outreach / "events.ndjson",
                            "--store", store, "--batch", "1")
        started.until_written(box.path(store))
        time.sleep(source.uniform(0, 0.08))
        started.signal(signal.SIGKILL)
        killed += started.wait(killed=True).code == -signal.SIGKILL
        box.run_outreach(store)
        box.same_contents(box.contents(store), expected)
    expect(killed > 0, "none was killed before it ended")


def stopped(box, number, name):
    lines = len(generate(box, 4000))
    whole = finish(box, "whole.db")
    started = box.start(*words(box, "s.db", "--output", "ndjson", "--batch", "7"), piped=True)
    expect(os.read(started.process.stdout.fileno(), 1) == b"{", "the run prints no decisions")
    started.signal(number)
    ended = started.wait().exits(INTERRUPTED)
    found = re.search(r"ensue: stopped at line (\d+) of events\.ndjson; everything up to there is committed", ended.err)
    expect(found, f"no message with the line: {support.short(ended.err)}")
    line = int(found[1])
    expect(0 < line < lines, f"stopped at line {line} of {lines}")
    ended = box.ensue(*words(box, "s.db", "--format", "json")).exits(WRONG)
    same(ended.json()["lines"], lines - line, f"lines of the run after {name}")
    Totals(box, "s.db", ended).like(box, whole, f"after {name} at line {line}")


def test_ctrl_c(box):
    stopped(box, signal.SIGINT, "SIGINT")


def test_sigterm(box):
    stopped(box, signal.SIGTERM, "SIGTERM")


def test_ctrl_c_while_waiting_for_input(box):
    """Lines that had come are done before it stops."""
    box.run_outreach()
    for store, word in ((("--store", "s.db"), "committed"), ((), "done")):
        started = box.start("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", "-", "--output", "ndjson", *store, feed=True)
        started.write(json.dumps({"id": f"k-{word}", "entity": "Lead", "ids": ["00K1"], "kind": "create", "at": "2026-05-01T08:00:00Z",
                                  "set": {"LastName": "Kay", "LeadSource": "Web", "Rating": "Hot", "Email": "k@x.test", "OwnerId": "005ana"}}) + "\n")
        support.at_rest(started.pid)
        started.signal(signal.SIGINT)
        ended = started.wait().exits(INTERRUPTED, f"stopped at line 1 of standard input; everything up to there is {word}")
        same([row["record"] for row in ended.json_lines()], ["Lead/00K1"], "decisions")
    box.ensue("records", "Lead/00K1", "--store", "s.db").exits(FINE)


def test_reader_that_goes_away(box):
    """`ensue run … | head`: the store is whole, and the run can be finished."""
    generate(box, 4000)
    whole = finish(box, "whole.db")
    started = box.start(*words(box, "s.db", "--output", "ndjson", "--batch", "50"), piped=True)
    os.read(started.process.stdout.fileno(), 100)
    started.process.stdout.close()
    started.process.stdout = None
    ended = started.wait(killed=True)
    expect(ended.code in (-signal.SIGPIPE, WORLD), f"without a reader the run exits {ended.code}")
    finish(box, "s.db").like(box, whole, "after the reader went away")


def test_killed_formatting_leaves_the_old_or_the_new(box):
    source = random.Random(SEED)
    old = "".join(f'action   "A{i}"  by "ana"\n when Lead is created\n  then   remove it from all cadences\nend\n' for i in range(40))
    box.write("new.ensue", old)
    box.ensue("fmt", "new.ensue").exits(FINE)
    new = box.path("new.ensue").read_text()
    expect(new != old, "there is nothing to format")
    for _ in range(8):
        box.write("f/a.ensue", old)
        started = box.start("fmt", "f")
        time.sleep(source.uniform(0, 0.05))
        started.signal(signal.SIGKILL)
        started.wait(killed=True)
        expect(box.path("f/a.ensue").read_text() in (old, new), "a killed fmt leaves half a file")
        box.ensue("fmt", "f").exits(FINE)
        same(box.path("f/a.ensue").read_text(), new, "the file formatted after all")


if __name__ == "__main__":
    support.main(globals())
