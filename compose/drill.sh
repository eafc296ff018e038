#!/usr/bin/env bash
# Break the running stack, one fault after the other, and see whether it does what is expected
# of it: a scorecard. A fault is a container that is killed and, some seconds later, started
# again. However this ends, what ran before runs afterwards.
#
# Usage: make drill YES=1 [FAULTS="postgres kafka"]

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/commit.sh
source compose/up/ask_nginx.sh
source compose/drill/asking.sh
source compose/drill/faults.sh
source compose/drill/report.sh

[ "${YES-}" = 1 ] || fail "nothing was broken" \
  "This kills services of the running stack, one at a time: make drill YES=1"
hold_stack_lock
read_settings
choose_faults
remember_what_runs
spare_what_is_under_way
say "Killing ${CHOSEN[*]}, one at a time; alerts may fire"
# ------------------------------------------------------------- from here on, changes
trap undo EXIT
begin_report
for service in "${CHOSEN[@]}"; do play "$service"; done
audit
end_report
