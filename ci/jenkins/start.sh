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

check_repository() {
  [[ ${REPOSITORY_URL-} =~ ^(git|https?|ssh)://[^/] ]] ||
    refuse "REPOSITORY_URL is '${REPOSITORY_URL-}'; Jenkins clones from git://, http(s):// or ssh://"
}

# Drills may have none: then they are off.
check_crons() {
  local name
  for name in POLL_CRON BUILD_CRON CERTIFICATE_CRON ${DRILL_CRON:+DRILL_CRON}; do
    [ "$(wc -w <<< "${!name-}")" -eq 5 ] || refuse "$name is '${!name-}'; it has five fields"
  done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  check_password /run/secrets/jenkins
  check_repository
  check_crons
  exec /usr/bin/tini -- /usr/local/bin/jenkins.sh "$@"
fi
