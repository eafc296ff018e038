import sys
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.slots.state import (
    BUCKETS,
    SPLITS_KEPT,
    Slot,
    canary_order,
    green_buckets,
    send_to_green,
    sent_to_green,
)
from compose.service.assignment import assign, assigned_version, assignment_file

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CHANGES_FILES = {
    "open",
    "os.rename",
    "os.mkdir",
    "os.symlink",
    "os.remove",
    "os.rmdir",
    "shutil.rmtree",
}

shares = st.integers(0, BUCKETS)
versions = st.text("0123456789-ease", min_size=1, max_size=20)
bucket_sets = st.frozensets(st.integers(0, BUCKETS - 1), max_size=30)


class PowerCut(BaseException):
    pass


class Power:
    """Lets a number of file operations happen and no more; the interpreter reports each."""

    def __init__(self):
        self.left = None
        sys.addaudithook(self.hook)

    def hook(self, event, _arguments):
        if self.left is None or event not in CHANGES_FILES:
            return
        if self.left == 0:
            raise PowerCut
        self.left -= 1


POWER = Power()


def until_power_fails(operations, change):
    POWER.left = operations
    try:
        with suppress(PowerCut):
            change()
    finally:
        POWER.left = None


@given(slot=st.sampled_from(Slot), version=versions, share=shares)
def test_a_share_moves_exactly_that_many_buckets(slot, version, share):
    on_green = len(green_buckets(slot, version, share))
    assert on_green == (share if slot is Slot.GREEN else BUCKETS - share)


@given(version=versions, smaller=shares, larger=shares)
def test_whoever_is_on_the_canary_stays_on_it_as_it_grows(version, smaller, larger):
    smaller, larger = sorted((smaller, larger))
    assert set(canary_order(version)[:smaller]) <= set(canary_order(version)[:larger])
    assert green_buckets(Slot.GREEN, version, smaller) <= green_buckets(Slot.GREEN, version, larger)


def test_not_the_same_users_go_first_at_every_release():
    assert canary_order("20260101-000000-ease") != canary_order("20260102-000000-ease")


def test_the_buckets_of_a_second_release_of_a_version_are_drawn_independently_of_the_first():
    """A tenth of each tenth is in both, by chance."""
    version, tenth = "20260101-000000-ease", BUCKETS // 10
    releases = [green_buckets(Slot.GREEN, version, tenth, seed) for seed in range(200)]
    common = [len(one & other) for one, other in pairwise(releases)]
    assert sum(common) / len(common) == pytest.approx(10, abs=1)


@given(buckets=bucket_sets)
def test_nginx_finds_a_marker_for_exactly_the_buckets_on_green(buckets):
    with TemporaryDirectory() as directory:
        send_to_green(Path(directory), buckets)
        names = {path.name for path in (Path(directory) / "split/live").iterdir()}
        assert names == {f"{bucket:03}" for bucket in buckets}


@given(before=bucket_sets, after=bucket_sets, operations=st.integers(0, 60))
def test_a_split_interrupted_anywhere_is_the_old_or_the_new_one(before, after, operations):
    with TemporaryDirectory() as directory:
        root = Path(directory)
        for buckets in [frozenset({1})] * SPLITS_KEPT + [before]:
            send_to_green(root, buckets)
        until_power_fails(operations, lambda: send_to_green(root, after))
        assert sent_to_green(root) in (before, after)
        send_to_green(root, after)
        assert sent_to_green(root) == after


@given(operations=st.integers(0, 8))
def test_an_assignment_interrupted_anywhere_is_the_old_or_the_new_one(operations):
    with TemporaryDirectory() as directory:
        root = Path(directory)
        file = assignment_file(root, Slot.BLUE)
        assign(file, "old", NOW)
        until_power_fails(operations, lambda: assign(file, "new", NOW))
        assert assigned_version(file) in ("old", "new")


def test_a_first_split_interrupted_anywhere_sends_everyone_to_blue_or_is_there(tmp_path):
    for operations in range(30):
        root = tmp_path / str(operations)
        root.mkdir()
        until_power_fails(operations, lambda root=root: send_to_green(root, {7}))
        assert sent_to_green(root) in (frozenset(), frozenset({7}))


def test_old_splits_are_pruned(tmp_path):
    for bucket in range(SPLITS_KEPT + 10):
        send_to_green(tmp_path, {bucket})
    assert len(list((tmp_path / "splits").iterdir())) == SPLITS_KEPT
    assert sent_to_green(tmp_path) == {SPLITS_KEPT + 9}


def test_the_split_can_be_read_wherever_the_volume_is_mounted(tmp_path):
    (tmp_path / "here").mkdir()
    send_to_green(tmp_path / "here", {3})
    (tmp_path / "here").rename(tmp_path / "there")
    assert sent_to_green(tmp_path / "there") == {3}
