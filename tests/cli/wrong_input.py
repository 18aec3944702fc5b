"""What is wrong on the way in: sources, streams, files and options. Each gives its exit code and a message that names the place,
never a crash, and a store keeps what was committed before."""
import json
import os
import random

import support
from support import FINE, USAGE, WORLD, WRONG, Failure, NotRun, expect, has, lacks, same

GOOD = 'action "A" by "ana"\n  when Lead is created\n  then remove it from all cadences\nend\n'
SEED = 50
GARBAGE_BYTES = 50_000_000
SOURCE_BYTES_MAX = 16 * 1024 * 1024
# Under a sanitizer a program takes several times as much of both.
SANITIZED = 4 if os.environ.get("ENSUE_SANITIZE") else 1
RSS_MAX = 1_000_000_000 * SANITIZED
CPU_SECONDS_MAX = 30 * SANITIZED  # "within seconds"; of the processor, so that a busy machine is no failure


def lead(number, **more):
    event = {"id": f"w-{number}", "entity": "Lead", "ids": [f"00W{number}"], "kind": "create", "at": "2026-04-01T08:00:00Z",
             "by": "005ana", "set": {"LastName": "Roe", "OwnerId": "005ana"}}
    event.update(more)
    return event


def garbage(path, printable, size=GARBAGE_BYTES, line_every=96):
    """Random bytes; `printable` turns them into ASCII with a line break about every `line_every` characters."""
    source = random.Random(SEED)
    data = source.randbytes(size)
    if printable:
        alphabet = bytes(range(32, 127))
        data = bytearray(data.translate(bytes(alphabet[byte % len(alphabet)] for byte in range(256))))
        at = 0
        while True:
            at += source.randrange(1, 2 * line_every)
            if at >= len(data):
                break
            data[at] = 10
    path.write_bytes(data)
    return path


def bounded(ended, what):
    expect(ended.cpu_seconds < CPU_SECONDS_MAX, f"{what}: {ended.name} took {ended.cpu_seconds:.1f} s")
    expect(ended.rss_bytes < RSS_MAX, f"{what}: {ended.name} took {ended.rss_bytes:,} bytes of memory")
    return ended


def wrong_source(box, content, place, code="error[E"):
    """A source that every command refuses at the same place; a store is neither made nor changed by it."""
    box.write("bad.ensue", content)
    box.ensue("check", "bad.ensue").exits(WRONG, code, place)
    box.ensue("test", "bad.ensue").exits(WRONG, code, place)
    diagnostics = box.ensue("check", "--format", "json", "bad.ensue").exits(WRONG).json()
    expect(diagnostics and diagnostics[0]["severity"] == "error", "`check --format json` lists no error")
    box.ensue("run", "bad.ensue", "--store", "new.db").exits(WRONG, code, place)
    expect(not box.path("new.db").exists(), "a source with an error makes a store")
    box.run_outreach()
    before = box.contents()
    box.ensue("run", "bad.ensue", "--events", box.outreach / "events.ndjson", "--store", "s.db").exits(WRONG, code, place)
    box.same_contents(box.contents(), before)
    same(box.path("bad.ensue").read_bytes(), content if isinstance(content, bytes) else content.encode(), "bad.ensue afterwards")


def wrong_syntax(box, content, place, code):
    wrong_source(box, content, place, code)
    box.ensue("fmt", "bad.ensue").exits(WRONG, code, place)
    same(box.path("bad.ensue").read_bytes(), content if isinstance(content, bytes) else content.encode(), "bad.ensue after fmt")


def wrong_stream(box, content, code, *parts, kept=True, name="bad.ndjson", **options):
    """Runs a stream on a store that holds the example; `kept`: that nothing of it changes but the dead letters."""
    box.run_outreach()
    before = box.contents()
    path = content if content is None else box.write(name, content)
    ended = box.ensue("run", box.outreach, "--events", path or name, "--store", "s.db", **options).exits(code, *parts)
    if kept:
        box.same_contents(box.contents(), before, but=("dead letters",))
    return ended


