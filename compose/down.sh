#!/usr/bin/env bash
# Stop everything. The data stays on its volumes, unless told otherwise and confirmed.
#
# Usage: make down [DATA=gone]

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh

confirm_data_loss() {
  local volumes answer
  mapfile -t volumes < <(docker compose --profile '*' config --volumes)
  echo "This deletes every row, model and log line in these volumes:"
  printf '  %s\n' "${volumes[@]}"
  read -r -p "Type 'gone' to delete them: " answer || true  # nobody is there
  [ "$answer" = gone ] || fail "nothing was deleted or stopped"
}

case ${DATA-kept} in
  kept)
    hold_stack_lock
    docker compose --profile '*' down
    ;;
  gone)
    confirm_data_loss
    hold_stack_lock
    docker compose --profile '*' down --volumes
    rm -f "$ENV_FILE.restoring"  # nothing is left of which half was missing
    ;;
  *) fail "DATA is '$DATA'" "It is gone, or not given." ;;
esac
