"""`ensue serve` as its users run it: a real process, real HTTP on loopback, a real store.

Nothing here waits for a time: it waits for a condition, and gives up only after far longer than it needs.
"""
import concurrent.futures
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import store
import support
from support import FINE, INTERRUPTED, USAGE, WORLD, WRONG, Failure, expect, has, lacks, same

PATIENCE = 60  # seconds, for conditions that hold after milliseconds

CADENCE = 'cadence "Outreach"\n  targets Lead\n  track main\n    step "Call" immediately: call\nend\n'
# More than the CRM allows, so that no limit stands in the way of counting.
ROOM = 'limits "Tests"\n  each user: at most 100_000 action executions per day\n  whole org: at most 100_000 action executions per day\nend\n'
ADD = CADENCE + ROOM + 'action "Hot" by "ana"\n  when Lead is created or edited\n  for my records\n  if Rating is "Hot"\n  then add it to cadence "Outreach"\nend\n'
USER = {"entity": "User", "ids": ["005ana"], "kind": "snapshot", "set": {"Username": "ana", "Name": "Ana", "IsActive": True}}


def lead(number, rating="Hot"):
    """An event of its own: a lead that is created."""
    return {"id": f"e-{number}", "entity": "Lead", "ids": [f"00Q{number:05}"], "kind": "create", "at": "2026-01-05T14:00:00Z",
            "by": "005ana", "set": {"LastName": f"Roe {number}", "Company": "X", "Rating": rating, "OwnerId": "005ana"}}


def until(condition, what, daemon=None):
    """Waits until the condition gives something true, and gives that."""
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = condition()
        if seen:
            return seen
        if daemon is not None and not daemon.process.running():
            raise Failure(f"the daemon ended before {what}; its log: {support.short(daemon.log_text(), 1500)}")
        if time.monotonic() > deadline:
            raise Failure(f"never saw {what}" + (f"; the log: {support.short(daemon.log_text(), 1500)}" if daemon else ""))
        time.sleep(0.005)


class Daemon:
    """A daemon under way on a port of its own choice."""

    def __init__(self, box, *words, store="s.db", sources="flows", listen="127.0.0.1:0", wait=True, **options):
        self.box = box
        self.process = box.start("serve", sources, "--store", store, "--listen", listen, "--log-format", "json", *words, **options)
        self.port = None
        if wait:
            self.told("ready")
            self.port = int(self.told("listening")["address"].rsplit(":", 1)[1])

    def log_text(self):
        return self.process.stderr_so_far()

    def log(self):
        rows = []
        for line in self.log_text().split("\n")[:-1]:
            try:
                rows.append(json.loads(line))
            except ValueError:
                raise Failure(f"a line of the log is not JSON: {support.short(line)}") from None
        return rows

    def told(self, message, times=1, **fields):
        """The row of the log that says so for the n-th time, once it does."""
        def look():
            rows = [row for row in self.log() if message in row["message"] and all(row.get(n) == v for n, v in fields.items())]
            return rows[times - 1] if len(rows) >= times else None
        return until(look, f"{message!r} in the log", self)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
            kind = answer.getheader("Content-Type", "")
            return answer.status, (json.loads(text) if kind == "application/json" else text), answer
        finally:
            connection.close()

    def post(self, rows, path="/events"):
        body = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
        status, told, _ = self.ask("POST", path, body)
        return status, told

    def metrics(self):
        """Samples by name and labels, as they stand in the text."""
        status, text, answer = self.ask("GET", "/metrics")
        same((status, answer.getheader("Content-Type")), (200, "text/plain; version=0.0.4; charset=utf-8"), "the answer")
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")}

    def stop(self, number=signal.SIGTERM, code=FINE):
        began = time.monotonic()
        self.process.signal(number)
        ended = self.process.wait().exits(code)
        expect(time.monotonic() - began < 5, f"the daemon took {time.monotonic() - began:.1f} s to stop")
        return ended

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.wait(killed=True)


def flows(box, text=ADD):
    return box.write("flows/a.ensue", text)


def run_counts(box, store="s.db"):
    """How often each record was acted on."""
    out = {}
    for row in box.ensue("runs", "--store", store, "--count", "1000000", "--format", "json").exits(FINE).json_lines():
        out[row["record"]] = out.get(row["record"], 0) + 1
    return out


