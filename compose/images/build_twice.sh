# shellcheck shell=bash
# The same commit built a second time, from nothing: which layers differ, and why. The second build
# stands on a base image of its own with the same files, so that it takes nothing from the build
# cache, and later builds take nothing of it. Its images are removed afterwards.

# build_twice [SERVICE...]: these, or all
# shellcheck disable=SC2120  # tests and people name some
build_twice() {
  local prefix=$IMAGE_PREFIX-again
  say "Building again, from nothing"
  # shellcheck disable=SC2064  # as it is now
  trap "remove_second_build $prefix" EXIT
  make_second_base "$prefix/base"
  IMAGE_PREFIX=$prefix BASE_IMAGE=$prefix/base bake "$@"
  compare_builds "$prefix"
  remove_second_build "$prefix"
  trap - EXIT
}

# One layer more, which is another one each time
make_second_base() {
  printf 'FROM %s\nRUN date +%%s%%N > /etc/built-again\n' "$BASE_IMAGE" |
    docker build --quiet --no-cache --tag "$1" - > /dev/null ||
    fail "a second base image could not be made" "See the lines above."
}

# compare_builds PREFIX: of all that were built again
compare_builds() {
  local again name of_base
  of_base=$(docker image inspect --format '{{len .RootFS.Layers}}' "$BASE_IMAGE")
  for again in $(docker image ls --format '{{.Repository}}:{{.Tag}}' "$1/*" | sort); do
    name=${again#"$1/"}
    [ "$name" = base:latest ] || differing_layers "$IMAGE_PREFIX/$name" "$again" "$of_base"
  done
}

# differing_layers FIRST SECOND LAYERS_OF_THE_BASE: by the Python of an image, without a network or rights
differing_layers() {
  docker save "$1" "$2" |
    docker run --rm --interactive --network none --cap-drop ALL --read-only --user 65534:65534 \
      --entrypoint python3 "$IMAGE_PREFIX/secrets" -c "$(cat compose/images/differing_layers.py)" "$@"
}

remove_second_build() {
  docker image ls --format '{{.Repository}}:{{.Tag}}' "$1/*" |
    xargs --no-run-if-empty docker image rm > /dev/null 2>&1 || true
}
