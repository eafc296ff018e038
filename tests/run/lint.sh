#!/usr/bin/env bash
# Every file by the checker made for it. Runs inside the tests image; stops at the first
# that finds something.
set -euo pipefail
cd "$(dirname "$0")/../.."

check() {
  printf '%-16s' "$1"
  shift
  if output=$("$@" 2>&1); then echo ok; else printf 'found\n%s\n' "$output"; exit 1; fi
}

shell_scripts() {
  find . -name '*.sh' -not -path './build/*' -print0 |
    xargs -0 shellcheck -x --source-path=SCRIPTDIR --source-path=. .ci/run
}
nginx_test() {
  printf '127.0.0.1 slot-blue slot-green mtail\n' >> /etc/hosts
  nginx -t -c "$PWD/nginx/nginx.conf"
}

check format ruff format --check .
check ruff ruff check .
check mypy mypy
check import-linter lint-imports
check shellcheck shell_scripts
check compose docker compose --profile '*' config --quiet
check nginx nginx_test
check prometheus promtool check config monitoring/prometheus/prometheus.yml
check rules promtool test rules monitoring/prometheus/tests/*.yml
check alertmanager amtool check-config monitoring/alertmanager/alertmanager.yml
check jenkinsfiles ci/groovy/check_syntax.sh ci/Jenkinsfile ci/pipelines/*.Jenkinsfile
