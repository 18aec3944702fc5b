"""Each command once used rightly and once wrongly, on a store made from examples/outreach."""
import html.parser
import json
import random
import re
import shutil
import sqlite3
import stat
import subprocess
import xml.etree.ElementTree as xml

import store
import support
from support import FINE, USAGE, WORLD, WRONG, expect, has, lacks, same

HOT, TEAM, QUIET, RISKY = "Hot web leads into outreach", "Team: stop when unqualified", "Re-engage quiet leads", "Pause risky contacts"
LOOSE = '# kept\naction   "A" by "ana"\n when Lead is created\n  then remove it from all cadences   # kept, too\nend\n'
NEAT = '# kept\naction "A" by "ana"\n  when Lead is created\n  then remove it from all cadences  # kept, too\nend\n'


def stream(box):
    return ("--records", box.outreach / "records.ndjson", "--events", box.outreach / "events.ndjson")


# ---- The program ------------------------------------------------------------------------------------------------------------


def test_help_and_version(box):
    whole = box.ensue("--help").exits(FINE)
    same(whole.err, "", "standard error")
    commands = re.findall(r"^  ([a-z][a-z-]+) {2,}\S", whole.out.split("Subcommands:")[1], re.M)
    expect(len(commands) >= 15, f"commands: {commands}")
    manual = (box.tree / "docs" / "formats.md").read_text(encoding="utf-8")
    for command in commands:
        has(box.ensue(command, "--help").exits(FINE).out, "Usage: ensue " + command, f"the help of {command}")
        has(manual, f"`{command}`", "docs/formats.md")
    has(box.ensue("--version").exits(FINE).out, "ensue 0.", "the version")
    # What the manual's tables name as options, the commands take.
    for command in commands:
        told = box.ensue(command, "--help").out
        section = re.search(r"\n### 2\.\d+ [^\n]*\b" + re.escape(command) + r"\b[^\n]*\n(.*?)(?=\n### |\n## )", manual, re.S)
        for option in re.findall(r"^\| `(--[a-z-]+)[^|]*\|", section[1] if section else "", re.M):
            if not (command == "why" and option == "--not"):
                has(told, option, f"the help of {command}")


# ---- check, fmt, test, graph ------------------------------------------------------------------------------------------------


def test_check(box):
    ended = box.ensue("check", box.outreach).exits(FINE, "no problems: 4 automations in 1 file")
    same(ended.out, "", "standard output")
    same(box.ensue("check", box.outreach, "--format", "json").exits(FINE).out, "[]\n", "diagnostics as JSON")
    box.ensue("check", box.outreach, "--strict", "--records", box.outreach / "records.ndjson").exits(FINE)
    for stage, part in (("ast", "CadenceDecl"), ("types", "is picklist"), ("graph", "graph "), ("plan", "watches Lead")):
        has(box.ensue("check", box.outreach, "--dump", stage).exits(FINE).out, part, f"the dump of {stage}")
    box.write("bad.ensue", 'action "A" by "ana"\n  when Lead is created\n  if not Rating is "Hot"\n  then remove it from all cadences\nend\n')
    box.ensue("check", "bad.ensue").exits(WRONG, "error[E0113]", " --> bad.ensue:3:6", "1 error")
    row = box.ensue("check", "bad.ensue", "--format", "json").exits(WRONG).json()[0]
    same((row["code"], row["severity"], row["place"]["file"], row["place"]["line"], row["place"]["column"]), ("E0113", "error", "bad.ensue", 3, 6), "the diagnostic")
    # The fix that it offers is one.
    text = box.path("bad.ensue").read_bytes()
    fix = row["fix"]
    box.write("bad.ensue", text[:fix["place"]["begin"]] + fix["replacement"].encode() + text[fix["place"]["end"]:])
    box.ensue("check", "bad.ensue").exits(FINE)
    box.ensue("check", box.outreach, "--dump", "soup").exits(USAGE, "--dump")


def test_check_strict(box):
    box.write("doubt.ensue", 'action "A" by "ana"\n  when Lead is created\n  if LeadSource is "Webb"\n  then remove it from all cadences\nend\n')
    box.ensue("check", "doubt.ensue").exits(FINE, "warning[W")
    box.ensue("check", "doubt.ensue", "--strict").exits(WRONG, "warning[W")
    box.ensue("run", "doubt.ensue", "--strict", "--quiet").exits(WRONG, "warning[W")


