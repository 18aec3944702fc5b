#!/usr/bin/env python3
"""Compares the tree with the table of folders in docs/architecture.md.

Each row of the table names a folder of interpreter/ and the folders it may include; what those may see, it may see too. Checked:
every #include "folder/file.h" points at a folder its own may see and at a file that exists; heavy and third-party headers stand
only where the table's second list allows them; no header but the public ones is seen by include/ensue.
"""
import pathlib
import re
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
INTERPRETER = TREE / "interpreter"

# Third-party headers and the files that may see them. Anything else is an error.
THIRD_PARTY = [
    (r"antlr4-runtime|EnsueLexer|EnsueParser", r"syntax/"),
    (r"boost/", r"graph/"),
    (r"cereal/", r"engine/internal/archive\.h$"),
    (r"build_identity\.h", r"engine/program_cache\.cc$"),
    (r"simdjson", r"intake/"),
    (r"nlohmann/", r"(engine|cli|source|adapters)/.*\.cc$"),
    (r"sqlite3\.h", r"adapters/"),
    (r"date/", r"calendar/"),
    (r"CLI/", r"cli/"),
    (r"curl/", r"adapters/(http_service|smtp_mail)\.cc$"),
    (r"httplib\.h", r"daemon/http_front\.cc$"),
    (r"prometheus/", r"daemon/metrics\.cc$"),
    (r"spdlog/", r"daemon/log\.cc$"),
    (r"fmt/", r".*\.cc$"),
    (r"histedit|editline", r"cli/"),
    (r"utf8proc", r"(base|syntax)/.*\.cc$"),
    (r"sodium", r"base/.*\.cc$"),
]


def folder_table():
    """The rows of the table: folder -> the folders named in its last column."""
    rows = {}
    for line in (TREE / "docs/architecture.md").read_text().splitlines():
        match = re.match(r"\| `([a-z/]+)/` \|.*\| ([^|]*) \|$", line)
        if match:
            rows[match.group(1)] = set(re.findall(r"`([a-z/]+)`", match.group(2)))
    return rows


def closure(rows):
    seen = {}

    def visit(name, path):
        if name in path:
            sys.exit(f"docs/architecture.md: {' -> '.join(path + [name])} is a cycle")
        if name not in seen:
            out = {name}
            for other in rows[name]:
                if other not in rows:
                    sys.exit(f"docs/architecture.md: `{name}` names `{other}`, which has no row")
                out |= visit(other, path + [name])
            seen[name] = out
        return seen[name]

    for name in rows:
        visit(name, [])
    return seen


def check_file(path, may_see, problems):
    relative = path.relative_to(INTERPRETER).as_posix()
    folder = relative.rsplit("/internal/", 1)[0] if "/internal/" in relative else relative.rsplit("/", 1)[0]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        quoted = re.match(r'\s*#\s*include "([^"]+)"', line)
        angled = re.match(r"\s*#\s*include <([^>]+)>", line)
        if quoted:
            check_own(relative, folder, number, quoted.group(1), may_see, problems)
        elif angled:
            check_third_party(relative, number, angled.group(1), problems)


def check_own(relative, folder, number, target, may_see, problems):
    if re.match(r"Ensue(Lexer|Parser)", target):
        check_third_party(relative, number, target, problems)
        return
    if target == "embedded.h":
        return
    other = target.rsplit("/", 1)[0]
    if "/internal" in other:
        if other.split("/internal")[0] != folder:
            problems.append(f"{relative}:{number}: {target} is private to its folder")
        other = other.split("/internal")[0]
    if other == "ensue":
        other = "include/ensue"
        exists = (INTERPRETER / "include" / target).exists()
    else:
        exists = (INTERPRETER / target).exists()
    if not exists:
        problems.append(f"{relative}:{number}: there is no {target}")
    elif other not in may_see[folder]:
        problems.append(f"{relative}:{number}: {folder}/ may not see {target} (docs/architecture.md)")


def check_third_party(relative, number, target, problems):
    for pattern, allowed in THIRD_PARTY:
        if re.match(pattern, target):
            if not re.match(allowed, relative):
                problems.append(f"{relative}:{number}: <{target}> may only stand in {allowed}")
            return
    if "/" in target or target.endswith(".hpp"):
        if not target.startswith("sys/"):
            problems.append(f"{relative}:{number}: <{target}> is not in the list of tests/tidy/includes.py")


def main():
    rows = folder_table()
    folders = {p.relative_to(INTERPRETER).as_posix() for p in INTERPRETER.iterdir() if p.is_dir() and p.name != "include"}
    folders.add("include/ensue")
    problems = [f"{name}/ has no row in docs/architecture.md" for name in sorted(folders - rows.keys())]
    problems += [f"docs/architecture.md has a row for {name}/, which does not exist" for name in sorted(rows.keys() - folders)]
    if not problems:
        may_see = closure(rows)
        files = sorted(p for p in INTERPRETER.rglob("*") if p.suffix in (".h", ".cc", ".def"))
        for path in files:
            check_file(path, may_see, problems)
        print(f"{len(files)} files of {len(rows)} folders looked at")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
