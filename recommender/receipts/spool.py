"""Receipts on their way to PostgreSQL, on the disk: a log that is written at its end.

Bytes are numbered from the first that was ever written, as a Kafka partition numbers its
records; a segment is a file named by the number of its first byte. What was stored is for
PostgreSQL to say, so a spool keeps no mark of its own that could disagree. Rows are written
in batches, each after a head that tells its size: one without its end was never written.
"""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple
from uuid import UUID, uuid4

from recommender.errors import SpoolFullError

SEGMENT_BYTES = 4 * 2**20
READ_BYTES = 2**20
HEAD = Struct("> II")
"""Bytes of the rows that follow, and how many rows they are."""


class SpooledRows(NamedTuple):
    """Rows that were written at once."""

    rows: bytes
    number: int
    """How many rows they are."""
    end: int
    """The number of the byte after them."""


class Spool:
    """Rows in numbered bytes; one thread appends, one other reads and forgets."""

    def __init__(self, directory: Path, limit: int) -> None:
        """Touches no file yet: a volume that fails must not keep a slot from answering.

        Args:
            directory: holds nothing else; made if it is not there.
            limit: bytes it may hold.
        """
        self._directory = directory
        self._limit = limit
        self._base = 0
        self.identity: UUID | None = None
        """Names this spool; None until it is open."""
        self.end = 0
        """Offset of the next byte to be written, counted from the spool's first ever."""
        self.found_end = 0
        """`end` as it was when the spool was opened."""
        self.rows = 0
        """Rows that were in it when it was opened, and those appended since."""

    def open(self) -> None:
        """Go on with what an earlier process left, less a batch that it did not finish.

        Raises:
            OSError: the volume does not let us.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        if not self._segments():
            self._path(0).touch()
        self._base = self._segments()[-1]
        self.end = self.found_end = _cut_unfinished(self._path(self._base), self._base)
        self.rows = self.rows_before(self.end)
        self.identity = _identity(self._directory / "spool.id")

    def append(self, rows: bytes, number: int) -> None:
        """Write some rows; they outlive this process, though not the machine's power.

        Raises:
            SpoolFullError: it holds as much as it may.
            OSError: they could not be written; nothing of them was.
        """
        batch = HEAD.pack(len(rows), number) + rows
        if self.end + len(batch) - self._segments()[0] > self._limit:
            raise SpoolFullError(f"the spool of receipts holds {self._limit} bytes already")
        if self.end - self._base >= SEGMENT_BYTES:
            self._base = self.end
        _append_whole(self._path(self._base), batch)
        self.end += len(batch)
        self.rows += number

    def read(self, position: int) -> list[SpooledRows]:
        """Some batches, the first of which begins at `position`; none at the end.

        Raises:
            OSError: they could not be read.
        """
        batches = []
        for batch in self._batches_from(position):
            batches.append(batch)
            if batch.end - position >= READ_BYTES:
                break
        return batches

    def _batches_from(self, position: int) -> Iterator[SpooledRows]:
        """What stands from `position` to the end of its segment, a write at a time."""
        base = max((base for base in self._segments() if base <= position), default=None)
        if base is None or position >= self.end:
            return
        with self._path(base).open("rb") as segment:
            segment.seek(position - base)
            yield from _batches(segment, position, self.end)

    def first_position(self, position: int) -> int:
        """The first byte that is here, at or after `position`."""
        return max(position, self._segments()[0])

    def after_gap(self, position: int) -> int:
        """Where the next segment begins: a power failure may have cut one in the middle."""
        return min((base for base in self._segments() if base > position), default=self.end)

    def rows_before(self, position: int) -> int:
        """How many of the rows that are here lie before `position`."""
        return sum(
            batch.number
            for base in self._segments()
            for batch in self._batches_from(base)
            if batch.end <= position
        )

    def forget(self, position: int) -> None:
        """Remove the segments that end before or at `position`, but for the last."""
        for base, following in pairwise(self._segments()):
            if following <= position:
                self._path(base).unlink()

    def _path(self, base: int) -> Path:
        return self._directory / f"{base:020}.rows"

    def _segments(self) -> list[int]:
        return sorted(int(path.stem) for path in self._directory.glob("*.rows"))


def _identity(file: Path) -> UUID:
    """Which spool this is: one whose volume was lost begins anew under another name."""
    if not file.exists():
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(str(uuid4()))
        unfinished.rename(file)
    return UUID(file.read_text())


def _cut_unfinished(path: Path, base: int) -> int:
    """Cut off what is no whole batch; the number of the byte where the segment now ends."""
    size = path.stat().st_size
    with path.open("rb") as segment:
        end = max((batch.end for batch in _batches(segment, base, base + size)), default=base)
    if end < base + size:
        os.truncate(path, end - base)
    return end


def _batches(segment: BinaryIO, start: int, stop: int) -> Iterator[SpooledRows]:
    """The whole batches of a segment that is read from `start` on, up to `stop`."""
    end = start
    while len(head := segment.read(HEAD.size)) == HEAD.size:
        length, number = HEAD.unpack(head)
        end += HEAD.size + length
        # Zeros are what a power failure may leave of a last write.
        if not length or end > stop or len(rows := segment.read(length)) < length:
            return
        yield SpooledRows(rows, number, end)


def _append_whole(segment: Path, content: bytes) -> None:
    with segment.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            written = 0
            while written < len(content):
                written += file.write(content[written:])
        except OSError:
            file.truncate(before)
            raise