def test_schedule(box):
    box.write("s.ensue", 'flow "Sweep"\n  every day at 02:30, 01:30 in "Europe/Paris" catch up never\n  log "x"\nend\n'
                         'flow "Bill"\n  every month on 31 at 06:00 in "Asia/Kolkata"\n  log "x"\nend\n')
    told = box.ensue("schedule", "s.ensue", "--next", "4", "--from", "2026-03-28T12:00:00Z").exits(FINE).out
    same(told, """flow "Sweep" in Europe/Paris, catch up never
  nominal           local                      UTC
  2026-03-29T01:30  2026-03-29T01:30:00+01:00  2026-03-29T00:30:00Z
  2026-03-29T02:30  2026-03-29T03:00:00+02:00  2026-03-29T01:00:00Z
  2026-03-30T01:30  2026-03-30T01:30:00+02:00  2026-03-29T23:30:00Z
  2026-03-30T02:30  2026-03-30T02:30:00+02:00  2026-03-30T00:30:00Z
flow "Bill" in Asia/Kolkata, catch up once
  nominal           local                      UTC
  2026-03-31T06:00  2026-03-31T06:00:00+05:30  2026-03-31T00:30:00Z
  2026-04-30T06:00  2026-04-30T06:00:00+05:30  2026-04-30T00:30:00Z
  2026-05-31T06:00  2026-05-31T06:00:00+05:30  2026-05-31T00:30:00Z
  2026-06-30T06:00  2026-06-30T06:00:00+05:30  2026-06-30T00:30:00Z
""", "the coming runs")
    row, = box.ensue("schedule", "s.ensue", "--flow", "bill", "--next", "1", "--from", "2026-02-01T00:00:00Z", "--format", "json").exits(FINE).json()
    same(row, {"flow": "Bill", "zone": "Asia/Kolkata", "catch_up": "once", "draft": False,
               "next": [{"nominal": "2026-02-28T06:00", "local": "2026-02-28T06:00:00+05:30", "at": "2026-02-28T00:30:00Z"}]}, "the flow as JSON")
    expect(len(box.ensue("schedule", "s.ensue").exits(FINE).out.splitlines()) == 24, "ten coming runs of each flow")
    same(box.ensue("schedule", box.outreach).exits(FINE).out, "no flow is started by a schedule\n", "standard output")
    box.ensue("schedule", "s.ensue", "--flow", "Sweeep").exits(WRONG, 'no flow "Sweeep"')
    box.ensue("schedule", "s.ensue", "--from", "soon").exits(USAGE, "--from soon")
    box.ensue("schedule", "s.ensue", "--next", "0").exits(USAGE, "--next")
    # What a store has counted; the flow that it has not met has no runs.
    box.write("one.ensue", 'flow "Sweep"\n  every day at 02:30\n  log "x"\nend\n')
    rows = [{"id": f"d{day}", "entity": "Lead", "ids": [f"00Q{day}"], "kind": "create", "at": f"2026-01-0{day}T14:00:00Z",
             "set": {"LastName": "Roe", "Company": "X"}} for day in (5, 8)]
    box.ensue("run", "one.ensue", "--events", box.lines("days.ndjson", rows), "--store", "s.db").exits(FINE)
    told = box.ensue("schedule", "one.ensue", "--store", "s.db", "--next", "1").exits(FINE).out
    same(told.splitlines()[-1], "  3 runs so far, 0 missed", "the counts")
    row, = box.ensue("schedule", "one.ensue", "--store", "s.db", "--format", "json").exits(FINE).json()
    same((row["runs"], row["missed"]), (3, 0), "the counts")
    row, = box.ensue("schedule", "s.ensue", "--store", "s.db", "--flow", "bill", "--format", "json").exits(FINE).json()
    same((row["runs"], row["missed"]), (0, 0), "the counts of a flow that never ran")
    box.ensue("schedule", "one.ensue", "--store", "gone.db").exits(WORLD, "gone.db")


def test_fmt(box):
    path = box.write("f/a.ensue", LOOSE)
    path.chmod(0o640)
    same(box.ensue("fmt", "--check", "f").exits(WRONG, "1 file: 1 would change").out, "f/a.ensue\n", "standard output of --check")
    same(path.read_text(), LOOSE, "the file after --check")
    same(box.ensue("fmt", "f").exits(FINE, "1 file: 1 changed").out, "f/a.ensue\n", "standard output")
    same(path.read_text(), NEAT, "the formatted file")
    same(oct(stat.S_IMODE(path.stat().st_mode)), oct(0o640), "the file's mode")
    same(sorted(name.name for name in box.path("f").iterdir()), ["a.ensue"], "the files in the folder")
    same(box.ensue("fmt", "--check", "f").exits(FINE, "1 file: 0 would change").out, "", "standard output of --check")
    box.write("f/b.ensue", 'action   "B"\n')
    box.ensue("fmt", "f").exits(WRONG, "f/b.ensue:1:")
    same(box.path("f/b.ensue").read_text(), 'action   "B"\n', "the file with an error")
    box.ensue("fmt").exits(USAGE, "--stdin")


def test_fmt_in_a_pipe(box):
    same(box.ensue("fmt", "--stdin", stdin=LOOSE).exits(FINE).out, NEAT, "standard output")
    box.ensue("fmt", "--stdin", "--check", stdin=LOOSE).exits(WRONG)
    box.ensue("fmt", "--stdin", "--check", stdin=NEAT).exits(FINE)
    same(box.ensue("fmt", "--stdin", stdin='action "B"\n').exits(WRONG, "standard input:").out, "", "standard output after an error")


def test_fmt_through_a_link(box):
    """A link stays a link; what it leads to is formatted."""
    box.write("there/a.ensue", LOOSE)
    box.path("here").mkdir()
    box.path("here/a.ensue").symlink_to(box.path("there/a.ensue"))
    box.ensue("fmt", "here/a.ensue").exits(FINE)
    same(box.path("there/a.ensue").read_text(), NEAT, "the file behind the link")
    expect(box.path("here/a.ensue").is_symlink(), "the link became a file")


def sources_of(tree):
    skipped = {"build", ".git"}
    return [path for path in sorted(tree.rglob("*.ensue")) if not skipped & set(path.relative_to(tree).parts)]


