# shellcheck shell=bash
# What each setting may be: its name, the check of its value, and what the check has to know.
# A check sets `allowed`, what it takes in words; its status says whether it takes the value.

ALLOWED='
COMPOSE_PROJECT_NAME      matching   project
IMAGE_PREFIX              matching   image_name
COMPOSE_FILE              files
COMPOSE_PROFILES          matching   names
BASE_IMAGE                matching   image
IMAGE_REGISTRY            matching   registry
GRAFANA                   one_of     auto on off
GRAFANA_IMAGE             matching   image
JENKINS                   one_of     on off
JENKINS_IMAGE             matching   image
NGINX_PORT                whole      1 65535
STATUS_PORT               whole      1 65535
STATUS_PAGE               one_of     public loopback
GRAFANA_PORT              whole      1 65535
PROMETHEUS_PORT           whole      1 65535
ALERTMANAGER_PORT         whole      1 65535
JENKINS_PORT              whole      1 65535
POSTGRES_PORT             whole      1 65535
KAFKA_PORT                whole      1 65535
SUBNET_PREFIX             matching   subnet
SLOTS_SUBNET_PREFIX       matching   subnet
SIMULATOR                 one_of     on off
KAFKA_SERVERS             matching   servers
KAFKA_TOPIC               matching   topic
START_FROM                matching   start
TUNNEL_PORT               whole      1 65535
KAFKA_SECURITY            one_of     PLAINTEXT SSL SASL_PLAINTEXT SASL_SSL
KAFKA_SASL_MECHANISM      one_of     PLAIN SCRAM-SHA-256 SCRAM-SHA-512
KAFKA_USER                text
METADATA_URL              matching   web_address
RATING_MIN                number     0 1000
RATING_MAX                number     0 1000
RATING_STEP               above      0 1000
USER_ID_MAX               whole      1 999999999999999999
CATALOGUE                 one_of     open strict
WINDOW_LINES              whole      0 10000000
DOUBLES_ACROSS_PARTITIONS one_of     true false
PARTITION_WIDTH           duration   60 whole_minutes
TIME_TO_LIVE              duration   60
DISK_BUDGET_GIB           above      0 1000000 inf
LEASE_BOUND               duration   1
OVERRIDE_STUCK_LEASE      one_of     true false
BACKUP_DIRECTORY          matching   folder
BACKUP_CRON               cron       off
BACKUP_KEEP               whole      1 100000
REPOSITORY_URL            matching   repository
JENKINS_POLL_CRON         matching   jenkins_cron
JENKINS_BUILD_CRON        matching   jenkins_cron
JENKINS_CERTIFICATE_CRON  matching   jenkins_cron
JENKINS_DRILL_CRON        matching   jenkins_cron
DOCKER_GROUP              matching   group
SCHEDULE                  one_of     internal jenkins
RETRAIN_CRON              cron
RELEASE_CRON              cron
RELEASE_STEPS             growing    1000
RELEASE_WATCH_SECONDS     above      0 1000000
RELEASE_JUDGE_SHARE       whole      1 999
RELEASE_PATIENCE          duration   1 or_nothing
RELEASE_UNDECIDED         one_of     proceed abort
RELEASE_REPLAY_REQUESTS   whole      0 1000000
EVALUATE_CRON             cron
EVALUATION_WINDOW         duration   1
EVALUATION_HORIZON        duration   1
LATENESS                  duration   0
RETAIN_CRON               cron
AUDIT_CRON                cron
FULL_AUDIT_CRON           cron
ALGORITHMS                algorithms
DIVERSITY                 number     0 1
SEARCH_SECONDS            number     0 1000000
LISTS_ACTIVE_DAYS         number     0 1000000
TRAINER_MEMORY            matching   memory
PIN_TAGS_TO               text
PIN_CACHE_TO              text
TIME_LAPSE                above      0 1000000
RATE                      above      0 1000
SEED                      whole      0 999999999
PEOPLE                    whole      610 50000
'