# ---- HTTP -------------------------------------------------------------------------------------------------------------------


def test_events_over_http(box):
    flows(box)
    daemon = Daemon(box)
    same(daemon.post([USER, lead(1), lead(2, "Cold")]),
         (200, {"lines": 3, "events": 2, "duplicates": 0, "snapshots": 1, "gaps": 0, "decisions": 1, "dead_letters": []}), "the answer")
    # Sent again, it says the same without doing it.
    same(daemon.post([lead(1), lead(2, "Cold")])[1]["duplicates"], 2, "duplicates")
    # Committed when it is answered: another process sees it at once.
    same(run_counts(box), {"Lead/00Q00001": 1}, "runs")
    # Bad lines are told with their place, the good ones beside them count.
    status, told = daemon.post([lead(3), "{bad", {"entity": "Nope", "ids": ["1"], "kind": "create", "at": "2026-01-05T14:00:00Z"}, lead(4)])
    same((status, told["events"], [row["line"] for row in told["dead_letters"]]), (422, 2, [2, 3]), "the answer to bad lines")
    has(told["dead_letters"][1]["reason"], "unknown object", "the reason")
    # Without an id nobody could tell a repeated event from a new one.
    bare = {name: value for name, value in lead(5).items() if name != "id"}
    status, told = daemon.post([bare])
    same((status, told["events"]), (422, 0), "the answer to an event without an id")
    has(told["dead_letters"][0]["reason"], "has no id", "the reason")
    # Streams that name themselves have ids of their own.
    same(daemon.post([lead(1)], "/events?source=other")[1]["events"], 1, "events of another source")
    same(len(box.ensue("dead-letters", "--store", "s.db", "--format", "json").exits(FINE).json()), 3, "dead letters")
    daemon.stop()


def test_what_is_no_request(box):
    flows(box)
    daemon = Daemon(box, "--body-mib", "1")
    same(daemon.ask("POST", "/events", "")[0], 400, "an empty body")
    status, told, _ = daemon.ask("POST", "/events", "x" * (2 << 20))
    same(status, 413, "a body too large")
    status, _, _ = daemon.ask("POST", "/events", iter([b"y" * 65536] * 32))
    same(status, 413, "a body too large in chunks")
    same(daemon.ask("GET", "/events")[0], 405, "GET of events")
    same(daemon.ask("GET", "/nothing")[0], 404, "a path that is not there")
    same(daemon.ask("POST", "/events?source=" + "s" * 300, "{}\n")[0], 400, "a source with a long name")
    for words in (b"this is no HTTP\r\n\r\n", b"POST /events HTTP/1.1\r\nContent-Length: ten\r\n\r\n", b"\x00\xff\xfe\r\n\r\n",
                  b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE) as connection:
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            expect(not answer or answer.split(b" ")[1][:1] == b"4", f"the answer to {words!r} is {answer[:100]!r}")
    # A body that breaks off counts for nothing.
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE) as connection:
        line = json.dumps(lead(1)).encode() + b"\n"
        connection.sendall(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (len(line) + 10) + line)
    same(daemon.post([USER, lead(2)])[0], 200, "the daemon still answers")
    same(list(run_counts(box)), ["Lead/00Q00002"], "runs")
    metrics = daemon.metrics()
    expect(metrics['ensue_http_requests_total{code="413"}'] >= 2, "requests too large are counted")
    daemon.stop()


def test_health_readiness_metrics(box):
    flows(box)
    daemon = Daemon(box)
    same(daemon.ask("GET", "/healthz")[:2], (200, {"status": "alive"}), "health")
    status, told, _ = daemon.ask("GET", "/readyz")
    same((status, told["ready"], told["rules"]), (200, True, "current"), "readiness")
    daemon.post([USER, lead(1), "{bad"])
    daemon.post([lead(1)])
    metrics = daemon.metrics()
    for name, value in {'ensue_lines_total{source="http"}': 4, "ensue_events_total": 1, "ensue_duplicates_total": 1, "ensue_dead_lines_total": 1,
                        "ensue_dead_letters": 1, 'ensue_runs_total{status="executed"}': 1, 'ensue_runs_total{status="failed"}': 0,
                        'ensue_commit_seconds_count{source="http"}': 2, 'ensue_reloads_total{result="ok"}': 1, "ensue_ready": 1,
                        "ensue_rules_broken": 0, 'ensue_outbox{state="unknown"}': 0, "ensue_queue_lines": 0}.items():
        same(metrics.get(name), value, name)
    manual = (box.tree / "docs" / "formats.md").read_text(encoding="utf-8")
    for name in metrics:
        bare = name.split("{")[0]
        for ending in ("_bucket", "_sum", "_count"):
            bare = bare.removesuffix(ending) if bare.startswith("ensue_commit_") else bare
        has(manual, f"`{bare}`", "docs/formats.md")
    daemon.stop()


