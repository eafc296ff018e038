"""Finds the lines that the upstream published twice. Pure.

Two ways: among the newest lines of one Kafka partition, by their hashes in memory; and among
the lines of all partitions, by keys that the database holds.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

type Place = tuple[int, int]
"""A Kafka partition and an offset in it."""
type Duplicates = Mapping[Place, Place]
"""Where each doubled line stands, and where the line stood that was kept."""


class DuplicateWindow:
    """The hashes of the newest lines of one Kafka partition, and at which offset each stood.

    Holds between half of `lines` and all of them (and a batch more), at some 170 bytes a
    line however long the lines are. Python's hash is keyed anew in each process and has 64
    bits: with 100,000 lines in the window one in 10^14 lines is taken for a double wrongly.
    """

    def __init__(self, lines: int) -> None:
        self._half = lines // 2
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def admit(self, offsets: Sequence[int], lines: Sequence[bytes]) -> dict[int, int]:
        """Take in the next lines; the offset of each double, and where its line stood first.

        An empty line stands for no line and is never a double.
        """
        arrived = dict(zip(map(hash, lines), offsets, strict=True))
        duplicates = {}
        if (
            len(arrived) == len(lines)
            and self._young.keys().isdisjoint(arrived)
            and self._old.keys().isdisjoint(arrived)
        ):
            self._young |= arrived
        else:
            duplicates = self._admit_each(offsets, lines)
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        return duplicates

    def _admit_each(self, offsets: Sequence[int], lines: Sequence[bytes]) -> dict[int, int]:
        duplicates = {}
        for offset, line in zip(offsets, lines, strict=True):
            if not line:
                continue
            before = self._young.get(hash(line), self._old.get(hash(line)))
            if before is not None:
                duplicates[offset] = before
            self._young[hash(line)] = offset if before is None else before
        return duplicates


def line_hash(line: bytes) -> int:
    """64 bits of BLAKE2b, signed: the same in every process, as the database keeps it."""
    return int.from_bytes(blake2b(line, digest_size=8).digest(), signed=True)
