# shellcheck shell=bash
# Images, all from one Dockerfile. What the host needs to reach its package mirrors is handed
# to the builds as build secrets, so it stays in no image. Which tree is built: commit.sh.

OWN_FOLDER=build/host
HOST_FOLDER=${MARQUEE_HOST_FOLDER:-$OWN_FOLDER}
# By this an image is known that has lost its name (make prune).
IMAGE_LABEL=org.opencontainers.image.title=marquee
BUILD_SECRETS=(apt_sources apt_conf ca_bundle pip_conf maven_settings)

# Jenkins only when asked for; Grafana comes last, by itself.
choose_profiles() {
  export COMPOSE_PROFILES=
  if [ "$JENKINS" = on ]; then COMPOSE_PROFILES=jenkins; fi
}

build_images() {
  collect_host_configuration
  say "Building images on $BASE_IMAGE"
  # shellcheck disable=SC2119  # all of them
  bake
  tag_slots
}

# Each file may be empty; none is ever copied into an image.
collect_host_configuration() {
  [ "$HOST_FOLDER" = "$OWN_FOLDER" ] || return 0  # the host's, handed to the helper
  mkdir -p "$HOST_FOLDER"
  trixie_sources > "$HOST_FOLDER/apt_sources"
  apt-config dump 2>/dev/null | grep -iE '^Acquire::(https?::)?proxy' > "$HOST_FOLDER/apt_conf" || true
  cat "${CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}" > "$HOST_FOLDER/ca_bundle" 2>/dev/null || true
  cat "${PIP_CONFIG_FILE:-/etc/pip.conf}" > "$HOST_FOLDER/pip_conf" 2>/dev/null || true
  cat "${MAVEN_SETTINGS:-$HOME/.m2/settings.xml}" > "$HOST_FOLDER/maven_settings" 2>/dev/null || true
  chmod 600 "$HOST_FOLDER"/*
}

secret_flags() {
  local name
  for name in "${BUILD_SECRETS[@]}"; do printf '%s\n' "id=$name,src=$HOST_FOLDER/$name"; done
}

# bake [SERVICE...]: build these, or all that this host starts. Compose's own file says how;
# the secrets are this host's and stay out of it. Both slots start from the candidate.
# shellcheck disable=SC2120  # the tests name some
bake() {
  try_to_bake "$@" || fail "an image could not be built" "See the lines above."
}

try_to_bake() {
  local flags=()
  mapfile -t flags < <(secret_flags | sed 's/^/--set=*.secrets=/')
  mkdir -p build
  docker compose config > build/docker-compose.yml
  quietly docker buildx bake --file build/docker-compose.yml "${flags[@]}" \
    --set "*.context=$SOURCE" --set "*.labels.$IMAGE_LABEL" --set "recommender-*.tags=$IMAGE_PREFIX/recommender:candidate" \
    --set "*.args.GIT_COMMIT=$(commit)" "$@"
}

# build_image TARGET TAG: one target of the Dockerfile that no service runs
build_image() {
  local flags=()
  mapfile -t flags < <(secret_flags | sed 's/^/--secret=/')
  quietly docker buildx build "${flags[@]}" --build-arg "BASE_IMAGE=$BASE_IMAGE" \
    --label "$IMAGE_LABEL" --target "$1" --tag "$2" "$SOURCE" ||
    fail "the image $2 could not be built" "See the lines above."
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
