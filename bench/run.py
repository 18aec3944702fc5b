#!/usr/bin/env python3
"""Speed and memory of `ensue run`, as ratios of two runs measured side by side.

    python3 bench/run.py build/release/ensue [--rounds 5] [--events 40000] [--seed 1]

Each comparison runs its two sides in turn, round by round, so that what else the machine does meets both; what is printed is the
median of the rounds' ratios with their spread. Absolute figures are printed for orientation; they belong to this machine.
"""
import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ACTION = '''action "Rule {n}" by "{author}"
  when Lead is created or edited
  for my records
  if LeadSource is "{source}" and NumberOfEmployees >= {size} and Rating is not "Cold"
  then add it to cadence "Outreach"
end

'''


def write_rules(path, people, rules):
    sources = ["Web", "Phone", "Partner", "Other"]
    with open(path, "w") as out:
        out.write('limits "Bench"\n  each user: at most 1_000_000 action executions per day\n'
                  '  whole org: at most 10_000_000 action executions per day\nend\n\n')
        for n in range(rules):
            out.write(ACTION.format(n=n, author=f"u{n % people}@x.test", source=sources[n % 4], size=100 + n))


def write_stream(folder, people, count, seed):
    chance = random.Random(seed)
    with open(os.path.join(folder, "records.ndjson"), "w") as out:
        for n in range(people):
            row = {"entity": "User", "ids": [f"005{n:04}"], "kind": "snapshot", "at": "2026-01-01T00:00:00Z",
                   "set": {"Username": f"u{n}@x.test", "IsActive": True}}
            out.write(json.dumps(row) + "\n")
    with open(os.path.join(folder, "events.ndjson"), "w") as out:
        leads = 0
        for n in range(count):
            create = leads == 0 or chance.random() < 0.5
            if create:
                leads += 1
            lead = leads if create else chance.randint(1, leads)
            fields = {"NumberOfEmployees": chance.randint(1, 500), "Rating": chance.choice(["Hot", "Warm", "Cold"])}
            if create:
                fields |= {"LastName": f"Name {lead}", "Company": "Co", "Status": "Open",
                           "LeadSource": chance.choice(["Web", "Phone", "Partner", "Other"]),
                           "OwnerId": f"005{chance.randrange(people):04}"}
            row = {"id": f"e{n}", "entity": "Lead", "ids": [f"00Q{lead}"], "kind": "create" if create else "update",
                   "at": 1767600000000 + n * 1000, "by": "005", "set": fields}
            row["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row["at"] / 1000))
            out.write(json.dumps(row) + "\n")


class Side:
    def __init__(self, name, command, before=None):
        self.name, self.command, self.before = name, command, before
        self.seconds, self.kilobytes = [], []

    def run(self):
        if self.before:
            self.before()
        begin = time.perf_counter()
        child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{self.name}: exit {child.returncode}\n{errors.decode()[-2000:]}")
        self.seconds.append(time.perf_counter() - begin)
        self.kilobytes.append(usage.ru_maxrss)


def compare(title, left, right, rounds):
    for number in range(rounds):
        for side in (left, right) if number % 2 == 0 else (right, left):
            side.run()
    ratios = sorted(b / a for a, b in zip(left.seconds, right.seconds))
    memory = statistics.median(right.kilobytes) / statistics.median(left.kilobytes)
    print(f"{title}")
    for side in (left, right):
        print(f"  {side.name:<34} {statistics.median(side.seconds):7.3f} s  {statistics.median(side.kilobytes) / 1024:7.1f} MiB")
    print(f"  second / first: time {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), memory {memory:.2f}\n")


def main():
    parser = argparse.ArgumentParser(description="Speed and memory of `ensue run`, as ratios")
    parser.add_argument("ensue")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.events} events, {options.rounds} rounds\n")
    with tempfile.TemporaryDirectory() as folder:
        people = 40
        few, many = os.path.join(folder, "few.ensue"), os.path.join(folder, "many.ensue")
        write_rules(few, people, 40)
        write_rules(many, people, 2_000)
        write_stream(folder, people, options.events, options.seed)
        store = os.path.join(folder, "bench.db")

        def remove_store():
            for ending in ("", "-wal", "-shm", "-lock"):
                if os.path.exists(store + ending):
                    os.remove(store + ending)

        def run(rules, *more):
            return [options.ensue, "run", rules, "--quiet", "--records", os.path.join(folder, "records.ndjson"),
                    "--events", os.path.join(folder, "events.ndjson"), *more]

        reader = [sys.executable, "-c", "import json,sys\nfor line in open(sys.argv[1]): json.loads(line)",
                  os.path.join(folder, "events.ndjson")]
        compare("40 automations and 2,000", Side("40 automations", run(few)), Side("2,000 automations", run(many)), options.rounds)
        compare("a store in memory and one on disk", Side("in memory", run(few)),
                Side("SQLite, 500 lines a commit", run(few, "--store", store), remove_store), options.rounds)
        compare("one commit for 500 lines and for 50", Side("500 lines a commit", run(few, "--store", store), remove_store),
                Side("50 lines a commit", run(few, "--store", store, "--batch", "50"), remove_store), options.rounds)
        compare("running the stream, and Python reading its JSON", Side("python3: json.loads of each line", reader),
                Side("ensue run, 40 automations", run(few)), options.rounds)


if __name__ == "__main__":
    main()
