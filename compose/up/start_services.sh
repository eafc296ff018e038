# shellcheck shell=bash
# Start what is not running and wait for it; leave alone what is.

SLOTS=(recommender-blue recommender-green)

# No one-shots here: they end, and their dependants wait for that themselves. Nor the
# simulator: how long its history takes to be sent depends on the machine.
running_services() {
  docker compose config --services | grep -vxE 'secrets|migrate|simulator'
}

# Compose stops all that it replaces before it starts anything. So where people are answered
# already, what answers them is replaced after all else: the slots, and then Nginx alone.
start_services() {
  say "Starting the services"
  stop_simulator
  local services=() behind=()
  mapfile -t services < <(running_services)
  if runs nginx; then
    mapfile -t behind < <(running_services | grep -vxE 'nginx|recommender-.*')
    start "${behind[@]}"
    start "${behind[@]}" "${SLOTS[@]}"
  fi
  start "${services[@]}"
  if [ "$SIMULATOR" = on ]; then
    docker compose up --detach --no-build simulator > /dev/null 2>&1 ||
      fail "the simulator did not start" "See: make logs SERVICE=simulator"
  fi
  remove_old_network
}

# Until each purpose had a network of its own, all were on this one.
remove_old_network() {
  docker network rm "${COMPOSE_PROJECT_NAME}_default" > /dev/null 2>&1 || true  # where there is one
}

runs() { docker compose ps --status running --services | grep -qx "$1"; }

stop_simulator() {
  [ "$SIMULATOR" = off ] || return 0
  docker compose --profile simulator rm --stop --force simulator > /dev/null 2>&1
}

start() {
  quietly docker compose up --detach --no-build --wait --wait-timeout 240 "$@" ||
    explain_failed_start
}

# Name the service, show the last lines of its log, say what to do.
explain_failed_start() {
  local service
  service=$(failed_service)
  [ -n "$service" ] || fail "the services did not start" "See: docker compose ps --all"
  docker compose logs --no-log-prefix --tail 20 "$service" >&2
  fail "the service $service did not start; the last lines of its log are above" \
    "Mend what they name and run it again; all of the log: docker compose logs $service"
}

failed_service() {
  docker compose ps --all --format '{{.Service}} {{.State}} {{.ExitCode}} {{.Health}}' |
    awk '($2 == "exited" && $3 != 0) || $2 == "restarting" || $4 == "unhealthy" { print $1; exit }'
}
