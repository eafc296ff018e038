"""Volumes that are truly full, under a slot that answers and a training that wants to publish."""

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.serving import Slots, get
from tests.integration.test_serving_receipts import ask_for, failures, set_connections, stored_users
from tests.integration.test_train import load, quietly, ratings, settings  # noqa: F401 -- a fixture
from tests.unit.recommender.versions import publish
from tests.waiting import eventually
from trainer.errors import TrainerError
from trainer.process import train_beside
from trainer.versions.directory import remove_unfinished, version_names

FIRST, SECOND, THIRD = (f"2026010{day}-000000-ease" for day in (1, 2, 3))


@pytest.fixture
def volume():
    """A small file system in memory: what every container has for shared memory."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@contextmanager
def full(volume, left):
    """Leave so many bytes free on a volume."""
    ballast = volume / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(volume).free - left)
    try:
        yield
    finally:
        ballast.unlink()


def test_on_a_full_models_volume_no_version_appears_and_the_slot_goes_on(volume, tmp_path):
    slots = Slots(tmp_path)
    slots.models = volume / "models"
    publish(slots.models, FIRST)
    slot = slots.start("blue", FIRST)
    try:
        with full(volume, left=16_384), pytest.raises(OSError, match="No space") as refused:
            publish(slots.models, SECOND, top={user: range(20) for user in range(200)})
        slot.assign(SECOND)
        eventually(lambda: slot.readiness()["refused"] == SECOND)
        answer = get(slot.port, "/recommend/1")
        remove_unfinished(slots.models / "versions")
        publish(slots.models, THIRD)
        slot.assign(THIRD)
        eventually(lambda: slot.answers_with(THIRD))
    finally:
        slots.end()

    assert refused.value.errno == errno.ENOSPC
    assert answer[0] == 200
    assert version_names(slots.models / "versions") == [FIRST, THIRD]


def test_on_a_full_receipts_volume_answers_go_on_and_receipts_are_stored_once_there_is_room(
    volume, tmp_path, conninfo
):
    slots = Slots(tmp_path, conninfo("recommender"))
    slots.receipts = volume
    publish(slots.models, FIRST)
    slot = slots.start("blue", FIRST)
    try:
        set_connections(conninfo("marquee"), allowed=False)
        with full(volume, left=8_192):
            ask_for(slot, range(1, 101))
            eventually(lambda: failures(slot, "receipts") > 1)
        set_connections(conninfo("marquee"), allowed=True)
        eventually(lambda: len(stored_users(conninfo)) >= 100, 60, "the receipts of all answers")
    finally:
        slots.end()

    assert sorted(stored_users(conninfo)) == list(range(1, 101))


def test_a_training_on_a_full_volume_says_so_and_the_next_one_with_room_publishes(
    volume,
    conninfo,
    settings,  # noqa: F811 -- the fixture
):
    load(conninfo, ratings())
    on_the_volume = settings.model_copy(update={"models_directory": volume / "models"})
    first = train_beside(on_the_volume, quietly, lambda: False)
    with full(volume, left=16_384), pytest.raises(TrainerError, match="No space left") as refused:
        train_beside(on_the_volume, quietly, lambda: False)
    published = version_names(on_the_volume.versions_directory)
    second = train_beside(on_the_volume, quietly, lambda: False)

    assert str(refused.value).count("\n") == 0
    assert published == [first.version]
    assert version_names(on_the_volume.versions_directory) == [first.version, second.version]
