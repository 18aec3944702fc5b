#!/bin/sh
# clang-tidy over sources, by the checks of .clang-tidy.
#   sh cmake/tidy.sh changed   files that differ from the last commit, or that the last commit changed
#   sh cmake/tidy.sh all
set -eu
cd "$(dirname "$0")/.."
command -v clang-tidy >/dev/null || sh cmake/install-packages.sh clang-tidy
case ${1:-changed} in
  all) files=$(git ls-files 'interpreter/*.cc') ;;
  changed) files=$({ git diff --name-only HEAD; git diff --name-only HEAD~1 HEAD; } | sort -u | grep '^interpreter/.*\.cc$' || true) ;;
  *) echo "usage: sh cmake/tidy.sh changed|all" >&2; exit 2 ;;
esac
if [ -z "$files" ]; then
  echo "nothing to look at"
  exit 0
fi
# The compile database holds flags of g++ that clang does not know.
printf '%s\n' $files | xargs -r -P 2 -n 4 clang-tidy --quiet -p build/dev --extra-arg=-Wno-unknown-warning-option
