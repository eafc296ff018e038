#!/usr/bin/env bash
# Delete what builds have left behind: images of Marquee's that have no name any more, or none but
# that of what they were built from, and build cache that nobody used lately. What runs, what a
# slot would go back to and what the next start takes have other names. Shows what would go;
# deletes it with DELETE=1 only. What is in a registry stays there.
#
# Usage: make prune [DELETE=1] [UNUSED=24h]

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/commit.sh
source compose/up/build_images.sh
source compose/up/name_images.sh

UNUSED=${UNUSED:-24h}

# Without a name, and of which there is no container either, running or stopped
nameless_images() {
  comm -23 \
    <(docker image ls --quiet --no-trunc --filter dangling=true --filter "label=$IMAGE_LABEL" | sort -u) \
    <(images_in_use | sort -u)
}

# The names by content of images that have no other, and of which there is no container
old_names() {
  local named
  named=$(docker image ls --no-trunc --filter "label=$IMAGE_LABEL" --format '{{.ID}} {{.Repository}}:{{.Tag}}')
  grep -E "$BY_CONTENT" <<< "$named" | sort | join -v 1 -o 1.2 - <(
    { images_in_use; grep -vE "$BY_CONTENT|<none>" <<< "$named" | cut -d ' ' -f 1; } | sort -u
  )
}

images_in_use() {
  local containers
  mapfile -t containers < <(docker ps --all --quiet)
  [ "${#containers[@]}" -eq 0 ] || docker inspect --format '{{.Image}}' "${containers[@]}"
}

build_cache() { docker system df --format '{{.Type}}: {{.Size}}' | sed -n 's/^Build Cache: //p'; }

show() {
  echo "  images    $1 of Marquee's that have no name any more, or none but that of what they were built from"
  echo "  cache     what no build used for $UNUSED, of $(build_cache) that all projects on this host share"
  echo "Nothing was deleted. To delete it: make prune DELETE=1"
}

delete() {
  local image gone=0
  for image in "$@"; do
    if docker image rm "$image" > /dev/null 2>&1; then gone=$((gone + 1)); fi
  done
  say "$gone images deleted; $(($# - gone)) are parts of others"
  docker builder prune --force --filter "until=$UNUSED" | tail -n 1
}

[[ $UNUSED =~ ^[0-9]+[smh]$ ]] || fail "UNUSED is '$UNUSED'" "It is how long, such as 24h."
[[ ${DELETE-} =~ ^1?$ ]] || fail "DELETE is '$DELETE'" "It is 1, or not given."
hold_stack_lock
mapfile -t images < <(nameless_images; old_names)
if [ "${DELETE-}" = 1 ]; then delete "${images[@]}"; else show "${#images[@]}"; fi
