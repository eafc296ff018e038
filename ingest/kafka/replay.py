"""Plays lines from a file into the topic, as far apart as their times say, or faster."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ingest.lines.grammar import parse_time

LONGEST_TIME_BYTES = len("2023-10-25T07:20:00.123456789+05:30")


def paced(lines: Iterable[bytes], speed: float) -> Iterator[tuple[float, bytes]]:
    """Each line with when to send it, in seconds after the first.

    A line without a time, or out of order, goes right after the one before it.
    """
    first: datetime | None = None
    due = 0.0
    for line in lines:
        time = parse_time(line.partition(b",")[0][:LONGEST_TIME_BYTES])
        if time is not None:
            first = first or time
            due = max(due, (time - first) / timedelta(seconds=1) / speed)
        yield due, line
