# shellcheck shell=bash
# What Jenkins and its helper need of this host: a repository that can be cloned, the group that
# owns the engine's socket, how this stack is set, and how package mirrors are reached from here.

ANSWER_SECONDS=60

check_jenkins() {
  [ "${JENKINS-off}" = on ] || return 0
  [ -n "$REPOSITORY_URL" ] ||
    fail "REPOSITORY_URL is '', and Jenkins clones from git://, http(s):// or ssh://" \
      "Say where: make up JENKINS=on REPOSITORY_URL=https://<host>/<project>.git"
  quietly find_main ||
    fail "no branch main can be cloned from $REPOSITORY_URL within $ANSWER_SECONDS seconds" \
      "See the lines above, then run it again."
}

# The branch that the jobs build. Nobody is asked for a password: the stack's lock is held.
find_main() {
  GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND="${GIT_SSH_COMMAND:-ssh} -o BatchMode=yes" \
    timeout --kill-after=5 "$ANSWER_SECONDS" git ls-remote --exit-code "$REPOSITORY_URL" refs/heads/main
}

# Its helper reaches the engine as a member of this group.
find_docker_group() {
  if [ "${JENKINS-off}" = on ] && [ -z "$DOCKER_GROUP" ]; then
    DOCKER_GROUP=$(stat --format %g /var/run/docker.sock)
  fi
}

# No file of this checkout is mounted anywhere, so the helper finds them beside the secrets.
keep_for_helper() {
  local name
  [ "${JENKINS-off}" = on ] || return 0
  hand_to_helper helper-settings "$ENV_FILE"
  for name in "${BUILD_SECRETS[@]}"; do hand_to_helper "$name" "$HOST_FOLDER/$name"; done
  hand_login
}

# The login to IMAGE_REGISTRY alone, where Docker keeps one for this user (docker login)
hand_login() {
  local logins=${DOCKER_CONFIG:-$HOME/.docker}/config.json
  [ -r "$logins" ] || logins=/dev/null
  docker compose run --rm --no-deps -T secrets login "$IMAGE_REGISTRY" < "$logins" ||
    say "Jenkins's helper got no login to $IMAGE_REGISTRY (above); one that it can get: DOCKER_CONFIG=FOLDER docker login $IMAGE_REGISTRY, then DOCKER_CONFIG=FOLDER make up"
}

# hand_to_helper NAME FILE
hand_to_helper() {
  docker compose run --rm --no-deps -T secrets set "$1" < "$2" ||
    fail "$1 could not be handed to Jenkins's helper" "See the lines above."
}
