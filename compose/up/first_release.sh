# shellcheck shell=bash
# A first model, from what came in through the same door as everything else.

load_history() {
  [ "$SIMULATOR" = on ] || return 0
  if released; then return; fi
  say "Sending 90 days of history (MovieLens) through Kafka"
  docker compose run --rm --no-deps -T simulator python -m compose.simulator history ||
    fail "the history could not be sent" "See the lines above; then run it again."
  say "Waiting until ingest has landed it"
  docker compose exec -T ingest python -m ingest wait ||
    fail "ingest did not catch up" "See: make logs SERVICE=ingest"
}

first_release() {
  if released; then return; fi
  if [ "$SIMULATOR" != on ]; then
    say "No model yet: once rows have come in (make status), run: make retrain release"
    return
  fi
  say "Training the first model"
  docker compose exec -T trainer python -m trainer retrain ||
    fail "the training failed" "See: make logs SERVICE=trainer"
  say "Releasing it"
  docker compose exec -T releaser python -m ci release ||
    fail "the release failed" "See: make logs SERVICE=releaser"
}

# Whether a model is live: the popularity list is published with it.
released() {
  docker compose exec -T nginx test -e /var/lib/marquee/state/popular/list.txt
}

wait_for_answer() {
  released || return 0
  local try
  for ((try = 0; try < 100; try++)); do
    if answer 1 > /dev/null; then return; fi
    sleep 0.2
  done
  fail "no answer at port $NGINX_PORT after 20 s" "See: make status, make logs SERVICE=nginx"
}

# answer USER: the recommendations for a user, by bash alone
answer() {
  local line
  exec 3<> "/dev/tcp/127.0.0.1/$NGINX_PORT" || return 1
  printf 'GET /recommend/%s HTTP/1.0\r\n\r\n' "$1" >&3
  IFS= read -r line <&3
  exec 3<&-
  [[ $line == *" 200 "* ]]
}
