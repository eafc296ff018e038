"""`make prune` deletes nothing that runs or is gone back to, and nothing unless told to."""

import pytest

from tests.unit.compose.shell import bash

OLD, NEW, BACK, PULLED = (f"sha256:0000000000c{number}" for number in range(4))
BY_CONTENT = "0123456789ab-0123456789ab"
NAMED = f"""{OLD} town/nginx:{BY_CONTENT}
{OLD} 127.0.0.1:5000/town/nginx:{BY_CONTENT}
{NEW} town/nginx:123456789abc-0123456789ab
{NEW} town/nginx:latest
{BACK} town/recommender:{BY_CONTENT}
{BACK} town/recommender:before-blue
sha256:0000000000bb town/kafka:{BY_CONTENT}
{PULLED} town/x:<none>"""
ENGINE = """
docker() {
  case "$*" in
    "image ls --quiet"*) printf 'sha256:0000000000aa\\nsha256:0000000000bb\\n' ;;
    "image ls"*) printf '%s\\n' "$NAMED" ;;
    "ps"*) echo container ;;
    "inspect"*) echo sha256:0000000000bb ;;
    "system df"*) printf 'Images: 3GB\\nBuild Cache: 8GB\\n' ;;
    "image rm"*) echo "${@: -1}" >> "$REMOVED" ;;
    *) echo "engine: $*" ;;
  esac
}
export -f docker
"""


def prune(tmp_path, **settings):
    environment = {"MARQUEE_ENV_FILE": str(tmp_path / "env"), "COMPOSE_PROJECT_NAME": "prune-test"}
    environment |= {"NAMED": NAMED, "REMOVED": str(tmp_path / "removed")}
    return bash(f"{ENGINE}compose/prune.sh", environment=environment | settings)


def test_what_would_go_is_shown_and_stays(tmp_path):
    done = prune(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 of Marquee's" in done.stdout  # one without a name, and the names of an old one
    assert "of 8GB" in done.stdout
    assert "engine:" not in done.stdout


def test_once_told_to_it_deletes_the_image_without_a_container_and_cache(tmp_path):
    done = prune(tmp_path, DELETE="1", UNUSED="90m")
    assert done.returncode == 0, done.stderr
    assert "3 images deleted; 0 are" in done.stdout
    assert (tmp_path / "removed").read_text().split() == [
        "sha256:0000000000aa",  # the other one has a container
        f"127.0.0.1:5000/town/nginx:{BY_CONTENT}",
        f"town/nginx:{BY_CONTENT}",
    ]
    assert "engine: builder prune --force --filter until=90m" in done.stdout


@pytest.mark.parametrize("settings", [{"UNUSED": "a day"}, {"DELETE": "yes"}])
def test_a_value_that_is_none_deletes_nothing(tmp_path, settings):
    done = prune(tmp_path, **settings)
    assert done.returncode == 1
    assert f"{next(iter(settings))} is '" in done.stderr
