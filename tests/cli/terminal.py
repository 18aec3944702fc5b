"""What is different on a terminal: progress, colours, Ctrl-C, and the REPL. And what a pipe gets instead."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import store
import support
from support import FINE, INTERRUPTED, WRONG, Failure, expect, has, lacks, same

CTRL_C, CTRL_D, UP, ENTER = b"\x03", b"\x04", b"\x1b[A", b"\r"
CONTINUED = ("  … ", "  ... ")
PATIENCE = 20  # seconds for an answer
BAR = ("█", "░")
WRONG_LINE = 'given Leed "x"'
WRONG_SOURCE = 'action "A" by "ana"\n  when Lead is created\n'


class Terminal:
    """The program on a pseudo-terminal: standard input, output and error, save for what `streams` redirects."""

    def __init__(self, box, *words, env=None, **streams):
        self.words = "`ensue " + " ".join(str(word) for word in words) + "`"
        self.main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        places = {"stdin": side, "stdout": side, "stderr": side, **streams}
        self.process = subprocess.Popen([str(box.program), *(str(word) for word in words)], cwd=box.dir, env=box.environment(env),
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(side, termios.TIOCSCTTY, 0), **places)
        os.close(side)
        self.raw, self.at, self.ended = b"", 0, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.main)

    def _more(self, seconds):
        if self.ended or not select.select([self.main], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.main, 1 << 16)
        except OSError:  # the last one at the other side has gone
            data = b""
        self.ended = not data
        self.raw += data

    def unread(self):
        """What has come since the last `await_text`, without control sequences."""
        return plain(self.raw[self.at:].decode("utf-8", "replace"))

    def await_text(self, text):
        """Waits until the text has come; what came up to and with it."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.unread():
            if self.ended or time.monotonic() > deadline:
                state = f"it exits {self.process.wait()}" if self.ended else "it still runs"
                raise Failure(f"{self.words} never shows {text!r}, {state}; since the last step it showed {support.short(self.unread())}")
            self._more(0.2)
        seen = self.unread()
        self.at = len(self.raw)
        return seen

    def send(self, data):
        os.write(self.main, data if isinstance(data, bytes) else data.encode())

    def type(self, line, answer=None, prompt="ensue> "):
        """Types a line, and waits for the prompt after its answer."""
        self.send(line.encode() + ENTER)
        seen = self.await_prompt(prompt, line)
        if answer is not None:
            has(seen, answer, f"the answer to {line!r}")
        return seen

    def await_prompt(self, prompt="ensue> ", echo=""):
        """Waits until the last line is the prompt, after the echo of what was typed."""
        deadline = time.monotonic() + PATIENCE
        ends = tuple("\n" + each.rstrip(" ") for each in ((prompt,) if isinstance(prompt, str) else prompt))
        while not (self.unread().rstrip(" ").endswith(ends) and echo in self.unread() and self.edits()):
            if self.ended or time.monotonic() > deadline:
                state = f"it exits {self.process.wait()}" if self.ended else "it still runs"
                raise Failure(f"{self.words} shows no prompt {prompt!r} after {echo!r}, {state}; it showed {support.short(self.unread())}")
            self._more(0.02)
        seen = self.unread()
        self.at = len(self.raw)
        return seen

    def edits(self):
        """Whether the editor has taken the terminal over; it prints the prompt a moment before."""
        return not termios.tcgetattr(self.main)[3] & termios.ICANON

    def exits(self, code):
        deadline = time.monotonic() + PATIENCE
        while not self.ended and time.monotonic() < deadline:
            self._more(0.2)
        try:
            seen = self.process.wait(10)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.words} does not end; it showed {support.short(self.unread())}") from None
        same(seen, code, f"the exit code of {self.words}, which showed {support.short(self.text())}")
        for word in support.CRASH_WORDS:
            lacks(self.text(), word, "the terminal")
        return self

    def text(self):
        return self.raw.decode("utf-8", "replace")


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n").replace("\r", "")


def stream(box, count=3000):
    return ("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", box.lines("many.ndjson", store.leads(count)))


# ---- Progress ---------------------------------------------------------------------------------------------------------------


def test_progress_on_a_terminal(box):
    with Terminal(box, *stream(box), "--batch", "20") as terminal:
        text = terminal.exits(FINE).text()
    has(text, BAR[1], "the terminal")
    shares = [int(share) for share in re.findall(r"(\d+) %  \d+ decisions", text)]
    expect(shares and shares == sorted(shares) and shares[-1] > 0, f"the bar does not move: {shares}")
    before, summary = text.split("records ")[0], text[text.index("records "):]
    expect(before.endswith("\r\x1b[K"), f"the bar is not taken away before the summary: {support.short(before[-60:])}")
    lacks(summary, BAR[1], "the summary")


