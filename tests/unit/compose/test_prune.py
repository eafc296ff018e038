"""What `make prune` would delete, and that it deletes nothing unless told to."""

import pytest

from tests.unit.compose.shell import bash

ENGINE = """
docker() {
  case "$*" in
    "image ls"*) printf 'sha256:0000000000aa\\nsha256:0000000000bb\\n' ;;
    "ps"*) echo container ;;
    "inspect"*) echo sha256:0000000000bb ;;
    "system df"*) printf 'Images: 3GB\\nBuild Cache: 8GB\\n' ;;
    *) echo "engine: $*" ;;
  esac
}
export -f docker
"""


def prune(tmp_path, **settings):
    environment = {"ENV_FILE": str(tmp_path / "env"), "COMPOSE_PROJECT_NAME": "prune-test"}
    return bash(f"{ENGINE}compose/prune.sh", environment=environment | settings)


def test_what_would_go_is_shown_and_stays(tmp_path):
    done = prune(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 of Marquee's" in done.stdout  # the other one has a container
    assert "of 8GB" in done.stdout
    assert "engine:" not in done.stdout


def test_once_told_to_it_deletes_the_image_without_a_container_and_cache(tmp_path):
    done = prune(tmp_path, DELETE="1", UNUSED="90m")
    assert done.returncode == 0, done.stderr
    assert "1 images deleted; 0 are" in done.stdout
    assert "engine: builder prune --force --filter until=90m" in done.stdout


@pytest.mark.parametrize("settings", [{"UNUSED": "a day"}, {"DELETE": "yes"}])
def test_a_value_that_is_none_deletes_nothing(tmp_path, settings):
    done = prune(tmp_path, **settings)
    assert done.returncode == 1
    assert f"{next(iter(settings))} is '" in done.stderr
