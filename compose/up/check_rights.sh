# shellcheck shell=bash
# What only root can do, as a list to copy, where we are not root and some of it is missing.

check_rights() {
  [ "$(id -u)" -ne 0 ] || return 0
  local commands=()
  mapfile -t commands < <(commands_for_root)
  [ "${#commands[@]}" -gt 0 ] || return 0
  printf '  %s\n' "${commands[@]}"
  fail "root is needed once, for the commands above" "Run them as root, log in again, then: make up"
}

commands_for_root() {
  if ! engine_installed; then echo "apt-get update && apt-get install -y docker.io iptables"; fi
  compose_works || plugin_command docker-compose
  buildx_works || plugin_command docker-buildx
  if ! engine_answers; then
    echo "systemctl start docker || (dockerd > $ENGINE_LOG 2>&1 &)"
    echo "usermod --append --groups docker $(id -un)"
  elif ! base_image_can_be_had; then
    echo "apt-get update && apt-get install -y mmdebstrap"
    echo "mmdebstrap --variant=minbase trixie - | docker import - $OWN_BASE"
  fi
}

# Debian 12 has no such package: there, the program in Debian 13's
plugin_command() {
  echo "apt-get install -y $1 || install -D -t $PLUGINS <the program in Debian 13's package $1>"
}
