#!/usr/bin/env python3
"""Finds direct use of the machine: clocks, random numbers, files, the environment, processes, the network.

The engine gets time, records and the outside world only through interfaces that a host lends it, so that a test can stand in their
place. Every use in interpreter/ needs a row of ALLOWED, with its reason; a row that nothing needs is a mistake, too. Comments and
texts are not looked at. Before the tree, the script tries its eyes on planted lines.
"""
import pathlib
import re
import sys

INTERPRETER = pathlib.Path(__file__).resolve().parents[2] / "interpreter"

# A call of one of the names, of no object and no class: not `a.time()`, not `Value::time()`, not `Date date(…)`.
CALL = r"(?:(?<![\w.:>])|(?<=[^\w]::)|(?<=std::))(?<![\w>&*] )(?:return |else )?(?:%s)\s*\("


def call(names):
    return CALL % names


def header(names):
    return r"#\s*include\s*<(?:%s)>" % names


KINDS = {
    "clock": [r"\b(?:system|steady|high_resolution|utc|tai|gps|file)_clock\b", r"\b(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&\w+)\s*\)",
              r"\bstd::clock\b", r"\bclock_(?:gettime|getres|nanosleep)\b", r"\bsleep_(?:for|until)\b",
              call("gettimeofday|timespec_get|localtime(?:_r)?|gmtime(?:_r)?|mktime|timegm|nanosleep|usleep|sleep|setitimer|timerfd_create"),
              header("ctime|time\\.h|sys/time\\.h|sys/timerfd\\.h")],
    "random": [r"\brandom_device\b", r"\bmt19937(?:_64)?\b", r"\b(?:default_random_engine|minstd_rand0?|knuth_b|ranlux\w+)\b",
               r"\b\w+_distribution\b", r"\brandombytes\w*", r"\barc4random\w*",
               call("s?rand(?:_r)?|s?random(?:_r)?|[delmnj]rand48|getrandom|getentropy|uuid_generate\\w*"), header("random|sys/random\\.h")],
    "file": [r"\b(?:std::)?[io]?fstream\b", r"\bfilebuf\b", r"\bstd::filesystem\b", r"\bO_(?:RDONLY|WRONLY|RDWR|CREAT)\b", r"/dev/\w",
             call("f(?:re|d)?open|tmpfile|mk[sd]temps?|tmpnam|opendir|fdopendir|unlink(?:at)?|rename(?:at2?)?|mkdir|rmdir|truncate|ftruncate"
                  "|realpath|readlink|access|l?stat|chmod|flock|fsync|fdatasync|pread|pwrite|mmap|posix_fallocate"),
             r"(?<!\w)::(?:open|openat|creat|read|write|close|link|symlink|remove)\s*\(", header("fstream|filesystem|fcntl\\.h|sys/stat\\.h|sys/file\\.h|sys/mman\\.h|dirent\\.h")],
    "environment": [call("(?:secure_)?getenv|setenv|unsetenv|putenv|gethostname|getlogin|getpw\\w+|uname"), r"\benviron\b"],
    "process": [call("v?fork|exec[lv]p?e?|popen|system|posix_spawnp?|kill|raise|getpid|signal|sigaction|waitpid"), header("csignal|signal\\.h|sys/wait\\.h")],
    "network": [r"(?<!\w)::(?:socket|connect|bind|listen|accept4?|send|recv)\w*\s*\(", call("socket|socketpair|getaddrinfo|gethostbyname\\w*|inet_\\w+"),
                header("sys/socket\\.h|sys/un\\.h|netdb\\.h|netinet/.*|arpa/.*|curl/.*|httplib\\.h")],
}
FINDERS = {kind: re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) for kind, patterns in KINDS.items()}

# (files, kinds, why)
ALLOWED = [
    (r"adapters/system_clock\.cc", {"clock"}, "it is the machine's clock, behind the interface `Clock`"),
    (r"adapters/(?:.*\.cc|internal/.*\.h)", {"file"}, "stores are files"),
    (r"adapters/owner_lock\.cc", {"process"}, "the lock names its owner"),
    (r"adapters/(?:http_service|smtp_mail)\.cc", {"network"}, "services and mail servers are elsewhere"),
    (r"adapters/delivery_config\.cc", {"environment"}, "where secrets come from"),
    (r"daemon/(?:daemon|intake)\.cc", {"clock"}, "how long a commit took, and when to look again: the engine's time is the Clock's"),
    (r"daemon/daemon\.cc", {"file", "process"}, "standard input, and signals: stop, reload"),
    (r"daemon/(?:follower|source_watch)\.cc", {"file"}, "followed files and watched folders"),
    (r"daemon/notify\.cc", {"environment", "network", "file"}, "the socket of the service manager"),
    (r"daemon/http_front\.cc", {"network"}, "it answers HTTP"),
    (r"cli/.*\.cc", {"file"}, "a program reads sources and streams and writes reports"),
    (r"cli/(?:command|repl)\.cc", {"environment"}, "colours, and where a person's history is kept"),
    (r"cli/(?:run|progress)\.(?:cc|h)", {"clock"}, "how long a run took, and when to draw the bar again: told, never decided by"),
    (r"cli/(?:run|repl)\.cc", {"process"}, "Ctrl-C"),
]

