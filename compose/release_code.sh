#!/usr/bin/env bash
# Put a recommender into both slots, the one without traffic first: what was built last, or IMAGE.
# What is not here is pulled by its digest. Nginx asks the other slot meanwhile, so no request
# fails. A slot that does not get ready gets its previous image back, and the release has failed.
#
# Usage: make release-code [IMAGE=host:port/marquee/recommender@sha256:...]

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/base_image.sh
source compose/up/build_images.sh
source compose/up/name_images.sh

READY_SECONDS=60
READY="from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=2)"

# Where none is asked for: what was built last, else what the last build pushed.
choose_image() {
  local candidate=$IMAGE_PREFIX/recommender:candidate
  if [ -n "${IMAGE-}" ]; then return; fi
  if image_exists "$candidate"; then IMAGE=$candidate; return; fi
  IMAGE=$(recorded_reference "$IMAGE_PREFIX/recommender")
  [ -n "$IMAGE" ] || fail "there is no image $candidate here, and $IMAGE_RECORD names none in a registry" \
    "Build one: make images; or name one: make release-code IMAGE=HOST:PORT/NAME@sha256:DIGEST"
}

# A tag in a registry may say something else tomorrow; a digest may not.
get_image() {
  if image_exists "$IMAGE"; then return; fi
  [[ $IMAGE =~ @sha256:[0-9a-f]{64}$ ]] || fail "there is no image $IMAGE here" \
    "From a registry one comes by its digest, as $IMAGE_RECORD has it: IMAGE=HOST:PORT/NAME@sha256:DIGEST"
  pull "$IMAGE" || fail "the image $IMAGE cannot be had: $PULL_ERROR" "See: docker pull $IMAGE"
}

slots_idle_first() {
  if [ "$(buckets_on_green)" -lt 500 ]; then echo green blue; else echo blue green; fi
}

buckets_on_green() {
  docker compose exec -T nginx sh -c 'ls /var/lib/marquee/state/split/live | wc -l'
}

replace_image() {
  local slot=$1 image=$IMAGE_PREFIX/recommender
  say "Slot $slot gets $IMAGE"
  keep_previous "$slot"
  docker tag "$IMAGE" "$image:$slot"
  if ! recreate "$slot"; then
    say "Slot $slot gets its previous image back"
    docker tag "$image:before-$slot" "$image:$slot"
    recreate "$slot" || true
    record "$slot" 'taken back'
    fail "slot $slot did not get ready with the new image" "See: make logs SERVICE=recommender-$slot"
  fi
  record "$slot" released
}

# record SLOT OUTCOME: in the database, without which people are answered all the same
record() {
  docker compose exec -T releaser python -m ci record-code "$1" "$(known_as)" "$(image_id "$IMAGE")" \
    --outcome "$2" > /dev/null 2>&1 ||
    say "The releaser or the database does not answer: that slot $1 got this image is not recorded"
}

# By its content, where it was built here
known_as() {
  docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$IMAGE" |
    grep -E "$BY_CONTENT" | tail -n 1 | grep . || printf '%s' "$IMAGE"
}

# The same image once more, after a release that was killed, say, is not its own previous one.
keep_previous() {
  local image=$IMAGE_PREFIX/recommender
  if [ "$(image_id "$IMAGE")" != "$(image_id "$image:$1")" ] || ! image_exists "$image:before-$1"; then
    docker tag "$image:$1" "$image:before-$1"
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
choose_image
get_image
for slot in $(slots_idle_first); do replace_image "$slot"; done
say "Both slots run $IMAGE"