def test_no_progress_elsewhere(box):
    words = stream(box, 300)
    for ended in (box.ensue(*words), box.ensue(*words, "--quiet")):
        ended.exits(FINE)
        for part in (*BAR, "\x1b", "\r"):
            lacks(ended.err + ended.out, part, f"the output of {ended.name}")
    same(box.ensue(*words, "--quiet").err, "", "standard error of a quiet run")
    with Terminal(box, *words, "--quiet") as terminal:
        same(terminal.exits(FINE).text(), "", "what a quiet run shows on a terminal")
    # Standard error decides, not standard output.
    with open(box.path("err.txt"), "wb") as file, Terminal(box, *words, stderr=file) as terminal:
        lacks(terminal.exits(FINE).text(), BAR[1], "the terminal")
    lacks(box.path("err.txt").read_text(), BAR[1], "standard error in a file")
    with open(box.path("out.txt"), "wb") as file, Terminal(box, *words, "--output", "ndjson", stdout=file) as terminal:
        has(terminal.exits(FINE).text(), BAR[1], "the terminal")
    expect(all(line.startswith(b"{") for line in box.path("out.txt").read_bytes().splitlines()), "standard output holds other things than JSON")
    # Nobody knows how long standard input is.
    with open(box.path("many.ndjson"), "rb") as file, Terminal(box, *words[:-1], "-", stdin=file) as terminal:
        lacks(terminal.exits(FINE).text(), BAR[1], "the terminal")


def test_dead_letters_do_not_stand_in_the_bar(box):
    words = stream(box, 300)
    with open(words[-1], "a", encoding="utf-8") as file:
        file.write("nonsense\n")
    with Terminal(box, *words, "--batch", "20") as terminal:
        text = terminal.exits(WRONG).text()
    line = next(line for line in text.split("\n") if "many.ndjson:301:" in line)
    has(line, "\x1b[Kensue: many.ndjson:301:", "the line of the dead letter")


# ---- Colours ----------------------------------------------------------------------------------------------------------------


def test_colours_only_on_a_terminal(box):
    box.write("a.ensue", WRONG_SOURCE)
    box.write("t.ensue", 'test "No"\n  given User "ana"\n  expect 1 execution charged to "ana"\nend\n')
    for words in (("check", "a.ensue"), ("run", "a.ensue"), ("test", "a.ensue"), ("fmt", "a.ensue"), ("test", "t.ensue")):
        with Terminal(box, *words) as terminal:
            has(terminal.exits(WRONG).text(), "\x1b[", f"{terminal.words} on a terminal")
        with Terminal(box, *words, env={"NO_COLOR": "1"}) as terminal:
            lacks(terminal.exits(WRONG).text(), "\x1b", f"{terminal.words} with NO_COLOR")
        with Terminal(box, *words, "--color", "never") as terminal:
            lacks(terminal.exits(WRONG).text(), "\x1b", f"{terminal.words} on a terminal")
        ended = box.ensue(*words).exits(WRONG)
        lacks(ended.out + ended.err, "\x1b", f"the piped output of {ended.name}")
        ended = box.ensue(*words, "--color", "always", env={"NO_COLOR": "1"}).exits(WRONG)
        has(ended.out + ended.err, "\x1b[", f"the piped output of {ended.name}")


def test_no_colours_in_data(box):
    words = stream(box, 50)
    with open(os.devnull, "wb") as nothing, Terminal(box, *words, "--output", "ndjson", "--color", "always", stderr=nothing) as terminal:
        lacks(terminal.exits(FINE).text(), "\x1b", "the lines of a run on a terminal")
    box.write("a.ensue", WRONG_SOURCE)
    with open(os.devnull, "wb") as nothing, Terminal(box, "check", "a.ensue", "--format", "json", "--color", "always", stderr=nothing) as terminal:
        lacks(terminal.exits(WRONG).text(), "\x1b", "diagnostics as JSON on a terminal")


# ---- Ctrl-C in a run --------------------------------------------------------------------------------------------------------


def test_ctrl_c_in_a_run(box):
    words = stream(box)
    with Terminal(box, *words, "--store", "s.db", "--batch", "1") as terminal:
        terminal.await_text("decisions")
        terminal.send(CTRL_C)
        text = terminal.exits(INTERRUPTED).text()
    found = re.search(r"ensue: stopped at line (\d+) of many\.ndjson; everything up to there is committed\r\n$", text)
    expect(found, f"no message with the line at the end: {support.short(text[-300:])}")
    summary = box.ensue(*words, "--store", "s.db", "--format", "json").exits(FINE).json()
    same(summary["lines"], 3000 - int(found[1]), "lines of the run after it")
    box.ensue(*words, "--store", "whole.db").exits(FINE)
    box.same_contents(box.contents(), box.contents("whole.db"))


