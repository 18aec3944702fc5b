#!/bin/sh
# Installs the Debian packages listed in packages.txt that this machine lacks. Does nothing, and needs no rights, when
# nothing is missing. Otherwise runs apt-get as root, or through sudo. Packages named as arguments take the list's place.
set -eu
list="$(dirname "$0")/packages.txt"
wanted=${*:-$(sed 's/#.*//' "$list" | tr -s ' \n' ' ')}
if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "ensue: this is not a Debian system; install by hand: $wanted" >&2
  exit 0
fi
missing=""
for package in $wanted; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  case "$status" in
    *"ok installed"*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0
echo "ensue: installing$missing"
run=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "ensue: these packages are missing and there is no sudo; as root run: apt-get install$missing" >&2
    exit 3
  fi
  run="sudo"
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # the list is meant to be split into words
$run apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
  $run apt-get update -qq
  $run apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
