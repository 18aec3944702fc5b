"""Keeping a store: recounting its counters, checking, backing up, compacting and archiving it."""
import json
import sqlite3

import support
from support import FINE, USAGE, WORLD, WRONG, expect, has, same


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


if __name__ == "__main__":
    support.main(globals(), jobs=2)
