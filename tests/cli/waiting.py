"""Runs that wait, as people see them: `ensue timers`, screen flows from a terminal and from files, and what `check` says of cycles."""
import signal

import support
from support import FINE, INTERRUPTED, USAGE, WRONG, expect, has, lacks, same
from terminal import CTRL_C, CTRL_D, Terminal

FLOWS = '''flow "Chase"
  when Lead is created
  wait until Status is "Contacted" for at most 3 days
    on timeout
      create Task with Subject to "chase {LastName}"
    end
  log "{LastName} ends as {Status}"
end

flow "Never done"
  when Lead is created and meets Rating is "Hot"
  wait until Title is "done"
  log "done"
end

flow "Breaks"
  when Lead is created and meets Rating is "Bad"
  stop with fault "a bad one"
end
'''

SCREEN = '''screen flow "Open a case"
  show "New case"
    ask subject as text labelled "Subject", required
    ask count as number labelled "How many"
    ask urgency as choice of ("High", "Medium", "Low") labelled "Urgency", default "Medium"
  end
  show "One more thing"
    ask note as text labelled "Note"
  end
  create Case with Subject to "{count} x {subject}", Priority to urgency, Description to note
end

flow "Greet" takes lead as Lead, word as text
  when called
  create Task with Subject to "{word} {lead.LastName}"
end
'''


def lead(name, at="2026-01-05T14:00:00Z", **fields):
    return {"id": f"e-{name}", "entity": "Lead", "ids": [name], "kind": "create", "at": at,
            "set": {"LastName": f"Roe {name}", "Company": "Firm", "Status": "Open", **fields}}


def people(box):
    return box.lines("people.ndjson", [{"entity": "User", "ids": ["005ana"], "kind": "snapshot", "set": {"Username": "ana@x.test"}}])


def waiting(box, *rows, ends=FINE):
    """A store in which the flows have been started by these leads."""
    box.write("flows.ensue", FLOWS)
    box.ensue("run", "flows.ensue", "--records", people(box), "--events", box.lines("events.ndjson", rows), "--store", "s.db", "--quiet",
              "--output", "ndjson").exits(ends)


def subjects(box):
    rows = box.ensue("records", "Task", "--store", "s.db", "--format", "json").exits(FINE).json_lines()
    return [row["set"]["Subject"] for row in rows]


def timers(box, *words):
    return box.ensue("timers", *words, "--store", "s.db", "--clock", "event")


def listed(box, *words):
    return timers(box, "--format", "json", *words).exits(FINE).json()


# ---- Timers -----------------------------------------------------------------------------------------------------------------


def test_timers_are_listed(box):
    waiting(box, lead("L1"), lead("L2", Rating="Hot"), lead("L3", Rating="Bad"), ends=WRONG)
    rows = listed(box)
    same([(row["flow"], row["record"], row["state"], row["due"], row["woken"]) for row in rows],
         [("Chase", "Lead/L1", "waiting", "2026-01-08T14:00:00Z", 0), ("Chase", "Lead/L2", "waiting", "2026-01-08T14:00:00Z", 0),
          ("Never done", "Lead/L2", "waiting", None, 0), ("Chase", "Lead/L3", "waiting", "2026-01-08T14:00:00Z", 0)], "what waits")
    has(rows[0]["for"], 'wait until Status is "Contacted" for at most 3 days', "what it waits for")
    same([(row["flow"], row["record"], row["for"]) for row in listed(box, "--state", "failed")], [("Breaks", "Lead/L3", "a bad one")],
         "what has failed")
    out = timers(box, "list").exits(FINE).out
    for part in (rows[0]["run"][:12], "Never done", "2026-01-08T14:00:00Z"):
        has(out, part, "the table")
    has(timers(box, "--count", "1").exits(FINE).out, "and 3 more", "a short table")
    same(timers(box, "--state", "asking").exits(FINE).out, "no run waits\n", "what asks")


def test_a_timer_is_moved(box):
    waiting(box, lead("L1"), lead("L2"))
    first, second = (row["run"] for row in listed(box))
    same(timers(box, "move", first[:12], "2026-02-01T09:00").exits(FINE).out, "moved to 2026-02-01T09:00:00Z\n", "what is said")
    same([row["due"] for row in listed(box)], ["2026-02-01T09:00:00Z", "2026-01-08T14:00:00Z"], "when they are due")
    # The one that was moved is not woken at its old time, and is at its new one.
    ended = box.ensue("run", "flows.ensue", "--events", box.lines("more.ndjson", [lead("L3", "2026-01-20T00:00:00Z")]), "--store", "s.db",
                      "--output", "ndjson").exits(FINE)
    same([row["record"] for row in ended.json_lines() if row["status"] == "executed"], ["Lead/L2"], "what went on")
    ended = box.ensue("run", "flows.ensue", "--events", box.lines("last.ndjson", [lead("L4", "2026-02-02T00:00:00Z")]), "--store", "s.db",
                      "--output", "ndjson").exits(FINE)
    has(ended.out, '"record":"Lead/L1"', "what went on later")
    expect(first not in [row["run"] for row in listed(box)] and second not in [row["run"] for row in listed(box)], "they wait still")