# ---- Sources ----------------------------------------------------------------------------------------------------------------


def test_missing_end(box):
    wrong_syntax(box, GOOD.replace("end\n", ""), "bad.ensue:3:", "error[E0110]")


def test_smart_quotes(box):
    wrong_syntax(box, GOOD.replace('"A"', "“A”"), "bad.ensue:1:8", "error[E0103]")


def test_latin_1_byte(box):
    text = GOOD.replace("  then", '  if LastName is "René"\n  then').encode("latin-1")
    wrong_syntax(box, text, "bad.ensue:3:22", "error[E0101]")
    has(box.ensue("check", "bad.ensue").err, "0xE9", "the message")


def test_nul_byte(box):
    wrong_syntax(box, GOOD.replace("is created", "is\0 created"), "bad.ensue:2:", "U+0000")
    raw = box.ensue("check", "bad.ensue").err_bytes
    expect(b"\0" not in raw, "the message holds the NUL byte itself")


def test_byte_order_mark_is_no_error(box):
    box.write("bom.ensue", "\ufeff" + GOOD)
    box.ensue("check", "bom.ensue").exits(FINE)
    same(box.ensue("check", "bom.ensue", "--format", "json").exits(FINE).json(), [], "diagnostics")
    box.ensue("fmt", "bom.ensue").exits(FINE)
    same(box.path("bom.ensue").read_text(), GOOD, "the formatted text")


def test_carriage_returns_are_no_error(box):
    box.write("crlf.ensue", GOOD.replace("\n", "\r\n"))
    box.ensue("check", "crlf.ensue").exits(FINE)
    same(box.ensue("check", "crlf.ensue", "--format", "json").exits(FINE).json(), [], "diagnostics")
    box.ensue("fmt", "crlf.ensue").exits(FINE)
    same(box.path("crlf.ensue").read_bytes(), GOOD.encode(), "the formatted text")
    # Places count the same as with plain line breaks.
    box.write("wrong.ensue", GOOD.replace("end\n", "").replace("\n", "\r\n"))
    box.ensue("check", "wrong.ensue").exits(WRONG, "wrong.ensue:3:")


def test_nested_parentheses(box):
    deep = 100_000
    text = GOOD.replace("  then", "  if " + "(" * deep + 'LastName is "x"' + ")" * deep + "\n  then")
    wrong_syntax(box, text, "bad.ensue:3:", "nested deeper than 200")
    box.write("open.ensue", GOOD.replace("  then", "  if " + "(" * deep + "\n  then"))
    box.ensue("check", "open.ensue").exits(WRONG, "open.ensue:3:")
    box.write("nots.ensue", GOOD.replace("  then", "  if " + "not (" * deep + "\n  then"))
    box.ensue("check", "nots.ensue").exits(WRONG, "nots.ensue:3:")
    # The same in a REPL and in JSON of a stream.
    answer = box.ensue("repl", stdin="(" * deep + "1" + ")" * deep + "\n").exits(WRONG)
    has(answer.out, "nested deeper than 200", "the answer of the REPL")
    box.write("deep.ndjson", '{"entity":' * deep + "1" + "}" * deep + "\n" + "[" * deep + "\n")
    box.ensue("run", box.outreach, "--events", "deep.ndjson").exits(WRONG, "deep.ndjson:1:", "deep.ndjson:2:")


def test_empty_source(box):
    for content in ("", "\n\n", "# nothing but a comment\n"):
        box.write("empty.ensue", content)
        box.ensue("check", "empty.ensue").exits(FINE, "0 automations in 1 file")
        has(box.ensue("test", "empty.ensue").exits(FINE).out, "no tests", "standard output")
        box.ensue("run", "empty.ensue", "--events", box.outreach / "events.ndjson").exits(FINE)


