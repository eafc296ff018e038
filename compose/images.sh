#!/usr/bin/env bash
# Build every image of this checkout, name it by what it was built from, and push it where an
# IMAGE_REGISTRY is set; starts and stops nothing. TWICE=1: build all of it again from nothing, and
# say which layers differ and why.
#
# Usage: make images [IMAGE_REGISTRY=host:port] [TWICE=1]

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/commit.sh
source compose/up/check_modes.sh
source compose/up/install_engine.sh
source compose/up/start_engine.sh
source compose/up/base_image.sh
source compose/up/build_images.sh
source compose/up/name_images.sh
source compose/images/build_twice.sh

[[ ${TWICE-} =~ ^1?$ ]] || fail "TWICE is '$TWICE'" "It is 1, or not given."
hold_stack_lock
read_settings
check_commit
check_modes
install_engine
start_engine
choose_base_image
choose_profiles
build_images
name_by_content
# shellcheck disable=SC2046  # a word each
publish_images $(image_names)
# shellcheck disable=SC2119  # all of them
if [ "${TWICE-}" = 1 ]; then build_twice; fi
