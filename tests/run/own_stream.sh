# shellcheck shell=bash
# A stream of one's own, from nothing: the first start is killed at random moments, plain
# `docker compose up` goes on, and without another command rows become answers: first what is
# popular so far, then a model's.

KILLS=4
LONGEST_BEFORE_A_KILL=25

own_stream() {
  local kill services
  command -v curl > /dev/null || fail "curl is missing" "It asks for lists here."
  export COMPOSE_PROJECT_NAME=marquee-test SIMULATOR=off
  trap remove_stack EXIT
  remove_stack || true
  read_settings
  build_images
  for ((kill = 1; kill <= KILLS; kill++)); do start_and_kill "$kill"; done
  say "Starting once more, by docker compose up"
  mapfile -t services < <(running_services)
  quietly docker compose up --detach --no-build --wait --wait-timeout 240 "${services[@]}"
  say "Somebody else publishes; nothing is asked for by hand"
  publish_history &
  await 240 "the popular list" answers_with_movies
  released && fail "a model was live before anything could be popular"
  say "What is popular so far is answered"
  await 900 "a first model, trained and released by itself" released
  await 60 "an answer of a slot" answered_by_a_slot
  wait
  await 120 "all that was published" docker compose exec -T ingest python -m ingest wait
  docker compose exec -T ingest python -m ingest audit
  say "A model of the first rows is live"
}

# start_and_kill NUMBER: everything at once, in the middle of a start, as a power cut would
start_and_kill() {
  local seconds=$((RANDOM % LONGEST_BEFORE_A_KILL + 1)) job
  docker compose up --detach --no-build > /dev/null 2>&1 &
  job=$!
  sleep "$seconds"
  kill -KILL "$job" 2> /dev/null || true
  wait "$job" 2> /dev/null || true
  project_containers | xargs --no-run-if-empty docker kill > /dev/null 2>&1 || true
  say "Start $1 was killed after $seconds s"
}

project_containers() {
  docker ps --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME"
}

publish_history() {
  docker compose --profile simulator run --rm --no-deps -T simulator \
    python -m compose.simulator history > /dev/null
}

# await SECONDS WHAT COMMAND...: until it succeeds
await() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > /dev/null 2>&1; do
    if [ "$SECONDS" -ge "$until" ]; then fail "waited in vain for $what" "See: docker compose logs"; fi
    sleep 1
  done
}

answers_with_movies() {
  [ "$(curl --silent "http://127.0.0.1:$NGINX_PORT/recommend/42" | tr ',' '\n' | grep -c .)" -eq 20 ]
}

answered_by_a_slot() {
  curl --silent --header 'Accept: application/json' "http://127.0.0.1:$NGINX_PORT/recommend/42" |
    grep -q '"receipt_id"'
}
