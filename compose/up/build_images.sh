# shellcheck shell=bash
# Images: official ones as a start where a registry answers, the distribution's packages
# elsewhere. What the host needs to reach its package mirrors is handed to the builds as
# build secrets, so it stays in no image.

HOST_FOLDER=build/host
BUILD_SECRETS=(apt_sources apt_conf ca_bundle pip_conf maven_settings)
PACKAGED=(postgres kafka nginx prometheus alertmanager node-exporter)
IMAGE_SETTINGS=(
  BASE_IMAGE=debian:trixie-slim POSTGRES_IMAGE=postgres:17-trixie KAFKA_IMAGE=apache/kafka:4.1.1
  NGINX_IMAGE=nginx:1.26 PROMETHEUS_IMAGE=prom/prometheus:v2.53.5
  ALERTMANAGER_IMAGE=prom/alertmanager:v0.28.1 NODE_EXPORTER_IMAGE=prom/node-exporter:v1.9.1
)
OWN_BASE=marquee/base:trixie

choose_image_source() {
  if [ "$IMAGE_SOURCE" = auto ]; then
    if registry_answers; then IMAGE_SOURCE=registry; else IMAGE_SOURCE=packages; fi
  fi
  case $IMAGE_SOURCE in
    registry) use_official_images ;;
    packages) use_packaged_images ;;
    *) fail "IMAGE_SOURCE is '$IMAGE_SOURCE'" "It is auto, registry or packages." ;;
  esac
  export COMPOSE_PROFILES
  COMPOSE_PROFILES=$(profiles)
}

registry_answers() {
  timeout 20 docker pull --quiet hello-world:latest > /dev/null 2>&1
}

profiles() {
  local chosen=()
  if [ "$SIMULATOR" = on ]; then chosen+=(simulator); fi
  if [ "$IMAGE_SOURCE" = registry ]; then chosen+=(registry); fi
  (IFS=,; printf '%s' "${chosen[*]}")
}

use_official_images() {
  local setting
  for setting in "${IMAGE_SETTINGS[@]}"; do export "${setting?}"; done
}

use_packaged_images() {
  local name variable
  export BASE_IMAGE=$OWN_BASE
  for name in "${PACKAGED[@]}"; do
    variable=${name^^}
    export "${variable//-/_}_IMAGE=marquee/packages-$name"
  done
}

build_images() {
  collect_host_configuration
  if [ "$IMAGE_SOURCE" = packages ]; then
    make_base_image
    say "Building images from the distribution's packages: ${PACKAGED[*]}"
    bake_packages "${PACKAGED[@]}"
    say "Grafana and Jenkins are left out: no image registry answers, and no distribution packages them"
  fi
  say "Building Marquee's own images"
  local services=()
  mapfile -t services < <(built_services)
  bake_services "${services[@]}"
  tag_slots
}

# Each file may be empty; none is ever copied into an image.
collect_host_configuration() {
  mkdir -p "$HOST_FOLDER"
  if [ "$IMAGE_SOURCE" = packages ]; then trixie_sources; fi > "$HOST_FOLDER/apt_sources"
  apt-config dump 2>/dev/null | grep -iE '^Acquire::(https?::)?proxy' > "$HOST_FOLDER/apt_conf" || true
  cat "${CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}" > "$HOST_FOLDER/ca_bundle" 2>/dev/null || true
  cat "${PIP_CONFIG_FILE:-/etc/pip.conf}" > "$HOST_FOLDER/pip_conf" 2>/dev/null || true
  cat "${MAVEN_SETTINGS:-$HOME/.m2/settings.xml}" > "$HOST_FOLDER/maven_settings" 2>/dev/null || true
  chmod 600 "$HOST_FOLDER"/*
}

# Debian 13's package sources at the mirror this machine itself uses; empty on a host that
# is no Debian, where mmdebstrap and the official images know their own.
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

base_image_exists() { image_exists "$OWN_BASE"; }
image_exists() { docker image inspect "$1" > /dev/null 2>&1; }

# shellcheck disable=SC2016  # mmdebstrap's own shell expands $1
make_base_image() {
  base_image_exists && return
  command -v mmdebstrap > /dev/null || install_packages mmdebstrap
  need_root "mmdebstrap --variant=minbase trixie"
  say "Making the base image from Debian 13's packages"
  local archive sources=() forget=()
  archive=$(mktemp --suffix .tar)
  if [ -s "$HOST_FOLDER/apt_sources" ]; then
    sources=("$HOST_FOLDER/apt_sources")
    forget=(--customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*')
  fi
  quietly mmdebstrap --variant=minbase --quiet "${forget[@]}" \
    --customize-hook='rm -f "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
    trixie "$archive" "${sources[@]}" ||
    fail "mmdebstrap failed" "See the lines above; is a Debian mirror in this machine's apt sources?"
  docker import --change 'CMD ["/bin/bash"]' "$archive" "$OWN_BASE" > /dev/null
  rm -f "$archive"
}

secret_flags() {
  local name
  for name in "${BUILD_SECRETS[@]}"; do printf '%s\n' "id=$name,src=$HOST_FOLDER/$name"; done
}

# bake_packages TARGET...: images of packages.Dockerfile, built side by side
bake_packages() {
  local flags=()
  mapfile -t flags < <(secret_flags | sed 's/^/--set=*.secrets=/')
  quietly docker buildx bake --file compose/images/docker-bake.hcl "${flags[@]}" "$@" ||
    fail "an image could not be built" "See the lines above."
}

# build_image TARGET TAG: one target of the Dockerfile that no service runs
build_image() {
  local flags=()
  mapfile -t flags < <(secret_flags | sed 's/^/--secret=/')
  quietly docker buildx build "${flags[@]}" --build-arg "BASE_IMAGE=$BASE_IMAGE" \
    --target "$1" --tag "$2" . ||
    fail "the image $2 could not be built" "See the lines above."
}

# bake_services SERVICE...: Compose's own file says how; the secrets are this host's and
# stay out of it.
bake_services() {
  local flags=()
  mapfile -t flags < <(secret_flags | sed 's/^/--set=*.secrets=/')
  docker compose --profile '*' config > "$HOST_FOLDER/docker-compose.yml"
  quietly docker buildx bake --file "$HOST_FOLDER/docker-compose.yml" "${flags[@]}" \
    --set "trainer.args.GIT_COMMIT=$(commit)" --set "backup.args.GIT_COMMIT=$(commit)" "$@" ||
    fail "an image could not be built" "See the lines above."
}

# Every service with a build of its own but the slots, whose tags only a release moves
built_services() {
  printf '%s\n' secrets migrate backup ingest trainer recommender evaluation releaser \
    simulator nginx-exporter "${PACKAGED[@]}"
  if [ "$IMAGE_SOURCE" = registry ]; then printf '%s\n' grafana jenkins; fi
}

# A new stack runs what was just built; in one with a state, only a release moves the tags.
tag_slots() {
  local slot image=$IMAGE_PREFIX/recommender
  for slot in blue green; do
    if new_stack || ! image_exists "$image:$slot"; then
      docker tag "$image:candidate" "$image:$slot"
    elif [ "$(image_id "$image:candidate")" != "$(image_id "$image:$slot")" ]; then
      say "Slot $slot keeps the code it runs; the new one comes by: make release-code"
    fi
  done
}

new_stack() { ! docker volume inspect "${COMPOSE_PROJECT_NAME}_state" > /dev/null 2>&1; }

image_id() { docker image inspect --format '{{.Id}}' "$1"; }
