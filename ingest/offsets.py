"""How far each partition of the stream has landed: the offsets that PostgreSQL stores.

They are read and written here alone, but for queries that join them with rows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psycopg

from ingest.errors import FencedError, WrongTopicError


@dataclass(frozen=True)
class Tail:
    """The last line that landed of a partition, and under which of its leaders it was written.

    `leader_epoch` is None where the broker counts none.
    """

    log_offset: int
    line_hash: int
    leader_epoch: int | None


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


def landed_offsets(connection: psycopg.Connection) -> dict[int, int]:
    """The next offset of each partition, of whatever topic is stored."""
    rows = connection.execute("SELECT log_partition, next_offset FROM stream_offset")
    return dict(rows.fetchall())


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


def stored_tails(connection: psycopg.Connection, topic: str) -> dict[int, Tail]:
    """The last line of each partition of which one landed, at the offset where it is stored."""
    rows = connection.execute(
        "SELECT log_partition, last_offset, last_line_hash, last_leader_epoch FROM stream_offset"
        " WHERE topic = %s AND last_offset IS NOT NULL",
        (topic,),
    )
    return {number: Tail(*tail) for number, *tail in rows.fetchall()}


def lock_offsets(connection: psycopg.Connection, topic: str, begins: Mapping[int, int]) -> None:
    """Lock the offsets of these partitions, in their order, to the end of the transaction.

    Raises:
        FencedError: one does not stand where the batch begins; somebody else has gone on.
    """
    locked = connection.execute(
        "SELECT log_partition, next_offset FROM stream_offset"
        " WHERE topic = %s AND log_partition = ANY(%s) ORDER BY log_partition FOR UPDATE",
        (topic, list(begins)),
    )
    stored: dict[int, int] = dict(locked.fetchall())
    if stored != begins:
        raise FencedError(f"the batch begins at {begins}, the stored offsets end at {stored}")


def move_offsets(connection: psycopg.Connection, topic: str, ends: Mapping[int, int]) -> None:
    """Let these partitions go on at these offsets."""
    connection.execute(
        "UPDATE stream_offset SET next_offset = moved.next_offset, updated_at = now()"
        " FROM unnest(%s::smallint[], %s::bigint[]) AS moved (log_partition, next_offset)"
        " WHERE topic = %s AND stream_offset.log_partition = moved.log_partition",
        (list(ends), list(ends.values()), topic),
    )


def keep_tails(connection: psycopg.Connection, topic: str, tails: Mapping[int, Tail]) -> None:
    """Note the last line of each partition, to know it again at a broker that lost its tail."""
    connection.execute(
        "UPDATE stream_offset SET last_offset = tail.log_offset, last_line_hash = tail.line_hash,"
        " last_leader_epoch = tail.leader_epoch"
        " FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[], %s::integer[])"
        " AS tail (log_partition, log_offset, line_hash, leader_epoch)"
        " WHERE topic = %s AND stream_offset.log_partition = tail.log_partition",
        (
            list(tails),
            [tail.log_offset for tail in tails.values()],
            [tail.line_hash for tail in tails.values()],
            [tail.leader_epoch for tail in tails.values()],
            topic,
        ),
    )


def forget_tail(
    connection: psycopg.Connection, topic: str, number: int, next_offset: int
) -> str | None:
    """Forget the last line of a partition that stands at this offset; the id of its topic.

    None where it no longer stands there: nothing was changed.
    """
    row = connection.execute(
        "UPDATE stream_offset SET last_offset = NULL, last_line_hash = NULL,"
        " last_leader_epoch = NULL"
        " WHERE topic = %s AND log_partition = %s AND next_offset = %s RETURNING topic_id",
        (topic, number, next_offset),
    ).fetchone()
    return row[0] if row else None


def is_another_topic(
    connection: psycopg.Connection, topic_id: str, partitions: Collection[int]
) -> bool:
    """Whether what is stored of any of these partitions is of a topic with another id."""
    row = connection.execute(
        "SELECT FROM stream_offset WHERE topic_id NOT IN ('', %s) AND log_partition = ANY(%s)",
        (topic_id, list(partitions)),
    ).fetchone()
    return row is not None


def take_topic(
    connection: psycopg.Connection, topic: str, topic_id: str, partitions: Collection[int]
) -> dict[int, int]:
    """Give these partitions, where they have another topic's id, this one; their next offsets.

    What is known of their last lines goes: they stood in the topic of before.
    """
    locked = connection.execute(
        "SELECT log_partition, next_offset FROM stream_offset"
        " WHERE topic = %s AND topic_id NOT IN ('', %s) AND log_partition = ANY(%s)"
        " ORDER BY log_partition FOR UPDATE",
        (topic, topic_id, list(partitions)),
    )
    goes_on: dict[int, int] = dict(locked.fetchall())
    connection.execute(
        "UPDATE stream_offset SET topic_id = %s, last_offset = NULL, last_line_hash = NULL,"
        " last_leader_epoch = NULL WHERE topic = %s AND log_partition = ANY(%s)",
        (topic_id, topic, list(goes_on)),
    )
    return goes_on
