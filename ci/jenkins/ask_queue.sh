#!/usr/bin/env bash
# Ask for a training or a release, by a role that can do nothing else, and follow it to its end:
# what the steps of the nightly pipeline call in Jenkins. The job goes on when this is ended. Where
# the database is and who asks it is in libpq's own variables (PGHOST, PGUSER, PGPASSFILE, ...).
#
# Usage: ci/jenkins/ask_queue.sh train | release

set -euo pipefail

TRIES=60
PAUSE_SECONDS=5
NOT_CONNECTED=2  # how psql ends then
export PGCONNECT_TIMEOUT=10

query() {
  psql --no-psqlrc --quiet --no-align --tuples-only --field-separator=$'\t' --command="$1"
}

# ask TASK: its job. Where psql was not connected nothing was asked, and only that is tried again.
ask() {
  local try status
  for ((try = 1; try <= TRIES; try++)); do
    status=0
    query "SELECT ask_for('$1')" || status=$?
    [ "$status" -eq "$NOT_CONNECTED" ] || return "$status"
    sleep "$PAUSE_SECONDS"
  done
  printf 'make: the database did not answer %s times; nothing was asked of it\n' "$TRIES" >&2
  return 1
}

# A database that is started anew meanwhile is no end of the job.
patiently() {
  local try
  for ((try = 1; try <= TRIES; try++)); do
    if query "$1"; then return; fi
    sleep "$PAUSE_SECONDS"
  done
  printf 'make: the database did not answer %s times; the job goes on without us\n' "$TRIES" >&2
  return 1
}

# follow JOB
follow() {
  local job=$1 seen=0 status found
  while true; do
    status=$(patiently "SELECT asked_job_status($job)")
    found=$(patiently "SELECT max(line), string_agg(said, E'\n' ORDER BY line) FROM asked_job_lines($job, $seen)")
    if [ "${found%%$'\t'*}" != '' ]; then
      seen=${found%%$'\t'*}
      printf '%s\n' "${found#*$'\t'}"
    fi
    case $asked/$status in
      */todo | */doing | */aborting) sleep 1 ;;
      */succeeded | release/cancelled) return 0 ;; # cancelled: it left one under way alone
      *) printf 'make: job %s ended as %s\n' "$job" "${status:-gone}" >&2 && return 1 ;;
    esac
  done
}

# The queue is told the job's name alone; what else was given must not be left out without a word.
check_given() {
  [ -n "${GIVEN-}" ] || return 0
  printf "make: Jenkins's job queue knows %s by its name alone and cannot be told %s; give it on the host; nothing was asked of it\n" \
    "$1" "$GIVEN" >&2
  exit 1
}

asked=$1
check_given "$asked"
job=$(ask "$asked")
printf '%s is job %s\n' "$asked" "$job"
follow "$job"
