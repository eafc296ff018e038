#!/usr/bin/env bash
# Ask the helper, who has the engine, for one of its verbs, on the commit that is checked out here.
# What it prints is printed, what it found comes to build/, and this ends as it ended there. When
# this is ended, so is the verb, but for release-code and drill, which go on to their end. How it
# ended is told to the database that libpq's own variables name, so that a failure alerts somebody.
#
# Usage: JENKINS_HELPER=http://helper:8000 ci/jenkins/ask_helper.sh VERB

set -euo pipefail
cd "$(dirname "$0")/../.."

CONNECT_SECONDS=10
export PGCONNECT_TIMEOUT=$CONNECT_SECONDS
HELPER_TOKEN=${HELPER_TOKEN:-/run/secrets/helper}

refuse() {
  printf 'make: %s; nothing was asked of it\n' "$1" >&2
  exit 1
}

# The helper is told the verb's name alone; what else was given must not be left out without a word.
check_given() {
  local name
  for name in ${GIVEN-}; do
    [ "$1 $name" = 'drill YES' ] ||
      refuse "Jenkins's helper knows $1 by its name alone and cannot be told $name; give it on the host"
  done
  if [ "$1" = drill ] && [ "${YES-}" != 1 ]; then
    refuse "Jenkins's helper kills services of the running stack for this, one at a time: make drill YES=1"
  fi
}

# What an earlier build brought is no result of this one. Without a number, each verb is a build.
forget_earlier_build() {
  local kept=build/.build_number
  if [ -n "${BUILD_NUMBER-}" ] && [ "$(cat "$kept" 2> /dev/null)" = "$BUILD_NUMBER" ]; then return; fi
  rm -rf build
  [ -n "${BUILD_NUMBER-}" ] || return 0
  mkdir build
  printf '%s\n' "$BUILD_NUMBER" > "$kept"
}

ask() {
  curl --silent --show-error --connect-timeout "$CONNECT_SECONDS" --no-buffer --request POST --upload-file "$TREE" --header Expect: \
    --header @<(printf 'Authorization: Bearer %s' "$(cat "$HELPER_TOKEN")") "$JENKINS_HELPER/$1"
}

# What the verb printed comes behind a bar; all else is the helper's own word.
tell() {
  local line
  while IFS= read -r line; do
    case $line in
      '|'*) printf '%s\n' "${line#|}" ;;
      'exit '*) take_results && return "${line#exit }" ;;
      *) printf 'make: the helper says: %s\n' "$line" >&2 && return 1 ;;
    esac
  done
  printf 'make: the helper was gone before the end\n' >&2
  return 1
}

take_results() {
  mkdir -p build
  tar --extract --directory build --no-same-owner
}

# report VERB WELL: what nobody hears of is no reason to fail a step
report() {
  [ -n "${PGHOST-}" ] || return 0
  psql --no-psqlrc --quiet --command="SELECT step_ended('$1', $2)" > /dev/null ||
    printf 'make: nobody is told how %s ended: the database did not take it\n' "$1" >&2
}

check_given "$1"
TREE=$(mktemp)
trap 'rm -f "$TREE"' EXIT
forget_earlier_build
git archive --format=tar --output="$TREE" HEAD
status=0
ask "$1" | tell || status=$?
report "$1" "$([ "$status" -eq 0 ] && echo true || echo false)"
exit "$status"
