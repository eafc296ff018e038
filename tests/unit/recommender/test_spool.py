"""What is written to a spool is read from it, in order, whatever was cut off in between."""

import errno
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import SpoolFullError
from recommender.receipts.spool import Spool


def opened(directory, limit=10_000):
    spool = Spool(directory, limit)
    spool.open()
    return spool


def all_of(spool, position=0):
    """All rows from a position on."""
    rows = b""
    while batches := spool.read(position):
        rows += b"".join(batch.rows for batch in batches)
        position = batches[-1].end
    return rows


@given(batches=st.lists(st.binary(min_size=1)))
def test_what_was_appended_is_read_in_order_across_segments_and_processes(
    tmp_path_factory, batches
):
    directory = tmp_path_factory.mktemp("spool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recommender.receipts.spool.SEGMENT_BYTES", 20)
        for batch in batches:
            opened(directory, 10**6).append(batch, 1)

        assert all_of(opened(directory)) == b"".join(batches)


@pytest.mark.parametrize("left", [b"\0", b"\0\0\0\5\0\0\0\1thr", bytes(20)])
def test_what_a_killed_process_did_not_finish_is_cut_off(tmp_path, left):
    opened(tmp_path).append(b"onetwo", 2)
    with next(tmp_path.glob("*.rows")).open("ab") as segment:
        segment.write(left)
    spool = opened(tmp_path)
    spool.append(b"four", 1)

    assert all_of(spool) == b"onetwofour"
    assert spool.rows == 3


def test_it_keeps_its_name_and_another_volume_has_another(tmp_path):
    first, again = opened(tmp_path / "one"), opened(tmp_path / "one")

    assert first.identity == again.identity != opened(tmp_path / "other").identity


def test_it_takes_no_more_than_it_may_hold_until_something_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr("recommender.receipts.spool.SEGMENT_BYTES", 4)
    spool = opened(tmp_path, limit=22)
    spool.append(b"one", 1)
    spool.append(b"two", 1)
    with pytest.raises(SpoolFullError):
        spool.append(b"six", 1)
    spool.forget(11)
    spool.append(b"six", 1)

    assert all_of(spool, 11) == b"twosix"


def test_a_full_volume_leaves_no_half_batch(tmp_path, monkeypatch):
    spool = opened(tmp_path)
    spool.append(b"one", 1)
    with monkeypatch.context() as full:
        full.setattr("recommender.receipts.spool.Path.open", half_full)
        with pytest.raises(OSError, match="No space left"):
            spool.append(b"two", 1)
    spool.append(b"three", 1)

    assert all_of(spool) == b"onethree"


class HalfFullFile(io.FileIO):
    """A file on a volume that has room for one more byte."""

    room = 1

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room = 0
        return super().write(data[:1])


def half_full(path, mode, **_options):
    return HalfFullFile(path, mode)


def test_segments_that_are_stored_are_removed_but_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr("recommender.receipts.spool.SEGMENT_BYTES", 4)
    spool = opened(tmp_path)
    for row in (b"one", b"two", b"six"):
        spool.append(row, 1)
    spool.forget(33)

    assert [path.name for path in tmp_path.glob("*.rows")] == [f"{22:020}.rows"]
    assert spool.first_position(0) == 22
    assert all_of(spool, 22) == b"six"


def test_rows_before_a_position_are_counted_among_those_that_are_left(tmp_path):
    spool = opened(tmp_path)
    spool.append(b"one", 1)
    spool.append(b"twosix", 2)

    assert [spool.rows_before(position) for position in (0, 11, 25)] == [0, 1, 3]


@pytest.mark.parametrize("kept", [0, 3, 9])
def test_a_segment_that_was_cut_is_left_for_the_next(tmp_path, monkeypatch, kept):
    monkeypatch.setattr("recommender.receipts.spool.SEGMENT_BYTES", 4)
    spool = opened(tmp_path)
    spool.append(b"one", 1)
    spool.append(b"two", 1)
    os.truncate(tmp_path / f"{0:020}.rows", kept)

    assert spool.read(0) == []
    assert spool.after_gap(0) == 11
