# shellcheck shell=bash
# The checks that need no stack, and the two stores that integration tests use.

STORES_PROJECT=$TESTS_PROJECT-stores
# This host's own; Jenkins's helper says none: what it was sent gets nothing of this host.
CHECKS_NETWORK=${CHECKS_NETWORK:-host}
unset NETWORKS  # whoever calls in_tests_image may say it, and nobody's shell

build_tests_image() {
  collect_host_configuration
  say "Building the image that checks"
  build_image tests "$IMAGE_PREFIX/tests"
}

# in_tests_image [docker options] -- COMMAND...: run in the checked tree's own image, on the
# NETWORKS that are named or this host's. What it leaves in build/ is copied out, not mounted: the
# engine may not see our folders. The container is gone afterwards, however this ends.
in_tests_image() (
  options=() status=0
  read -r -a networks <<< "${NETWORKS-host}"
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  container=$(docker create --init --network "${networks[0]}" "${options[@]}" "$IMAGE_PREFIX/tests" "$@")
  trap 'docker rm --force "$container" > /dev/null' EXIT
  for network in "${networks[@]:1}"; do docker network connect "$network" "$container"; done
  docker start --attach "$container" || status=$?
  mkdir -p build
  docker cp --quiet "$container:/src/build/." build/ 2> /dev/null || true
  exit "$status"
)

lint() {
  say "Lint, types, import rules, configurations"
  NETWORKS=$CHECKS_NETWORK in_tests_image -- tests/run/lint.sh
}

unit() {
  say "Unit tests"
  NETWORKS=$CHECKS_NETWORK in_tests_image -- pytest tests/unit --numprocesses 2 --cov --cov-report=term --cov-report=xml:build/coverage.xml \
    --junit-xml=build/junit-unit.xml "${PYTEST_ARGUMENTS[@]}"
}

integration() {
  say "Integration tests, on a Kafka and a PostgreSQL of their own"
  among_stores -- pytest tests/integration --numprocesses 4 --dist loadfile --junit-xml=build/junit-integration.xml "${PYTEST_ARGUMENTS[@]}"
}

# Every fault at full count: those of ingest on stores of their own, then those of serving,
# the stop of each service and a restore into a second project on a whole stack.
# SOAK: how long; then only what grows is looked at. HOUR: how long; then one is left alone.
drill() {
  if [ -n "${SOAK-}" ]; then soak "$SOAK"; return; fi
  if [ -n "${HOUR-}" ]; then hour "$HOUR"; return; fi
  say "Drill: ingest"
  on_stores --volume /var/run/docker.sock:/var/run/docker.sock --env IMAGE_PREFIX \
    -- python -m tests.drill.ingest
  say "Drill: examples that no run has tried"
  (PYTEST_ARGUMENTS+=(--hypothesis-profile=searching); unit)
  say "Drill: the gate"
  on_stores --env DRILL_ROUNDS=5 -- pytest tests/integration/test_gate_itself.py
  say "Drill: a clock that is slow, or jumps"
  on_stores -- pytest tests/integration/test_ingest_clock.py tests/integration/test_retention.py -k clock
  say "Drill: the power is cut"
  tests/drill/power_cut.sh
  export COMPOSE_PROJECT_NAME=marquee-test
  say "Drill: alerts, serving, lost secrets, reboots and restore"
  trap remove_stack EXIT
  start_stack
  prepare_helper
  in_tests_image --volume /var/run/docker.sock:/var/run/docker.sock \
    --volume "$BACKUP_DIRECTORY:$BACKUP_DIRECTORY" --env DRILL_ROUNDS=5 \
    --env HEALTHY_MINUTES=15 --env ONE_BY_ONE=yes --env EVERY_STEP=yes --env-file <(stack_environment) \
    -- pytest tests/end_to_end/test_4_alerts.py tests/end_to_end/test_7_serving_faults.py \
    tests/end_to_end/test_9_lost_secrets.py tests/end_to_end/test_9_reboot.py \
    tests/end_to_end/test_9_restore.py tests/end_to_end/test_9_the_pipelines.py
  remove_stack
  say "Drill: one disk, full for everything at once"
  whole_disk
  say "Drill: a stream of one's own"
  own_stream
  say "Drill: an upgrade"
  upgrade
  say "Drill: back from an upgrade"
  way_back
  say "Drill: experiments that are worse, equal and better"
  experiments
}

