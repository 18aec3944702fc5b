"""What the scripts of this folder share: a tiny runner, and processes that cannot hang or crash unseen.

A script holds functions named test_*, each taking a Box (a temporary folder and the program), and ends in `support.main(globals())`.
  python3 SCRIPT.py PROGRAM TREE [PART OF A NAME …]
"""
import concurrent.futures
import inspect
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

FINE, WRONG, USAGE, WORLD, INTERRUPTED = 0, 1, 2, 3, 130
# Words of a sanitizer, a library or the last `catch` of main.cc: never right, whatever the exit code.
CRASH_WORDS = ("internal error", "AddressSanitizer", "LeakSanitizer", "runtime error:", "terminate called", "out of memory")


class Failure(Exception):
    """An expectation that did not hold."""


class NotRun(Exception):
    """A test that cannot be run here; the reason is printed."""


def expect(holds, message):
    if not holds:
        raise Failure(message)


def same(seen, expected, what):
    if seen != expected:
        raise Failure(f"{what}: expected {short(expected)}, saw {short(seen)}")


def has(text, part, what="the text"):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if part not in text:
        raise Failure(f"{what} lacks {part!r}: {short(text)}")


def lacks(text, part, what="the text"):
    if part in text:
        raise Failure(f"{what} holds {part!r}: {short(text)}")


def short(value, most=400):
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= most else f"{text[:most // 2]} … {text[-most // 2:]}"
    return repr(text) if isinstance(value, str) else text


def code_of(status):
    """The exit code of what wait4 gives; the negative signal where one ended the process."""
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


class Ended:
    """A process that has ended."""

    def __init__(self, words, code, out, err, cpu_seconds, rss_bytes):
        self.words, self.code, self.out_bytes, self.err_bytes = words, code, out, err
        self.cpu_seconds, self.rss_bytes = cpu_seconds, rss_bytes

    @property
    def out(self):
        return self.out_bytes.decode("utf-8", "replace")

    @property
    def err(self):
        return self.err_bytes.decode("utf-8", "replace")

    @property
    def name(self):
        return "`ensue " + short(" ".join(self.words), 160)[1:-1] + "`"

    def exits(self, code, *parts):
        """Checks the exit code, and that standard error holds each part."""
        if self.code != code:
            raise Failure(f"{self.name} exits {self.code} instead of {code}; standard error {short(self.err)}, "
                          f"standard output {short(self.out)}")
        for part in parts:
            has(self.err, part, f"standard error of {self.name}")
        return self

    def json(self):
        """Standard output as one JSON value."""
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise Failure(f"standard output of {self.name} is not JSON ({error}): {short(self.out)}") from None

    def json_lines(self):
        """Standard output as JSON objects, one a line."""
        rows = []
        for number, line in enumerate(self.out.removesuffix("\n").split("\n") if self.out else [], 1):
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise Failure(f"line {number} of standard output of {self.name} is not JSON ({error}): {short(line)}") from None
        return rows