# Lines that must be found, with their kind, and lines that must not.
PLANTED = [
    ("auto t = std::chrono::system_clock::now();", "clock"), ("auto t = std::chrono::steady_clock::now();", "clock"),
    ("int64_t s = time(nullptr);", "clock"), ("int64_t s = ::time(NULL);", "clock"), ("std::time(&now);", "clock"),
    ("clock_gettime(CLOCK_REALTIME, &t);", "clock"), ("gettimeofday(&tv, nullptr);", "clock"), ("std::tm* t = std::localtime(&s);", "clock"),
    ("std::this_thread::sleep_for(1ms);", "clock"), ("#include <ctime>", "clock"), ("  return mktime(&t);", "clock"),
    ("int r = rand() % 6;", "random"), ("std::srand(7);", "random"), ("std::random_device seed;", "random"), ("std::mt19937_64 g(1);", "random"),
    ("std::uniform_int_distribution<int> d(1, 6);", "random"), ("randombytes_buf(out, 16);", "random"), ("#include <random>", "random"),
    ("std::ifstream in(path);", "file"), ("std::fstream both;", "file"), ('FILE* f = fopen("a", "r");', "file"), ("std::fopen(name, mode);", "file"),
    ("int fd = open(path, O_RDONLY);", "file"), ("int fd = ::open(path, flags);", "file"), ("  else unlink(path);", "file"), ("namespace fs = std::filesystem;", "file"),
    ("if (::unlink(path) != 0) return;", "file"), ("#include <fcntl.h>", "file"), ("std::rename(a, b);", "file"),
    ('const char* home = std::getenv("HOME");', "environment"), ('getenv("TZ")', "environment"), ("char** all = environ;", "environment"),
    ("pid_t child = fork();", "process"), ('std::system("ls");', "process"), ("int me = ::getpid();", "process"),
    ("int s = socket(AF_INET, SOCK_STREAM, 0);", "network"), ("::connect(s, &a, n);", "network"), ("#include <sys/socket.h>", "network"),
    ("getaddrinfo(host, port, nullptr, &out);", "network"),
    ("int a = 1; /* rand() */ int b = rand();", "random"), ('f("// no comment"); rand();', "random"),
    ("// std::random_device would be wrong here", None), ("/* time(nullptr) */", None), ('complain("fopen(3) failed; fork() too");', None),
    ('const char* text = R"(std::ifstream in(path); " rand()', None), ("std::getenv of a raw text", None), ('#include "adapters/system_clock.h"', None), (')"; int after = 1;', None),
    ("Value::time({0})", None), ("NodeId at = time(s->TIME());", None), ("clock.now()", None), ("bool open() const;", None),
    ("if (!row.tracker.open()) continue;", None), ("store->read([&](StoreReader& reader) {", None), ("statement.bind(1, key);", None),
    ("Result<bool> rename(const Name& name);", None), ("operand(1); errand(2);", None), ("value::time_of_day(x)", None),
    ("ledger.system(1)", None), ("#include <chrono>", None), ("char separator = '\"'; // rand()", None),
]


def code_lines(text):
    """The lines without comments and without the insides of texts."""
    at, line = 0, []
    token = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|R\"([^()\\\s]*)\(.*?(?:\)\1\"|\Z)|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])+'", re.S)
    for match in token.finditer(text):
        line.append(text[at:match.start()])
        found = match.group()
        line.append(("" if found.startswith("/") else '""') + "\n" * found.count("\n"))
        at = match.end()
    line.append(text[at:])
    return "".join(line).split("\n")


def kinds_of(line):
    return [kind for kind, finder in FINDERS.items() if finder.search(line)]


def reason_for(relative, kind, used):
    for number, (files, kinds, _) in enumerate(ALLOWED):
        if kind in kinds and re.fullmatch(files, relative):
            used.add((number, kind))
            return True
    return False


def look(relative, text, used):
    """What a file uses without a row that allows it."""
    return [f"{relative}:{number}: direct use of the {kind}: {line.strip()[:90]}"
            for number, line in enumerate(code_lines(text), 1) for kind in kinds_of(line) if not reason_for(relative, kind, used)]


def try_eyes():
    """The planted lines, as one file of a folder that may use nothing."""
    seen = {}
    for problem in look("engine/planted.cc", "\n".join(line for line, _ in PLANTED), set()):
        number, kind = re.match(r"engine/planted\.cc:(\d+): direct use of the (\w+)", problem).groups()
        seen.setdefault(int(number), []).append(kind)
    mistakes = []
    for number, (line, kind) in enumerate(PLANTED, 1):
        found = seen.get(number, [])
        if found != ([kind] if kind else []) and not (kind and kind in found):
            mistakes.append(f"tests/tidy/seams.py: finds {found or 'nothing'} in the planted line `{line}`")
    if look("adapters/system_clock.cc", "std::chrono::system_clock::now();", set()):
        mistakes.append("tests/tidy/seams.py: a row of ALLOWED allows nothing")
    if not look("adapters/sqlite_store.cc", "std::chrono::system_clock::now();", set()):
        mistakes.append("tests/tidy/seams.py: a row of ALLOWED allows more than it says")
    return mistakes


def main():
    problems = try_eyes()
    used = set()
    files = sorted(path for path in INTERPRETER.rglob("*") if path.suffix in (".h", ".cc", ".def"))
    for path in files:
        problems += look(path.relative_to(INTERPRETER).as_posix(), path.read_text(), used)
    problems += [f"tests/tidy/seams.py: nothing needs the row `{names}` for the {kind}" for number, (names, kinds, _) in enumerate(ALLOWED)
                 for kind in sorted(kinds) if (number, kind) not in used]
    for problem in problems:
        print(problem)
    print(f"{len(PLANTED)} planted lines and {len(files)} files looked at, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
