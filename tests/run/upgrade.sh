# shellcheck shell=bash
# An upgrade as OPERATIONS.md tells it, in one checkout: a stack of an older commit, with people
# in it, becomes one of this commit, and goes back. UPGRADE_FROM: which older one.

UPGRADE_FROM=${UPGRADE_FROM:-92314c9}
UPGRADED=$PWD/build/test/upgraded
UPGRADED_PREFIX=marquee-test-upgraded
COPIES=/var/tmp/marquee-test-volumes

# Each table that people can read, and how many rows are in it. The job queue forgets what is done.
ROWS_OF_EACH_KIND="
SELECT relname, (xpath('/row/rows/text()',
    query_to_xml(format('SELECT count(*) AS rows FROM %I', relname), false, true, '')))[1]
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND has_table_privilege(oid, 'SELECT') AND relname !~ '^(procrastinate_|alembic_version)'
ORDER BY relname COLLATE \"C\""
LIVE="SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1"

upgrade() {
  local version rows today
  export COMPOSE_PROJECT_NAME=marquee-test
  today=$(git rev-parse HEAD)
  trap remove_upgraded EXIT
  remove_upgraded
  git clone --quiet --no-hardlinks . "$UPGRADED"
  check_out "$UPGRADE_FROM"
  say "A stack of $UPGRADE_FROM"
  start_older_stack ALGORITHMS=popularity,ease
  await 240 "rows of people" people_are_about
  rows=$(ask_database "$ROWS_OF_EACH_KIND") version=$(ask_database "$LIVE")
  say "$version is live; it has, by kind of row:"
  printf '%s\n' "$rows" | column -t
  say "Its volumes are copied, while all stands still"
  copy_volumes
  check_out "$today"
  say "Somebody asks while it becomes one of $today"
  begin_asking
  in_checkout make up STATUS_PORT="$STATUS_PORT" BACKUP_DIRECTORY="$BACKUP_DIRECTORY"
  check_upgraded "$version" "$rows"
  in_checkout make release-code OVERLAP=0  # lists of code so old may be others
  end_asking
  await 60 "an answer of a slot" answered_by_a_slot
  check_it_goes_on
  say "And back to $UPGRADE_FROM, by the copy"
  in_checkout docker compose down > /dev/null 2>&1
  check_out "$UPGRADE_FROM"
  put_volumes_back
  docker image rm "$UPGRADED_PREFIX/recommender:blue" "$UPGRADED_PREFIX/recommender:green" > /dev/null
  in_checkout make up
  check_rows_and_version "$version" "$rows"
  in_checkout docker compose exec -T retention python -m ingest audit
  remove_upgraded
  trap - EXIT
}

check_out() {
  git -C "$UPGRADED" checkout --quiet --detach "$1" ||
    fail "there is no commit $1 here" "This checkout has no history: git fetch --unshallow"
}

# With nothing of this script's settings: what a person has there is .env
in_checkout() { (cd "$UPGRADED" && env -i PATH="$PATH" HOME="$HOME" "$@"); }

# start_older_stack [NAME=value...]: no other model comes by night.
start_older_stack() {
  in_checkout make up COMPOSE_PROJECT_NAME="$COMPOSE_PROJECT_NAME" IMAGE_PREFIX="$UPGRADED_PREFIX" \
    NGINX_PORT="$NGINX_PORT" GRAFANA_PORT="$GRAFANA_PORT" PROMETHEUS_PORT="$PROMETHEUS_PORT" \
    ALERTMANAGER_PORT="$ALERTMANAGER_PORT" POSTGRES_PORT="$POSTGRES_PORT" KAFKA_PORT="$KAFKA_PORT" \
    SUBNET_PREFIX="$SUBNET_PREFIX" \
    RELEASE_STEPS="$RELEASE_STEPS" RELEASE_WATCH_SECONDS="$RELEASE_WATCH_SECONDS" \
    EVALUATION_WINDOW="$EVALUATION_WINDOW" EVALUATION_HORIZON="$EVALUATION_HORIZON" \
    EVALUATE_CRON="$EVALUATE_CRON" RETRAIN_CRON='0 0 1 1 *' RELEASE_CRON='0 0 1 1 *' "$@"
}

# They asked, watched and rated, and it was judged what the answers were worth.
people_are_about() {
  [ "$(ask_database "SELECT min(rows) > 0 FROM (SELECT count(*) AS rows FROM receipt
    UNION ALL SELECT count(*) FROM recommendation_request
    UNION ALL SELECT count(*) FROM watch UNION ALL SELECT count(*) FROM online_metric) AS kind")" = t ]
}

