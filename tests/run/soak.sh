# shellcheck shell=bash
# A stack in time-lapse: people at six times their pace, a training, a release and a backup each
# quarter of an hour.

# soak DURATION
soak() {
  [[ $1 =~ ^[1-9][0-9]*[smh]$ ]] || fail "SOAK is '$1'" "It is how long, such as 2h or 30m."
  export COMPOSE_PROJECT_NAME=marquee-test RATE=300
  export RETRAIN_CRON='*/15 * * * *' RELEASE_CRON='5-59/15 * * * *' BACKUP_CRON='10-59/15 * * * *'
  trap remove_stack EXIT
  remove_stack || true
  start_stack
  say "Watching it for $1"
  in_tests_image --volume /var/run/docker.sock:/var/run/docker.sock \
    --env-file <(stack_environment) -- python -m tests.drill.soak "$1"
}
