#!/usr/bin/env bash
# Show how everything is: as wide as the terminal, in colour unless NO_COLOR is set; plain elsewhere.
#
# Usage: make status [WATCH=1]: again every five seconds, until Ctrl-C; in a terminal in one place

set -euo pipefail
cd "$(dirname "$0")/.."

EVERY_SECONDS=5
CLEAR=$'\033[H\033[2J'

columns() {
  { stty size < /dev/tty 2> /dev/null || echo; } | awk '{ print ($2 > 0 ? $2 : 80) }'  # 0: it has no size
}

# what rich needs to know of a terminal that its process does not have
TERMINAL=()
if [ -t 1 ]; then
  TERMINAL=(--env "COLUMNS=$(columns)")
  if [ -z "${NO_COLOR-}" ]; then TERMINAL+=(--env FORCE_COLOR=1); fi
else
  CLEAR=
fi

status() {
  docker compose ps --all --format json |
    docker compose exec -T "${TERMINAL[@]}" evaluation python -m monitoring status --volumes "$(volumes)"
}

# of all stacks on this host; the engine adds up the files
volumes() { docker system df --verbose --format '{{json .Volumes}}' || true; }

watch() {
  local page
  trap 'exit 0' INT
  while true; do
    page=$(status 2>&1) || true  # what is not well is marked in it
    printf '%s%s\n' "$CLEAR" "$page"
    sleep "$EVERY_SECONDS"
  done
}

if [ "${WATCH-}" = 1 ]; then watch; else status; fi
