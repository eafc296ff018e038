# shellcheck shell=bash
# A stack in time-lapse that is left alone: it trains and releases by itself, and meets faults.

ACTS=5

# hour DURATION
hour() {
  local begin
  choose_period "$1"
  export COMPOSE_PROJECT_NAME=marquee-test RATE=600 PEOPLE=1000 ALGORITHMS=popularity,ease
  export RELEASE_STEPS=10,100,500,1000 RELEASE_JUDGE_SHARE=500
  export RELEASE_WATCH_SECONDS=10 RELEASE_PATIENCE=PT$((PERIOD * 15))S
  export EVALUATION_WINDOW=PT30S EVALUATION_HORIZON=PT20S
  trap remove_stack EXIT
  remove_stack || true
  start_stack
  begin=$((EPOCHSECONDS / 60 * 60 + 120))
  choose_schedule "$(date --date="@$begin" +%-M)"
  quietly docker compose up --detach --no-build --no-deps --wait trainer releaser
  say "Leaving it alone for $1"
  in_tests_image --volume /var/run/docker.sock:/var/run/docker.sock \
    --env-file <(stack_environment) --env "GIT_COMMIT=$(commit)" \
    -- python -m tests.drill.hour "$PERIOD" "$begin"
}

# choose_period DURATION: of the trainings and releases, in minutes; people need a quarter of it to judge
choose_period() {
  local minutes=${1%m}
  [[ $1 =~ ^[1-9][0-9]*m$ && $minutes -ge 30 && $minutes -le 60 && $((minutes % ACTS)) -eq 0 ]] ||
    fail "HOUR is '$1'" "It is 30m to 60m, in steps of five."
  PERIOD=$((minutes / ACTS))
}

# choose_schedule MINUTE: the first training; each release comes when the training has ended
choose_schedule() {
  RETRAIN_CRON="$(minutes_from "$1") * * * *"
  RELEASE_CRON="$(minutes_from $(($1 + PERIOD * 3 / 5))) * * * *"
  export RETRAIN_CRON RELEASE_CRON
}

# minutes_from MINUTE: of an hour, one for each act
minutes_from() {
  local act
  for ((act = 0; act < ACTS; act++)); do echo $((($1 + act * PERIOD) % 60)); done |
    sort --numeric-sort | paste --serial --delimiters=,
}
