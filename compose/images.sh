#!/usr/bin/env bash
# Build every image of this checkout; starts and stops nothing.
#
# Usage: make images

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/commit.sh
source compose/up/install_engine.sh
source compose/up/start_engine.sh
source compose/up/base_image.sh
source compose/up/build_images.sh

hold_stack_lock
read_settings
check_commit
install_engine
start_engine
choose_base_image
choose_profiles
build_images
