"""An image of the slots is pushed to a registry, removed here, pulled by digest and released."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.conftest import CHECKOUT
from tests.end_to_end.registry import empty_registry
from tests.end_to_end.second_stack import clone_checkout
from tests.engine import docker

SLOTS = ("recommender-blue", "recommender-green")
NAME = f"{os.environ['IMAGE_PREFIX']}/recommender"
PUBLISH = f"""
source compose/up/say.sh; source compose/up/commit.sh; source compose/up/build_images.sh
source compose/up/name_images.sh; publish_images {NAME}
"""
COMMIT = (
    "git init --quiet && git add . && git -c user.name=x -c user.email=x@example.org commit -qm x"
)


@dataclass(frozen=True)
class Checkout:
    """A commit that is checked out, on the stack under test."""

    folder: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run something in it."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def recorded(self) -> list[str]:
        """The name, the id and the reference of what was pushed."""
        return (self.folder / "build/images.txt").read_text().split()


def image_id(name: str) -> str:
    return docker("image", "inspect", "--format", "{{.Id}}", name).strip()


def is_here(name: str) -> bool:
    done = subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def candidate() -> Iterator[str]:
    """The id of a candidate with a layer of its own; what it was before is put back."""
    before, made = image_id(f"{NAME}:candidate"), f"{NAME}:made-for-a-test"
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", made, "-"],
        input=f"FROM {NAME}:candidate\nUSER root\nRUN echo {uuid.uuid4()} > /a\nUSER 10104\n",
        text=True,
        check=True,
        capture_output=True,
    )
    docker("tag", made, f"{NAME}:candidate")
    docker("rmi", made)
    yield image_id(f"{NAME}:candidate")
    docker("tag", before, f"{NAME}:candidate")


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    made = Checkout(clone_checkout(tmp_path / "clone").folder)
    done = made.run("bash", "-c", COMMIT)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with empty_registry() as address:
        yield address


def remove_here(*names: str) -> None:
    """Images lose these names, and are gone with the last."""
    docker("rmi", *names)


def test_what_was_removed_here_is_pulled_by_its_digest_and_released(
    stack, candidate, checkout, registry
):
    pushed = checkout.run("bash", "-euo", "pipefail", "-c", PUBLISH, IMAGE_REGISTRY=registry)
    assert pushed.returncode == 0, pushed.stderr
    name, known_as, reference = checkout.recorded()
    assert known_as == candidate
    assert reference.startswith(f"{registry}/{NAME}@sha256:")
    remove_here(f"{NAME}:candidate", f"{registry}/{name}")
    assert not is_here(candidate)

    released = checkout.run("make", "release-code")
    assert released.returncode == 0, released.stdout + released.stderr
    assert f"Both slots run {reference}" in released.stdout
    assert [stack.container(slot)["Image"] for slot in SLOTS] == [candidate] * 2
    assert len(stack.recommend(42)) == 20


def test_what_a_registry_does_not_have_is_an_error_in_its_words_and_changes_nothing(
    stack, registry
):
    before = [stack.container(slot)["Id"] for slot in SLOTS]
    missing = f"{registry}/{NAME}@sha256:{'0' * 64}"
    done = subprocess.run(
        ["make", "release-code", f"IMAGE={missing}"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"the image {missing} cannot be had:" in done.stderr
    assert "unknown" in done.stderr or "not found" in done.stderr
    assert [stack.container(slot)["Id"] for slot in SLOTS] == before
