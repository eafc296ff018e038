# shellcheck shell=bash
# Experiments on a whole stack with 20,000 people. Each comes about every twenty minutes, so within
# a minute nearly all who count came once: a longer horizon would only be waited for. 1,000 lines
# a second, the most the simulator writes, are some 14 people a second.

experiments() (
  export COMPOSE_PROJECT_NAME=marquee-test PEOPLE=20000 RATE=1000 TIME_LAPSE=120
  export EVALUATION_HORIZON=PT1M ALGORITHMS=popularity
  trap remove_stack EXIT
  remove_stack || true
  start_stack
  say "Popularity is live; EASE is trained, and takes its place by itself"
  export ALGORITHMS=popularity,ease
  start_stack
  make retrain
  in_tests_image --volume /var/run/docker.sock:/var/run/docker.sock \
    --env-file <(stack_environment) -- python -m tests.drill.experiments
)
