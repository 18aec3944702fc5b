"""The clock of the machine is set while the program runs: no counter begins anew, and none runs over."""
import json
import os
import select
import subprocess
import time
from pathlib import Path

import support
from support import FINE, WRONG, NotRun, expect, same

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")

AUTOMATIONS = '''
action "Tidy" by "ana@x.test"
  when Lead is created or edited
  for my records
  if NumberOfEmployees >= 1
  then remove it from all cadences
end
limits "Days"
  each user: at most 2 action executions per day
  day starts at 00:00 in "Europe/Paris"
end
'''

USERS = [{"entity": "User", "ids": ["005ana"], "kind": "snapshot", "at": "2026-03-01T00:00:00Z", "set": {"Username": "ana@x.test"}}]


class Node:
    """`ensue run` with the clock of the machine, which reads what `show` says."""

    def __init__(self, box, shown):
        if os.environ.get("ENSUE_SANITIZE"):
            raise NotRun("a sanitizer and faketime both want to be loaded first")
        if not FAKETIME.exists():
            raise NotRun(f"needs {FAKETIME}, of the package faketime")
        box.write("a.ensue", AUTOMATIONS)
        box.lines("users.ndjson", USERS)
        self.file = box.path("shown")
        self.show(shown)
        self.environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.checked()
        self.run = box.start("run", "a.ensue", "--records", "users.ndjson", "--events", "-", "--clock", "wall", "--store", "s.db",
                             "--output", "ndjson", "--batch", "1", feed=True, piped=True, env=self.environment)
        self.events = 0

    def show(self, text):
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(f"@{text}\n")
        fresh.rename(self.file)

    def checked(self):
        """The wall clock moves and the time since the machine started does not; else nothing here means anything."""
        code = "import time; print(time.strftime('%Y', time.gmtime()), time.clock_gettime(time.CLOCK_BOOTTIME))"
        year, boot = subprocess.run(["python3", "-c", code], env={**os.environ, **self.environment, "TZ": "UTC"}, capture_output=True, text=True,
                                    check=True).stdout.split()
        same(year, self.file.read_text()[1:5], "the year that faketime shows")
        expect(abs(float(boot) - time.clock_gettime(time.CLOCK_BOOTTIME)) < 600, "faketime moves the time since the machine started")

    def edit(self, at):
        """The status of the decision on one edit, whose time is `at`."""
        self.events += 1
        self.run.write(json.dumps({"id": f"e{self.events}", "entity": "Lead", "ids": ["00Q1"], "kind": "update", "at": at,
                                   "set": {"OwnerId": "005ana", "NumberOfEmployees": self.events}}) + "\n")
        out = self.run.process.stdout
        ready, _, _ = select.select([out], [], [], 60)
        expect(ready, f"no decision on the edit at {at}; standard error {support.short(self.run.stderr_so_far())}")
        return json.loads(out.readline())["status"]

    def end(self):
        self.run.close_input()
        return self.run.wait().exits(FINE)


def test_a_jump_forward_opens_no_day(box):
    node = Node(box, "2026-03-10 12:00:00")
    same([node.edit(f"2026-03-10T12:00:0{n}Z") for n in range(3)], ["executed", "executed", "suppressed"], "on the first day")
    node.show("2026-03-14 12:00:00")
    same(node.edit("2026-03-10T12:01:00Z"), "suppressed", "after a jump that nothing confirms")
    same([node.edit(f"2026-03-14T12:02:0{n}Z") for n in range(3)], ["executed", "executed", "suppressed"], "once the events agree")
    ended = node.end()
    expect("2026-03-14" in ended.err, f"nothing is said of the jump: {support.short(ended.err)}")
    box.ensue("limits", "--verify", "--store", "s.db").exits(FINE)


def test_a_clock_set_back_opens_no_day_again(box):
    node = Node(box, "2026-03-10 23:30:00")  # 00:30 of the 11th in Paris
    same([node.edit(f"2026-03-10T23:30:0{n}Z") for n in range(2)], ["executed"] * 2, "on the first day")
    node.show("2026-03-10 22:30:00")  # 23:30 of the 10th
    same([node.edit(f"2026-03-10T22:30:0{n}Z") for n in range(3)], ["suppressed"] * 3, "an hour back, before midnight")
    node.show("2026-03-08 12:00:00")
    same(node.edit("2026-03-08T12:00:00Z"), "suppressed", "two days back")
    node.end()
    counters = {day: used for day, used in
                subprocess_rows(box, "SELECT day, used FROM quota WHERE scope = 'user' AND used > 0")}
    same(counters, {"2026-03-11": "2"}, "days charged to")


def test_a_restart_believes_no_other_day(box):
    node = Node(box, "2026-03-10 12:00:00")
    same([node.edit(f"2026-03-10T12:00:0{n}Z") for n in range(2)], ["executed"] * 2, "before the restart")
    node.end()
    node = Node(box, "2026-03-09 12:00:00")
    node.events = 10
    same(node.edit("2026-03-09T12:00:00Z"), "suppressed", "a day back after the restart")
    node.end()
    node = Node(box, "2026-03-11 12:00:00")
    node.events = 20
    same([node.edit(f"2026-03-11T12:00:0{n}Z") for n in range(3)], ["executed", "executed", "suppressed"], "on the next day")
    node.end()


def subprocess_rows(box, sql):
    out = subprocess.run(["sqlite3", "-separator", " ", str(box.path("s.db")), sql], capture_output=True, text=True, check=True).stdout
    return [line.split(" ") for line in out.splitlines()]


if __name__ == "__main__":
    support.main(globals(), jobs=2)