def test_a_timer_is_fired(box):
    waiting(box, lead("L1"))
    run = listed(box)[0]["run"]
    rows = timers(box, "fire", run).exits(FINE).json_lines()
    same([(row["automation"], row["status"], [effect["op"] for effect in row["effects"]]) for row in rows],
         [("Chase", "executed", ["create", "log"])], "what is told")
    same(listed(box), [], "what waits")
    same(subjects(box), ["chase Roe L1"], "the tasks")


def test_a_run_is_cancelled(box):
    waiting(box, lead("L1"), lead("L2"))
    run = listed(box)[1]["run"]
    rows = timers(box, "cancel", run[:8]).exits(FINE).json_lines()
    same([(row["record"], row["status"]) for row in rows], [("Lead/L2", "cancelled")], "what is told")
    has(rows[0]["effects"][0]["text"], "cancelled by a person", "why")
    same([row["record"] for row in listed(box)], ["Lead/L1"], "what waits")
    # Its time comes, and nothing happens.
    ended = box.ensue("run", "flows.ensue", "--events", box.lines("more.ndjson", [lead("L3", "2026-01-20T00:00:00Z")]), "--store", "s.db",
                      "--output", "ndjson").exits(FINE)
    lacks(ended.out, "Lead/L2", "what is told later")


def test_wrong_words_about_timers(box):
    waiting(box, lead("L1"), lead("L2", Rating="Hot"))
    before = listed(box)
    run = before[0]["run"]
    for words in (("shift", run), ("fire",), ("move", run), ("cancel",)):
        timers(box, *words).exits(USAGE, "ensue timers [list | move RUN TIME | fire RUN | cancel RUN]")
    timers(box, "move", run, "tomorrow").exits(USAGE, '"tomorrow" is no date or time')
    timers(box, "move", run, "2026-02-30T09:00").exits(USAGE, "is no date or time")
    timers(box, "fire", "abc").exits(WRONG, "at least 6 digits")
    timers(box, "fire", "ffffffffffffffffffffffffffffffff").exits(WRONG, "no run ffffffffffffffffffffffffffffffff waits")
    endless = next(row["run"] for row in before if row["flow"] == "Never done")
    timers(box, "move", endless, "2026-02-01").exits(WRONG, "does not wait for a time")
    timers(box, "--state", "sleeping").exits(USAGE)
    box.ensue("timers", "--store", "gone.db").exits(support.WORLD, "there is no store")
    same(listed(box), before, "what waits after all this")


# ---- Screen flows -----------------------------------------------------------------------------------------------------------


def screens(box):
    """A store with somebody to ask."""
    box.write("screen.ensue", SCREEN)
    box.ensue("run", "screen.ensue", "--records", people(box), "--events", box.lines("events.ndjson", [lead("L1")]), "--store", "s.db",
              "--quiet").exits(FINE)
    return ("flow", "start", "Open a case", "screen.ensue", "--store", "s.db", "--as", "ana@x.test", "--clock", "event")


def cases(box):
    rows = box.ensue("records", "Case", "--store", "s.db", "--format", "json").exits(FINE).json_lines()
    return [(row["set"].get("Subject"), row["set"].get("Priority"), row["set"].get("Description")) for row in rows]


def asking(box):
    return [row["for"] for row in listed(box, "--state", "asking")]


def test_a_screen_asks_on_a_terminal(box):
    words = screens(box)
    with Terminal(box, *words) as terminal:
        has(terminal.await_text("Subject: "), "New case\n", "what is shown first")
        terminal.send("\r")
        has(terminal.await_text("Subject: "), '"Subject" needs an answer', "what is said to no answer")
        terminal.send("Renée\r")
        terminal.await_text("How many: ")
        terminal.send("many\r")
        has(terminal.await_text("How many: "), '"many" does not fit', "what is said to a word")
        terminal.send("3\r")
        terminal.await_text("Urgency [Medium]: ")
        terminal.send("Urgent\r")
        has(terminal.await_text("Urgency [Medium]: "), "choose one of High, Medium, Low", "what is said to no choice")
        terminal.send("high\r")
        has(terminal.await_text("Note: "), "One more thing\n", "what is shown next")
        terminal.send("\r")
        terminal.exits(FINE)
    same(cases(box), [("3 x Renée", "High", None)], "the cases")
    same(asking(box), [], "what asks")