def test_garbage_as_source(box):
    for printable in (False, True):
        what = "printable garbage" if printable else "random bytes"
        path = garbage(box.path("garbage.ensue"), printable)
        bounded(box.ensue("check", "garbage.ensue"), what).exits(WRONG, "garbage.ensue", "50000000")
        bounded(box.ensue("fmt", "--check", "garbage.ensue"), what).exits(WRONG, "garbage.ensue")
        # As much as is read at all.
        with open(path, "r+b") as file:
            file.truncate(SOURCE_BYTES_MAX - 1)
        if printable:
            continue  # see test_largest_printable_source
        bounded(box.ensue("check", "garbage.ensue"), what).exits(WRONG, "garbage.ensue:")


def test_largest_printable_source(box):
    garbage(box.path("garbage.ensue"), True, SOURCE_BYTES_MAX - 1)
    ended = bounded(box.ensue("check", "garbage.ensue"), "printable garbage as large as is read").exits(WRONG, "garbage.ensue:1:")
    expect(len(ended.err) < 100_000, f"{len(ended.err)} bytes of diagnostics")


# ---- Files and folders ------------------------------------------------------------------------------------------------------


def test_folder_that_is_not_there(box):
    box.run_outreach()
    before = box.contents()
    for words in (("check",), ("fmt",), ("test",), ("graph",), ("run", "--store", "s.db"), ("run", "--store", "new.db")):
        box.ensue(*words, "nowhere").exits(WORLD, "nowhere")
    expect(not box.path("new.db").exists(), "a run without sources makes a store")
    box.same_contents(box.contents(), before)
    box.write("there.ensue", GOOD)
    box.ensue("check", "there.ensue", "nowhere.ensue").exits(WORLD, "nowhere.ensue")


def test_folder_without_sources(box):
    box.path("bare").mkdir()
    box.write("bare/notes.txt", "nothing of ours")
    box.ensue("check", "bare").exits(FINE, "no .ensue files", "bare")
    has(box.ensue("test", "bare").exits(FINE).out, "no tests", "standard output")
    box.ensue("run", "bare", "--events", box.outreach / "events.ndjson").exits(FINE, "no .ensue files", "bare")


def test_unreadable_files(box):
    before = support.as_nobody(box) if support.is_root() else None  # root reads every file
    box.write("secret.ensue", GOOD)
    box.write("folder/a.ensue", GOOD)
    box.lines("secret.ndjson", [lead(1)])
    box.run_outreach()
    for name in ("secret.ensue", "folder/a.ensue", "secret.ndjson"):
        box.path(name).chmod(0)
    try:
        box.ensue("--version", before=before).exits(FINE)
        box.ensue("check", box.outreach, before=before).exits(FINE)
    except (OSError, Failure):
        raise NotRun("root reads every file, and another user cannot reach the program or the tree") from None
    box.ensue("check", "secret.ensue", before=before).exits(WORLD, "secret.ensue", "Permission denied")
    box.ensue("check", "folder", before=before).exits(WORLD, "a.ensue", "Permission denied")
    box.ensue("fmt", "folder", before=before).exits(WORLD, "a.ensue", "Permission denied")
    for option in ("--events", "--records"):
        box.ensue("run", box.outreach, option, "secret.ndjson", before=before).exits(WORLD, "secret.ndjson", "Permission denied")
    box.path("folder").chmod(0)
    box.ensue("check", "folder", before=before).exits(WORLD, "folder", "ermission denied")
    box.path("folder").chmod(0o700)
    # A folder within that cannot be read is not passed over silently.
    box.write("outer/b.ensue", GOOD)
    box.path("folder").rename(box.path("outer/folder"))
    box.path("outer/folder").chmod(0)
    box.ensue("check", "outer", before=before).exits(WORLD, "outer/folder", "ermission denied")


