"""The base image comes from a registry: a real one, on this host's loopback."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.end_to_end.conftest import CHECKOUT
from tests.end_to_end.registry import empty_registry
from tests.engine import docker
from tests.ports import free_port

CHOOSE = """
source compose/up/say.sh; source compose/up/base_image.sh
choose_base_image; echo "chosen: $BASE_IMAGE"
"""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with empty_registry() as address:
        yield address


@pytest.fixture(scope="module")
def published(registry) -> Iterator[str]:
    """The name of an image that the registry has and this host does not."""
    name = f"{registry}/debian:trixie-slim"
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", name, "-"],
        input=b'FROM scratch\nLABEL from="a registry"\nCMD ["/bin/bash"]\n',
        check=True,
    )
    docker("push", "--quiet", name)
    docker("rmi", name)
    yield name
    docker("rmi", "--force", name)


def chosen(base_image: str) -> subprocess.CompletedProcess[str]:
    """What `make up BASE_IMAGE=…` does about it."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", CHOOSE],
        cwd=CHECKOUT,
        env=os.environ | {"BASE_IMAGE": base_image},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_image_that_a_registry_has_is_taken_from_it(published):
    done = chosen(published)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"chosen: {published}"
    assert docker("inspect", "--format", "{{.Config.Labels.from}}", published) == "a registry\n"


def test_the_next_time_no_registry_is_asked(published):
    chosen(published)
    done = chosen(published)
    assert done.stdout == f"chosen: {published}\n"


def test_an_image_that_it_does_not_have_is_an_error_in_its_words(registry):
    done = chosen(f"{registry}/debian:nowhere")
    assert done.returncode == 1
    assert f"the base image {registry}/debian:nowhere cannot be had:" in done.stderr
    assert "not found" in done.stderr or "manifest unknown" in done.stderr


def test_a_registry_that_does_not_answer_is_an_error_too():
    done = chosen(f"127.0.0.1:{free_port()}/debian:trixie-slim")
    assert done.returncode == 1
    assert "cannot be had:" in done.stderr
