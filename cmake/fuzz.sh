#!/bin/sh
# Looks for inputs that break the program: builds the fuzzers with clang and lets each of them run for some seconds, one after the
# other. Prints a table: executions, edges covered, features, inputs kept, findings. What is found stands in
# build/fuzz/findings/TARGET/; a mended one belongs in tests/fuzz/regressions/TARGET/, where every `make test` runs it again.
#   sh cmake/fuzz.sh SECONDS [TARGET…]
# The corpus a target has grown is kept in build/fuzz/corpus/ and used again; the small one of the tree is not changed.
set -eu
seconds=${1:?"usage: sh cmake/fuzz.sh SECONDS [TARGET…]"}
shift
targets=${*:-source event record run store}
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
  before=$(find "$findings" -type f | wc -l)
  seeds=tests/fuzz/corpus/$target
  [ -d "tests/fuzz/regressions/$target" ] && seeds="$seeds tests/fuzz/regressions/$target"
  options=""
  case $target in
    source) options="-max_len=8192"; seeds="$seeds tests/corpus stdlib" ;;
    run) options="-max_len=8192"; seeds="$seeds tests/corpus" ;;
    store) options="-max_len=512" ;;
    *) options="-max_len=4096" ;;
  esac
  case $target in
    source | run) options="$options -dict=tests/fuzz/source.dict" ;;
    event | record) options="$options -dict=tests/fuzz/event.dict" ;;
  esac
  # A finding does not end the run: a new process goes on with the rest of the time.
  # shellcheck disable=SC2086  # the options and the seeds are lists
  nice "build/fuzz/fuzzers/fuzz_$target" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 $options \
    -artifact_prefix="$findings/" "$corpus" $seeds >"$log" 2>&1 || true
  found=$(($(find "$findings" -type f | wc -l) - before))
  [ "$found" -eq 0 ] || failed=1
  # `#123: cov: 4 ft: 5 corp: 6 exec/s …`, the last one
  row=$(sed -n 's/^#\([0-9]*\): cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 \2 \3 \4/p' "$log" | tail -n 1)
  table="$table
$target ${row:-0 0 0 0} $found"
done
printf '%s\n' "$table" | awk '{ printf "%-8s %12s %8s %10s %8s %10s\n", $1, $2, $3, $4, $5, $6 }'
[ "$failed" -eq 0 ] || echo "findings: build/fuzz/findings/"
exit $failed