def test_fmt_of_every_source(box):
    """Every source of the tree is in the one layout: formatting changes nothing, and nothing again."""
    for folder in ("examples", "stdlib"):
        box.ensue("fmt", "--check", box.tree / folder).exits(FINE)
    sources = sources_of(box.tree)
    expect(len(sources) > 100, f"only {len(sources)} sources")
    for path in sources:
        to = box.path("all") / path.relative_to(box.tree)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    first = box.ensue("fmt", "all")
    expect(first.code in (FINE, WRONG), f"fmt exits {first.code}")
    same(first.out, "", "the files that the first formatting changes")
    second = box.ensue("fmt", "all")
    same((second.code, second.out), (first.code, ""), "the second formatting")
    for path in sources:
        same(box.path("all").joinpath(path.relative_to(box.tree)).read_bytes(), path.read_bytes(), f"{path.name} formatted twice")


def test_test(box):
    ended = box.ensue("test", box.outreach).exits(FINE)
    has(ended.out, "7 tests: 7 passed, 0 failed", "standard output")
    for threads in ("1", "2", "8"):
        same(box.ensue("test", box.outreach, "--threads", threads).exits(FINE).out, ended.out, f"standard output with {threads} threads")
    has(box.ensue("test", box.outreach, "--filter", "quiet").exits(FINE).out, "1 test: 1 passed", "standard output with a filter")
    ended = box.ensue("test", box.outreach, "--filter", "no such test").exits(WRONG)
    has(ended.out + ended.err, "no such test", "the output")
    seen = box.ensue("test", box.outreach, "--format", "json", "--coverage", "--junit", "junit.xml").exits(FINE).json()
    same([row["passed"] for row in seen["tests"]], [True] * 7, "the tests")
    same((seen["coverage"]["automations"], seen["coverage"]["automations_run"]), (4, 4), "the coverage")
    suite = xml.parse(box.path("junit.xml")).getroot()
    same((suite.get("tests"), suite.get("failures"), len(suite.findall(".//testcase"))), ("7", "0", 7), "JUnit's form")


def test_test_that_fails(box):
    box.write("t.ensue", 'test "No & <never>"\n  given User "ana"\n  expect 1 execution charged to "ana"\nend\n')
    ended = box.ensue("test", "t.ensue", "--junit", "junit.xml").exits(WRONG)
    for part in ("FAIL  No & <never>", "t.ensue:3:", "1 test: 0 passed, 1 failed"):
        has(ended.out, part, "standard output")
    row = box.ensue("test", "t.ensue", "--format", "json").exits(WRONG).json()["tests"][0]
    same((row["passed"], row["failure"]["line"]), (False, 3), "the test as JSON")
    case = xml.parse(box.path("junit.xml")).getroot().find(".//testcase")
    same((case.get("name"), case.find("failure") is not None), ("No & <never>", True), "the test in JUnit's form")


def test_graph(box):
    box.write("odd.ensue", LOOSE.replace('"A"', '"Odd <&> name"'))
    for words, begins in ((("--dot",), "digraph "), (("--svg",), "<svg "), (("--mermaid",), "---\ntitle:"), ((), "graph "),
                          (("--plan",), "object "), (("--triggers",), "graph "), (("--triggers", "--dot"), "digraph ")):
        for source, more in ((box.outreach, ()), (box.outreach, ("--automation", TEAM)), ("odd.ensue", ())):
            ended = box.ensue("graph", source, *words, *more).exits(FINE)
            expect(ended.out.startswith(begins), f"{ended.name} begins with {support.short(ended.out[:40])}")
            same(box.ensue("graph", source, *words, *more).out, ended.out, f"{ended.name} the second time")
            if words == ("--svg",):
                same(xml.fromstring(ended.out).tag, "{http://www.w3.org/2000/svg}svg", "the picture")
            if "--dot" in words:
                same(ended.out.count("{"), ended.out.count("}"), f"braces of {ended.name}")
    same(box.ensue("graph", box.outreach, "--svg", "--out", "g.svg").exits(FINE).out, "", "standard output with --out")
    same(box.path("g.svg").read_text(), box.ensue("graph", box.outreach, "--svg").out, "the file")
    box.ensue("graph", box.outreach, "--automation", "Team: stop when unqualifed").exits(WRONG, f'did you mean "{TEAM}"')
    box.ensue("graph", box.outreach, "--dot", "--svg").exits(USAGE, "--svg")
    box.ensue("graph", box.outreach, "--svg", "--out", "no/folder/g.svg").exits(WORLD, "no/folder/g.svg")


# ---- run --------------------------------------------------------------------------------------------------------------------


def test_run(box):
    ended = box.run_outreach()
    same(ended.out, "", "standard output")
    for part in ("records    5 taken in", "read       15 lines", "events     14 new events, 1 duplicate dropped, 0 dead letters",
                 "decisions  9: 5 executed, 1 reminded, 3 suppressed by a limit", "note: user 005ana: 4 of 4 action executions used"):
        has(ended.err, part, "the summary")
    expect(not ended.err.startswith("\r"), "the summary begins with a progress bar")


def test_run_ndjson(box):
    ended = box.ensue("run", box.outreach, *stream(box), "--output", "ndjson", "--store", "s.db").exits(FINE)
    rows = ended.json_lines()
    same([row["seq"] for row in rows], list(range(1, 10)), "the numbers of the decisions")
    for row in rows:
        same(list(row)[:7], ["seq", "at", "automation", "kind", "record", "user", "status"], "the members of a decision")
    # The store tells the same, newest first.
    same(box.ensue("runs", "--store", "s.db", "--format", "json").exits(FINE).out.splitlines(), ended.out.splitlines()[::-1], "the runs in the store")
    # With JSON asked for the summary, standard output still holds only decisions.
    both = box.ensue("run", box.outreach, *stream(box), "--output", "ndjson", "--format", "json").exits(FINE)
    same(both.out, ended.out, "standard output with --format json")
    same(json.loads(both.err)["decisions"], 9, "decisions in the summary on standard error")
    summary = box.ensue("run", box.outreach, *stream(box), "--format", "json").exits(FINE).json()
    same([summary[name] for name in ("records", "lines", "duplicates", "events", "decisions", "executed", "reminded", "suppressed", "failed")],
         [5, 15, 1, 14, 9, 5, 1, 3, 0], "the summary")
    same(box.ensue("run", box.outreach, *stream(box), "--quiet").exits(FINE).err, "", "standard error of a quiet run")


