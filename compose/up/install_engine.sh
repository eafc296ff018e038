# shellcheck shell=bash
# Docker engine, Compose and Buildx from the distribution, where they are missing. A
# client may be there without an engine: ask for what is used, not for the command.

PLUGINS=/usr/local/lib/docker/cli-plugins

install_engine() {
  if ! engine_installed; then install_packages docker.io iptables; fi
  compose_works || install_plugin docker-compose
  buildx_works || install_plugin docker-buildx
}

engine_installed() { engine_answers || command -v dockerd > /dev/null; }
engine_answers() { docker version --format '{{.Server.Version}}' > /dev/null 2>&1; }
compose_works() { docker compose version > /dev/null 2>&1; }
buildx_works() { docker buildx version > /dev/null 2>&1; }

install_packages() {
  need_root "apt-get update && apt-get install -y $*"
  say "Installing $* from the distribution"
  quietly apt-get update ||
    fail "apt-get update failed" "Mend this machine's package sources, then run it again."
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends "$@" ||
    fail "apt-get install $* failed" "See the lines above, then run it again."
}

# Debian 12 has neither plugin; Debian 13's packages hold static programs that run there.
install_plugin() {
  local folder
  need_root "install the package $1 of Debian 13 (its program goes to $PLUGINS)"
  say "Installing $1 from Debian 13's packages"
  folder=$(mktemp -d)
  if ! quietly download_from_trixie "$folder" "$1"; then
    fail "no package $1 could be had" "Install $1 by hand, then run it again."
  fi
  dpkg-deb --extract "$folder"/"$1"_*.deb "$folder/root"
  install -D -t "$PLUGINS" "$folder"/root/usr/libexec/docker/cli-plugins/"$1"
  rm -rf "$folder"
}

download_from_trixie() {
  in_trixie "$1" update && cd "$1" && in_trixie "$1" download "$2"
}

# apt-get with the machine's own mirror, but Debian 13's index, in a folder of its own
in_trixie() {
  local folder=$1
  shift
  mkdir -p "$folder"/lists/partial "$folder"/cache/archives/partial
  trixie_sources > "$folder/trixie.list"
  touch "$folder/status"
  chmod 755 "$folder"
  apt-get -o Dir::Etc::SourceList="$folder/trixie.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$folder/lists" -o Dir::Cache="$folder/cache" \
    -o Dir::State::Status="$folder/status" -o APT::Sandbox::User=root -q "$@"
}

need_root() {
  [ "$(id -u)" -eq 0 ] || fail "this step needs root" "As root: $1"
}