def test_a_terminal_that_is_left(box):
    """The run waits for its answers, and may be ended by a person."""
    words = screens(box)
    for leave, code in ((CTRL_D, INTERRUPTED), (CTRL_C, -signal.SIGINT)):
        with Terminal(box, *words) as terminal:
            terminal.await_text("Subject: ")
            terminal.send(leave)
            terminal.exits(code)
    same((cases(box), asking(box)), ([], ["New case", "New case"]), "what is there")
    for row in listed(box, "--state", "asking"):
        timers(box, "cancel", row["run"], "screen.ensue").exits(FINE)
    same(asking(box), [], "what asks")


def test_answers_come_from_a_file(box):
    words = screens(box)
    box.write("answers.json", '[{"subject": "Broken", "count": 2, "urgency": "Low"}, {"note": "by mail"}]')
    rows = box.ensue(*words, "--answers", "answers.json").exits(FINE).json_lines()
    same([row["status"] for row in rows], ["waiting", "waiting", "executed"], "what is told")
    # Defaults stand for what is left out.
    box.write("answers.json", '[{"subject": "Other"}, {}]')
    box.ensue(*words, "--answers", "answers.json").exits(FINE)
    same(sorted(cases(box), key=str), [(" x Other", "Medium", None), ("2 x Broken", "Low", "by mail")], "the cases")


def test_wrong_answers_in_a_file(box):
    words = screens(box)
    for text, part in (("[]", "an object of answers, or a list of them"), ("nonsense", "an object of answers"), ("[1]", "an object of answers"),
                       ('{"subject": "A", "count": "many"}', 'count: "many" does not fit'), ('{"count": 1}', '"Subject" needs an answer'),
                       ('{"subject": "A", "urgency": "Urgent"}', 'has no choice "Urgent"'), ('{"subject": "A", "colour": "red"}', "does not ask for colour"),
                       ('{"subject": "A"}', 'has no answers for the screen "One more thing"; the flow waits for them')):
        box.write("answers.json", text)
        box.ensue(*words, "--answers", "answers.json").exits(WRONG, part)
    same(cases(box), [], "the cases")
    box.ensue(*words, "--answers", "gone.json").exits(support.WORLD)
    # Without a terminal somebody has to say where the answers are.
    box.ensue(*words).exits(USAGE, "--answers FILE")


def test_wrong_starts(box):
    words = screens(box)
    rest = words[3:]
    box.ensue("flow").exits(USAGE, "--store is required")
    box.ensue("flow", "begin", "Greet", *rest).exits(USAGE, "ensue flow start NAME")
    box.ensue("flow", "start", "Open a case", "screen.ensue", "--store", "s.db").exits(USAGE, "--as USER")
    box.ensue("flow", "start", "Nope", *rest).exits(WRONG, 'there is no flow "Nope"')
    box.ensue("flow", "start", "Greet", *rest).exits(WRONG, "needs lead")
    box.ensue("flow", "start", "Greet", "lead=L1", "word=hello", "tone=loud", *rest).exits(WRONG, "takes no tone")
    box.ensue("flow", "start", "Greet", "lead=L1", "word=hello", "screen.ensue", "--store", "s.db", "--as", "bob").exits(WRONG, 'no user "bob"')
    box.ensue("flow", "start", "Greet", "lead=L1", "word=hello", *rest).exits(FINE)
    same(subjects(box), ["hello Roe L1"], "the tasks")


# ---- Cycles -----------------------------------------------------------------------------------------------------------------


def test_a_cycle_of_three_flows_in_two_files(box):
    """`check` names the cycle with its path: which flow's write starts which."""
    box.write("flows/a.ensue", '''flow "First"
  when Lead is edited and meets Rating changed
  set Title to "rated {Rating}"
end

flow "Third"
  when Lead is edited and meets City changed
  set Rating to "of {City}"
end
''')
    box.write("flows/b.ensue", '''flow "Second"
  when Lead is edited and meets Title changed
  set City to "for {Title}"
end
''')
    ended = box.ensue("check", "flows").exits(FINE)
    for part in ("W0801", '"First"', '"Second"', '"Third"', "a.ensue:3", "b.ensue:3", "a.ensue:8"):
        has(ended.out + ended.err, part, "what check says")
    box.ensue("check", "flows", "--strict").exits(WRONG)
    rows = box.ensue("check", "flows", "--format", "json").exits(FINE).json()
    expect("First" in str(rows) and "Second" in str(rows), "the JSON lacks the path")


if __name__ == "__main__":
    support.main(globals(), jobs=2)