def test_folder_in_place_of_a_file(box):
    box.path("folder.ensue").mkdir()
    box.path("folder.ndjson").mkdir()
    box.ensue("check", "folder.ensue").exits(FINE)  # a folder like any other
    wrong_stream(box, None, WORLD, "folder.ndjson is a folder", name="folder.ndjson")
    box.ensue("run", box.outreach, "--records", "folder.ndjson").exits(WORLD, "folder.ndjson is a folder")
    box.ensue("run", box.outreach, "--store", "folder.ndjson").exits(WORLD, "folder.ndjson")


def test_links_that_go_in_circles_or_nowhere(box):
    box.write("folder/a.ensue", GOOD)
    os.symlink("..", box.path("folder/back"))
    os.symlink("gone.ensue", box.path("folder/dangling.ensue"))
    os.symlink("a.ensue", box.path("folder/again.ensue"))
    box.ensue("check", "folder").exits(FINE, "1 automation in 1 file")


# ---- Streams ----------------------------------------------------------------------------------------------------------------


def test_line_cut_in_half(box):
    half = json.dumps(lead(2))
    content = json.dumps(lead(1)) + "\n" + half[:len(half) // 2] + "\n" + json.dumps(lead(3)) + "\n"
    wrong_stream(box, content, WRONG, "bad.ndjson:2:", "not JSON", kept=False)
    records = box.ensue("records", "Lead", "--store", "s.db").exits(FINE).out
    has(records, "00W1", "the records")
    has(records, "00W3", "the records after the wrong line")
    letters = box.ensue("dead-letters", "--store", "s.db", "--format", "json").exits(FINE).json()
    same([(row["source"], row["line"], row["text"]) for row in letters], [("bad.ndjson", 2, half[:len(half) // 2])], "dead letters")


def test_last_line_cut_in_half(box):
    half = json.dumps(lead(2))
    wrong_stream(box, json.dumps(lead(1)) + "\n" + half[:len(half) // 2], WRONG, "bad.ndjson:2:", "not JSON", kept=False)


def test_unknown_object(box):
    wrong_stream(box, json.dumps(lead(1, entity="Leed")) + "\n", WRONG, 'bad.ndjson:1: unknown object "Leed"')


def test_lines_of_every_wrong_kind(box):
    """Each is a dead letter with its line, and none stops the stream."""
    wrong = [
        ("{", "JSON"), ("[1, 2]", "object"), ('"text"', "object"), ("17", "object"), ("nul", "JSON"), ('{"a":1} {"b":2}', "JSON"),
        ("{}", ""), ('{"entity":"Lead"}', ""), (json.dumps(lead(1, kind="explode")), "explode"),
        (json.dumps(lead(1, ids=[])), ""), (json.dumps(lead(1, ids="00W1")), ""),
        (json.dumps(lead(1, ids=[""])), ""), (json.dumps({k: v for k, v in lead(1).items() if k != "at"}), "when"),
        (json.dumps(lead(1, at="yesterday")), "yesterday"), (json.dumps(lead(1, at="2026-02-30T08:00:00Z")), "2026-02-30"),
        (json.dumps(lead(1, at=1e300)), ""), (json.dumps(lead(1, at=-10 ** 30)), ""), (json.dumps(lead(1, set=[])), ""),
        (json.dumps(lead(1, set={"NumberOfEmployees": "dozen"})), "NumberOfEmployees"),
        (json.dumps(lead(1, set={"NumberOfEmployees": {"a": 1}})), "NumberOfEmployees"),
        (json.dumps(lead(1, set={"LastName": "x" * 200_000})), "LastName"),
        (json.dumps(lead(1, ids=[f"x{i}" for i in range(10_001)])), "10"),
        ('{"entity":"Lead","ids":["a"],"kind":"create","at":"2026-04-01T08:00:00Z","set":{"LastName":"\\ud800"}}', ""),
        ('{"specversion":"1.0","id":"x","source":"s","type":"t","data":5}', ""),
        ('{"action":"I"}', ""), ('{"op":"c","after":null}', ""), ('{"ChangeEventHeader":{}}', ""), ('{"payload":{"ChangeEventHeader":7}}', ""),
        ("\x01\x02", "JSON"),
    ]
    rows = [line for line, _ in wrong] + [json.dumps(lead(9))]
    box.run_outreach()
    box.write("bad.ndjson", "\n".join(rows).encode() + b"\n\xff\xfe\n")
    box.ensue("run", box.outreach, "--events", "bad.ndjson", "--store", "s.db").exits(WRONG, "bad.ndjson:1:")
    letters = box.ensue("dead-letters", "--store", "s.db", "--format", "json").exits(FINE).json()
    by_line = {row["line"]: row["reason"] for row in letters}
    for number, (line, word) in enumerate(wrong, 1):
        expect(number in by_line, f"line {number} is no dead letter: {support.short(line, 120)}")
        has(by_line[number], word, f"the reason of line {number}")
    expect(len(rows) not in by_line, f"the good line is a dead letter: {by_line.get(len(rows))}")
    expect(len(rows) + 1 in by_line, "a line that is not UTF-8 is no dead letter")
    same(len(letters), len(wrong) + 1, "dead letters")
    has(box.ensue("records", "Lead/00W9", "--store", "s.db").exits(FINE).out, "Roe", "the good line's record")


def test_very_long_line(box):
    content = json.dumps(lead(1, set={"LastName": "R" * 20_000_000})) + "\n" + json.dumps(lead(2)) + "\n"
    ended = wrong_stream(box, content, WRONG, "bad.ndjson:1:", "4194304", kept=False)
    bounded(ended, "a line of 20 MB")
    box.ensue("records", "Lead/00W1", "--store", "s.db").exits(WRONG)
    box.ensue("records", "Lead/00W2", "--store", "s.db").exits(FINE)
    # The stream goes on after it, not within it.
    has(box.ensue("run", box.outreach, "--events", "bad.ndjson", "--store", "s.db").exits(FINE).err, "nothing new", "the second run")


def test_garbage_as_stream(box):
    garbage(box.path("garbage.ndjson"), True, line_every=1000)
    ended = wrong_stream(box, None, WRONG, "garbage.ndjson:1:", "not JSON", name="garbage.ndjson")
    bounded(ended, "50 MB of printable garbage")


def test_random_bytes_as_stream(box):
    garbage(box.path("garbage.ndjson"), False)
    bounded(box.ensue("run", box.outreach, "--events", "garbage.ndjson"), "50 MB of random bytes").exits(WRONG, "garbage.ndjson:1:")
    # Without a line break it is one line of 50 MB.
    data = box.path("garbage.ndjson").read_bytes().replace(b"\n", b" ")
    wrong_stream(box, data, WRONG, "bad.ndjson:1:", "4194304")


def test_garbage_as_records(box):
    box.run_outreach()
    before = box.contents()
    box.write("bad.ndjson", json.dumps(lead(1)) + "\nnonsense\n")
    box.ensue("run", box.outreach, "--records", "bad.ndjson", "--store", "s.db").exits(WRONG, "bad.ndjson:2:")
    after = box.contents()
    box.same_contents(after, before, but=("records", "dead letters"))
    has(after["records"], "00W1", "the records")


def test_empty_events_file(box):
    wrong_stream(box, "", FINE, "0 new events", name="empty.ndjson")
    wrong_stream(box, "\n\n\n", FINE, "0 new events", name="blank.ndjson")


def test_last_line_without_line_break(box):
    content = json.dumps(lead(1)) + "\n" + json.dumps(lead(2))
    wrong_stream(box, content, FINE, "2 new events", kept=False)
    has(box.ensue("records", "Lead/00W2", "--store", "s.db").exits(FINE).out, "Roe", "the last line's record")
    box.ensue("run", box.outreach, "--events", "bad.ndjson", "--store", "s.db").exits(FINE, "nothing new")
    # What is appended is read, and the line that stood last is not read twice.
    box.write("bad.ndjson", content + "\n" + json.dumps(lead(3)) + "\n")
    box.ensue("run", box.outreach, "--events", "bad.ndjson", "--store", "s.db").exits(FINE, "1 new event")
    box.ensue("records", "Lead/00W3", "--store", "s.db").exits(FINE)


def test_windows_line_breaks_in_a_stream(box):
    content = "\ufeff" + json.dumps(lead(1)) + "\r\n" + json.dumps(lead(2)) + "\r\n"
    wrong_stream(box, content, FINE, "2 new events", kept=False)


def test_missing_files_of_a_run(box):
    wrong_stream(box, None, WORLD, "nowhere.ndjson", name="nowhere.ndjson")
    before = box.contents()
    box.ensue("run", box.outreach, "--records", "nowhere.ndjson", "--store", "s.db").exits(WORLD, "nowhere.ndjson")
    # The events are not touched when the records that they build upon are not there.
    box.lines("more.ndjson", [lead(1)])
    box.ensue("run", box.outreach, "--records", "nowhere.ndjson", "--events", "more.ndjson", "--store", "s.db").exits(WORLD, "nowhere.ndjson")
    box.same_contents(box.contents(), before)


# ---- Options ----------------------------------------------------------------------------------------------------------------


def test_unknown_command(box):
    ended = box.ensue("frobnicate").exits(USAGE, "frobnicate")
    same(ended.out, "", "standard output")


def test_no_command(box):
    box.ensue().exits(USAGE, "--help")


def test_unknown_options(box):
    for command in ("check", "fmt", "run", "test", "why", "graph", "runs", "limits", "reminders", "activate", "deactivate", "records",
                    "targets", "dead-letters", "repl"):
        ended = box.ensue(command, "--bogus").exits(USAGE)
        expect("--bogus" in ended.err or "required" in ended.err, f"{ended.name} names nothing: {support.short(ended.err)}")
        same(ended.out, "", f"standard output of {ended.name}")
    box.write("a.ensue", GOOD)
    for command in ("check", "fmt", "run", "test", "graph"):
        box.ensue(command, "a.ensue", "--bogus").exits(USAGE, "--bogus")
    same(box.path("a.ensue").read_text(), GOOD, "a.ensue")


def test_missing_paths_and_values(box):
    for words in (("check",), ("fmt",), ("run",), ("test",), ("graph",), ("why",), ("runs",), ("limits",), ("activate", "A"), ("run", "a.ensue", "--events")):
        box.ensue(*words).exits(USAGE)


def test_values_out_of_range(box):
    box.run_outreach()
    before = box.contents()
    events = box.lines("more.ndjson", [lead(1)])
    run = ("run", box.outreach, "--events", events, "--store", "s.db")
    for batch in ("0", "-1", "100001", "many", "1.5", "", "99999999999999999999999"):
        box.ensue(*run, "--batch", batch).exits(USAGE, "--batch")
    box.ensue(*run, "--clock", "sun").exits(USAGE, "--clock")
    box.ensue(*run, "--output", "xml").exits(USAGE, "--output")
    box.ensue(*run, "--verdicts", "some").exits(USAGE, "--verdicts")
    box.ensue(*run, "--format", "yaml").exits(USAGE, "--format")
    box.ensue(*run, "--color", "pink").exits(USAGE, "--color")
    box.ensue(*run, "--zone", "Mars/Olympus").exits(USAGE, "Mars/Olympus")
    box.ensue(*run, "--currency", "Euros").exits(USAGE, "Euros")
    box.ensue("test", box.outreach, "--threads", "0").exits(USAGE, "--threads")
    box.ensue("runs", "--store", "s.db", "--status", "odd").exits(USAGE, "--status")
    box.same_contents(box.contents(), before)
    lacks(box.contents()["records"], "00W1", "the records")


if __name__ == "__main__":
    support.main(globals(), jobs=2)
