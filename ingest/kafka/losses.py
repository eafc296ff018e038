"""Gives up lines that the broker lost before they were read, in writing.

Nothing is skipped silently: without this, reading stops where the loss begins.
"""

from collections.abc import Mapping

import psycopg

from ingest.errors import FencedError


def lost_ranges(stored: Mapping[int, int], held: Mapping[int, range]) -> dict[int, range]:
    """For each partition the offsets that are next but no longer held by the broker."""
    return {
        number: range(next_offset, held[number].start)
        for number, next_offset in sorted(stored.items())
        if number in held and next_offset < held[number].start
    }


def accept_losses(
    connection: psycopg.Connection, topic: str, losses: Mapping[int, range], reason: str
) -> None:
    """Write the losses down for the audit, and have reading go on after them.

    Raises:
        FencedError: a partition has moved on meanwhile; nothing was changed.
    """
    with connection.transaction():
        for number, offsets in losses.items():
            connection.execute(
                "INSERT INTO stream_loss (log_partition, from_offset, to_offset, reason)"
                " VALUES (%s, %s, %s, %s)",
                (number, offsets.start, offsets.stop, reason),
            )
            moved = connection.execute(
                "UPDATE stream_offset SET next_offset = %s, updated_at = now()"
                " WHERE topic = %s AND log_partition = %s AND next_offset = %s",
                (offsets.stop, topic, number, offsets.start),
            )
            if not moved.rowcount:
                raise FencedError(f"partition {number} is no longer at offset {offsets.start}")