OCTET='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
SERVER='([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?'

declare -A PATTERNS=(
  [project]='^[a-z0-9][a-z0-9_-]*$'
  [names]='^([a-z0-9-]+(,[a-z0-9-]+)*)?$'
  [image_name]='^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-][a-z0-9]+)*$'
  [image]='^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$'
  [registry]='^([A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*)?$'
  [subnet]="^(10\.$OCTET|172\.(1[6-9]|2[0-9]|3[01])|192\.168)\.$OCTET\$"
  [servers]="^$SERVER(,$SERVER)*\$"
  [topic]='^([A-Za-z0-9_-][A-Za-z0-9._-]{0,248}|\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,247})$'
  [start]='^(earliest|latest|offset [0-9]{1,18}|time [0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?)$'
  [web_address]='^(https?://[^/[:space:]][^[:space:]]*)?$'
  [folder]='^/[^/:][^:]*$'
  [group]='^[0-9]{0,9}$'
  [memory]='^([1-9][0-9]{2,6}m|[1-9][0-9]{0,3}g)$'
  [repository]='^(((git|https?)://|ssh://([A-Za-z0-9._-]+@)?)[][A-Za-z0-9._:%-]+(/[A-Za-z0-9._~:/?#@!&()*+,;=%-]*)?)?$'
  [jenkins_cron]='^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[H0-9*][H0-9*/,()-]*( [H0-9*][H0-9*/,()-]*){4})?$'
)
declare -A PATTERN_WORDS=(
  [project]='lower-case letters, digits, - and _'
  [names]='names separated by commas, or nothing'
  [image_name]='the name of an image without a tag, such as marquee'
  [image]='the name of an image, such as debian:trixie-slim'
  [registry]='HOST:PORT, or HOST:PORT/FOLDER, without http://, or nothing'
  [subnet]='the first three numbers of a private /24, such as 172.31.250'
  [servers]='HOST:PORT, or several separated by commas'
  [topic]='up to 249 letters, digits, ., _ and -'
  [start]="earliest, latest, 'offset N' or 'time 2026-03-10T12:00'"
  [web_address]='an address that begins with http:// or https://, or nothing'
  [folder]='a folder by its whole path, such as /var/backups/marquee, without a colon'
  [group]='the number of a group, or nothing'
  [memory]='a whole number with m or g, from 100m on, such as 512m or 2g'
  [repository]='an address that begins with git://, http://, https:// or ssh://, without a password or token, or nothing'
  [jenkins_cron]="five fields as Jenkins reads them, such as 'H 3 * * *', a word such as @daily, or nothing"
)

# check_value NAME LINE: LINE is the number of the line of .env that says so, empty where none does
check_value() {
  local words=() allowed
  [ "${#CHECKS[@]}" -gt 0 ] || read_checks
  read -ra words <<< "${CHECKS[$1]-}"
  [ "${#words[@]}" -gt 0 ] || fail "what $1 may be stands nowhere" "Add it to compose/up/allowed.sh"
  if ! { is_one_line "${!1}" && "${words[0]}" "${!1}" "${words[@]:1}"; }; then
    fail "${2:+$ENV_FILE, line $2: }$1 is $(shown "${!1}"); allowed is $allowed"
  fi
}

is_one_line() {
  allowed='one line of text, without a line break or another control character'
  [[ $1 != *[[:cntrl:]]* ]]
}

# By name, the check and what it has to know
declare -A CHECKS=()

read_checks() {
  local name check
  while read -r name check; do
    if [ -n "$name" ]; then CHECKS[$name]=$check; fi
  done <<< "$ALLOWED"
}