# ---- Rules ------------------------------------------------------------------------------------------------------------------


def test_broken_edit(box):
    path = flows(box)
    daemon = Daemon(box)
    daemon.post([USER, lead(1)])
    loaded_at = daemon.ask("GET", "/readyz")[1]["rules_loaded_at"]
    path.write_text(ADD.replace('"Hot"\n  then', '"Hot"\n  than'))
    row = daemon.told("the last good version stays in force")
    has(row["diagnostics"], "error[E", "the diagnostics in the log")
    has(row["diagnostics"], "a.ensue:", "their place")
    # The old rules act, events are taken, and who asks is told.
    status, told, _ = daemon.ask("GET", "/readyz")
    same((status, told["rules"], told["rules_loaded_at"]), (200, "last good", loaded_at), "readiness")
    same(daemon.post([lead(2)])[1]["decisions"], 1, "decisions by the last good rules")
    same(daemon.metrics()["ensue_rules_broken"], 1, "broken rules in the metrics")
    # Mended, and changed: Cold instead of Hot.
    path.write_text(ADD.replace('"Hot"\n', '"Cold"\n'))
    daemon.told("rules reloaded")
    same((daemon.post([lead(3)])[1]["decisions"], daemon.post([lead(4, "Cold")])[1]["decisions"]), (0, 1), "decisions by the new rules")
    same(daemon.ask("GET", "/readyz")[1]["rules"], "current", "the rules")
    # A file more, in a folder more.
    box.write("flows/more/b.ensue", 'action "Warm" by "ana"\n  when Lead is created\n  for my records\n  if Rating is "Warm"\n  then add it to cadence "Outreach"\nend\n')
    daemon.told("rules reloaded", times=2)
    same(daemon.post([lead(5, "Warm")])[1]["decisions"], 1, "decisions by the file that was added")
    # Gone again, the way editors and deployments do it: another file in its place.
    box.write("flows/more/new", "# nothing\n").rename(box.path("flows/more/b.ensue"))
    daemon.told("rules reloaded", times=3)
    same(daemon.post([lead(6, "Warm")])[1]["decisions"], 0, "decisions without it")
    daemon.stop()


def test_start_with_a_broken_edit(box):
    """The store keeps what was good; without a store that does, nothing starts."""
    path = flows(box, ADD.replace("then add", "than add"))
    Daemon(box, wait=False).process.wait().exits(WRONG, "the automations have errors")
    path.write_text(ADD)
    daemon = Daemon(box)
    daemon.post([USER])
    daemon.stop()
    path.write_text(ADD.replace("then add", "than add"))
    daemon = Daemon(box)
    daemon.told("those that the store was last run with act")
    same(daemon.ask("GET", "/readyz")[1]["rules"], "last good", "the rules")
    same(daemon.post([lead(1)])[1]["decisions"], 1, "decisions by the last good rules")
    daemon.stop()


def test_hangup(box):
    path = flows(box)
    daemon = Daemon(box)
    daemon.process.signal(signal.SIGHUP)
    daemon.told("the automations are as they were")
    path.write_text(ADD.replace('"Hot"\n', '"Cold"\n'))
    daemon.process.signal(signal.SIGHUP)
    daemon.told("rules reloaded")
    same(daemon.post([USER, lead(1, "Cold")])[1]["decisions"], 1, "decisions by the new rules")
    daemon.stop()


