"""What is written to a spool is read from it, in order, whatever was cut off in between."""

import errno
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import SpoolFullError
from recommender.spool import Spool


def opened(directory, limit=10_000):
    spool = Spool(directory, limit)
    spool.open()
    return spool


def all_of(spool, position=0):
    """Everything from a position on."""
    lines = b""
    while part := spool.read(position + len(lines)):
        lines += part
    return lines


@given(batches=st.lists(st.lists(st.binary().map(lambda b: b.replace(b"\n", b"") + b"\n"))))
def test_what_was_appended_is_read_in_order_across_segments_and_processes(
    tmp_path_factory, batches
):
    directory = tmp_path_factory.mktemp("spool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recommender.spool.SEGMENT_BYTES", 20)
        for batch in batches:
            opened(directory, 10**6).append(b"".join(batch))

    assert all_of(opened(directory)) == b"".join(b"".join(batch) for batch in batches)


def test_a_line_that_a_killed_process_did_not_finish_is_cut_off(tmp_path):
    opened(tmp_path).append(b"one\ntwo\n")
    with next(tmp_path.glob("*.receipts")).open("ab") as segment:
        segment.write(b"thr")
    spool = opened(tmp_path)
    spool.append(b"four\n")

    assert all_of(spool) == b"one\ntwo\nfour\n"
    assert spool.lines == 3


def test_it_keeps_its_name_and_another_volume_has_another(tmp_path):
    first, again = opened(tmp_path / "one"), opened(tmp_path / "one")

    assert first.identity == again.identity != opened(tmp_path / "other").identity


def test_it_takes_no_more_than_it_may_hold_until_something_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr("recommender.spool.SEGMENT_BYTES", 4)
    spool = opened(tmp_path, limit=8)
    spool.append(b"one\n")
    spool.append(b"two\n")
    with pytest.raises(SpoolFullError):
        spool.append(b"three\n")
    spool.forget(4)
    spool.append(b"333\n")

    assert all_of(spool, 4) == b"two\n333\n"


def test_a_full_volume_leaves_no_half_line(tmp_path, monkeypatch):
    spool = opened(tmp_path)
    spool.append(b"one\n")
    with monkeypatch.context() as full:
        full.setattr("recommender.spool.Path.open", half_full)
        with pytest.raises(OSError, match="No space left"):
            spool.append(b"two\n")
    spool.append(b"three\n")

    assert all_of(spool) == b"one\nthree\n"


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
    monkeypatch.setattr("recommender.spool.SEGMENT_BYTES", 4)
    spool = opened(tmp_path)
    for line in (b"one\n", b"two\n", b"six\n"):
        spool.append(line)
    spool.forget(12)

    assert [path.name for path in tmp_path.glob("*.receipts")] == [f"{8:020}.receipts"]
    assert spool.first_position(0) == 8
    assert all_of(spool, 8) == b"six\n"


def test_lines_before_a_position_are_counted_among_those_that_are_left(tmp_path):
    spool = opened(tmp_path)
    spool.append(b"one\ntwo\nsix\n")

    assert [spool.lines_before(position) for position in (0, 4, 12)] == [0, 1, 3]


def test_a_segment_that_was_cut_is_left_for_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("recommender.spool.SEGMENT_BYTES", 4)
    spool = opened(tmp_path)
    for line in (b"one\n", b"two\n"):
        spool.append(line)
    (tmp_path / f"{0:020}.receipts").write_bytes(b"")

    assert spool.read(0) == b""
    assert spool.after_gap(0) == 4
