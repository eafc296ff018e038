# shellcheck shell=bash
# The ports on this host that the stack will publish; only looks. One that another program
# holds, or that two of ours share, would stop the start half way.

check_ports() {
  local name used held
  mapfile -t used < <(used_ports)
  held=$(held_ports)
  for name in "${used[@]}"; do
    check_only_ours "$name" "${used[@]}"
    if is_held "${!name}" "$held"; then
      fail "port ${!name} is taken by another program" "Move ours: make up $name=<free port>"
    fi
  done
}

# is_held PORT HELD: by somebody else
is_held() { grep -qx "$1" <<< "$2" && ! published_by_us "$1"; }

used_ports() {
  printf '%s\n' NGINX_PORT STATUS_PORT PROMETHEUS_PORT ALERTMANAGER_PORT POSTGRES_PORT \
    KAFKA_PORT
  if [ "$GRAFANA" = on ] || [[ ,$COMPOSE_PROFILES, == *,grafana,* ]]; then echo GRAFANA_PORT; fi
  if [ "$JENKINS" = on ]; then echo JENKINS_PORT; fi
}

check_only_ours() {
  local name=$1 other
  shift
  for other in "$@"; do
    [ "$name" = "$other" ] || [ "${!name}" != "${!other}" ] ||
      fail "$name and $other are both ${!name}" "Move one of them: make up $other=<free port>"
  done
}

held_ports() {
  listening_ports
  published_ports
}

# Local TCP ports in state LISTEN (0A), from the kernel: needs no tool on the host.
listening_ports() {
  cat /proc/net/tcp /proc/net/tcp6 2> /dev/null |
    while read -r _ address _ state _; do
      if [ "$state" = 0A ]; then echo $((16#${address##*:})); fi
    done
}

# The engine's, which listen nowhere where it forwards by packet filter alone
published_ports() {
  docker ps --format '{{.Ports}}' 2> /dev/null | grep -oE ':[0-9]+->' | tr -dc '0-9\n' || true
}

published_by_us() {
  docker ps --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
    --format '{{.Ports}}' 2> /dev/null | grep -q ":$1->"
}
