"""Which code the slots get: new where nothing runs, what they have where people are answered."""

import pytest

from tests.unit.compose.shell import CHECKOUT, bash

ENGINE = """
COMPOSE_PROJECT_NAME=town IMAGE_PREFIX=town
source compose/up/say.sh; source compose/up/build_images.sh
docker() {
  case "$1 $2" in
    "volume inspect") [ "$VOLUME" = there ] ;;
    "image inspect") printf '%s\\n' "${@: -1}" ;;
    tag*) echo "$2 to $3" ;;
  esac
}
image_exists() { true; }
"""
TAGGED = [f"town/recommender:candidate to town/recommender:{slot}" for slot in ("blue", "green")]


@pytest.mark.parametrize(("volume", "tagged"), [("there", []), ("gone", TAGGED)])
def test_slots_keep_their_code_for_as_long_as_their_data_are_there(volume, tagged):
    done = bash(f"{ENGINE}VOLUME={volume} tag_slots")

    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if " to " in line] == tagged


def test_a_restore_asks_for_the_slots_code_when_the_data_it_replaces_are_gone():
    steps = (CHECKOUT / "compose/restore.sh").read_text().split("from here on, changes")[1]
    assert steps.index("empty_volumes") < steps.index("tag_slots") < steps.index("start_services")
