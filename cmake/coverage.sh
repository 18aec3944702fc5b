#!/bin/sh
# Which lines of interpreter/ the tests run: builds with --coverage, runs every test, prints the figure, and leaves a page in
# build/coverage/html/.
#   sh cmake/coverage.sh [JOBS]
set -eu
jobs=${1:-2}
cd "$(dirname "$0")/.."
command -v gcovr >/dev/null || sh cmake/install-packages.sh gcovr
cmake --preset coverage >/dev/null
cmake --build build/coverage -j "$jobs"
find build/coverage -name '*.gcda' -delete
ctest --preset coverage -j "$jobs"
mkdir -p build/coverage/html
# Branches that only an exception of the standard library takes are not counted; lines of generated code are not ours.
gcovr --root . --filter 'interpreter/' --exclude-unreachable-branches --exclude-throw-branches \
  --gcov-ignore-parse-errors -j "$jobs" --html-details build/coverage/html/index.html \
  --txt build/coverage/coverage.txt build/coverage
tail -n 4 build/coverage/coverage.txt
echo "by file: build/coverage/html/index.html"
