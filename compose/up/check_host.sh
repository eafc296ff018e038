# shellcheck shell=bash
# What the machine must offer; only looks.

NEEDED_GIB=8

check_platform() {
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
    fail "this is $(uname -s) on $(uname -m)" "Marquee runs on Linux, x86_64."
}

check_disk() {
  local folder=/var/lib/docker free
  [ -d "$folder" ] || folder=/var/lib
  free=$(df --output=avail -BG "$folder" | tail -n 1 | tr -dc '0-9')
  [ "$free" -ge "$NEEDED_GIB" ] ||
    fail "$folder has $free GiB free, $NEEDED_GIB GiB are needed" "Free some, then run it again."
}
