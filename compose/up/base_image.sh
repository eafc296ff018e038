# shellcheck shell=bash
# The one image that all others stand on: from a registry where one answers, made from the
# distribution's packages elsewhere. Then it is remembered.

DEFAULT_BASE=debian:trixie-slim
OWN_BASE=marquee/base:trixie
PULL_SECONDS=1800  # a registry that hangs keeps other commands waiting no longer

choose_base_image() {
  if image_exists "$BASE_IMAGE"; then return; fi
  if [ "$BASE_IMAGE" = "$DEFAULT_BASE" ] && image_exists "$OWN_BASE"; then
    BASE_IMAGE=$OWN_BASE
  elif [ "$BASE_IMAGE" != "$OWN_BASE" ] && ! pull "$BASE_IMAGE"; then
    [ "$BASE_IMAGE" = "$DEFAULT_BASE" ] ||
      fail "the base image $BASE_IMAGE cannot be had: $PULL_ERROR" "See: docker pull $BASE_IMAGE"
    say "No registry gives $BASE_IMAGE ($PULL_ERROR)"
    BASE_IMAGE=$OWN_BASE
  fi
  if [ "$BASE_IMAGE" = "$OWN_BASE" ] && ! image_exists "$OWN_BASE"; then make_base_image; fi
}

# Without root none can be made.
base_image_can_be_had() {
  image_exists "$BASE_IMAGE" || image_exists "$OWN_BASE" || pull "$BASE_IMAGE" > /dev/null
}

image_exists() { docker image inspect "$1" > /dev/null 2>&1; }

# pull IMAGE: get it from its registry; PULL_ERROR says why not
pull() {
  local log status=0
  say "Asking the registry for $1"
  log=$(mktemp)
  timeout --foreground "$PULL_SECONDS" docker pull --quiet "$1" > /dev/null 2> "$log" || status=$?
  if [ "$status" -eq 124 ]; then echo "it did not come within $PULL_SECONDS s" >> "$log"; fi
  PULL_ERROR=$(tail -n 1 "$log" | cut -c 1-200)
  rm -f "$log"
  return "$status"
}

# shellcheck disable=SC2016  # mmdebstrap's own shell expands $1
make_base_image() {
  command -v mmdebstrap > /dev/null || install_packages mmdebstrap
  need_root "mmdebstrap --variant=minbase trixie - | docker import - $OWN_BASE"
  say "Making the base image $OWN_BASE from Debian 13's packages"
  local archive sources=() forget=()
  archive=$(mktemp --suffix .tar)
  trixie_sources > "$archive.list"
  if [ -s "$archive.list" ]; then
    sources=("$archive.list")
    forget=(--customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*')
  fi
  quietly mmdebstrap --variant=minbase --quiet "${forget[@]}" \
    --customize-hook='rm -f "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
    trixie "$archive" "${sources[@]}" ||
    fail "mmdebstrap failed" "See the lines above; is a Debian mirror in this machine's apt sources?"
  docker import --change 'CMD ["/bin/bash"]' "$archive" "$OWN_BASE" > /dev/null
  rm -f "$archive" "$archive.list"
}

# Debian 13's package sources at the mirror this machine itself uses; empty on a host that
# is no Debian, where the base image knows its own.
trixie_sources() {
  local codename mirror security
  codename=$(. /etc/os-release && [ "$ID" = debian ] && printf '%s' "$VERSION_CODENAME") || return 0
  mirror=$(apt_mirror "$codename")
  security=$(apt_mirror "$codename-security")
  if [ -n "$mirror" ]; then echo "deb $mirror trixie main"; fi
  if [ -n "$security" ]; then echo "deb $security trixie-security main"; fi
}

apt_mirror() {
  # shellcheck disable=SC2016  # apt-get expands these
  apt-get indextargets --format '$(CREATED_BY) $(CODENAME) $(REPO_URI)' |
    awk -v codename="$1" '$1 == "Packages" && $2 == codename { print $3; exit }'
}
