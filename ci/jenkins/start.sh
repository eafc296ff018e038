#!/usr/bin/env bash
# Start Jenkins, once everything is there that casc.yaml names: what the configuration plugin
# cannot resolve becomes empty text, and an administrator with an empty password.
set -euo pipefail

refuse() {
  printf 'jenkins: %s\n' "$1" >&2
  exit 1
}

check_password() {
  local file=$1 password
  [ -r "$file" ] || refuse "the password file $file cannot be read"
  password=$(tr '\n' '#' < "$file")
  case $password in
    '') refuse "the password file $file is empty" ;;
    *'#'*) refuse "the password file $file has a line end in it" ;;
    *\$\{*) refuse "the password file $file holds a name instead of its value" ;;
  esac
}

# As compose/up/allowed.sh has them: a quote would end the text that they become in casc.yaml.
REPOSITORY='^((git|https?)://|ssh://([A-Za-z0-9._-]+@)?)[][A-Za-z0-9._:%-]+(/[A-Za-z0-9._~:/?#@!&()*+,;=%-]*)?$'
CRON='^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[H0-9*][H0-9*/,()-]*( [H0-9*][H0-9*/,()-]*){4})$'

# Who somebody is at the repository is not shown: a password may be in it.
check_repository() {
  local url=${REPOSITORY_URL-}
  [[ $url =~ $REPOSITORY ]] ||
    refuse "REPOSITORY_URL is '${url/:\/\/*@/:\/\/***@}'; Jenkins clones from git://, http(s):// or ssh://, without a password or token there"
}

# Drills may have none: then they are off.
check_crons() {
  local name
  for name in POLL_CRON BUILD_CRON CERTIFICATE_CRON ${DRILL_CRON:+DRILL_CRON}; do
    [[ ${!name-} =~ $CRON ]] || refuse "$name is '${!name-}'; it has five fields, or is a word such as @daily"
  done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  check_password /run/secrets/jenkins
  check_repository
  check_crons
  exec /usr/bin/tini -- /usr/local/bin/jenkins.sh "$@"
fi