def test_ctrl_c_while_waiting_at_a_terminal(box):
    with Terminal(box, *stream(box, 1)[:-1], "-", "--output", "ndjson") as terminal:
        terminal.send('{"id":"t-1","entity":"Lead","ids":["00T1"],"kind":"create","at":"2026-05-01T08:00:00Z","by":"005ana"}\n')
        support.at_rest(terminal.process.pid)  # nothing is shown when it has come to wait for the next line
        terminal.send(CTRL_C)
        has(terminal.exits(INTERRUPTED).text(), "stopped at line 1 of standard input; everything up to there is done", "the terminal")


# ---- The REPL on a terminal -------------------------------------------------------------------------------------------------


def repl(box, *paths, **options):
    terminal = Terminal(box, "repl", *paths, **options)
    terminal.await_prompt()
    return terminal


def test_repl_session(box):
    with repl(box) as terminal:
        has(terminal.text(), "Ensue 0.", "the greeting")
        terminal.type(f":load {box.outreach}", "4 automations and 5 tests loaded from 1 file")
        has(terminal.type(":list"), 'action "Hot web leads into outreach"')
        terminal.type("1 + 2 * 3", "  7\n")
        terminal.type('given User "ana" with Username to "ana@x.test"', "2026-01-05T")
        terminal.type('given User "mona" with Username to "mona@x.test"')
        seen = terminal.type('when Lead "l1" is created with LastName to "Roe", LeadSource to "Web", Rating to "Hot", Email to "r@x.test", Owner to "ana"')
        has(seen, 'action "Hot web leads into outreach" executed on Lead/l1 for ana', "the answer to `when`")
        terminal.type('expect "l1" in cadence "Enterprise Outreach"', "  yes\n")
        terminal.type('expect "l1" not in cadence "Enterprise Outreach"', '"l1" is in cadence')
        terminal.type("Rating", '"Hot"')
        terminal.type('Rating is "Cold"', "false")
        terminal.type(":records", 'Lead "l1"')
        terminal.type(':why "Hot web leads into outreach" for Lead/l1', "it ran")
        terminal.type("advance 3 days", "2026-01-08T")
        terminal.type(WRONG_LINE, 'Leed')
        terminal.type(":nonsense", "there is no command :nonsense")
        terminal.send(CTRL_D)
        terminal.exits(FINE)


def test_repl_declaration_of_several_lines(box):
    with repl(box) as terminal:
        seen = declare(terminal, 'cadence "C"\n  track main\n    step "Call" after 1 day: call\nend')
        has(seen, 'cadence "C" is in force', "the answer to the declaration")
        # A wrong one is told with its place, and is not in force.
        terminal.type('action "Wrong" by "ana"', prompt=CONTINUED)
        has(terminal.type("  when Lead is exploded"), "exploded", "the answer to a wrong declaration")
        lacks(terminal.type(":list"), '"Wrong"', "the list")
        terminal.send(CTRL_D)
        terminal.exits(FINE)


def declare(terminal, text):
    *lines, last = text.split("\n")
    for line in lines:
        terminal.type(line, prompt=CONTINUED)
    return terminal.type(last)


MINE = 'action "Mine" by "ana@x.test"\n  when Lead is created\n  then remove it from all cadences\nend'


def test_repl_recalls_a_whole_statement(box):
    with repl(box) as terminal:
        has(declare(terminal, MINE), 'action "Mine" is in force', "the answer")
        terminal.type("5 + 5", "  10\n")
        terminal.send(UP)
        terminal.await_text("5 + 5")
        terminal.send(UP)
        seen = terminal.await_text("\nend")
        for line in MINE.split("\n"):
            has(seen, line.strip(), "what arrow up recalls")
        terminal.send(ENTER)
        has(terminal.await_prompt(), 'action "Mine" is in force', "the answer to the recalled statement")
        terminal.send(CTRL_D)
        terminal.exits(FINE)
    # The next session remembers it, too.
    with repl(box) as terminal:
        terminal.send(UP)
        terminal.await_text("\nend")
        terminal.send(ENTER)
        has(terminal.await_prompt(), 'action "Mine" is in force', "the answer in the next session")
        terminal.send(CTRL_D)
        terminal.exits(FINE)


