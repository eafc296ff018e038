"""Which image a release of code takes, and which it refuses before anything is changed."""

import pytest

from tests.unit.compose.shell import bash

DIGEST = "sha256:" + "d" * 64
ELSEWHERE = f"127.0.0.1:5000/town/recommender@{DIGEST}"
ENGINE = """
docker() {
  case "$1 $2" in
    "image inspect") [[ "$*" != *RepoTags* ]] || { printf '%s\\n' "$NAMES"; return; }
      [[ " ${HERE-} " == *" ${@: -1} "* ]] && echo "id of ${@: -1}" ;;
    "compose exec")
      echo 0
      [[ "$*" != *record-code* ]] || echo "recorded: ${*: -5}" >> "$RECORDED" ;;
    pull*) echo "no such manifest" >&2; [ -n "${REGISTRY-}" ] ;;
    *) echo "engine: $*" ;;
  esac
}
sleep() { :; }
export -f docker sleep
"""
SLOTS = "town/recommender:blue town/recommender:green"
CANDIDATE = "town/recommender:candidate"
BY_CONTENT = "town/recommender:0123456789ab-0123456789ab"


def release(tmp_path, here="", **given):
    environment = {
        "MARQUEE_ENV_FILE": str(tmp_path / "env"),
        "COMPOSE_PROJECT_NAME": "release-code-test",
        "IMAGE_PREFIX": "town",
        "HERE": f"{SLOTS} {here}",
        "NAMES": "",
        "RECORDED": str(tmp_path / "recorded"),
        **given,
    }
    return bash(f"{ENGINE}compose/release_code.sh", environment=environment)


def tags(done):
    return [
        line.removeprefix("engine: tag ") for line in done.stdout.splitlines() if " tag " in line
    ]


def test_what_was_built_last_is_taken_and_the_previous_kept(tmp_path):
    done = release(tmp_path, CANDIDATE)
    assert done.returncode == 0, done.stderr
    assert tags(done) == [
        "town/recommender:green town/recommender:before-green",
        f"{CANDIDATE} town/recommender:green",
        "town/recommender:blue town/recommender:before-blue",
        f"{CANDIDATE} town/recommender:blue",
    ]


def test_an_image_of_a_registry_is_pulled_by_its_digest(tmp_path):
    done = release(tmp_path, CANDIDATE, IMAGE=ELSEWHERE, REGISTRY="yes")
    assert f"Asking the registry for {ELSEWHERE}" in done.stdout, done.stderr
    assert f"{ELSEWHERE} town/recommender:green" in tags(done)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "there is no image town/recommender:candidate here"),
        (
            {"IMAGE": "127.0.0.1:5000/town/recommender:new"},
            "From a registry one comes by its digest",
        ),
        ({"IMAGE": ELSEWHERE}, "cannot be had: no such manifest"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_changed(tmp_path, given, told):
    done = release(tmp_path, **given)
    assert done.returncode == 1
    assert told in done.stderr
    assert tags(done) == []


@pytest.mark.parametrize(
    ("names", "known_as"), [(f"{CANDIDATE}\n{BY_CONTENT}", BY_CONTENT), ("", CANDIDATE)]
)
def test_what_each_slot_got_is_recorded_by_what_it_was_built_from(tmp_path, names, known_as):
    release(tmp_path, CANDIDATE, NAMES=names)
    assert (tmp_path / "recorded").read_text().splitlines() == [
        f"recorded: {slot} {known_as} id of {CANDIDATE} --outcome released"
        for slot in ("green", "blue")
    ]