def test_dry_run(box):
    box.run_outreach()
    before, there = box.contents(), store.bytes_beside(box.path("s.db"))
    events = box.lines("more.ndjson", store.leads(5))
    ended = box.ensue("run", box.outreach, "--events", events, "--store", "s.db", "--dry-run", "--output", "ndjson").exits(FINE, "5 new events")
    same([row["seq"] for row in ended.json_lines()], [10, 11, 12], "the numbers of the decisions")
    expect(store.bytes_beside(box.path("s.db")) == there, "a dry run changes the store's bytes")
    box.same_contents(box.contents(), before)
    # It tells what the real one does then.
    same(box.ensue("run", box.outreach, "--events", events, "--store", "s.db", "--output", "ndjson").exits(FINE).out, ended.out, "standard output of the real run")
    box.ensue("run", box.outreach, "--events", events, "--store", "new.db", "--dry-run").exits(FINE)
    expect(not box.path("new.db").exists(), "a dry run makes a store")


class Page(html.parser.HTMLParser):
    EMPTY = {"meta", "br", "link", "img", "hr", "input", "col"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        expect(self.open and self.open.pop() == tag, f"</{tag}> closes something else")

    def handle_data(self, data):
        self.words.append(data)


def test_run_report(box):
    odd = "<script>alert(1)</script> & \"quoted\""
    rules = box.write("rules/odd.ensue", LOOSE.replace('"A" by "ana"', '"Odd <b>&name</b>" by "ana@x.test"'))
    event = store.leads(1)[0]
    event["ids"] = [odd]
    events = box.lines("events.ndjson", [event, "<i>nonsense</i>"])
    box.ensue("run", rules.parent, "--records", box.outreach / "records.ndjson", "--events", events, "--report", "report.html").exits(WRONG)
    text = box.path("report.html").read_text(encoding="utf-8")
    expect(text.lower().startswith("<!doctype html>"), "the report is no HTML page")
    page = Page(text)
    same(page.open, [], "what stays open in the page")
    words = " ".join(page.words)
    has(words, "Odd <b>&name</b>", "the page's text")
    expect("script" not in page.tags, "a text of the data became a script of the page")
    lacks(text, "<script>alert", "the report")
    lacks(text, "<i>nonsense", "the report")
    box.ensue("run", box.outreach, *stream(box), "--report", "r.html", "--quiet").exits(FINE)
    has(" ".join(Page(box.path("r.html").read_text(encoding="utf-8")).words), HOT, "the page of the example")
    box.ensue("run", box.outreach, *stream(box), "--report", "no/folder/r.html").exits(WORLD, "no/folder/r.html")


def test_run_verdicts(box):
    why_not = ("why", "not", HOT, "for", "Lead/00Q02", "--format", "json")
    box.run_outreach()
    same(box.ensue(*why_not, "--store", "s.db").exits(FINE).json()["verdicts"], [], "verdicts without --verdicts all")
    box.run_outreach("v.db", "--verdicts", "all")
    verdicts = box.ensue(*why_not, "--store", "v.db").exits(FINE).json()["verdicts"]
    expect(verdicts and "2026-03-26T08:15:00Z" in verdicts[0], f"verdicts with --verdicts all: {verdicts}")
    same(box.ensue("runs", "--store", "v.db").out, box.ensue("runs", "--store", "s.db").out, "the runs with --verdicts all")


def test_run_with_options(box):
    """Zones, sources and clocks reach the store."""
    box.run_outreach("s.db", "--source", "the crm", "--zone", "Asia/Tokyo", "--currency", "EUR", "--batch", "3")
    with open(box.path("events.ndjson"), "w", encoding="utf-8") as file:
        file.write("nonsense\n")
    box.ensue("run", box.outreach, "--events", "events.ndjson", "--source", "elsewhere", "--store", "s.db").exits(WRONG, "elsewhere:1:")
    same(box.ensue("dead-letters", "--store", "s.db", "--format", "json").json()[0]["source"], "elsewhere", "the dead letter's source")
    box.run_outreach("wall.db", "--clock", "wall")


# ---- why --------------------------------------------------------------------------------------------------------------------


def test_why(box):
    box.run_outreach()
    has(box.ensue("why", HOT, "for", "Lead/00Q01", "--store", "s.db").exits(FINE).out, "it ran once, last at 2026-03-26T08:00:00Z, for 005ana", "the answer")
    seen = box.ensue("why", HOT, "for", "Lead/00Q01", "--store", "s.db", "--format", "json").exits(FINE).json()
    same((seen["started"], seen["record"], len(seen["runs"])), (True, "Lead/00Q01", 1), "the answer as JSON")
    for words in (("why", HOT, "for", "Lead/00Q02"), ("why", "not", HOT, "for", "Lead/00Q02")):
        has(box.ensue(*words, "--store", "s.db").exits(FINE).out, "it did not start", "the answer")
    has(box.ensue("why", "not", HOT, "for", "Lead/00Q01", "--store", "s.db").exits(FINE).out, "it did run", "the answer")
    has(box.ensue("why", "not", HOT, "for", "Lead/00Q09", "--store", "s.db").exits(FINE).out, "limit", "the answer")
    # Without a store: the stream is run first.
    told = box.ensue("why", "not", HOT, "for", "Lead/00Q02", box.outreach, *stream(box)).exits(FINE).out
    same(told, box.ensue("why", "not", HOT, "for", "Lead/00Q02", "--store", "s.db").out, "the answer without a store")
    box.ensue("why", "Hot web lead into outreach", "for", "Lead/00Q01", "--store", "s.db").exits(WRONG, f'did you mean "{HOT}"')
    box.ensue("why", HOT, "for", "Lead/00QX", "--store", "s.db").exits(WRONG, "Lead/00QX")
    box.ensue("why", HOT, "for", "Lead/00Q01", "since", "never", "--store", "s.db").exits(USAGE, "never")
    for words in (("why", HOT, "--store", "s.db"), ("why", HOT, "for", "--store", "s.db"), ("why", "not", "--store", "s.db"), ("why", HOT, "for", "Lead/00Q01")):
        box.ensue(*words).exits(USAGE)


# ---- Looking into a store ---------------------------------------------------------------------------------------------------


def test_limits(box):
    box.run_outreach()
    has(box.ensue("limits", "--store", "s.db").exits(FINE).out, "user   005ana  action executions  2026-03-27     1       4", "today's counters")
    rows = box.ensue("limits", "--store", "s.db", "--all", "--format", "json").exits(FINE).json()
    same(sorted((row["scope"], row["window"], row["used"]) for row in rows),
         [("org", "2026-03-26", 4), ("org", "2026-03-27", 1), ("user", "2026-03-26", 4), ("user", "2026-03-27", 1)], "all counters")
    ended = box.ensue("limits", "--store", "s.db", "--day", "2026-03-26", "--user", "005ana").exits(FINE)
    has(ended.out, "reached", "the counters of a day")
    lacks(ended.out, "20,000", "the counters of one user")
    box.ensue("limits", "--store", "s.db", box.outreach).exits(FINE)
    box.ensue("limits", "--store", "s.db", "--day", "never").exits(USAGE, "never")
    # A zone in which it is still the day before opens no day again: what is charged now is charged to the 27th.
    has(box.ensue("limits", "--store", "s.db", "--zone", "Pacific/Pago_Pago").exits(FINE).out, "user   005ana  action executions  2026-03-27     1       4",
        "the counters of the day that is open")


def test_limits_of_a_day_tell_that_day(box):
    """The last line is about the day that was asked for: the 29th has 23 hours in Paris."""
    box.run_outreach()
    has(box.ensue("limits", "--store", "s.db", "--day", "2026-03-29").exits(FINE).out,
        "the day 2026-03-29 in Europe/Paris began at 2026-03-28T23:00:00Z, ends at 2026-03-29T22:00:00Z and lasts 23 hours", "the last line")


def test_runs(box):
    box.run_outreach()

    def seqs(*words):
        return [row["seq"] for row in box.ensue("runs", "--store", "s.db", "--format", "json", *words).exits(FINE).json_lines()]

    same(seqs(), [9, 8, 7, 6, 5, 4, 3, 2, 1], "all runs")
    same(seqs("--count", "2"), [9, 8], "the last two")
    same(seqs("--status", "suppressed"), [7, 6, 5], "the suppressed")
    same(seqs("--automation", RISKY), [7], "those of one automation")
    same(seqs("--record", "Lead/00Q01"), [6, 1], "those of one record")
    same(seqs("--user", "nobody"), [], "those of nobody")
    same(seqs("--since", "2026-03-27"), [9, 8], "those since a day")
    same(seqs("--since", "2026-03-26T14:00", "--zone", "Europe/Paris"), [9, 8, 7], "those since a time in a zone")
    has(box.ensue("runs", "--store", "s.db").exits(FINE).out, "4 of 4 action executions", "the table")
    box.ensue("runs", "--store", "s.db", "--since", "never").exits(USAGE, "never")
    box.ensue("runs").exits(USAGE, "--store")


def test_records(box):
    box.run_outreach()
    has(box.ensue("records", "--store", "s.db").exits(FINE).out, "Lead                           10", "the numbers")
    has(box.ensue("records", "Lead", "--store", "s.db").exits(FINE).out, "00Q07  Orr   005bob", "the list")
    has(box.ensue("records", "Lead/00Q01", "--store", "s.db").exits(FINE).out, "Roe & Co", "one record")
    rows = box.ensue("records", "Lead", "--store", "s.db", "--format", "json").exits(FINE).json_lines()
    same([row["ids"] for row in rows], [[f"00Q{n:02}"] for n in range(1, 11)], "the records as JSON")
    # They are what `--records` reads: another store filled with them tells the same.
    box.write("copy.ndjson", box.ensue("records", "--store", "s.db", "--format", "json").exits(FINE).out_bytes)
    box.ensue("run", box.outreach, "--records", "copy.ndjson", "--store", "copy.db").exits(FINE)
    same([row["set"] for row in box.ensue("records", "Lead", "--store", "copy.db", "--format", "json").json_lines()], [row["set"] for row in rows], "the copies")
    box.ensue("records", "Lead/nope", "--store", "s.db").exits(WRONG, "Lead/nope")


def test_targets(box):
    box.run_outreach()
    rows = box.ensue("targets", "--store", "s.db", "--format", "json").exits(FINE).json()
    same(sorted(row["target"] for row in rows), ["Lead/00Q01", "Lead/00Q03", "Lead/00Q06", "Lead/00Q08", "Lead/00Q10"], "the targets")
    has(box.ensue("targets", "--store", "s.db", "--assignee", "005ana", "--cadence", "Enterprise Outreach").exits(FINE).out, "Lead/00Q08", "the table")
    same(box.ensue("targets", "--store", "s.db", "--assignee", "005bob", "--format", "json").exits(FINE).json(), [], "Bob's targets")
    # One that leaves is shown with --all only.
    box.lines("more.ndjson", [{"id": "more-1", "entity": "Lead", "ids": ["00Q03"], "kind": "update", "at": "2026-03-27T12:00:00Z", "by": "005ana", "set": {"Status": "Unqualified"}}])
    box.ensue("run", box.outreach, "--events", "more.ndjson", "--store", "s.db").exits(FINE)
    same(len(box.ensue("targets", "--store", "s.db", "--format", "json").json()), 4, "targets after one left")
    left = [row for row in box.ensue("targets", "--store", "s.db", "--all", "--format", "json").json() if row["target"] == "Lead/00Q03"]
    same((len(left), "Disqualified" in json.dumps(left)), (1, True), "the one that left")
    box.ensue("targets", "--store", "gone.db").exits(WORLD, "gone.db")


# ---- Acting on a store ------------------------------------------------------------------------------------------------------


def test_reminders(box):
    box.run_outreach()
    rows = box.ensue("reminders", "--store", "s.db", "--format", "json").exits(FINE).json()
    same([(row["person"], row["record"], row["automation"], row["state"]) for row in rows], [("005ana", "Lead/00Q02", QUIET, "open")], "the reminders")
    for words in (("reminders", "list"), ("reminders", "list", "--as", "005ana"), ("reminders", "--state", "all")):
        has(box.ensue(*words, "--store", "s.db").exits(FINE).out, "Lead/00Q02", "the table")
    same(box.ensue("reminders", "--as", "005bob", "--store", "s.db", "--format", "json").exits(FINE).json(), [], "Bob's reminders")
    shutil.copy(box.path("s.db"), box.path("t.db"))
    same(box.ensue("reminders", "snooze", "Lead/00Q02", "--as", "ana@x.test", "--until", "2026-03-28T10:00", "--store", "s.db").exits(FINE).out, "snoozed\n", "the answer")
    same(box.ensue("reminders", "--state", "snoozed", "--store", "s.db", "--format", "json").json()[0]["snoozed_until"], "2026-03-28T09:00:00Z", "until when")
    box.ensue("reminders", "snooze", "Lead/00Q02", "--as", "005ana", "--until", "never", "--store", "s.db").exits(USAGE, "never")
    same(box.ensue("reminders", "ignore", rows[0]["id"][:8], "--as", "005ana", "--store", "s.db").exits(FINE).out, "ignored\n", "the answer")
    same(box.ensue("reminders", "--store", "s.db", "--format", "json").json(), [], "the reminders after it was ignored")
    decision = box.ensue("reminders", "run", rows[0]["id"], "--as", "005ana", "--store", "t.db").exits(FINE).json()
    same((decision["seq"], decision["status"], decision["effects"][0]["outcome"]), (10, "executed", "added"), "the decision")
    has(box.ensue("limits", "--user", "005ana", "--store", "t.db").out, "     2  ", "the counter")
    for words, part in ((("run", rows[0]["id"], "--as", "005ana"), "already"), (("run", "Lead/00Q02", "--as", "005bob"), "no reminder"),
                        (("ignore", "zzzzzzzz", "--as", "005ana"), "zzzzzzzz"), (("run", "Lead/00Q02", "--as", "nobody"), "nobody")):
        box.ensue("reminders", *words, "--store", "t.db").exits(WRONG, part)
    box.ensue("reminders", "run", "Lead/00Q02", "--store", "t.db").exits(USAGE, "--as")
    box.ensue("reminders", "eat", "Lead/00Q02", "--store", "t.db").exits(USAGE)


def test_activate_and_deactivate(box):
    box.run_outreach()
    same(box.ensue("deactivate", TEAM, "--as", "005ana", "--store", "s.db").exits(FINE).out, f'"{TEAM}" is off for 005ana\n', "the answer")
    box.lines("more.ndjson", [{"id": "more-1", "entity": "Lead", "ids": ["00Q03"], "kind": "update", "at": "2026-03-27T12:00:00Z", "by": "005ana", "set": {"Status": "Unqualified"}},
                              {"id": "more-2", "entity": "Lead", "ids": ["00Q06"], "kind": "update", "at": "2026-03-27T13:00:00Z", "by": "005ana", "set": {"Status": "Unqualified"}}])
    same(box.ensue("run", box.outreach, "--events", "more.ndjson", "--store", "s.db", "--output", "ndjson").exits(FINE).out, "", "decisions while it is off")
    same(box.ensue("activate", TEAM, "--as", "ana@x.test", "--by", "mona@x.test", "--store", "s.db").exits(FINE).out.split(" for ")[0], f'"{TEAM}" is active', "the answer")
    box.lines("more.ndjson", [{"id": f"more-{n}", "entity": "Lead", "ids": ["00Q03"], "kind": "update", "at": f"2026-03-27T1{n}:00:00Z", "by": "005ana", "set": {"Status": status}}
                              for n, status in ((4, "Working"), (5, "Unqualified"))])
    rows = box.ensue("run", box.outreach, "--events", "more.ndjson", "--store", "s.db", "--output", "ndjson").exits(FINE).json_lines()
    same([row["automation"] for row in rows], [TEAM], "decisions when it is on again")
    # The author switches for everybody, others may not.
    box.ensue("deactivate", QUIET, "--as", "005ana", "--store", "s.db").exits(FINE)
    before = box.contents()
    for words, part in (((QUIET, "--as", "005bob"), "only its author"), ((QUIET, "--as", "nobody"), "nobody"), (("Nope", "--as", "005ana"), "Nope"),
                        ((QUIET, "--as", "005ana", "--by", "mona@x.test"), QUIET)):
        for command in ("activate", "deactivate"):
            box.ensue(command, *words, "--store", "s.db").exits(WRONG, part)
    box.same_contents(box.contents(), before)
    box.ensue("activate", QUIET, "--store", "s.db").exits(USAGE, "--as")


def test_dead_letters(box):
    box.run_outreach()
    same(box.ensue("dead-letters", "--store", "s.db", "--format", "json").exits(FINE).json(), [], "dead letters")
    visit = {"id": "v-1", "entity": "Visit", "ids": ["a01"], "kind": "create", "at": "2026-03-28T08:00:00Z", "set": {"Name": "One"}}
    box.lines("more.ndjson", [visit, "nonsense"])
    box.ensue("run", box.outreach, "--events", "more.ndjson", "--store", "s.db").exits(WRONG, 'more.ndjson:1: unknown object "Visit"', "more.ndjson:2:")
    rows = box.ensue("dead-letters", "list", "--store", "s.db", "--format", "json").exits(FINE).json()
    same([(row["number"], row["source"], row["line"], row["text"]) for row in rows], [(1, "more.ndjson", 1, json.dumps(visit)), (2, "more.ndjson", 2, "nonsense")], "dead letters")
    table = box.ensue("dead-letters", "--store", "s.db").exits(FINE).out
    has(table, 'unknown object "Visit"', "the table")
    lacks(table, "nonsense", "the table")
    has(box.ensue("dead-letters", "--text", "--store", "s.db").exits(FINE).out, "nonsense", "the table with --text")
    box.ensue("dead-letters", "retry", "1", "--store", "s.db").exits(WRONG, "Visit")
    box.write("visit.ensue", 'object Visit\n  Name as text\nend\n')
    box.ensue("dead-letters", "retry", "all", box.outreach, "visit.ensue", "--store", "s.db").exits(WRONG, "more.ndjson:2:", "2 dead letters tried, 1 read")
    same(len(box.ensue("dead-letters", "--store", "s.db", "--format", "json").json()), 1, "dead letters after one was read")
    has(box.ensue("records", "Visit", "--store", "s.db").exits(FINE).out, "a01", "the record")
    box.ensue("dead-letters", "retry", "7", "--store", "s.db").exits(WRONG, "no dead letter 7")
    box.ensue("dead-letters", "odd", "--store", "s.db").exits(USAGE)


# ---- Of all of them ---------------------------------------------------------------------------------------------------------


def test_json_of_every_command_parses(box):
    box.run_outreach()
    at_store = ("--store", "s.db", "--format", "json")
    box.ensue("check", box.outreach, "--format", "json").exits(FINE).json()
    box.ensue("test", box.outreach, "--format", "json", "--coverage").exits(FINE).json()
    box.ensue("why", HOT, "for", "Lead/00Q01", *at_store).exits(FINE).json()
    for words in (("limits", "--all"), ("reminders", "--state", "all"), ("targets", "--all"), ("dead-letters",)):
        box.ensue(*words, *at_store).exits(FINE).json()
    for words in (("runs",), ("records",), ("records", "Lead"), ("records", "Lead/00Q01")):
        expect(box.ensue(*words, *at_store).exits(FINE).json_lines(), f"`{' '.join(words)}` prints nothing")
    box.write("bad.ensue", "action\n")
    for words in (("check", "bad.ensue"), ("run", "bad.ensue"), ("test", "bad.ensue"), ("fmt", "bad.ensue")):
        expect(box.ensue(*words, "--format", "json").exits(WRONG).json()[0]["code"].startswith("E"), f"`{' '.join(words)}` lists no error")


def test_json_of_an_activation_parses(box):
    box.run_outreach()
    for command in ("deactivate", "activate"):
        box.ensue(command, TEAM, "--as", "005ana", "--store", "s.db", "--format", "json").exits(FINE).json()


def test_json_of_odd_texts_parses(box):
    """Control characters, quotes and letters beyond the first plane pass through every form."""
    odd = "q\" b\\ n\n t\t c\x01 é 漢 😀 \u2028"
    box.lines("odd.ndjson", [{"id": odd, "entity": "Lead", "ids": [odd], "kind": "create", "at": "2026-03-28T08:00:00Z", "by": "005ana",
                              "set": {"LastName": odd, "LeadSource": "Web", "Rating": "Hot", "Email": odd, "OwnerId": "005ana"}}, odd.replace("\n", " ")])
    box.run_outreach()
    ended = box.ensue("run", box.outreach, "--events", "odd.ndjson", "--store", "s.db", "--output", "ndjson", "--report", "r.html").exits(WRONG)
    same([row["record"] for row in ended.json_lines()], ["Lead/" + odd], "the decision's record")
    same(box.ensue("records", "Lead/" + odd, "--store", "s.db", "--format", "json").exits(FINE).json()["set"]["LastName"], odd, "the record's name")
    same(box.ensue("dead-letters", "--store", "s.db", "--format", "json").exits(FINE).json()[0]["text"], odd.replace("\n", " "), "the dead letter")


def test_tables_hold_no_control_characters(box):
    """What stands in the data does not steer the terminal, and breaks no table."""
    odd = "Roe\x1b[2J\n\x01"
    event = store.leads(1)[0]
    event["set"].update(LastName=odd)
    box.lines("odd.ndjson", [event, "nonsense \x1b[2J"])
    box.run_outreach()
    ended = box.ensue("run", box.outreach, "--events", "odd.ndjson", "--store", "s.db").exits(WRONG)
    lacks(ended.err, "\x1b", "standard error of the run")
    for words in (("records", "Lead"), ("records", "Lead/00S0"), ("dead-letters", "--text"), ("why", HOT, "for", "Lead/00S0")):
        out = box.ensue(*words, "--store", "s.db").exits(FINE).out
        for part in ("\x1b", "\x01"):
            lacks(out, part, f"what `ensue {words[0]}` shows")


def test_same_input_gives_same_output(box):
    outputs = []
    for name in ("one", "two"):
        at_store, seen = ("--store", f"{name}.db"), {}
        for words in (("run", box.outreach, *stream(box), "--output", "ndjson", *at_store), ("check", box.outreach, "--dump", "plan"),
                      ("check", box.outreach, "--dump", "types"), ("test", box.outreach, "--coverage"), ("graph", box.outreach, "--svg"),
                      ("graph", box.outreach, "--dot"), ("runs", *at_store), ("limits", "--all", *at_store), ("records", "Lead", *at_store),
                      ("records", *at_store, "--format", "json"), ("targets", "--all", *at_store), ("reminders", *at_store),
                      ("why", "not", HOT, "for", "Lead/00Q09", *at_store)):
            seen[" ".join(str(word) for word in words if word != f"{name}.db")] = box.ensue(*words).exits(FINE).out_bytes
        outputs.append(seen)
    for words, text in outputs[0].items():
        same(outputs[1][words], text, f"standard output of `ensue {words}` the second time")


def test_any_number_of_threads_gives_the_same(box):
    """Decisions line by line, and the store row by row; with lines that cannot be read and fields that nobody knows."""
    chance = random.Random(20261121)
    lines = []
    for n in range(3000):
        fields = {"LastName": f"N{n}", "Rating": chance.choice(["Hot", "Warm", "Cold"]), "LeadSource": "Web", "OwnerId": chance.choice(["005ana", "005bob"]), "Email": "l@x.test",
                  "NumberOfEmployees": chance.randint(1, 999), f"Odd{chance.randint(1, 30)}": 1}
        kind = "create" if n < 1000 else "update"
        lines.append(json.dumps({"id": f"t{n}", "entity": "Lead", "ids": [f"00T{n % 1000}"], "kind": kind, "at": 1774500000000 + n * 300_000, "set": fields}))
        if n % 97 == 0:
            lines.append(lines[-1][:-chance.randint(1, 40)])
    box.write("many.ndjson", "\n".join(lines) + "\n")
    seen = {}
    for threads in ("1", "2", "5"):
        ended = box.ensue("run", box.outreach, "--records", box.outreach / "records.ndjson", "--events", "many.ndjson", "--store", f"t{threads}.db",
                          "--output", "ndjson", "--threads", threads, "--quiet").exits(WRONG, "this is not JSON")
        with sqlite3.connect(box.path(f"t{threads}.db")) as db:
            seen[threads] = (ended.out, ended.err, list(db.iterdump()))
    expect(min(seen["1"][0].count(f'"{status}"') for status in ("executed", "suppressed")) >= 10, "runs, and runs that a limit refused")
    for threads in ("2", "5"):
        for before, now, what in zip(seen["1"], seen[threads], ("standard output", "standard error", "the store")):
            expect(before == now, f"{what} of {threads} threads is another one")
    box.ensue("run", box.outreach, "--threads", "0").exits(USAGE, "--threads")


def test_streams_hold_what_the_manual_says(box):
    """Data on standard output, everything for a person on standard error."""
    box.run_outreach()
    for words in (("runs",), ("limits",), ("records",), ("targets",), ("reminders",), ("dead-letters",), ("why", HOT, "for", "Lead/00Q01")):
        ended = box.ensue(*words, "--store", "s.db").exits(FINE)
        expect(ended.out and not ended.err, f"{ended.name} prints {support.short(ended.err)} on standard error")
    for words in (("runs", "--store", "gone.db"), ("check", "gone"), ("why", "Nope", "for", "Lead/00Q01", "--store", "s.db")):
        ended = box.ensue(*words)
        expect(ended.err.startswith("ensue: ") and not ended.out, f"{ended.name}: {support.short(ended.out)} / {support.short(ended.err)}")


def test_tour(box):
    """The examples' own tour ends well, and what it shows is the same each time."""
    done = [subprocess.run(["sh", str(box.tree / "examples" / "tour.sh"), str(box.program)], capture_output=True, text=True, cwd=box.dir,
                           env=box.environment({"TMPDIR": str(box.dir)}), timeout=60, check=False) for _ in range(2)]
    for each in done:
        same((each.returncode, "\n$ ensue " in each.stdout), (0, True), f"the tour, which says {support.short(each.stderr)}")
    same(done[0].stdout, done[1].stdout, "the tour the second time")


if __name__ == "__main__":
    support.main(globals(), jobs=2)