class Started:
    """A process under way. Standard input is a pipe where `feed` was asked for, and standard output one where `piped` was."""

    def __init__(self, words, process, out, err, timeout):
        self.words, self.process, self.out_file, self.err_file = words, process, out, err
        self.pid, self.began, self.timeout = process.pid, time.monotonic(), timeout
        self.timed_out = False

    def write(self, text):
        self.process.stdin.write(text if isinstance(text, bytes) else text.encode())
        self.process.stdin.flush()

    def close_input(self):
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass

    def signal(self, number):
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def running(self):
        """Whether it has not ended yet; it stays to be waited for."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def until_written(self, path):
        """Waits until the file is there, or the process has ended."""
        deadline = time.monotonic() + self.timeout
        while not path.exists() and self.running() and time.monotonic() < deadline:
            time.sleep(0.0005)

    def stderr_so_far(self):
        return Path(self.err_file.name).read_bytes().decode("utf-8", "replace")

    def _expire(self):
        self.timed_out = True
        self.signal(signal.SIGKILL)

    def wait(self, killed=False):
        """Waits for the end. A crash is a failure, unless `killed` says that a signal was sent that may end it."""
        timer = threading.Timer(max(0.01, self.timeout - (time.monotonic() - self.began)), self._expire)
        timer.start()
        _, status, usage = os.wait4(self.pid, 0)
        timer.cancel()
        self.process.returncode = code_of(status)
        self.close_input()
        out = b""
        if self.process.stdout is not None:
            out = self.process.stdout.read()
            self.process.stdout.close()
        elif self.out_file is not None:
            out = Path(self.out_file.name).read_bytes()
        err = Path(self.err_file.name).read_bytes()
        for file in (self.out_file, self.err_file):
            if file is not None:
                file.close()
        ended = Ended(self.words, code_of(status), out, err, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
        if self.timed_out:
            raise Failure(f"{ended.name} did not end within {self.timeout} s; standard error {short(ended.err)}")
        if ended.code < 0 and not killed:
            raise Failure(f"{ended.name} was ended by signal {-ended.code}; standard error {short(ended.err)}")
        for word in CRASH_WORDS:
            if word in ended.err:
                raise Failure(f"{ended.name} says {word!r}: {short(ended.err)}")
        return ended


class Box:
    """One test's temporary folder, and the program under test, run inside it."""

    def __init__(self, program, tree, folder):
        self.program, self.tree, self.dir = program, tree, folder
        self.outreach = tree / "examples" / "outreach"
        self.mounts = []
        self._under_way = []

    def path(self, name):
        return self.dir / name

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def lines(self, name, rows):
        """Writes an ndjson file; a row that is a text already stands as it is."""
        return self.write(name, "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))

    def environment(self, extra=None):
        env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        env.update(HOME=str(self.dir), LC_ALL="C.UTF-8", TERM="xterm")
        env.update(extra or {})
        return env

    def start(self, *words, feed=False, stdin=None, stdout=None, piped=False, timeout=120, env=None, cwd=None, before=None):
        """Starts the program. `stdin` is bytes, text or a path; `stdout` a path instead of being kept; `before` runs in the child."""
        words = [str(word) for word in words]
        source = subprocess.DEVNULL
        if feed:
            source = subprocess.PIPE
        elif isinstance(stdin, Path):
            source = open(stdin, "rb")
        elif stdin is not None:
            source = tempfile.TemporaryFile(dir=self.dir)
            source.write(stdin if isinstance(stdin, bytes) else stdin.encode())
            source.seek(0)
        out = sink = None
        if piped:
            sink = subprocess.PIPE
        elif stdout is not None:
            sink = open(stdout, "wb")
        else:
            out = sink = tempfile.NamedTemporaryFile(dir=self.dir, prefix=".out-")
        err = tempfile.NamedTemporaryFile(dir=self.dir, prefix=".err-")
        process = subprocess.Popen([str(self.program), *words], stdin=source, stdout=sink, stderr=err, cwd=cwd or self.dir,
                                   env=self.environment(env), preexec_fn=before, restore_signals=before is None)
        if source is not subprocess.DEVNULL and source is not subprocess.PIPE:
            source.close()
        if stdout is not None:
            sink.close()
        started = Started(words, process, out, err, timeout)
        self._under_way.append(started)
        return started

    def ensue(self, *words, killed=False, **options):
        return self.start(*words, **options).wait(killed=killed)

    def run_outreach(self, store="s.db", *more):
        """Runs the example on a store, or goes on with it."""
        return self.ensue("run", self.outreach, "--records", self.outreach / "records.ndjson", "--events",
                          self.outreach / "events.ndjson", "--store", store, *more).exits(FINE)

    def contents(self, store="s.db"):
        """Everything a store tells about what was done: to compare with what it tells later."""
        started = {name: self.start(*words, "--store", store, "--format", "json") for name, words in (
            ("runs", ("runs", "--count", "1000000")), ("targets", ("targets", "--all")), ("records", ("records",)),
            ("reminders", ("reminders", "--state", "all")), ("limits", ("limits", "--all")), ("dead letters", ("dead-letters",)))}
        return {name: each.wait().exits(FINE).out for name, each in started.items()}

    def same_contents(self, seen, expected, but=()):
        for name, text in expected.items():
            if name not in but and seen[name] != text:
                pairs = zip(seen[name].split("\n"), text.split("\n"))
                first = next((pair for pair in pairs if pair[0] != pair[1]), (seen[name][-300:], text[-300:]))
                raise Failure(f"{name} of the store differ: expected {short(first[1])}, saw {short(first[0])}")

    def close(self):
        for started in self._under_way:
            if started.process.returncode is None:
                started.signal(signal.SIGKILL)
                try:
                    os.wait4(started.pid, 0)
                except ChildProcessError:
                    pass
                started.process.returncode = -signal.SIGKILL
                for file in (started.out_file, started.err_file):
                    if file is not None:
                        file.close()
        for place in reversed(self.mounts):
            subprocess.run(["umount", str(place)], check=False)
        make_writable(self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)


def make_writable(folder):
    for root, folders, _ in os.walk(folder):
        for name in [root, *(os.path.join(root, each) for each in folders)]:
            try:
                os.chmod(name, os.stat(name).st_mode | stat.S_IRWXU)
            except OSError:
                pass


def is_root():
    return os.geteuid() == 0


def as_nobody(box):
    """For `before`: the child runs as a user who owns nothing. Only root can become another."""
    box.dir.chmod(0o755)
    return lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534))