def test_service_manager(box):
    """What systemd is told, over its socket."""
    flows(box)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(box.path("notify")))
        manager.settimeout(PATIENCE)
        daemon = Daemon(box, env={"NOTIFY_SOCKET": str(box.path("notify"))})
        has(manager.recv(1000), "READY=1", "the first message")
        daemon.stop()
        has(manager.recv(1000), "STOPPING=1", "the last message")


# ---- Starting and stopping --------------------------------------------------------------------------------------------------


def test_signals(box):
    flows(box)
    daemon = Daemon(box)
    daemon.post([USER, lead(1)])
    daemon.stop(signal.SIGTERM, FINE)
    daemon = Daemon(box)
    same(daemon.post([lead(1), lead(2)])[1]["duplicates"], 1, "duplicates after a second start")
    # A client that holds its connection, and one that never ends its request, do not hold the daemon.
    idle = socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE)
    slow = socket.create_connection(("127.0.0.1", daemon.port), timeout=PATIENCE)
    slow.sendall(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    daemon.stop(signal.SIGINT, INTERRUPTED)
    idle.close()
    slow.close()
    same(sorted(run_counts(box)), ["Lead/00Q00001", "Lead/00Q00002"], "runs")


def test_two_daemons(box):
    flows(box)
    daemon = Daemon(box)
    second = Daemon(box, wait=False).process.wait().exits(WORLD, "the store is in use by process " + str(daemon.process.pid))
    lacks(second.err, '"ready"', "the log of the second")
    Daemon(box, store="t.db", listen=f"127.0.0.1:{daemon.port}", wait=False).process.wait().exits(WORLD, "cannot listen at 127.0.0.1:")
    same(daemon.post([USER, lead(1)])[0], 200, "the first still answers")
    # Looking is for everybody.
    box.ensue("limits", "--store", "s.db").exits(FINE)
    daemon.stop()


def test_bad_flags(box):
    flows(box)
    for words, part in ((("--listen", "nowhere"), "--listen"), (("--listen", "127.0.0.1:99999"), "--listen"), (("--clock", "sun"), "--clock"),
                        (("--log-format", "xml"), "--log-format"), (("--zone", "Mars"), "Mars"), (("--batch", "0"), "--batch"),
                        (("--follow", "a/x", "--follow", "b/x"), "two files are called x"), (("--body-mib", "0"), "--body-mib")):
        box.ensue("serve", "flows", "--store", "s.db", *words).exits(USAGE, part)
    box.ensue("serve", "flows").exits(USAGE, "--store")
    box.ensue("serve", "--store", "s.db").exits(USAGE, "PATH")
    box.ensue("serve", "gone", "--store", "s.db", "--listen", "127.0.0.1:0").exits(WORLD, "gone")
    box.ensue("serve", "flows", "--store", "no/such/folder/s.db", "--listen", "127.0.0.1:0").exits(WORLD, "no/such/folder")
    box.ensue("serve", "flows", "--store", "s.db", "--listen", "203.0.113.1:80").exits(WORLD, "cannot listen")


def test_timers(box):
    """They fire when they are due, without any event; also those that were set before the daemon was."""
    offer = ('action "Offer" by "ana"\n  when Lead is created\n  for my records\n'
             '  then remind me, expiring after {} to add it to cadence "Outreach"\nend\n')
    path = flows(box, CADENCE + offer.format("1 second"))

    def states():
        rows = box.ensue("reminders", "--state", "all", "--store", "s.db", "--format", "json").exits(FINE).json()
        return sorted(row["state"] for row in rows)

    daemon = Daemon(box)
    daemon.post([USER, lead(1)])
    until(lambda: states() == ["expired"], "the reminder that expired", daemon)
    path.write_text(CADENCE + offer.format("2 days"))
    daemon.told("rules reloaded")
    daemon.post([lead(2)])
    metrics = daemon.metrics()
    same((metrics["ensue_timers_pending"], metrics["ensue_timers_fired_total"]), (1, 1), "timers that wait, and that fired")
    expect(metrics["ensue_next_timer_timestamp_seconds"] > time.time() + 86_400, "the next timer is due in two days")
    path.write_text(CADENCE + offer.format("1 second"))
    daemon.told("rules reloaded", times=2)
    daemon.post([lead(3)])
    daemon.kill()
    daemon = Daemon(box)
    until(lambda: states() == ["expired", "expired", "open"], "the reminder that expired meanwhile", daemon)
    daemon.stop()


def test_daemon_was_down(box):
    """Firings that were missed meanwhile, by each policy, as `catch up` says; the counts stand in the metrics."""
    sweep = 'flow "Sweep {0}"\n  every day at 02:30 catch up {0}\n  log "x"\nend\n'
    flows(box, "".join(sweep.format(policy) for policy in ("all", "once", "never")))
    days = 40
    seen = time.time() - days * 86_400
    row = lead(1) | {"at": time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(seen))}
    box.ensue("run", "flows", "--events", box.lines("e.ndjson", [USER, row]), "--store", "s.db").exits(FINE)
    daemon = Daemon(box)

    def counts():
        metrics = daemon.metrics()
        return [tuple(int(metrics[f'ensue_schedule_{what}{{flow="Sweep {policy}"}}']) for what in ("runs", "missed"))
                for policy in ("all", "once", "never")]
    # Between the event and now lie as many firings as days, and one more when today's is over.
    firings = until(lambda: counts()[0][0] >= days and counts(), "the firings that were missed", daemon)[0][0]
    expect(firings in (days, days + 1), f"{firings} firings in {days} days")
    until(lambda: counts() == [(firings, 0), (1, firings - 1), (0, firings)], "the counts of each policy", daemon)
    daemon.stop()
    daemon = Daemon(box)
    same(counts(), [(firings, 0), (1, firings - 1), (0, firings)], "the counts after a restart")
    daemon.stop()


