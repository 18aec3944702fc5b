#!/bin/sh
# Looks for inputs that break the program: builds the fuzzers with clang and lets each of them run for some seconds, one after the
# other. Prints a table: executions, edges covered, features, inputs kept, findings. What is found stands in
# build/fuzz/findings/TARGET/; a mended one belongs in tests/fuzz/regressions/TARGET/, where every `make test` runs it again.
#   sh cmake/fuzz.sh SECONDS [TARGET…]
# The corpus a target has grown is kept in build/fuzz/corpus/ and used again; the small one of the tree is not changed.
set -eu
seconds=${1:?"usage: sh cmake/fuzz.sh SECONDS [TARGET…]"}
shift
targets=${*:-source event record run store program}
cd "$(dirname "$0")/.."
command -v clang++ >/dev/null || sh cmake/install-packages.sh clang libclang-rt-14-dev
cmake --preset fuzz >/dev/null
cmake --build build/fuzz -j "${JOBS:-2}" --target $(for target in $targets; do echo "fuzz_$target"; done)

# One directory in memory for the store's files: its commits wait for the disk otherwise.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
export UBSAN_OPTIONS=print_stacktrace=1
table="target executions edges features inputs findings"
failed=0
for target in $targets; do
  corpus=build/fuzz/corpus/$target
  findings=build/fuzz/findings/$target
  log=build/fuzz/$target.log
  mkdir -p "$corpus" "$findings"
  before=$(find "$findings" -type f ! -name 'slow-unit-*' | wc -l)
  seeds=tests/fuzz/corpus/$target
  [ -d "tests/fuzz/regressions/$target" ] && seeds="$seeds tests/fuzz/regressions/$target"
  case $target in
    source | run) options="-max_len=8192 -dict=tests/fuzz/source.dict" ;;
    event | record) options="-max_len=4096 -dict=tests/fuzz/event.dict" ;;
    store) options="-max_len=1024 -dict=tests/fuzz/store.dict" ;;
    program) options="-max_len=400" ;;
  esac
  : >"$log"
  # A finding ends a process of libFuzzer; another goes on with the rest of the time. Leaks are left to `make asan`: the parser's
  # tables grow with what they meet, so libFuzzer would look for leaks after each input.
  end=$(($(date +%s) + seconds))
  while left=$((end - $(date +%s))) && [ "$left" -gt 0 ]; do
    # shellcheck disable=SC2086  # the options and the seeds are lists
    nice "build/fuzz/fuzzers/fuzz_$target" -max_total_time="$left" -timeout=20 -rss_limit_mb=2048 -detect_leaks=0 $options \
      -print_final_stats=1 -artifact_prefix="$findings/" "$corpus" $seeds >>"$log" 2>&1 && break
  done
  found=$(($(find "$findings" -type f ! -name 'slow-unit-*' | wc -l) - before))
  [ "$found" -eq 0 ] || failed=1
  # `#123 NEW cov: 4 ft: 5 corp: 6/7Kb …`, the last one of each process; the executions are summed
  row=$(awk '/^stat::number_of_executed_units:/ { executions += $2 }
    /^#[0-9]+.* cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "ft:") ft = $(i + 1)
        if ($i == "corp:") { split($(i + 1), corp, "/") } } }
    END { print executions + 0, cov + 0, ft + 0, corp[1] + 0 }' "$log")
  table="$table
$target $row $found"
done
printf '%s\n' "$table" | awk '{ printf "%-8s %12s %8s %10s %8s %10s\n", $1, $2, $3, $4, $5, $6 }'
[ "$failed" -eq 0 ] || echo "findings: build/fuzz/findings/"
exit $failed