# shown VALUE: as it was given, where a line can show that, but for a password in an address
shown() {
  local value=${1/:\/\/*@/:\/\/***@}
  if [[ $value == *[[:cntrl:]]* ]]; then printable "$value"; else printf "'%.80s'" "$value"; fi
}

# matching VALUE KIND
matching() {
  local LC_ALL=C
  allowed=${PATTERN_WORDS[$2]}
  [[ $1 =~ ${PATTERNS[$2]} ]]
}

# one_of VALUE WORD...
one_of() {
  local value=$1 word
  shift
  allowed="one of: $*"
  for word in "$@"; do
    if [ "$word" = "$value" ]; then return 0; fi
  done
  return 1
}

# shellcheck disable=SC2034  # whoever called shows it
text() { allowed='one line of text'; }

# whole VALUE LOWEST HIGHEST
whole() {
  allowed="a whole number from $2 to $3"
  [[ $1 =~ ^(0|[1-9][0-9]{0,17})$ ]] && (($2 <= $1 && $1 <= $3))
}

# number VALUE LOWEST HIGHEST
number() {
  allowed="a number from $2 to $3"
  is_decimal "$1" && holds "$2 <= $1 && $1 <= $3"
}

# above VALUE BOUND HIGHEST [WORD]: a number, or WORD
above() {
  allowed="a number above $2, up to $3${4:+, or $4}"
  if [ -n "${4-}" ] && [ "$1" = "$4" ]; then return 0; fi
  is_decimal "$1" && holds "$2 < $1 && $1 <= $3"
}

is_decimal() { [[ $1 =~ ^(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?$ ]]; }

# holds CONDITION: of decimals, which are more than bash reckons with
holds() { awk "BEGIN { exit !($1) }"; }

# growing VALUE LAST: whole numbers separated by commas
growing() {
  local before=0 step steps=()
  allowed="whole numbers separated by commas that grow up to $2, everyone, such as 10,100,500,$2"
  [[ $1 =~ ^[1-9][0-9]{0,3}(,[1-9][0-9]{0,3})*$ ]] || return 1
  IFS=, read -ra steps <<< "$1"
  for step in "${steps[@]}"; do
    ((step > before)) || return 1
    before=$step
  done
  ((before == $2))
}

# files VALUE: those of Compose, separated by colons
files() {
  local file files=()
  allowed='files that are here, separated by colons, such as docker-compose.yml:compose/tunnel.yml'
  IFS=: read -ra files <<< "$1"
  for file in "${files[@]}"; do [ -f "$file" ] || return 1; done
}

# algorithms VALUE: names separated by commas; those that there are stand in the trainer's registry,
# which a container does not have that has these scripts alone
algorithms() {
  local registry=trainer/algorithms/registry.py known='' name names=()
  [ ! -f "$registry" ] || known=$(sed -nE 's/^    "([a-z_]+)": \(.*/\1/p' "$registry" | tr '\n' ' ')
  allowed="names separated by commas, or nothing for all: ${known% }"
  [[ $1 =~ ^([a-z_]+(,[a-z_]+)*)?$ ]] || return 1
  [ -n "$known" ] || return 0
  IFS=, read -ra names <<< "$1"
  for name in "${names[@]}"; do [[ " $known" == *" $name "* ]] || return 1; done
}

# duration VALUE LEAST [whole_minutes | or_nothing]: ISO 8601; LEAST in seconds
duration() {
  local seconds
  allowed="a duration such as P14D or PT1H30M"
  if [ "$2" -gt 0 ]; then allowed+=", from PT$2S on"; fi
  if [ -n "${3-}" ]; then allowed+=", ${3/_/ }"; fi
  if [ "$1/${3-}" = /or_nothing ]; then return 0; fi
  seconds=$(seconds_of "$1") || return 1
  ((seconds >= $2)) && { [ "${3-}" != whole_minutes ] || ((seconds % 60 == 0)); }
}

DURATION='^P(([0-9]{1,6})D)?(T(([0-9]{1,6})H)?(([0-9]{1,6})M)?(([0-9]{1,6})S)?)?$'

# seconds_of DURATION
seconds_of() {
  [[ $1 =~ $DURATION && $1 != *[PT] ]] || return 1
  echo $((10#0${BASH_REMATCH[2]} * 86400 + 10#0${BASH_REMATCH[5]} * 3600 \
    + 10#0${BASH_REMATCH[7]} * 60 + 10#0${BASH_REMATCH[9]}))
}

CRON_BOUNDS=('0 59' '0 23' '1 31' '1 12' '0 7' '0 59')

# cron VALUE [WORD]: when something recurs, as croniter reads it, or WORD
cron() {
  local fields=() index
  allowed="minute, hour, day, month and weekday of cron, such as '0 3 * * *'${2:+, or $2}"
  if [ -n "${2-}" ] && [ "$1" = "$2" ]; then return 0; fi
  read -ra fields <<< "$1"
  [ "${#fields[@]}" -eq 5 ] || [ "${#fields[@]}" -eq 6 ] || return 1  # a sixth: seconds
  for index in "${!fields[@]}"; do
    # shellcheck disable=SC2086  # two numbers
    cron_field "${fields[index]}" ${CRON_BOUNDS[index]} || return 1
  done
  comes "${fields[2]}" "${fields[3]}" "${fields[4]}"
}

# cron_field FIELD LOWEST HIGHEST
cron_field() {
  local part parts=()
  [[ $1 != *, ]] || return 1
  IFS=, read -ra parts <<< "$1"
  for part in "${parts[@]}"; do cron_part "$part" "$2" "$3" || return 1; done
}

# cron_part PART LOWEST HIGHEST: *, 3, 3-5, each also with /2
cron_part() {
  local first last step
  [[ $1 =~ ^(\*|([0-9]{1,2})(-([0-9]{1,2}))?)(/([0-9]{1,2}))?$ ]] || return 1
  first=$((10#0${BASH_REMATCH[2]:-$2})) step=$((10#0${BASH_REMATCH[6]:-1}))
  last=$((10#0${BASH_REMATCH[4]:-${BASH_REMATCH[2]:-$3}}))
  ((first >= $2 && last <= $3 && first <= last && step >= 1 && step <= $3))
}

# comes DAY MONTH WEEKDAY: a 30th of February never does
comes() {
  [ "$3" = '*' ] || return 0
  case $1/$2 in
    30/2 | 31/2 | 30,31/2 | 30-31/2 | 31/4 | 31/6 | 31/9 | 31/11) return 1 ;;
  esac
}

# What is allowed by itself and makes no sense together
check_together() {
  holds "$RATING_MIN < $RATING_MAX" ||
    fail "RATING_MIN is '$RATING_MIN' and RATING_MAX '$RATING_MAX'; allowed is a RATING_MIN below RATING_MAX"
  holds "($RATING_MAX - $RATING_MIN) / $RATING_STEP <= 10000" ||
    fail "RATING_STEP is '$RATING_STEP'; allowed is one that makes at most 10000 of RATING_MIN to RATING_MAX"
  check_time_to_live
  check_patience
}

check_time_to_live() {
  local kept width
  kept=$(seconds_of "$TIME_TO_LIVE") width=$(seconds_of "$PARTITION_WIDTH")
  ((kept <= 400 * 86400)) ||
    fail "TIME_TO_LIVE is '$TIME_TO_LIVE'; allowed is up to P400D, which viewings are kept"
  ((kept <= 1000 * width)) ||
    fail "TIME_TO_LIVE is '$TIME_TO_LIVE'; allowed is up to 1000 times PARTITION_WIDTH, which is '$PARTITION_WIDTH'"
}

# Nobody would be counted before a shorter one is over.
check_patience() {
  [ -n "$RELEASE_PATIENCE" ] || return 0
  (($(seconds_of "$RELEASE_PATIENCE") >= $(seconds_of "$EVALUATION_HORIZON"))) ||
    fail "RELEASE_PATIENCE is '$RELEASE_PATIENCE'; allowed is from one EVALUATION_HORIZON on, which is '$EVALUATION_HORIZON', or nothing for two"
}
