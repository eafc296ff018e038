# shellcheck shell=bash
# The faults, what is expected of each, and how one is played and undone.

DOWN_SECONDS=5
RECOVERY_SECONDS=180

# In this order: what people notice least comes first.
FAULT_ORDER=(releaser ingest recommender-green recommender-blue kafka postgres nginx)
declare -A EXPECTED=(
  [releaser]='everybody is answered'
  [ingest]='everybody is answered; lines wait in Kafka'
  [recommender-green]='everybody is answered, by the other slot'
  [recommender-blue]='everybody is answered, by the other slot'
  [kafka]='everybody is answered; lines wait at who sends them'
  [postgres]='everybody is answered; receipts and lines wait'
  [nginx]='nobody is answered until it is back'
)

choose_faults() {
  local name
  read -r -a CHOSEN <<< "${FAULTS-}"
  [ ${#CHOSEN[@]} -gt 0 ] || CHOSEN=("${FAULT_ORDER[@]}")
  for name in "${CHOSEN[@]}"; do
    [ -n "${EXPECTED[$name]-}" ] || fail "there is no fault $name" "There are: ${FAULT_ORDER[*]}"
  done
}

# Breaking what is broken already would prove nothing.
remember_what_runs() {
  local ill
  ill=$(states | awk '$2 == "running" && $3 != "healthy" && $3 != "-" { print $1 }')
  [ -z "$ill" ] || fail "not healthy: ${ill//$'\n'/ }" "Nothing was broken. See: make status"
  mapfile -t RAN < <(states | awk '$2 == "running" { print $1 }')
  for name in "${CHOSEN[@]}"; do
    [[ " ${RAN[*]} " == *" $name "* ]] || fail "$name does not run" "Nothing was broken. Start it: make up"
  done
}

# A release whose releaser dies is undone, a training or a backup begins anew or is lost.
spare_what_is_under_way() {
  local work
  work=$(docker compose exec -T postgres psql --host=/tmp --username=analyst --no-psqlrc --no-align --tuples-only \
    --set=ON_ERROR_STOP=1 --file=- marquee < compose/drill/under_way.sql) ||
    fail "the database does not say what is under way" "Nothing was broken. See: make status"
  [ -z "$work" ] || fail "under way: $work" \
    "Nothing was broken. Wait for its end, or end it: make rollback, make experiment-stop"
}

# each service, its state, and its health or - where nobody looks
states() {
  docker compose ps --all --format '{{.Service}} {{.State}} {{if .Health}}{{.Health}}{{else}}-{{end}}'
}

# play SERVICE
play() {
  local service=$1 began=0 seconds=null
  say "Killing $service; expected: ${EXPECTED[$service]}"
  begin_asking
  sleep 1
  docker compose kill --signal SIGKILL "$service" > /dev/null 2>&1 || fail "$service could not be killed" "See: make status"
  sleep "$DOWN_SECONDS"
  docker compose start "$service" > /dev/null 2>&1 || true
  began=$(milliseconds)
  if await_all_well; then seconds=$(tenths $(($(milliseconds) - began))); fi
  sleep 1
  end_asking
  report_fault "$service" "$(count "$ASKED" answered)" "$(count "$ASKED" failed)" "$seconds"
  rm -f "$ASKED"
}

await_all_well() {
  local until=$((SECONDS + RECOVERY_SECONDS))
  until all_well; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.5
  done
}

# Whether each that ran before runs and is not found ill
all_well() {
  local well
  well=$(states | awk '$2 == "running" && ($3 == "healthy" || $3 == "-") { print $1 }')
  [ -z "$(comm -23 <(printf '%s\n' "${RAN[@]}" | sort) <(sort <<< "$well"))" ]
}

# However the drill ends: nobody asks any more, and what ran runs.
undo() {
  end_asking || true
  rm -f "$ASKED"
  start_again
}

start_again() {
  docker compose start "${RAN[@]}" > /dev/null 2>&1 ||
    printf 'make: not everything could be started again: make up\n' >&2
}

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
tenths() { echo "$(($1 / 1000)).$(($1 % 1000 / 100))"; }