def at_rest(pid):
    """Waits until the process has done with what it was given: until it has used no processor time for a while."""
    last, since = None, time.monotonic()
    deadline = since + 30
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        used = (fields[0], fields[11], fields[12])
        if used != last or fields[0] != "S":
            last, since = used, time.monotonic()
        elif time.monotonic() - since > 0.3:
            return
        time.sleep(0.02)
    raise Failure("the process does not come to rest")


def run_one(name, test, program, tree):
    """Runs one test; the line to print, and whether it failed."""
    box = Box(program, tree, Path(tempfile.mkdtemp(prefix="ensue-cli-")))
    start = time.monotonic()
    try:
        test(box)
        return f"ok    {name} ({time.monotonic() - start:.1f} s)", False
    except NotRun as reason:
        return f"skip  {name}: not run: {reason}", False
    except Failure as failure:
        line = next((frame.lineno for frame in reversed(traceback.extract_tb(failure.__traceback__))
                     if os.path.basename(frame.filename) != "support.py"), 0)
        return f"FAIL  {name} (line {line}): {failure}", True
    except Exception:  # a mistake of the test itself
        return f"FAIL  {name}: the test itself failed\n{traceback.format_exc()}", True
    finally:
        box.close()


def main(names, jobs=1):
    """Runs the tests of a script, `jobs` at the same time, and prints the results in the order of the script."""
    if len(sys.argv) < 3:
        print(f"usage: python3 {sys.argv[0]} PROGRAM TREE [PART OF A NAME …]", file=sys.stderr)
        sys.exit(USAGE)
    program, tree, wanted = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:]
    tests = [(name, test) for name, test in names.items() if name.startswith("test_") and inspect.isfunction(test)
             and (not wanted or any(part in name for part in wanted))]
    began = time.monotonic()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for result in [pool.submit(run_one, name, test, program, tree) for name, test in tests]:
            line, wrong = result.result()
            failed += wrong
            print(line, flush=True)
    print(f"{len(tests)} tests, {failed} failed, {time.monotonic() - began:.1f} s")
    sys.exit(1 if failed or not tests else 0)
