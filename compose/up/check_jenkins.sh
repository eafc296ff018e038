# shellcheck shell=bash
# What Jenkins needs of this host, looked at before it is started: a repository that it can
# clone, and the group that owns the engine's socket.

check_jenkins() {
  [ "${JENKINS-off}" = on ] || return 0
  [[ $REPOSITORY_URL =~ ^(git|https?|ssh)://[^/] ]] ||
    fail "REPOSITORY_URL is '$REPOSITORY_URL', and Jenkins clones from git://, http(s):// or ssh://" \
      "Say where: make up JENKINS=on REPOSITORY_URL=https://<host>/<project>.git"
  quietly git ls-remote "$REPOSITORY_URL" HEAD ||
    fail "nothing can be cloned from $REPOSITORY_URL" "See the lines above, then run it again."
}

# Jenkins reaches the engine as a member of this group.
find_docker_group() {
  if [ "${JENKINS-off}" = on ] && [ -z "$DOCKER_GROUP" ]; then
    DOCKER_GROUP=$(stat --format %g /var/run/docker.sock)
  fi
}
