"""What a receipt says, and the row of COPY's binary format that it becomes.

PostgreSQL reads that format (see `compose.service.copy_format`) in half the time of text.
Values are as their types' send functions make them. A row ends where its columns end, so
rows can be joined and taken apart again.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from uuid_utils import UUID

from compose.service.copy_format import EPOCH

COLUMNS = (
    *("receipt_id", "time", "user_id", "bucket", "latency_ms"),
    *("movie_ids", "model_version", "slot", "arm", "reason"),
)
INTERLEAVED_COLUMNS = (*COLUMNS, "interleaved_with", "origins")
"""Of lists that were drafted from two versions."""
COPY = {
    len(columns): f"COPY receipt ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)".encode()
    for columns in (COLUMNS, INTERLEAVED_COLUMNS)
}
"""By the number of columns, with which each row begins.

What waits while the code is replaced was written by the older code: new columns make rows that
are one longer kind, and those of before stay what they are.
"""
CONTROL_ARM, INTERLEAVED_ARM = "control", "interleaved"

NUMBERS = Struct("> h i16s iq iq ih if")
"""How many columns, then the first five, each after its length in bytes."""
LENGTH = Struct("> I")
EMPTY_ARRAY, ARRAY = Struct("> iiI"), Struct("> iiI ii")
TEXT = 25
"""Object id of the type of an array's elements."""
EPOCH_SECONDS = EPOCH / 1e6
ID, TIME = slice(6, 22), slice(26, 34)
"""Where they are in a row, whose first columns are always as long."""


class Receipt(NamedTuple):
    """Who got which list, from which model, when and why."""

    receipt_id: UUID
    time: float
    """Unix time of the answer."""
    user_id: int
    movies: str
    """The answer as it was sent, without the end of the line: ids separated by commas."""
    reason: str
    model_version: str
    bucket: int
    """0 to 999; -1 unknown."""
    seconds: float
    """Time spent on the answer."""
    interleaved_with: str = ""
    """The second version that the list was drafted from; empty: it is of one alone."""
    origins: str = ""
    """Whose each movie is, a letter each; see `recommender.answers.team_draft`."""


def row(receipt: Receipt, slot: str) -> bytes:
    """A receipt in the columns of `COPY`."""
    beside = receipt.interleaved_with
    numbers = NUMBERS.pack(
        len(INTERLEAVED_COLUMNS if beside else COLUMNS),
        *(16, receipt.receipt_id.bytes),
        *(8, round((receipt.time - EPOCH_SECONDS) * 1e6)),
        *(8, receipt.user_id),
        *(2, receipt.bucket),
        *(4, receipt.seconds * 1000),
    )
    arm = INTERLEAVED_ARM if beside else CONTROL_ARM
    words = _words(receipt.model_version, slot, arm, receipt.reason)
    if beside:
        words += _words(beside) + _sized(receipt.origins.encode())
    return numbers + _array(receipt.movies) + words


@lru_cache(maxsize=10_000)
def _array(movies: str) -> bytes:
    """An array of text with one dimension that begins at 1, or with none if it is empty."""
    if not movies:
        return _sized(EMPTY_ARRAY.pack(0, 0, TEXT))
    ids = [_sized(movie.encode()) for movie in movies.split(",")]
    return _sized(ARRAY.pack(1, 0, TEXT, len(ids), 1) + b"".join(ids))


@lru_cache(maxsize=100)
def _words(*words: str) -> bytes:
    return b"".join(_sized(word.encode()) for word in words)


def _sized(value: bytes) -> bytes:
    return LENGTH.pack(len(value)) + value


def apart(rows: bytes) -> list[bytes]:
    """Rows that were joined, one by one.

    Raises:
        struct.error: they are no rows.
    """
    ends = list(_ends(rows))
    return [rows[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _ends(rows: bytes) -> Iterator[int]:
    end = 0
    while end < len(rows):
        columns = column_count(rows[end : end + 2])
        if columns not in COPY:
            raise struct.error(f"no row has {columns} columns")
        end += 2
        for _ in range(columns):
            end += LENGTH.size + LENGTH.unpack_from(rows, end)[0]
        yield end


def column_count(rows: bytes) -> int:
    """How many columns the first of some rows has."""
    return int.from_bytes(rows[:2])


def receipt_id(of_row: bytes) -> str:
    """The id of a row's receipt, as hexadecimal digits."""
    return of_row[ID].hex()


def unix_time(of_row: bytes) -> float:
    """When a row's receipt was left."""
    return int.from_bytes(of_row[TIME], signed=True) / 1e6 + EPOCH_SECONDS
