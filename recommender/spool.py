"""Receipts on their way to PostgreSQL, on the disk: a log that is written at its end.

Bytes are numbered from the first that was ever written, as a Kafka partition numbers its
records; a segment is a file named by the number of its first byte. What was stored is for
PostgreSQL to say, so a spool keeps no mark of its own that could disagree.
"""

import os
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

from recommender.errors import SpoolFullError

SEGMENT_BYTES = 4 * 2**20
READ_BYTES = 2**20


class Spool:
    """Whole lines in numbered bytes; one thread appends, one other reads and forgets."""

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
        """The number of the next byte."""
        self.found_end = 0
        """Where it ended when it was opened."""
        self.lines = 0
        """Lines that were in it when it was opened, and those appended since."""

    def open(self) -> None:
        """Go on with what an earlier process left, less a line that it did not finish.

        Raises:
            OSError: the volume does not let us.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        if not self._segments():
            self._path(0).touch()
        self._base = self._segments()[-1]
        _cut_unfinished_line(self._path(self._base))
        self.end = self.found_end = self._base + self._path(self._base).stat().st_size
        self.lines = sum(self._path(base).read_bytes().count(b"\n") for base in self._segments())
        self.identity = _identity(self._directory / "spool.id")

    def append(self, lines: bytes) -> None:
        """Write whole lines; they outlive this process, though not the machine's power.

        Raises:
            SpoolFullError: it holds as much as it may.
            OSError: they could not be written; nothing of them was.
        """
        if self.end + len(lines) - self._segments()[0] > self._limit:
            raise SpoolFullError(f"the spool of receipts holds {self._limit} bytes already")
        if self.end - self._base >= SEGMENT_BYTES:
            self._base = self.end
        _append_whole(self._path(self._base), lines)
        self.end += len(lines)
        self.lines += lines.count(b"\n")

    def read(self, position: int) -> bytes:
        """Some whole lines that begin at `position`; nothing at the end.

        Raises:
            OSError: they could not be read.
        """
        base = max((base for base in self._segments() if base <= position), default=None)
        if base is None or position >= self.end:
            return b""
        with self._path(base).open("rb") as segment:
            segment.seek(position - base)
            part = segment.read(min(READ_BYTES, self.end - position))
        return part[: part.rfind(b"\n") + 1]

    def first_position(self, position: int) -> int:
        """The first byte that is here, at or after `position`."""
        return max(position, self._segments()[0])

    def after_gap(self, position: int) -> int:
        """Where the next segment begins: a power failure may have cut one in the middle."""
        return min((base for base in self._segments() if base > position), default=self.end)

    def lines_before(self, position: int) -> int:
        """How many of the lines that are here lie before `position`."""
        before = [base for base in self._segments() if base < position]
        return sum(self._path(base).read_bytes()[: position - base].count(b"\n") for base in before)

    def forget(self, position: int) -> None:
        """Remove the segments that end before or at `position`, but for the last."""
        for base, following in pairwise(self._segments()):
            if following <= position:
                self._path(base).unlink()

    def _path(self, base: int) -> Path:
        return self._directory / f"{base:020}.receipts"

    def _segments(self) -> list[int]:
        return sorted(int(path.stem) for path in self._directory.glob("*.receipts"))


def _identity(file: Path) -> UUID:
    """Which spool this is: one whose volume was lost begins anew under another name."""
    if not file.exists():
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(str(uuid4()))
        unfinished.rename(file)
    return UUID(file.read_text())


def _cut_unfinished_line(segment: Path) -> None:
    content = segment.read_bytes()
    finished = content.rfind(b"\n") + 1
    if finished < len(content):
        os.truncate(segment, finished)


def _append_whole(segment: Path, lines: bytes) -> None:
    with segment.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            written = 0
            while written < len(lines):
                written += file.write(lines[written:])
        except OSError:
            file.truncate(before)
            raise
