# shellcheck shell=bash
# What .env holds: images, ports, subnet, profiles. No secrets. A value given to make or in
# the environment beats .env, .env beats the default.

source compose/up/env_file.sh
source compose/up/allowed.sh

# Where settings are remembered. Tests and Jenkins's helper say another place; no other program has
# a variable of this name in people's shells.
ENV_FILE=${MARQUEE_ENV_FILE:-.env}

# shellcheck disable=SC2054  # the commas are part of the values
SETTINGS=(
  COMPOSE_PROJECT_NAME=marquee IMAGE_PREFIX=marquee
  COMPOSE_FILE=docker-compose.yml COMPOSE_PROFILES=
  BASE_IMAGE=debian:trixie-slim IMAGE_REGISTRY=
  GRAFANA=auto GRAFANA_IMAGE=grafana/grafana:13.2.0
  JENKINS=off JENKINS_IMAGE=jenkins/jenkins:2.528.1-lts-jdk21
  NGINX_PORT=8082 STATUS_PORT=8083 STATUS_PAGE=public
  GRAFANA_PORT=3000 PROMETHEUS_PORT=9090 ALERTMANAGER_PORT=9093
  JENKINS_PORT=8080 POSTGRES_PORT=5432 KAFKA_PORT=9092
  SUBNET_PREFIX=172.31.250 SLOTS_SUBNET_PREFIX=172.31.249
  SIMULATOR=on
  KAFKA_SERVERS=kafka:19092 KAFKA_TOPIC=movielog START_FROM=earliest TUNNEL_PORT=9092
  KAFKA_SECURITY=PLAINTEXT KAFKA_SASL_MECHANISM=PLAIN KAFKA_USER=
  METADATA_URL=
  RATING_MIN=1 RATING_MAX=5 RATING_STEP=1
  USER_ID_MAX=999999999999999999 CATALOGUE=open
  WINDOW_LINES=50000 DOUBLES_ACROSS_PARTITIONS=false
  PARTITION_WIDTH=P1D TIME_TO_LIVE=P14D DISK_BUDGET_GIB=20
  LEASE_BOUND=P7D OVERRIDE_STUCK_LEASE=false
  BACKUP_DIRECTORY=/var/backups/marquee BACKUP_CRON='0 2 * * *' BACKUP_KEEP=7
  REPOSITORY_URL= JENKINS_POLL_CRON='H/2 * * * *' JENKINS_BUILD_CRON='H 3 * * *'
  JENKINS_CERTIFICATE_CRON='H 5 * * 7' JENKINS_DRILL_CRON= DOCKER_GROUP=
  SCHEDULE=internal RETRAIN_CRON='0 3 * * *' RELEASE_CRON='30 3 * * *'
  RELEASE_STEPS=10,100,500,1000 RELEASE_WATCH_SECONDS=60
  RELEASE_JUDGE_SHARE=100 RELEASE_PATIENCE= RELEASE_UNDECIDED=proceed RELEASE_REPLAY_REQUESTS=200
  EVALUATE_CRON='* * * * *' EVALUATION_WINDOW=PT1H EVALUATION_HORIZON=P1D LATENESS=P2D
  RETAIN_CRON='* * * * *' AUDIT_CRON='*/5 * * * *' FULL_AUDIT_CRON='17 3 * * *'
  ALGORITHMS=
  DIVERSITY=0 SEARCH_SECONDS=0 LISTS_ACTIVE_DAYS=90 TRAINER_MEMORY=2g PIN_TAGS_TO= PIN_CACHE_TO=
  TIME_LAPSE=60 RATE=50 SEED=1 PEOPLE=610
)

# Where this host keeps what builds need; remembered nowhere, like the ARGUMENTS of the Makefile
OF_THIS_HOST='CA_BUNDLE PIP_CONFIG_FILE MAVEN_SETTINGS'
ENV_HEADER="# Written by make up; change a value with: make up NAME=value"

# By name, the line of .env that a value was taken from; empty or absent: from none
declare -A TAKEN_FROM_LINE=()

