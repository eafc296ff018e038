# shellcheck shell=bash
# What the machine must offer; only looks.

# A first start builds every image. One that is there may be started to bound what fills the disk.
FIRST_START_GIB=8
LATER_START_GIB=1

check_platform() {
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
    fail "this is $(uname -s) on $(uname -m)" "Marquee runs on Linux, x86_64."
}

check_disk() {
  local folder needed=$LATER_START_GIB free
  folder=$(engine_folder)
  if is_first_start "$folder"; then needed=$FIRST_START_GIB; fi
  free=$(df --output=avail -BM "$folder" | tail -n 1 | tr -dc '0-9')
  [ "$free" -ge "$((needed * 1024))" ] ||
    fail "$folder has $((free / 1024)) GiB free, $needed GiB are needed" \
      "Free some, then run it again; what builds left behind is shown by: make prune"
}

# Where the engine keeps its data, or will
engine_folder() {
  local folder
  for folder in "$(docker info --format '{{.DockerRootDir}}' 2> /dev/null)" /var/lib/docker; do
    if [ -d "$folder" ]; then printf '%s' "$folder"; return; fi
  done
  printf /var/lib
}

# is_first_start FOLDER: an engine that stands still tells nothing; who may start it can look there
is_first_start() { new_stack && [ ! -d "$1/volumes/${COMPOSE_PROJECT_NAME}_state" ]; }
