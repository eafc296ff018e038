# shellcheck shell=bash
# `make test`: what Jenkins runs, exactly, in a clean clone; then the whole stack.

CLONE=build/test/clone

everything() {
  build_tests_image
  clone_commit
  trap remove_stack EXIT
  remove_stack || true
  pipeline_steps ci/Jenkinsfile | before 'make release-code' | run_steps
  (cd "$CLONE" && make up)
  pipeline_steps ci/Jenkinsfile | from 'make release-code' | run_steps
  pipeline_steps ci/pipelines/nightly.Jenkinsfile | run_steps
  test_stack
}

# A commit, not the tree: what is not committed is not part of it.
clone_commit() {
  local changes
  changes=$(git status --porcelain | wc -l)
  if [ "$changes" -gt 0 ]; then say "$changes uncommitted changes are not part of this test"; fi
  rm -rf "$CLONE"
  git clone --quiet --no-hardlinks . "$CLONE"
}

pipeline_steps() { in_tests_image -- python -m ci.pipeline "$1"; }

before() { sed "/^$1\$/,\$d"; }
from() { sed -n "/^$1\$/,\$p"; }

run_steps() {
  local step
  while IFS= read -r step; do
    say "Jenkinsfile: $step"
    (cd "$CLONE" && bash -c "$step") < /dev/null
  done
}
