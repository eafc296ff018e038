#!/usr/bin/env bash
# Put a recommender into both slots: what was built last, or IMAGE; what is not here is pulled by its
# digest. The slot without traffic gets it first, with the model that is live, and the releaser
# carries it as it carries a model: replay, shares, gates, certificate (ci/README.md). A slot in which
# it does not stand gets its previous image back, and the release has failed.
#
# Usage: make release-code [IMAGE=host:port/marquee/recommender@sha256:...] [OVERLAP=0.9] [PLAN=1]

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/base_image.sh
source compose/up/build_images.sh
source compose/up/name_images.sh
source compose/code/carry.sh

# Where none is asked for: what was built last, else what the last build pushed.
choose_image() {
  local candidate=$IMAGE_PREFIX/recommender:candidate
  if [ -n "${IMAGE-}" ]; then return; fi
  if image_exists "$candidate"; then IMAGE=$candidate; return; fi
  IMAGE=$(recorded_reference "$IMAGE_PREFIX/recommender")
  [ -n "$IMAGE" ] || fail "there is no image $candidate here, and $IMAGE_RECORD names none in a registry" \
    "Build one: make images; or name one: make release-code IMAGE=HOST:PORT/NAME@sha256:DIGEST"
}

# A tag in a registry may say something else tomorrow; a digest may not.
get_image() {
  if image_exists "$IMAGE"; then return; fi
  [[ $IMAGE =~ @sha256:[0-9a-f]{64}$ ]] || fail "there is no image $IMAGE here" \
    "From a registry one comes by its digest, as $IMAGE_RECORD has it: IMAGE=HOST:PORT/NAME@sha256:DIGEST"
  pull "$IMAGE" || fail "the image $IMAGE cannot be had: $PULL_ERROR" "See: docker pull $IMAGE"
}

release() {
  local held_to=()
  if [ -n "${OVERLAP-}" ]; then held_to=(--overlap "$OVERLAP"); fi
  choose_image
  if [ -n "${PLAN-}" ] && image_exists "$IMAGE" && both_run_it; then
    say "Both slots run $IMAGE already; nothing would be changed"
    return
  fi
  if [ -n "${PLAN-}" ]; then ask_releaser plan "$IMAGE" "${held_to[@]}"; return; fi
  get_image
  if both_run_it; then
    name_for_both
    ask_releaser settle "$(known_as)" "$(image_id "$IMAGE")"
    say "Both slots run $IMAGE already; nothing was changed"
    return
  fi
  carry "${held_to[@]}"
  say "Both slots run $IMAGE"
}

if [ -z "${PLAN-}" ]; then hold_stack_lock; fi
read_settings
release
