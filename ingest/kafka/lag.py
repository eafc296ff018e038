"""Waits until everything the broker holds at this moment has landed."""

import time
from collections.abc import Callable, Iterator

import psycopg

from ingest.errors import CatchUpTimeoutError
from ingest.offsets import stored_offsets

POLL_SECONDS = 0.5


def lines_waiting(
    connection: psycopg.Connection,
    topic: str,
    ends: dict[int, int],
    clock: Callable[[], float],
    timeout_seconds: float,
) -> Iterator[int]:
    """Yield how many of the lines before `ends` have not landed yet, until none has not.

    Raises:
        CatchUpTimeoutError: none landed for `timeout_seconds`.
    """
    fewest, changed = sum(ends.values()) + 1, clock()
    while fewest:
        stored = stored_offsets(connection, topic)
        waiting = sum(max(0, end - stored.get(number, 0)) for number, end in ends.items())
        if waiting < fewest:
            fewest, changed = waiting, clock()
        elif clock() - changed > timeout_seconds:
            raise CatchUpTimeoutError(f"{waiting} lines wait, none landed in {timeout_seconds:g} s")
        yield waiting
        time.sleep(POLL_SECONDS if waiting else 0)
