#!/usr/bin/env python3
"""Matching beside its peers: the same rules and events, the same answers, then the processor time of an event.

    python3 bench/peers/run.py build/release [--sizes 1000,10000] [--only owned|all] [--peers clips,luajit,…]
                               [--events 20000] [--seconds 20] [--load-seconds 60] [--rounds 5] [--json FILE]

For each kind of workload and each size, `bench_matching` measures our side and writes the workload to files; then each peer loads
the rules, reads the same events and tells what it found, which is compared pair by pair (by checksum, event by event) before its
time counts. A peer stops after 20 s of measuring; what takes over 60 s of processor time to load, or over 8 GB, prints `–`, and is
not tried at larger sizes. A peer that is not installed prints `–`, too, and how to get it. What a peer finds otherwise is an error.
"""
import argparse
import datetime
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MEMORY_BYTES = 8 << 30
OURS = ["parse and intern only", "ensue's index", "index made by hand", "linear scan"]


class Left(Exception):
    """Why there is no figure."""


class Wrong(Left):
    """The peer, or what was made for it, is wrong: the run fails."""


class Peer:
    def __init__(self, name, owned_label, all_label, missing, command, prepare=None):
        self.name = name
        self.label = {True: owned_label, False: all_label}
        self.missing = missing    # what to do to get it, or None
        self.command = command    # of the workload's folder and the output's path
        self.prepare = prepare    # writes the rules in the peer's own language; not measured
        self.gave_up = {}         # by kind of workload: why no larger size is tried


