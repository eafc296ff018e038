# shellcheck shell=bash
# A stack for tests: nothing in it has a name, a port or a tag that a running one uses.
# Behaviour is shortened (time-lapse, short windows); all time stays wall-clock time.

# Jenkins's helper tests under a name of its own, beside what people test by hand.
TESTS_PROJECT=${TESTS_PROJECT:-marquee-test}

# A step of the Jenkinsfile that `make test` runs comes here again; what was chosen stands.
use_test_settings() {
  if [ -z "${TEST_SETTINGS-}" ]; then choose_test_settings; fi
  read_settings
}

choose_test_settings() {
  export TEST_SETTINGS=chosen
  hold_lock "$TESTS_PROJECT-checks"
  export MARQUEE_ENV_FILE=$PWD/build/test/env COMPOSE_ENV_FILES=/dev/null
  # shellcheck disable=SC2034  # compose/up/settings.sh uses it
  ENV_FILE=$MARQUEE_ENV_FILE
  export COMPOSE_PROJECT_NAME=$TESTS_PROJECT IMAGE_PREFIX=$TESTS_PROJECT
  export NGINX_PORT=18082 STATUS_PORT=18083 PROMETHEUS_PORT=19090 ALERTMANAGER_PORT=19093
  export POSTGRES_PORT=${TESTS_POSTGRES_PORT:-15432} KAFKA_PORT=${TESTS_KAFKA_PORT:-19092} GRAFANA_PORT=13000 JENKINS_PORT=18080
  SUBNET_PREFIX=172.31.251 SLOTS_SUBNET_PREFIX=172.31.252
  export SIMULATOR=on TIME_LAPSE=120 RATE=60 SEED=7
  export EVALUATE_CRON='* * * * * */5' EVALUATION_WINDOW=PT10S EVALUATION_HORIZON=PT20S
  export RETAIN_CRON='* * * * * */5' AUDIT_CRON='* * * * * */5' FULL_AUDIT_CRON='* * * * * */5'
  export ALGORITHMS=popularity,ease,recency_transitions
  export BACKUP_DIRECTORY=/var/tmp/marquee-test-backups
  export RELEASE_STEPS=100,1000 RELEASE_WATCH_SECONDS=5 RELEASE_PATIENCE=PT40S
  mkdir -p build/test
  SUBNET_PREFIX_ASKED='' SLOTS_SUBNET_PREFIX_ASKED='' choose_subnets
  export SUBNET_PREFIX SLOTS_SUBNET_PREFIX
}