def test_full_disk(box):
    """Nothing is acknowledged, readiness falls, and with room again everything goes on."""
    disk = store.mounted(box, "disk", "2m")
    flows(box)
    crm = box.path("crm.ndjson")
    daemon = Daemon(box, "--follow", str(crm), store=disk / "s.db")
    daemon.post([USER])
    rows = [dict(lead(n), set=dict(lead(n)["set"], Description="d" * 4000)) for n in range(400)]
    parts = [rows[first:first + 20] for first in range(0, len(rows), 20)]
    answers = [daemon.post(part) for part in parts]
    statuses = [status for status, _ in answers]
    expect(statuses[0] == 200 and statuses[-1] == 503, f"answers: {statuses}")
    has(answers[-1][1]["error"], "disk is full", "the answer")
    # A small commit, tried in between, may find room and bring it back: it is looked at right after a refusal.
    seen = []

    def fallen():
        answers[-1] = daemon.post(parts[-1])
        seen[:] = daemon.ask("GET", "/readyz")
        return answers[-1][0] == 503 and seen[0] == 503

    until(fallen, "readiness falls", daemon)
    status, told, answer = seen
    same((status, told["ready"]), (503, False), "readiness")
    has(told["reason"], "disk is full", "the reason")
    expect(daemon.metrics()['ensue_refused_total{reason="full"}'] >= 1, "refusals are counted")
    append(crm, [dict(rows[0], id="from-file", ids=["00Qfile"])])
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    until(lambda: daemon.ask("GET", "/readyz")[0] == 200, "readiness with room again", daemon)
    for (status, _), part in zip(answers, parts):
        again = daemon.post(part)
        same((again[0], again[1]["duplicates"]), (200, 20 if status == 200 else 0), f"the answer to what was answered {status} before")
    until(lambda: "Lead/00Qfile" in run_counts(box, disk / "s.db"), "the line of the followed file", daemon)
    runs = run_counts(box, disk / "s.db")
    same((len(runs), set(runs.values())), (401, {1}), "records that were acted on, and how often")
    daemon.stop()


# ---- Standard input and followed files --------------------------------------------------------------------------------------


def test_standard_input(box):
    flows(box)
    daemon = Daemon(box, "--stdin", feed=True)
    daemon.process.write(json.dumps(USER) + "\n" + json.dumps(lead(1)) + "\n" + json.dumps(lead(2)))
    until(lambda: len(run_counts(box)) == 1, "the line that is complete", daemon)
    daemon.process.close_input()
    daemon.told("standard input has ended", lines="3")
    same(len(run_counts(box)), 2, "the last line counts, too")
    # The other doors stay open.
    same(daemon.post([lead(3)])[1]["decisions"], 1, "decisions after the end of standard input")
    daemon.stop()
    daemon = Daemon(box, "--stdin", feed=True)
    daemon.stop()


