# shellcheck shell=bash
# The whole stack, started by the very steps of `make up`, and taken away at the end.

end_to_end() {
  trap remove_stack EXIT
  remove_stack || true
  start_stack
  make retrain release
  test_stack
}

start_stack() {
  say "Starting a whole stack, by make up"
  compose/up.sh
}

test_stack() {
  build_image registry "$IMAGE_PREFIX/registry"
  prepare_helper
  say "End-to-end tests"
  in_tests_image --volume /var/run/docker.sock:/var/run/docker.sock \
    --volume "$BACKUP_DIRECTORY:$BACKUP_DIRECTORY" --env-file <(stack_environment) \
    -- pytest tests/end_to_end --durations=12 --junit-xml=build/junit-end-to-end.xml "${PYTEST_ARGUMENTS[@]}"
}

# Jenkins's own image is in a registry only; its helper is built and told of this stack here.
prepare_helper() {
  COMPOSE_PROFILES=jenkins bake helper
  JENKINS=on keep_for_helper
}

stack_environment() {
  local setting
  for setting in COMPOSE_ENV_FILES=x "${SETTINGS[@]}"; do
    printf '%s=%s\n' "${setting%%=*}" "$(printenv "${setting%%=*}")"
  done
}

remove_stack() {
  docker compose --project-name marquee-test --profile '*' down --volumes --timeout 5 > /dev/null 2>&1
}
