"""`make prune` deletes images without a name, and none that anything runs or goes back to."""

import os
import subprocess

import pytest

from monitoring.status.containers import LONG_RUNNING
from tests.engine import docker

LABEL = "org.opencontainers.image.title=marquee"
SPARE_THE_CACHE = "UNUSED=87600h"


def image_ids():
    return set(docker("image", "ls", "--all", "--quiet", "--no-trunc").split())


@pytest.fixture
def nameless():
    """The id of an image of ours that nothing names any more."""
    made = subprocess.run(
        ["docker", "import", f"--change=LABEL {LABEL}", "-"],
        input=bytes(10240),  # an empty archive
        capture_output=True,
        check=True,
    )
    return made.stdout.decode().strip()


def test_what_lost_its_name_goes_and_what_runs_or_is_gone_back_to_stays(stack, nameless):
    kept = {stack.container(service)["Image"] for service in LONG_RUNNING}
    slots = [f"{os.environ['IMAGE_PREFIX']}/recommender:{tag}" for tag in ("blue", "green")]
    kept |= {docker("image", "inspect", "--format", "{{.Id}}", slot).strip() for slot in slots}
    assert nameless in image_ids()

    shown = stack.make("prune", SPARE_THE_CACHE)
    assert shown.returncode == 0, shown.stderr
    assert nameless in image_ids()

    done = stack.make("prune", SPARE_THE_CACHE, "DELETE=1")
    assert done.returncode == 0, done.stderr
    assert nameless not in image_ids()
    assert kept <= image_ids()