read_settings() {
  check_names
  note_environment
  # shellcheck disable=SC2034  # choose_subnets asks them
  SUBNET_PREFIX_ASKED=${SUBNET_PREFIX-} SLOTS_SUBNET_PREFIX_ASKED=${SLOTS_SUBNET_PREFIX-}
  read_env_file "$ENV_FILE"
  forget_patience_of_defaults
  choose_people
  default_to "${SETTINGS[@]}"
  check_values
}

# Two horizons are the default, whatever a horizon is: so they are written no more, as they once were.
forget_patience_of_defaults() {
  case ${REMEMBERED[EVALUATION_HORIZON]-}/${REMEMBERED[RELEASE_PATIENCE]-} in
    PT3M/PT6M | P1D/P2D) forget RELEASE_PATIENCE ;;
  esac
}

# What a shell has exported counts, since Compose reads it, too; nobody may have meant it.
note_environment() {
  local name
  FROM_ENVIRONMENT=()
  for name in "${SETTINGS[@]%%=*}"; do
    if [ -n "${!name-}" ] && [[ " ${GIVEN-} " != *" $name "* ]]; then FROM_ENVIRONMENT+=("$name"); fi
  done
}

say_environment() {
  [ "${#FROM_ENVIRONMENT[@]}" -eq 0 ] ||
    say "This shell's environment has settings, which count: ${FROM_ENVIRONMENT[*]}"
}

# What fits simulated people is in a file of its own, which Compose reads, too.
choose_people() {
  local before=${REMEMBERED[SIMULATOR]:-on} fitting=()
  default_to SIMULATOR=on
  mapfile -t fitting < <(grep -v '^#' compose/simulator.on.env)
  if [ "$SIMULATOR" != "$before" ]; then forget "${fitting[@]}"; fi
  if [ "$SIMULATOR" = on ]; then default_to "${fitting[@]}"; fi
}

# default_to NAME=value...: what neither the environment nor .env says. Empty says nothing:
# Compose, too, takes the default then.
default_to() {
  local setting name
  for setting in "$@"; do
    name=${setting%%=*}
    if [ -z "${!name-}" ]; then
      printf -v "$name" '%s' "${REMEMBERED[$name]:-${setting#*=}}"
      TAKEN_FROM_LINE[$name]=${REMEMBERED[$name]:+${REMEMBERED_AT[$name]}}
    fi
    export "${name?}"
  done
}

# forget NAME=value...: what .env says of these belongs to the other kind of stream
forget() {
  local setting
  for setting in "$@"; do unset "REMEMBERED[${setting%%=*}]"; done
}

is_setting() {
  local setting
  for setting in "${SETTINGS[@]}"; do
    if [ "${setting%%=*}" = "$1" ]; then return 0; fi
  done
  return 1
}

# A name that is mistyped would change nothing, silently. GIVEN: the names on make's command line
check_names() {
  local name
  for name in ${GIVEN-}; do
    if ! is_setting "$name" && [[ " ${ARGUMENTS-} $OF_THIS_HOST " != *" $name "* ]]; then
      fail "there is no setting $name" "There are: $(setting_names)"
    fi
  done
}

setting_names() {
  local names=("${SETTINGS[@]%%=*}")
  printf '%s' "${names[*]}"
}

check_values() {
  local name
  for name in "${SETTINGS[@]%%=*}"; do
    check_value "$name" "${TAKEN_FROM_LINE[$name]-}"
  done
  check_together
}

# Whole or not at all; what somebody else wrote into it stays.
write_settings() {
  local partial=$ENV_FILE.partial
  {
    echo "$ENV_HEADER"
    our_lines
    other_lines
  } > "$partial"
  mv "$partial" "$ENV_FILE"
}

our_lines() {
  local setting name
  for setting in "${SETTINGS[@]}"; do
    name=${setting%%=*}
    printf '%s=%s\n' "$name" "$(quoted "${!name}")"
  done
}

other_lines() {
  local line name value
  [ -e "$ENV_FILE" ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#$'\xef\xbb\xbf'}
    name='' value=''
    parse_env_line "$line"
    if [ "$line" != "$ENV_HEADER" ] && ! is_setting "$name"; then printf '%s\n' "$line"; fi
  done < "$ENV_FILE"
}
