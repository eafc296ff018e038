#!/usr/bin/env bash
# Run a command in a service that runs, with a terminal where there is one.
#
# Usage: compose/exec.sh SERVICE COMMAND...

set -euo pipefail
cd "$(dirname "$0")/.."

options=(-T)
if [ -t 0 ] && [ -t 1 ]; then options=(); fi
exec docker compose exec "${options[@]}" "$@"
