# shellcheck shell=bash
# How the scripts speak: a step as it begins, a failure with what to do.

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }

fail() {
  printf 'make: %s\n' "$1" >&2
  if [ -n "${2-}" ]; then printf '      %s\n' "$2" >&2; fi
  exit 1
}

# Run a command whose output matters only when it fails: a dot every two seconds while it
# runs, its last lines if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" > "$log" 2>&1 &
  local job=$!
  while kill -0 "$job" 2>/dev/null; do
    sleep 0.2
    if [ -t 1 ] || [ $((SECONDS % 2)) -eq 0 ]; then show_last_line "$log"; fi
  done
  wait "$job" || status=$?
  if [ -t 1 ]; then printf '\r\033[K'; fi
  if [ "$status" -ne 0 ]; then
    tail -n 30 "$log" >&2
  fi
  rm -f "$log"
  return "$status"
}

# On a terminal, keep the newest line of a log in place; elsewhere stay silent.
show_last_line() {
  [ -t 1 ] || return 0
  printf '\r\033[K          %.100s' "$(tail -n 1 "$1" | tr -d '\r')"
}