def test_repl_ctrl_c_abandons_the_line(box):
    with repl(box) as terminal:
        terminal.send("this is not")
        terminal.await_text("this is not")
        terminal.send(CTRL_C)
        lacks(terminal.await_prompt(), "this is not", "what is shown after Ctrl-C")
        terminal.type("6 + 6", "  12\n")
        # In the middle of a declaration it abandons all of it.
        terminal.type('action "Half" by "ana"', prompt=CONTINUED)
        terminal.send(CTRL_C)
        terminal.await_prompt()
        terminal.type("7 + 7", "  14\n")
        lacks(terminal.type(":list"), "Half", "the list")
        # On an empty line, twice.
        for _ in range(2):
            terminal.send(CTRL_C)
            terminal.await_prompt()
        terminal.type("8 + 8", "  16\n")
        terminal.send(CTRL_D)
        terminal.exits(FINE)


def test_repl_leaves(box):
    for leave in (CTRL_D, b":quit\r", b":q\r"):
        with repl(box) as terminal:
            terminal.type(WRONG_LINE)  # what was wrong in between is no failure of a session at a terminal
            terminal.send(leave)
            terminal.exits(FINE)


def test_repl_letters_beyond_ascii(box):
    with repl(box) as terminal:
        terminal.type('given Lead "l1" with LastName to "Renée Ångström"')
        terminal.type("LastName", '"Renée Ångström"')
        terminal.send(CTRL_D)
        terminal.exits(FINE)


def test_repl_in_a_plain_locale(box):
    """Without UTF-8 in the environment it still takes several lines."""
    with repl(box, env={"LC_ALL": "C", "LANG": "C"}) as terminal:
        terminal.send(MINE.replace("\n", "\r") + "\r")
        terminal.await_prompt(echo='action "Mine" is in force')
        terminal.send(CTRL_D)
        terminal.exits(FINE)


def test_repl_without_a_home(box):
    for home in ("/nonexistent/home", ""):
        with repl(box, env={"HOME": home}) as terminal:
            terminal.type("1 + 1", "  2\n")
            terminal.send(CTRL_D)
            terminal.exits(FINE)


def test_repl_colours(box):
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        with repl(box, env=env) as terminal:
            terminal.type(WRONG_LINE)
            terminal.send(CTRL_D)
            same("\x1b[1;31m" in terminal.exits(FINE).text(), coloured, f"colours with {env}")


# ---- The REPL in a pipe -----------------------------------------------------------------------------------------------------


def test_repl_script(box):
    script = f''':load {box.outreach}
given User "ana" with Username to "ana@x.test"
given User "mona" with Username to "mona@x.test"
{MINE.replace("Mine", "Second")}
when Lead "l1" is created with LastName to "Roe", LeadSource to "Web", Rating to "Hot",
    Email to "r@x.test", Owner to "ana"

expect "l1" not in cadence "Enterprise Outreach"
expect action "Hot web leads into outreach" ran 1 time
1 + 2 * 3
'''
    ended = box.ensue("repl", stdin=script).exits(FINE)
    for part in ("4 automations and 5 tests loaded", 'action "Second" is in force', 'action "Hot web leads into outreach" executed on Lead/l1 for ana', "  yes\n", "  7\n"):
        has(ended.out, part, "standard output")
    for part in ("ensue>", "…", "\x1b"):
        lacks(ended.out, part, "standard output")
    same(ended.err, "", "standard error")
    same(box.ensue("repl", stdin=script).out_bytes, ended.out_bytes, "standard output the second time")
    expect(not box.path(".ensue_history").exists(), "a script is kept in the history")
    same(box.ensue("repl", box.outreach, stdin="").exits(FINE).out, "4 automations and 5 tests loaded from 1 file\n", "standard output without input")


def test_repl_script_that_fails(box):
    for script, part in (('expect 1 Lead with (Rating is "Hot")\n1 + 1\n', ""), (WRONG_LINE + "\n", "Leed"), (":nonsense\n", "no command :nonsense"),
                         ("1 +\n", ""), (MINE.replace("\nend", "\n"), "no `end`"), (":load nowhere\n", "nowhere"), ("\x00\n", ""),
                         (b"\xff\xfe\n", ""), (":why\n", "write :why"), (":why x y\n", "write :why")):
        ended = box.ensue("repl", stdin=script).exits(WRONG)
        has(ended.out, part, f"the answer to {script!r}")
    # It goes on after what was wrong, and `:quit` ends it.
    has(box.ensue("repl", stdin=WRONG_LINE + "\n2 + 2\n:quit\n3 + 3\n").exits(WRONG).out, "  4\n", "standard output")
    lacks(box.ensue("repl", stdin=":quit\n3 + 3\n").exits(FINE).out, "6", "standard output after :quit")
    box.ensue("repl", "nowhere", stdin="").exits(WRONG)


if __name__ == "__main__":
    support.main(globals())