def node_packages(work):
    """The folder of the scripts and their packages; raises Left. Scripts find packages only beside them."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            raise Left(f"no {tool}: apt-get install nodejs npm")
    folder = os.path.join(work, "node")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(HERE):
        if name.endswith((".mjs", ".json")):
            shutil.copy(os.path.join(HERE, name), folder)
    with open(os.path.join(HERE, "package.json")) as file:
        wanted = json.load(file)["dependencies"]

    def installed(name):
        try:
            with open(os.path.join(folder, "node_modules", name, "package.json")) as file:
                return json.load(file)["version"]
        except OSError:
            return None

    if any(installed(name) != version for name, version in wanted.items()):
        # Not `npm ci`: it wants the packages of all platforms in the lock.
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000"], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise Left(f"npm install failed in {folder}: {(done.stderr.strip().splitlines() or ['?'])[0]}")
    return folder


def peers_of(build, work):
    def reason(test):
        try:
            return None if test() else "?"
        except Left as left:
            return str(left)

    why_node = reason(lambda: node_packages(work))
    node = os.path.join(work, "node")

    def script(name):
        return lambda folder, output, seconds: ["node", "--max-old-space-size=7000", os.path.join(node, name), folder, output,
                                                str(seconds)]

    def binary(name, packages):
        path = os.path.join(build, "bench", name)
        return path, None if os.path.exists(path) else f"{name} is not built: apt-get install {packages}, then make bench"

    clips, why_clips = binary("bench_clips", "libclips-dev")
    luajit, why_luajit = binary("bench_luajit", "libluajit-5.1-dev lua-cjson")
    return [
        Peer("luajit", "LuaJIT, sharded by owner by hand", "LuaJIT, all rules in turn", why_luajit,
             lambda folder, output, seconds: [luajit, folder, os.path.join(HERE, "luajit.lua"), output, str(seconds)]),
        Peer("clips", "CLIPS, one engine", "CLIPS, one engine", why_clips,
             lambda folder, output, seconds: [clips, folder, os.path.join(folder, "rules.clp"), output, str(seconds)],
             lambda folder: [sys.executable, os.path.join(HERE, "clips_rules.py"), folder, os.path.join(folder, "rules.clp")]),
        Peer("json-logic-engine", "json-logic-engine, sharded by owner by hand", "json-logic-engine, all rules in turn", why_node,
             script("json_logic_engine.mjs")),
        Peer("zen-engine", "zen-engine, a decision table an owner", "zen-engine, one decision table", why_node,
             script("zen_engine.mjs")),
        Peer("json-rules-engine", "json-rules-engine, an engine an owner", "json-rules-engine, one engine", why_node,
             script("json_rules_engine.mjs")),
    ]


def used_by(pid):
    """Processor seconds and bytes of a process that runs."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def run_peer(command, seconds, load_seconds):
    """The result a peer prints, with how long it loaded; raises Left. It never outlives this call."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    os.set_blocking(child.stdout.fileno(), False)
    os.set_blocking(child.stderr.fileno(), False)
    text, errors = b"", b""
    load = None
    begin = time.monotonic()
    try:
        while child.poll() is None:
            time.sleep(0.05)
            text += child.stdout.read() or b""
            errors = (errors + (child.stderr.read() or b""))[-4000:]
            try:
                used, memory = used_by(child.pid)
            except (OSError, IndexError):
                continue  # it has just ended
            if load is None and b"ready" in text:
                load = used
            if memory > MEMORY_BYTES:
                raise Left(f"over {MEMORY_BYTES >> 30} GB of memory")
            # Other work may keep the processor: time of the clock counts as a quarter.
            if load is None and max(used, (time.monotonic() - begin) / 4) > load_seconds:
                raise Left(f"not loaded in {load_seconds:g} s")
            if load is not None and used - load > 3 * seconds + 30:
                raise Left("no end of one event")
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        text += child.stdout.read() or b""
        errors += child.stderr.read() or b""
        child.stdout.close()
        child.stderr.close()
    if child.returncode != 0:
        if b"heap out of memory" in errors:
            raise Left("over 7 GB of heap")
        lines = errors.decode(errors="replace").strip().splitlines()
        raise Wrong(f"ended with {child.returncode}: {lines[-1] if lines else ''}")
    result = json.loads(text.decode().strip().splitlines()[-1])
    return result | {"load_s": round(load or 0, 3)}


def pair_hash(event, rule):
    """As bench/matching.cc has it."""
    product = ((event + 1) ^ 0x9E3779B97F4A7C15) * ((rule + 1) ^ 0xD6E8FEB86659FD93)
    return (product ^ product >> 64) & 0xFFFFFFFFFFFFFFFF


def difference(folder, output):
    """What the peer found that our side did not, or the other way; None when all is the same."""
    with open(os.path.join(folder, "expected.txt")) as file:
        expected = file.read().splitlines()
    with open(output) as file:
        for event, line in enumerate(file):
            rules = [int(word) for word in line.split()]
            total = sum(pair_hash(event, rule) for rule in rules) & 0xFFFFFFFFFFFFFFFF
            if f"{len(rules)} {total:016x}" != expected[event]:
                return f"event {event}: finds {rules[:10]}, expected {expected[event]}"
    return None


def measure_ours(arguments, owned, size, folder, exported):
    notes = os.path.join(folder, "ours.json")
    if os.path.exists(notes):
        os.remove(notes)
    command = [os.path.join(arguments.build, "bench", "bench_matching"), "--sizes", str(size), "--only",
               "owned" if owned else "all", "--rounds", str(arguments.rounds), "--events", str(arguments.events), "--json", notes]
    if exported:
        command += ["--export", folder]
    subprocess.run(command, check=True, stdout=sys.stderr)
    with open(notes) as file:
        return [json.loads(line) for line in file]


def measure_peer(peer, arguments, owned, size, folder):
    row = {"bench": "matching", "owned": owned, "rules": size, "side": peer.label[owned], "us": None}
    output = os.path.join(folder, "found.txt")
    try:
        if peer.missing:
            raise Left(peer.missing)
        if owned in peer.gave_up:
            raise Left(peer.gave_up[owned])
        try:
            if peer.prepare:
                subprocess.run(peer.prepare(folder), check=True)
            result = run_peer(peer.command(folder, output, arguments.seconds), arguments.seconds, arguments.load_seconds)
        except Left as left:
            peer.gave_up[owned] = f"not tried: {left} at {size:,}"
            raise
        differs = difference(folder, output)
        if differs:
            raise Wrong(f"OTHER PAIRS, {differs}")
        row |= {"us": round(result["us"], 3), "events": result["events"], "load_s": result["load_s"]}
    except Left as left:
        row["why"] = str(left)
        row |= {"wrong": True} if isinstance(left, Wrong) else {}
    return row


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "?"


def machine(arguments):
    cpu = "?"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    flags = "?"
    try:
        with open(os.path.join(arguments.build, "CMakeCache.txt")) as file:
            for line in file:
                if line.startswith("CMAKE_CXX_FLAGS_RELEASE:"):
                    flags = line.partition("=")[2].strip()
    except OSError:
        pass
    return {"bench": "machine", "cpu": cpu, "cores": os.cpu_count(), "system": platform.platform(), "flags": flags,
            "compiler": first_line(["c++", "--version"]), "node": first_line(["node", "--version"]),
            "date": datetime.date.today().isoformat(), "load": round(os.getloadavg()[0], 2)}


def figure(us):
    return f"{us:,.0f}" if us >= 1000 else f"{us:.1f}" if us >= 100 else f"{us:.2f}"


def print_table(rows, owned, sizes):
    cell = {(row["side"], row["rules"]): row for row in rows if row["owned"] == owned}
    sides = list(dict.fromkeys(side for side, _ in cell))
    print(f"\n## {'Owned' if owned else 'Org-wide'}: µs an event (times our index)\n")
    print("| | " + " | ".join(f"{size:,}" for size in sizes) + " rules |")
    print("|---" * (len(sizes) + 1) + "|")
    for side in sides:
        words = []
        for size in sizes:
            row, ours = cell.get((side, size)), cell.get((OURS[1], size))
            if not row or row["us"] is None:
                words.append("–")
            elif side == OURS[1] or not ours or not ours["us"]:
                words.append(figure(row["us"]))
            else:
                words.append(f"{figure(row['us'])} ({figure(row['us'] / ours['us'])})")
        print(f"| {side} | " + " | ".join(words) + " |")
    for side in sides:
        for size in sizes:
            row = cell.get((side, size))
            if row and row["us"] is None:
                print(f"\n– {side}, {size:,} rules: {row.get('why', '')}", end="")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--sizes", default="1000,10000,100000,500000")
    parser.add_argument("--peer-sizes", help="sizes of peers, when not all of them")
    parser.add_argument("--only", choices=["owned", "all"])
    parser.add_argument("--peers")
    parser.add_argument("--events", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="of measuring a peer at a size")
    parser.add_argument("--load-seconds", type=float, default=60, help="of loading the rules of a size, by processor time")
    parser.add_argument("--json", help="results, one a line; written anew")
    arguments = parser.parse_args()
    # A peer runs in a group of its own: when this program is ended, so is the peer.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments.build = os.path.abspath(arguments.build)
    work = os.path.join(arguments.build, "bench", "peers")
    folder = os.path.join(work, "workload")
    os.makedirs(folder, exist_ok=True)
    peers = peers_of(arguments.build, work)
    if arguments.peers is not None:
        known = {peer.name: peer for peer in peers}
        names = [name for name in arguments.peers.split(",") if name]
        unknown = [name for name in names if name not in known]
        if unknown:
            parser.error(f"no peer {unknown[0]}; there are {', '.join(known)}")
        peers = [known[name] for name in names]
    for peer in peers:
        if peer.missing:
            print(f"{peer.name}: left out: {peer.missing}", file=sys.stderr)
    sizes = [int(word) for word in arguments.sizes.split(",")]
    peer_sizes = [int(word) for word in (arguments.peer_sizes or arguments.sizes).split(",")]
    rows = [machine(arguments)]
    for owned in (True, False):
        if arguments.only and (arguments.only == "owned") != owned:
            continue
        for size in sizes:
            asked = peers if size in peer_sizes else []
            rows += measure_ours(arguments, owned, size, folder, bool(asked))
            for peer in asked:
                rows.append(measure_peer(peer, arguments, owned, size, folder))
                told = rows[-1]["us"] if rows[-1]["us"] is not None else f"– {rows[-1]['why']}"
                print(f"  {peer.label[owned]}: {told}", file=sys.stderr, flush=True)
            shutil.rmtree(folder)
            os.makedirs(folder)
            if arguments.json:
                with open(arguments.json, "w") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
    about = rows[0]
    print(f"\n{about['cpu']}, {about['cores']} cores, {about['compiler']}, {about['flags']}, node {about['node']}, {about['date']}; "
          f"load {about['load']} before" + (", a busy machine: absolute figures are high" if about["load"] > 1.5 else ""))
    for owned in (True, False):
        if any(row.get("owned") == owned for row in rows):
            print_table([row for row in rows if row["bench"] == "matching"], owned, sizes)
    if any(row.get("wrong") for row in rows):
        sys.exit("a peer ended badly or finds other pairs")


if __name__ == "__main__":
    main()
