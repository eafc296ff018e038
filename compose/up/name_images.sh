# shellcheck shell=bash
# Each image gets a second name that says what it was built from: commit and lock. With an
# IMAGE_REGISTRY it is pushed there, and its digest recorded: by that it comes back, to the byte.

IMAGE_RECORD=build/images.txt
PUSH_SECONDS=1800  # a registry that hangs keeps other commands waiting no longer
TIMED_OUT=124      # how timeout ends then
# shellcheck disable=SC2034  # release_code.sh and prune.sh use it
BY_CONTENT=':([0-9a-f]{12}(-dirty)?|unknown)-[0-9a-f]{12}$'
# What pins all that is not in the commit itself but the distribution's packages
LOCKS=(
  {ci,ingest,monitoring,recommender,trainer}/requirements.txt compose/simulator/requirements.txt
  compose/images/uv.txt compose/images/kafka/jars.sha256
)

# content_tag: twelve digits of the commit, and twelve of a hash of the lock
content_tag() {
  local commit lock
  commit=$(commit)
  lock=$(cd "$SOURCE" && cat "${LOCKS[@]}" | sha256sum)
  printf '%s-%s' "${commit:0:12}${commit:40}" "${lock:0:12}"
}

# Whether such a tag tells what is in an image: all of it was committed.
tells_all() { [[ $1 =~ ^[0-9a-f]{12}-[0-9a-f]{12}$ ]]; }

name_by_content() {
  local name tag
  tag=$(content_tag)
  for name in $(image_names); do docker tag "$(built_last "$name")" "$name:$tag"; done
  say "Each image is named by what it was built from, too: $tag"
}

# What this host builds, without tags
image_names() { docker compose config --images | sed -n "s|^\($IMAGE_PREFIX/[^:]*\).*|\1|p" | sort -u; }

# built_last NAME: its tag moves with each build
built_last() { if [[ $1 == */recommender ]]; then echo "$1:candidate"; else echo "$1:latest"; fi; }

# publish_images NAME...: push those built last where there is a registry for them, and record all
publish_images() {
  local name tag reference lines=
  tag=$(content_tag)
  if [ -n "$IMAGE_REGISTRY" ] && ! tells_all "$tag"; then
    say "Nothing is pushed: what was built is no commit, and $tag would not tell what is in it"
  fi
  for name in "$@"; do
    reference=-
    if [ -n "$IMAGE_REGISTRY" ] && tells_all "$tag"; then reference=$(publish "$name" "$tag"); fi
    lines+="$name:$tag $(image_id "$(built_last "$name")") $reference"$'\n'
  done
  record_images "$lines"
}

# publish NAME TAG: push it; by what it can be pulled
publish() {
  local there=$IMAGE_REGISTRY/$1 digest
  say "Pushing $there:$2" >&2
  docker tag "$(built_last "$1")" "$there:$2"
  digest=$(pushed "$there:$2") ||
    fail "$there:$2 could not be pushed" "See the lines above: is $IMAGE_REGISTRY there, and does it want a docker login?"
  printf '%s' "$there@$digest"
}

# pushed IMAGE: push it; its digest, which is that of what the registry has
pushed() {
  local said status=0
  said=$(timeout --foreground "$PUSH_SECONDS" docker push "$1" 2>&1) || status=$?
  if [ "$status" -ne 0 ]; then tail -n 3 <<< "$said" >&2; fi
  if [ "$status" -eq "$TIMED_OUT" ]; then printf 'make: the push had not ended after %s s and was given up\n' "$PUSH_SECONDS" >&2; fi
  [ "$status" -eq 0 ] || return 1
  grep -oE 'digest: sha256:[0-9a-f]{64}' <<< "$said" | sed 's/digest: //'
}

# record_images LINES: whole or not at all
record_images() {
  mkdir -p build
  printf '%s' "$1" > "$IMAGE_RECORD.partial"
  mv "$IMAGE_RECORD.partial" "$IMAGE_RECORD"
  say "What was built, and by what it can be pulled, is in $IMAGE_RECORD"
}

# recorded_reference NAME: by what that of the last build can be pulled; nothing where it was not pushed
recorded_reference() {
  [ -e "$IMAGE_RECORD" ] || return 0
  awk -v name="$1:" 'index($1, name) == 1 && $3 != "-" { print $3 }' "$IMAGE_RECORD"
}
