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

# A port that another program holds would stop the start half way.
check_ports() {
  local name holders
  holders=$(listening_ports)
  for name in NGINX_PORT PROMETHEUS_PORT ALERTMANAGER_PORT POSTGRES_PORT KAFKA_PORT; do
    if grep -qx "${!name}" <<< "$holders" && ! published_by_us "${!name}"; then
      fail "port ${!name} is taken by another program" "Move ours: make up $name=<free port>"
    fi
  done
}

# Local TCP ports in state LISTEN (0A), from the kernel: needs no tool on the host.
listening_ports() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    while read -r _ address _ state _; do
      if [ "$state" = 0A ]; then echo $((16#${address##*:})); fi
    done | sort -un
}

published_by_us() {
  command -v docker > /dev/null &&
    docker ps --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
      --format '{{.Ports}}' 2>/dev/null | grep -q ":$1->"
}