# ONLY: which benchmark, SCALE: small or full
bench() {
  local name=${ONLY-} scale=${SCALE-small}
  [[ $name =~ ^(ingest|trainer|serving|evaluation|release|host)$ ]] ||
    fail "ONLY is '$name'" "It is ingest, trainer, serving, evaluation, release or host."
  say "Measuring $name, $scale"
  if [ "$name" = host ]; then bench_host "$scale"; return; fi
  on_stores --env "GIT_COMMIT=$(git rev-parse HEAD)" \
    --volume /var/run/docker.sock:/var/run/docker.sock --env IMAGE_PREFIX \
    --env "BENCH_NETWORK=${STORES_PROJECT}_published" \
    -- python -m "tests.benchmarks.$name" --scale "$scale"
}

# SWAPS: how many releases, REQUEST_RATE: a second
certificate() {
  say "Playing releases under load"
  among_stores --env "GIT_COMMIT=$(commit)" \
    -- python -m tests.benchmarks.certificate --swaps "${SWAPS:-20}" --rate "${REQUEST_RATE:-200}"
  say "What was proven is in build/certificate.json"
}

# bench_host SCALE: on a whole stack, which is removed afterwards
bench_host() {
  trap remove_stack EXIT
  remove_stack || true
  start_stack
  in_tests_image --volume /var/run/docker.sock:/var/run/docker.sock \
    --volume "$BACKUP_DIRECTORY:$BACKUP_DIRECTORY" --env-file <(stack_environment) \
    --env "GIT_COMMIT=$(git rev-parse HEAD)" --env "TEST_KAFKA=localhost:$KAFKA_PORT" \
    -- python -m tests.benchmarks.host --scale "$1"
}

# on_stores [docker options] -- COMMAND...: as in_tests_image, beside a PostgreSQL and a Kafka
# that end with it
on_stores() {
  start_stores
  in_tests_image --env "TEST_DATABASE=$(owner_conninfo "$(address_of_postgres)")" --env "TEST_KAFKA=localhost:$KAFKA_PORT" "$@"
  stop_stores
}

# among_stores [docker options] -- COMMAND...: the same, and on the stores' own networks alone where
# checks get nothing of this host
among_stores() {
  if [ "$CHECKS_NETWORK" = host ]; then on_stores "$@"; return; fi
  start_stores
  NETWORKS="${STORES_PROJECT}_inside ${STORES_PROJECT}_stream" \
    in_tests_image --env "TEST_DATABASE=$(owner_conninfo postgres)" --env TEST_KAFKA=kafka:19093 "$@"
  stop_stores
}

start_stores() {
  export COMPOSE_PROJECT_NAME=$STORES_PROJECT
  trap stop_stores EXIT
  bake secrets postgres kafka
  quietly docker compose up --detach --no-build --wait --wait-timeout 120 postgres kafka ||
    fail "the stores did not start" "See: docker compose --project-name $COMPOSE_PROJECT_NAME logs"
}

stop_stores() {
  docker compose --project-name "$STORES_PROJECT" down --volumes --timeout 5 > /dev/null 2>&1
  trap - EXIT
}

# Its own, at which services reach it: the engine's proxy would be measured with it.
address_of_postgres() {
  local address="{{(index .NetworkSettings.Networks \"${COMPOSE_PROJECT_NAME}_published\").IPAddress}}"
  docker inspect --format "$address" "$(docker compose ps --quiet postgres)"
}

# owner_conninfo HOST
owner_conninfo() {
  printf 'host=%s port=5432 dbname=postgres user=marquee password=%s' "$1" \
    "$(docker compose run --rm --no-deps -T secrets show postgres)"
}