ask_database() {
  in_checkout docker compose exec -T postgres psql --host=/tmp --username=analyst --no-align \
    --tuples-only --field-separator=' ' --command="$1" marquee
}

# Ten times a second, each on a connection of its own: who gave a list, or that nobody did and
# why in a number of curl: 7 refused, 22 an error in place of a list, 28 not within two seconds
begin_asking() {
  asked=$(mktemp)
  while true; do
    who_answers 42 >> "$asked"
    sleep 0.1
  done &
  asking=$!
}

who_answers() {
  local said
  said=$(curl --silent --fail --max-time 2 --header 'Accept: application/json' \
    "http://127.0.0.1:$NGINX_PORT/recommend/$1") || { echo "nobody ($?)"; return; }
  if [[ $said == *'"receipt_id"'* ]]; then echo slot; else echo nginx; fi
}

end_asking() {
  kill "$asking"
  wait "$asking" 2> /dev/null || true
  say "Requests meanwhile, by who answered, in the order of time:"
  uniq --count "$asked"
  rm "$asked"
}

# As OPERATIONS.md shows it for a checkout without `make backup`
copy_volumes() {
  local volume
  install --directory --mode=700 "$COPIES"
  in_checkout docker compose stop > /dev/null 2>&1
  for volume in $(volumes); do
    in_container "$volume:/from:ro" "$COPIES:/to" tar --create --file "/to/$volume.tar" --directory /from .
  done
  in_checkout docker compose start > /dev/null 2>&1
  await 120 "an answer of a slot" answered_by_a_slot
}

put_volumes_back() {
  local volume
  for volume in $(volumes); do
    in_container "$volume:/to" "$COPIES:/from:ro" sh -c "find /to -mindepth 1 -delete
      if [ -e /from/$volume.tar ]; then tar --extract --file /from/$volume.tar --directory /to; fi"
  done
}

volumes() { docker volume ls --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME"; }

# in_container MOUNT MOUNT PROGRAM ARGUMENT...
in_container() {
  docker run --rm --network none --volume "$1" --volume "$2" --entrypoint "$3" "$UPGRADED_PREFIX/secrets" "${@:4}"
}

# check_rows_and_version VERSION ROWS: as they were before, or more rows
check_rows_and_version() {
  local fewer
  fewer=$(fewer_rows "$2" "$(ask_database "$ROWS_OF_EACH_KIND")")
  [ -z "$fewer" ] || fail "rows are missing" "$fewer"
  [ "$(ask_database "$LIVE")" = "$1" ] || fail "another version is live"
  await 60 "an answer of a slot, by the older code" answered_by_a_slot
}

# check_upgraded VERSION ROWS
check_upgraded() {
  check_rows_and_version "$@"
  [ "$(ask_database "SELECT to_regclass('procrastinate_migrations') IS NOT NULL")" = t ] ||
    fail "the job queue was not migrated"
  in_checkout docker compose exec -T retention python -m ingest audit
}

# fewer_rows BEFORE AFTER: what there was more of before, in words
fewer_rows() {
  join -a 1 -e 0 -o 0,1.2,2.2 <(printf '%s\n' "$1") <(printf '%s\n' "$2") |
    awk '$3 < $2 { print $1 " had " $2 " rows and has " $3 }'
}

check_it_goes_on() {
  in_checkout make retrain
  in_checkout make release QUALITY=skip
  # for five minutes Prometheus holds what it last saw of targets that have other labels now
  await 600 "a stack of which status finds nothing ill" in_checkout make status
  say "A model of what the older code landed is trained and released by this code"
}

remove_upgraded() {
  if [ -n "${asking-}" ]; then kill "$asking" 2> /dev/null || true; fi
  remove_stack || true
  # what a container wrote there is root's
  docker run --rm --pull never --network none --volume "$COPIES:/copies" --entrypoint find "$UPGRADED_PREFIX/secrets" \
    /copies -mindepth 1 -delete > /dev/null 2>&1 || true
  docker network rm marquee-test_default > /dev/null 2>&1 || true  # the older commit's
  docker images --filter "reference=$UPGRADED_PREFIX/*" --format '{{.Repository}}:{{.Tag}}' |
    xargs --no-run-if-empty docker image rm > /dev/null 2>&1 || true
  rm -rf "$UPGRADED"
}
