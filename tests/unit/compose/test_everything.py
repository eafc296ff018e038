"""`make test` runs what Jenkins runs, in its order, with a stack from where one is needed."""

from tests.unit.compose.shell import bash

STUBS = """
source tests/run/everything.sh
build_tests_image() { :; }
clone_commit() { mkdir -p "$CLONE"; }
remove_stack() { :; }
test_stack() { echo 'the stack is tested'; }
in_tests_image() { shift; PYTHONPATH=. python3 "${@:2}"; }
say() { :; }
make() { echo "make $*"; }
export -f make
"""


def test_the_steps_of_a_commit_and_of_a_night_run_in_order(tmp_path):
    done = bash(f"{STUBS} CLONE={tmp_path}/clone; everything")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "make lint",
        "make test-unit",
        "make test-integration",
        "make images",
        "make up",
        "make release-code",
        "make retrain",
        "make release",
        "the stack is tested",
    ]


def test_a_step_that_fails_ends_all(tmp_path):
    failing = 'make() { echo "make $*"; [ "$1" != test-unit ]; }; export -f make;'
    done = bash(f"{STUBS} {failing} CLONE={tmp_path}/clone; everything")
    assert done.returncode != 0
    assert done.stdout.splitlines() == ["make lint", "make test-unit"]
