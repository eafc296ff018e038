# shellcheck shell=bash
# A release of code as whoever has the engine sees it: slots are recreated when the releaser says so.
# It moves the traffic, holds the queue and judges; each waits for what the other has recorded.

ATTEMPTS=60
READY_SECONDS=60
READY="
import json, sys
from urllib.request import urlopen
with urlopen('http://127.0.0.1:8000/readyz', timeout=2) as said:
    sys.exit(json.load(said)['model_version'] != sys.argv[1])
"
RECORD_ATTEMPTS=5
GIVEN_UP=3
JOB=  # of the releaser, who holds the queue and the traffic

ask_releaser() { docker compose exec -T releaser python -m ci code "$@" < /dev/null; }

# carry [OPTION...]: IMAGE in both slots, the one without traffic first; or all as it was
carry() {
  local begun slot version
  say "The releaser makes a slot free for it"
  begun=$(ask_releaser begin "$(known_as)" "$(image_id "$IMAGE")" "$@") ||
    fail "the release of this code was not begun" "See the lines above; without a releaser that knows it: make up"
  [[ $begun =~ ^[0-9]+\ (both|(blue|green)\ [^\ ]+)$ ]] ||
    fail "the releaser says '$begun', which this clone does not understand" "Bring the stack to this clone's code: make up"
  read -r JOB slot version <<< "$begun"
  trap 'say "Cut short. What is live stays (make status): make release-code finishes it, or brings other code"; exit 130' INT TERM HUP
  if [ "$slot" = both ]; then give_both; return; fi
  try "$slot"
  finish "$(other "$slot")" "$version"
}

# try SLOT: with the new image, until it is known whether it stays
try() {
  local status=0
  announce "$1"
  if ! give "$1" || ! record "$1" placed; then
    take_back "$1"
    fail "slot $1 did not get up with the new image" "See: make logs SERVICE=recommender-$1"
  fi
  verdict || status=$?
  case $status in
    0) ;;
    "$GIVEN_UP") take_back "$1"; fail "the new image was given up; both slots run what they ran" "Why is above, and in: make story; for lists that are meant to be others: OVERLAP" ;;
    *) fail "how the release ended is not known: neither releaser nor database tells" "When they do (make status): make release-code" ;;
  esac
}

# finish SLOT VERSION: the one that was live gets the new image, too, and what a rollback returns to
finish() {
  if ! give "$1" || ! ready "$1" "$2"; then
    take_back "$1"
    fail "slot $1 did not get ready with the new image; the other one is live with it" "See: make logs SERVICE=recommender-$1"
  fi
  confirm "$1"
}

# Follow the release to its end for people, through a releaser that is started anew meanwhile
verdict() {
  local status attempt
  for ((attempt = 0; attempt < ATTEMPTS; attempt++)); do
    status=0
    ask_releaser follow "$JOB" || status=$?
    if [ "$status" -eq 0 ] || [ "$status" -eq "$GIVEN_UP" ]; then return "$status"; fi
    sleep 5
  done
  return 1
}

# Nothing is live, so nobody gets anything of it; the job that began holds the queue meanwhile
give_both() {
  local slot
  for slot in green blue; do
    announce "$slot"
    if ! give "$slot"; then
      take_back "$slot"
      fail "slot $slot did not get up with the new image" "See: make logs SERVICE=recommender-$slot"
    fi
    confirm "$slot"
  done
}

give() {
  say "Slot $1 gets $IMAGE"
  keep_previous "$1" && docker tag "$IMAGE" "$IMAGE_PREFIX/recommender:$1" && recreate "$1"
}

take_back() {
  local name=$IMAGE_PREFIX/recommender
  say "Slot $1 gets its previous image back"
  docker tag "$name:before-$1" "$name:$1"
  recreate "$1" || true
  record "$1" 'taken back' || say "The database does not answer: that slot $1 has its own image is not recorded"
}

# announce SLOT: that it gets the new image; without a row that tells so, it does not
announce() {
  record "$1" given || fail "that slot $1 gets the new image is not recorded, so it does not get it" "When the database answers (make status): make release-code"
}

# confirm SLOT: that it has the new image and keeps it
confirm() {
  record "$1" released || fail "that slot $1 has the new image is not recorded: the database does not answer" "When it does: make release-code"
}

# record SLOT OUTCOME: what the releaser waits for. Told again where it is not known to be recorded:
# a second time changes nothing.
record() {
  local attempt
  for ((attempt = 1; ; attempt++)); do
    ask_releaser record "$1" "$(known_as)" "$(image_id "$IMAGE")" --outcome "$2" --job "$JOB" > /dev/null && return
    [ "$attempt" -lt "$RECORD_ATTEMPTS" ] || return 1
    sleep 1
  done
}

# By its content, where it was built here
known_as() {
  docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$IMAGE" |
    grep -E "$BY_CONTENT" | tail -n 1 | grep . || printf '%s' "$IMAGE"
}

# What people have had until now: the other slot's, where that has not got the image yet, for this
# one may have been given code in vain by a release that was killed; else its own. The same image
# once more is not its own previous one.
keep_previous() {
  local slot name=$IMAGE_PREFIX/recommender
  for slot in "$(other "$1")" "$1"; do
    if [ "$(image_id "$name:$slot")" != "$(image_id "$IMAGE")" ]; then
      docker tag "$name:$slot" "$name:before-$1"
      return
    fi
  done
  image_exists "$name:before-$1" || docker tag "$name:$1" "$name:before-$1"
}

# With its dependencies: without, Compose marks the container such that the next `up`
# recreates it.
recreate() {
  quietly docker compose up --detach --no-build --wait "recommender-$1"
}

# ready SLOT VERSION: it answers with that, loaded by its new code
ready() {
  local second
  for ((second = 0; second < READY_SECONDS; second++)); do
    docker compose exec -T "recommender-$1" python3 -c "$READY" "$2" 2> /dev/null && return
    sleep 1
  done
  return 1
}

both_run_it() {
  local slot
  for slot in blue green; do
    [ "$(running_image "$slot")" = "$(image_id "$IMAGE")" ] || return 1
  done
}

# A release that was killed may have left a name that the next `up` would take.
name_for_both() {
  local slot
  for slot in blue green; do docker tag "$IMAGE" "$IMAGE_PREFIX/recommender:$slot"; done
}

# Of the container, whatever its tag says by now; nothing where there is none
running_image() {
  local container
  container=$(docker compose ps --all --quiet "recommender-$1")
  [ -z "$container" ] || docker inspect --format '{{.Image}}' "$container"
}

other() { if [ "$1" = green ]; then echo blue; else echo green; fi; }