class Batches:
    """What was committed together since the last look."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.before = daemon.metrics()

    def take(self):
        """Commits; lines; commits of more lines than 50, than 500."""
        now, before = self.daemon.metrics(), self.before
        self.before = now

        def grown(name):
            return int(now[f"ensue_commit_lines_{name}"] - before[f"ensue_commit_lines_{name}"])
        commits = grown("count")
        return commits, grown("sum"), commits - grown('bucket{le="50"}'), commits - grown('bucket{le="500"}')


def halt(daemon):
    """Stops a daemon, all its threads, until SIGCONT."""
    daemon.process.signal(signal.SIGSTOP)

    def states():
        for task in Path(f"/proc/{daemon.process.pid}/task").iterdir():
            yield (task / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]

    until(lambda: set(states()) == {"T"}, "the daemon to halt", daemon)


def test_batches_follow_the_load(box):
    """Idle: one line is committed at once, alone. Busy: what came meanwhile goes together, up to the bound."""
    flows(box)
    crm = box.path("crm.ndjson")
    daemon = Daemon(box, "--stdin", "--follow", str(crm), "--batch", "50", feed=True)
    numbers = iter(range(100_000))

    def fresh(count):
        return [lead(next(numbers)) for _ in range(count)]

    def lines_of(door):
        return daemon.metrics().get(f'ensue_lines_total{{source="{door}"}}', 0)

    def until_taken(door, count):
        until(lambda: lines_of(door) == count, f"{count} lines by {door}", daemon)

    daemon.post([USER])
    batches = Batches(daemon)
    # Idle, each by its door: nothing else comes, and the line is worked on.
    same(daemon.post(fresh(1))[1]["decisions"], 1, "decisions")
    append(crm, fresh(1))
    until_taken("file", 1)
    daemon.process.write(json.dumps(fresh(1)[0]) + "\n")
    until_taken("stdin", 1)
    same(batches.take(), (3, 3, 0, 0), "commits of an idle daemon")
    # Busy: lines come while the daemon cannot look. They are taken together when it does.
    halt(daemon)
    append(crm, fresh(230))
    daemon.process.signal(signal.SIGCONT)
    until_taken("file", 231)
    same(batches.take(), (5, 230, 0, 0), "commits of a file that has grown by 230 lines")
    halt(daemon)
    daemon.process.write("".join(json.dumps(row) + "\n" for row in fresh(120)))
    daemon.process.signal(signal.SIGCONT)
    until_taken("stdin", 121)
    same(batches.take(), (3, 120, 0, 0), "commits of 120 lines on standard input")
    # Requests that come while a large one is at work, which is a commit of its own.
    large = fresh(3000)
    with concurrent.futures.ThreadPoolExecutor(11) as others:
        first = others.submit(daemon.post, large)
        until(lambda: daemon.metrics()["ensue_queue_lines"] >= len(large), "the large request", daemon)
        answers = [others.submit(daemon.post, fresh(3)) for _ in range(10)]
        for answer in [first, *answers]:
            same(answer.result()[0], 200, "the answer")
    commits, lines, over, far_over = batches.take()
    same((lines, over, far_over), (3030, 1, 1), "lines, and commits over the bound")
    expect(2 <= commits < 11, f"{commits} commits of 11 requests, ten of which came while the first was at work")
    daemon.stop()


def append(path, rows, end="\n"):
    with open(path, "a", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(row) for row in rows) + end)


def test_followed_file(box):
    """Through rotation, truncation, pauses and partial lines, each line acts once."""
    flows(box)
    crm = box.path("crm.ndjson")
    words = ("--follow", str(crm))
    daemon = Daemon(box, *words)

    def acted(count):
        until(lambda: len(run_counts(box)) == count, f"{count} runs", daemon)

    append(crm, [USER, lead(1)])  # it comes after the daemon does
    acted(1)
    line = json.dumps(lead(2))
    append(crm, [], line[:40])
    append(crm, [lead(3)], "")  # no: the two halves are one bad line
    append(crm, [], "\n")
    append(crm, [lead(4)])
    acted(2)
    # Renamed and written anew; the writer still holds the old one for a while.
    old = open(crm, "a", encoding="utf-8")
    crm.rename(box.path("crm.ndjson.1"))
    old.write(json.dumps(lead(5)) + "\n")
    old.close()
    acted(3)
    append(crm, [lead(6)])
    acted(4)
    # Copied and cut.
    box.write("crm.ndjson-20260105", crm.read_bytes())
    os.truncate(crm, 0)
    append(crm, [lead(7)])
    acted(5)
    daemon.stop()
    # While nobody looks: more lines, two rotations, more lines.
    append(crm, [lead(8)])
    box.path("crm.ndjson.1").rename(box.path("crm.ndjson.3"))
    crm.rename(box.path("crm.ndjson.2"))
    append(crm, [lead(9)])
    crm.rename(box.path("crm.ndjson.1"))
    append(crm, [lead(10)], "")
    box.write("crm.ndjson.1.gz", b"no lines")
    daemon = Daemon(box, *words)
    acted(7)
    append(crm, [], "\n")
    acted(8)
    daemon.told("goes on in")
    # Not one event was seen twice, and the bad line is the only one.
    daemon.kill()
    daemon = Daemon(box, *words)
    append(crm, [lead(11)])
    acted(9)
    same(set(run_counts(box).values()), {1}, "runs of each record")
    same(daemon.metrics().get("ensue_duplicates_total", 0), 0, "duplicates")
    same(len(box.ensue("dead-letters", "--store", "s.db", "--format", "json").exits(FINE).json()), 1, "dead letters")
    daemon.stop()


# ---- Killed -----------------------------------------------------------------------------------------------------------------


def test_killed_while_posting(box):
    """kill -9 in the middle of batches: what was answered is there, what was not is sent again, nothing acts twice."""
    flows(box)
    count, size, kills = 900, 15, 6
    state = {"daemon": Daemon(box)}
    state["daemon"].post([USER])
    answered = [0]
    again = threading.Event()

    def send(first):
        rows = [lead(n) for n in range(first, first + size)]
        while True:
            try:
                status, told = state["daemon"].post(rows)
                if status == 200:
                    same(told["events"] + told["duplicates"], size, "events answered for")
                    answered[0] += 1
                    return told["duplicates"]
            except (OSError, http.client.HTTPException):
                pass
            again.wait(0.01)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(send, first) for first in range(0, count, size)]
        for kill in range(kills):
            goal = (kill + 1) * (count // size) // (kills + 1)
            until(lambda: answered[0] >= goal, "answers")
            state["daemon"].kill()
            state["daemon"] = Daemon(box)
        duplicates = sum(future.result() for future in futures)
    runs = run_counts(box)
    same((len(runs), set(runs.values())), (count, {1}), "records that were acted on, and how often")
    expect(duplicates % size == 0, "requests were kept as a whole or not at all")
    state["daemon"].stop()
    box.ensue("limits", "--store", "s.db", "--verify").exits(FINE)


def test_killed_while_following(box):
    flows(box)
    crm = box.path("crm.ndjson")
    append(crm, [USER])
    count, kills = 2000, 5
    words = ("--follow", str(crm), "--batch", "20")
    done = threading.Event()

    def write():
        for first in range(0, count, 100):
            append(crm, [lead(n) for n in range(first, first + 100)])
            if first % 400 == 300:
                crm.rename(box.path(f"crm.ndjson.{first}"))
        append(crm, [lead(count)])
        done.set()

    daemon = Daemon(box, *words)
    writer = threading.Thread(target=write)
    writer.start()

    def events():
        with sqlite3.connect(f"file:{box.path('s.db')}?mode=ro", uri=True) as store:
            row = store.execute("select count(*) from run").fetchone()
        return row[0]

    for kill in range(kills):
        until(lambda: events() >= (kill + 1) * count // (kills + 2), "runs", daemon)
        daemon.kill()
        daemon = Daemon(box, *words)
    writer.join()
    until(lambda: events() >= count + 1, "all runs", daemon)
    daemon.stop()
    runs = run_counts(box)
    same((len(runs), set(runs.values())), (count + 1, {1}), "records that were acted on, and how often")


if __name__ == "__main__":
    support.main(globals(), jobs=2)
