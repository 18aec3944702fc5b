#!/usr/bin/env python3
"""Instructions an event, counted by callgrind: a check that noise cannot move.

From JSON bytes to matched rules; and through the whole engine into SQLite, with limits and without, one event in ten executing an action.

    python3 bench/instructions.py build/release [--update] [--annotate]

Compares with what bench/instructions.json keeps, and fails when one figure is over 5 % worse. `--update` keeps the new figures: do so
in the commit that changes them, and say why. Figures of another compiler or another simdjson are printed and not compared.
`--annotate` prints where the instructions are spent.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys

KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.json")
EVENTS = 2000
ENGINE_EVENTS = 8000  # sixteen commits: what only the first ones cost counts for little
WORSE = 1.05
LIMITS_MAX = 1.05
RUNS = [(kind, size) for kind in ("owned", "all") for size in (1000, 10000)]


def count(program, words, title, events, annotate):
    """Instructions an event, and what the program printed."""
    out = f"{program}.callgrind"
    done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={out}", program, *words],
                          capture_output=True, text=True, cwd=os.path.dirname(program))
    if done.returncode != 0:
        sys.exit(f"{os.path.basename(program)} under valgrind ended with {done.returncode}:\n{done.stderr[-2000:]}")
    with open(out) as file:
        total = next(int(line.split()[1]) for line in file if line.startswith(("totals:", "summary:")))
    if annotate:
        text = subprocess.run(["callgrind_annotate", "--threshold=85", out], capture_output=True, text=True, check=True).stdout
        print(f"\n{title}")
        for line in text.splitlines():
            row = re.match(r"\s*([\d,]+) \(\s*([\d.]+)%\)\s+\S*?:(.*?)(\[\S*\])?$", line)
            if row:
                print(f"  {float(row[2]):5.1f} %  {int(row[1].replace(',', '')) / events:8.1f}  {row[3].strip()[:110]}")
    os.remove(out)
    return total / events, done.stdout


def matching(program, kind, size, annotate):
    """Instructions an event, and which simdjson read them."""
    each, told = count(program, ["--only", kind, "--sizes", str(size), "--events", str(EVENTS), "--profile-events", str(EVENTS)],
                       f"{kind}, {size} rules", EVENTS, annotate)
    return each, re.search(r"simdjson (\S+)", told)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--annotate", action="store_true")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        print("instructions: not counted: no valgrind here (apt-get install valgrind, then configure again)")
        return
    folder = os.path.join(os.path.abspath(arguments.build), "bench")
    kept = {"figures": {}}
    if os.path.exists(KEPT):
        with open(KEPT) as file:
            kept = json.load(file)
    figures = {}
    for kind, size in RUNS:
        each, reader = matching(os.path.join(folder, "bench_matching"), kind, size, arguments.annotate)
        figures[f"{kind} {size}"] = round(each, 1)
    for side in ("without", "with"):
        name = f"engine, {side} limits"
        each, _ = count(os.path.join(folder, "bench_limits"), ["--events", str(ENGINE_EVENTS), "--side", side], name, ENGINE_EVENTS,
                        arguments.annotate)
        figures[name] = round(each, 1)
    with open(os.path.join(os.path.abspath(arguments.build), "CMakeCache.txt")) as file:
        compiler = re.search(r"CMAKE_CXX_COMPILER:\w+=(.*)", file.read())[1]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    made_by = f"{version}, simdjson {reader}"
    comparable = kept.get("made_by") == made_by
    print(f"\ninstructions an event, {EVENTS} events, {ENGINE_EVENTS} through the engine, {made_by}")
    limits = figures["engine, with limits"] / figures["engine, without limits"]
    print(f"  limits cost {limits - 1:.1%} of the engine's instructions (asked: at most {LIMITS_MAX - 1:.0%})")
    worse = []
    for name, now in figures.items():
        before = kept["figures"].get(name)
        print(f"  {name:<23} {now:10.1f}" + (f"   {now / before - 1:+7.2%} to the {before} kept" if before else "   none kept"))
        if before and comparable and now > before * WORSE:
            worse.append(name)
    if arguments.update:
        with open(KEPT, "w") as file:
            json.dump({"made_by": made_by, "events": EVENTS, "engine_events": ENGINE_EVENTS, "figures": figures}, file, indent=2)
            file.write("\n")
        print(f"kept in {os.path.relpath(KEPT)}")
    elif not comparable:
        print(f"not compared: the figures kept are of {kept.get('made_by', 'nobody')}")
    elif worse:
        sys.exit(f"over 5 % more instructions: {', '.join(worse)}")


if __name__ == "__main__":
    main()
