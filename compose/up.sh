#!/usr/bin/env bash
# From a bare machine to a recommender that is being used. What only looks comes first;
# below the line, each step says what it does before it does it.
#
# Usage: make up [NAME=value ...]   settings are remembered in .env, see README

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/commit.sh
source compose/up/check_modes.sh
source compose/up/check_host.sh
source compose/up/check_jenkins.sh
source compose/up/check_ports.sh
source compose/up/check_subnet.sh
source compose/up/check_database.sh
source compose/up/check_rights.sh
source compose/up/install_engine.sh
source compose/up/start_engine.sh
source compose/up/backups.sh
source compose/up/base_image.sh
source compose/up/build_images.sh
source compose/up/name_images.sh
source compose/up/grafana.sh
source compose/up/start_services.sh
source compose/up/way_back.sh
source compose/up/ask_nginx.sh
source compose/up/first_release.sh
source compose/up/what_to_try.sh

check_platform
hold_stack_lock
check_restored
read_settings
say_environment
check_disk
check_ports
check_jenkins
choose_subnets
check_commit
check_modes
check_database
check_rights
# ------------------------------------------------------------- from here on, changes
install_engine
start_engine
find_docker_group
choose_base_image
choose_profiles
write_settings
build_images
name_by_content
keep_settings
keep_for_helper
back_up_before_migration
start_services
follow_first_release
wait_for_answer
add_grafana
what_to_try
say_way_back
