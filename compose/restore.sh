#!/usr/bin/env bash
# Put a backup in the place of this stack's data and start the stack from it; likewise on
# another host, or beside a running stack under another name. What only looks comes first.
#
# Usage: make restore FROM=folder [NAME=value ...]   settings come from .env, else from the backup

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/commit.sh
source compose/up/check_host.sh
source compose/up/check_ports.sh
source compose/up/check_subnet.sh
source compose/up/check_rights.sh
source compose/up/install_engine.sh
source compose/up/start_engine.sh
source compose/up/base_image.sh
source compose/up/build_images.sh
source compose/up/start_services.sh
source compose/up/ask_nginx.sh
source compose/up/first_release.sh
source compose/up/what_to_try.sh
source compose/up/backups.sh
source compose/restore/find_backup.sh
source compose/restore/replace_data.sh
source compose/restore/go_on.sh

check_platform
find_backup
read_settings_of_backup
check_disk
check_ports
choose_subnets
check_code
check_rights
install_engine
start_engine
choose_base_image
choose_profiles
build_images
check_backup
confirm_replacement
# ------------------------------------------------------------- from here on, changes
begin_restore
write_settings
empty_volumes
tag_slots # nothing runs: what slots kept of other code goes with their data
put_files_back
keep_settings
put_database_back
go_on_with_the_topic
end_restore
start_services
wait_for_answer
what_to_try
