#!/bin/sh
# The main job on the examples, step by step: check, test, run a stream of events, ask why, look at the limits.
#   sh examples/tour.sh PATH_OF_ENSUE
set -eu
ensue=${1:?"usage: sh examples/tour.sh PATH_OF_ENSUE"}
here=$(dirname "$0")/outreach
store=$(mktemp -d)/outreach.db
trap 'rm -rf "$(dirname "$store")"' EXIT

say() { printf '\n$ ensue %s\n' "$1"; }

say "check $here"
"$ensue" check "$here"
say "test $here"
"$ensue" test "$here"
say "run $here --records $here/records.ndjson --events $here/events.ndjson --store outreach.db"
"$ensue" run "$here" --records "$here/records.ndjson" --events "$here/events.ndjson" --store "$store"
say 'why "Hot web leads into outreach" for Lead/00Q01 --store outreach.db'
"$ensue" why "Hot web leads into outreach" for Lead/00Q01 --store "$store"
say 'why not "Hot web leads into outreach" for Lead/00Q02 --store outreach.db'
"$ensue" why not "Hot web leads into outreach" for Lead/00Q02 --store "$store"
say 'why not "Hot web leads into outreach" for Lead/00Q09 --store outreach.db'
"$ensue" why not "Hot web leads into outreach" for Lead/00Q09 --store "$store"
say 'targets --store outreach.db'
"$ensue" targets --store "$store"
say 'reminders --store outreach.db'
"$ensue" reminders --store "$store"
say 'limits --all --store outreach.db'
"$ensue" limits --all --store "$store"
printf '\nNext: README.md, and `ensue repl %s` to try a rule of your own.\n' "$here"
