#!/usr/bin/env bash
# Run the checks, each in an image of the services' own Python and lock, on services of
# their own: project name, ports, subnet, volumes and image tags differ from a running
# stack's, and all but the images is removed at the end.
#
# Usage: tests/run.sh all | lint | unit | integration | end-to-end | bench | certificate | drill | hour | own-stream | whole-disk | upgrade | way-back | experiments
# ARGS in the environment goes to pytest.

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/commit.sh
source compose/up/check_subnet.sh
source compose/up/check_database.sh
source compose/up/install_engine.sh
source compose/up/start_engine.sh
source compose/up/base_image.sh
source compose/up/build_images.sh
source compose/up/check_jenkins.sh
source compose/up/start_services.sh
source compose/up/ask_nginx.sh
source compose/up/first_release.sh
source tests/run/settings.sh
source tests/run/checks.sh
source tests/run/stack.sh
source tests/run/everything.sh
source tests/run/own_stream.sh
source tests/run/whole_disk.sh
source tests/run/upgrade.sh
source tests/run/way_back.sh
source tests/run/experiments.sh
source tests/run/soak.sh
source tests/run/hour.sh

read -r -a PYTEST_ARGUMENTS <<< "${ARGS-}"
use_test_settings
install_engine
start_engine
choose_base_image
choose_profiles

case ${1-} in
  all) everything ;;
  lint) build_tests_image && lint ;;
  unit) build_tests_image && unit ;;
  integration) build_tests_image && integration ;;
  end-to-end) build_tests_image && end_to_end ;;
  bench) build_tests_image && bench ;;
  certificate) build_tests_image && certificate ;;
  drill) build_tests_image && drill ;;
  hour) build_tests_image && hour "${HOUR:-60m}" ;;
  own-stream) own_stream ;;
  whole-disk) build_tests_image && whole_disk ;;
  upgrade) upgrade ;;
  way-back) way_back ;;
  experiments) build_tests_image && experiments ;;
  *) fail "'${1-}' is no check" "It is all, lint, unit, integration, end-to-end, bench, certificate, drill, hour, own-stream, whole-disk, upgrade, way-back or experiments." ;;
esac
