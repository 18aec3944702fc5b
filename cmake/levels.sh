#!/bin/sh
# usage: cmake/levels.sh SECONDS TRIALS BUILD
# The longer levels: crashes of a simulated disk and lives of a node, as many seeds as SECONDS of processor allow, with the
# binaries of build/BUILD (asan: under the sanitizers); then real processes, killed four times in each of TRIALS. Prints what
# was tried; fails when anything is found.
set -eu
build=build/$3/tests
out=build/levels
mkdir -p $out
export ENSUE_SIM_SECONDS="$1"
echo "levels: $build, ENSUE_SIM_SECONDS=$1, ENSUE_SEED=${ENSUE_SEED:-the usual}"
$build/simulation_test >$out/disk.txt 2>&1 &
disk=$!
node_ok=0
$build/simulation_node_test >$out/node.txt 2>&1 || node_ok=$?
kills_ok=0
ENSUE_KILL_TRIALS="$2" python3 tests/cli/kill.py build/dev/ensue . test_killed_runs_are_finished >$out/kills.txt 2>&1 || kills_ok=$?
disk_ok=0
wait $disk || disk_ok=$?
cat $out/disk.txt $out/node.txt $out/kills.txt | cut -c1-1000
[ "$disk_ok$node_ok$kills_ok" = 000 ] || { echo "levels: something was found"; exit 1; }
