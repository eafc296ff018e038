#!/usr/bin/env bash
# Put this checkout's recommender into both slots, the one without traffic first. Nginx
# asks the other slot meanwhile, so no request fails. A slot that does not get ready gets
# its previous image back, and the release of code has failed.
#
# Usage: make release-code

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh

READY_SECONDS=60
READY="from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=2)"

slots_idle_first() {
  if [ "$(buckets_on_green)" -lt 500 ]; then echo green blue; else echo blue green; fi
}

buckets_on_green() {
  docker compose exec -T nginx sh -c 'ls /var/lib/marquee/state/split/live | wc -l'
}

replace_image() {
  local slot=$1 image=$IMAGE_PREFIX/recommender
  say "Slot $slot gets the new image"
  docker tag "$image:$slot" "$image:before-$slot"
  docker tag "$image:candidate" "$image:$slot"
  if ! recreate "$slot"; then
    say "Slot $slot gets its previous image back"
    docker tag "$image:before-$slot" "$image:$slot"
    recreate "$slot" || true
    fail "slot $slot did not get ready with the new image" "See: make logs SERVICE=recommender-$slot"
  fi
}

# With its dependencies: without, Compose marks the container such that the next `up`
# recreates it.
recreate() {
  quietly docker compose up --detach --no-build --wait "recommender-$1" && ready "$1"
}

ready() {
  local second
  for ((second = 0; second < READY_SECONDS; second++)); do
    docker compose exec -T "recommender-$1" python3 -c "$READY" 2> /dev/null && return
    sleep 1
  done
  return 1
}

hold_stack_lock
read_settings
for slot in $(slots_idle_first); do replace_image "$slot"; done
say "Both slots run this checkout's recommender"
