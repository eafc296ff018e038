"""How far each partition of the stream has landed: the offsets that PostgreSQL stores."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from ingest.errors import WrongTopicError


def stored_offsets(connection: psycopg.Connection, topic: str) -> dict[int, int]:
    """The next offset of each partition that was ever consumed.

    Raises:
        WrongTopicError: offsets of another topic are stored.
    """
    rows = connection.execute("SELECT topic, log_partition, next_offset FROM stream_offset")
    offsets = {}
    for stored_topic, log_partition, next_offset in rows.fetchall():
        if stored_topic != topic:
            raise WrongTopicError(f"this database holds the stream {stored_topic}, not {topic}")
        offsets[log_partition] = next_offset
    return offsets


def store_first_offsets(
    connection: psycopg.Connection, topic: str, offsets: Mapping[int, int], topic_id: str = ""
) -> None:
    """Begin partitions at these offsets; one that another process has begun keeps its own."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset, topic_id)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(topic, number, at, at, topic_id) for number, at in sorted(offsets.items())],
        )


@dataclass(frozen=True)
class Tail:
    """The last line that landed of a partition, and under which of its leaders it was written.

    `leader_epoch` is None where the broker counts none.
    """

    log_offset: int
    line_hash: int
    leader_epoch: int | None


def stored_tails(connection: psycopg.Connection, topic: str) -> dict[int, Tail]:
    """The last line of each partition of which one landed, at the offset where it is stored."""
    rows = connection.execute(
        "SELECT log_partition, last_offset, last_line_hash, last_leader_epoch FROM stream_offset"
        " WHERE topic = %s AND last_offset IS NOT NULL",
        (topic,),
    )
    return {number: Tail(*tail) for number, *tail in rows.fetchall()}
