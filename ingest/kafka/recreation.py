"""Goes on with a topic that was deleted and made anew, in writing.

Its offsets begin again, and the rows of the old one keep theirs. So from there on every offset
that is stored is the broker's plus a shift, as if the new topic's lines followed the old one's:
whoever follows or audits the rows sees one stream.
"""

from collections.abc import Mapping
from dataclasses import replace

import psycopg
from kafka import KafkaConsumer

from ingest.kafka.broker import log_bounds
from ingest.lines.slices import Slice
from ingest.offsets import stored_offsets


def offset_shifts(connection: psycopg.Connection, topic: str) -> dict[int, int]:
    """For each partition what is added to the broker's offsets; 0 where nothing was made anew."""
    rows = connection.execute(
        "SELECT log_partition, coalesce(offset_shift, 0)"
        " FROM stream_offset LEFT JOIN stream_renewal USING (topic_id, log_partition)"
        " WHERE topic = %s",
        (topic,),
    )
    return dict(rows.fetchall())


def next_at_broker(connection: psycopg.Connection, topic: str) -> dict[int, int]:
    """The next offset of each partition, as the broker counts.

    Raises:
        WrongTopicError: offsets of another topic are stored.
    """
    shifts = offset_shifts(connection, topic)
    stored = stored_offsets(connection, topic)
    return {number: next_offset - shifts[number] for number, next_offset in stored.items()}


def as_stored(part: Slice, shifts: Mapping[int, int]) -> Slice:
    """Lines at the broker's offsets, at those under which they are stored."""
    shift = shifts.get(part.log_partition, 0)
    gaps = [range(gap.start + shift, gap.stop + shift) for gap in part.gaps]
    return replace(part, first_offset=part.first_offset + shift, gaps=gaps)


def held_as_stored(
    consumer: KafkaConsumer, connection: psycopg.Connection, topic: str
) -> dict[int, range]:
    """What the broker holds of each partition, in offsets as they are or will be stored."""
    shifts = offset_shifts(connection, topic)
    return {
        number: range(offsets.start + shifts.get(number, 0), offsets.stop + shifts.get(number, 0))
        for number, offsets in log_bounds(consumer, topic).items()
    }


def accept_recreation(
    connection: psycopg.Connection,
    topic: str,
    topic_id: str,
    held: Mapping[int, range],
    reason: str,
) -> dict[int, int]:
    """Take the topic of this id for the one that was read; where each partition goes on.

    `held` are the broker's offsets. Nothing changes where the id is the stored one.
    """
    with connection.transaction():
        locked = connection.execute(
            "SELECT log_partition, next_offset FROM stream_offset"
            " WHERE topic = %s AND topic_id NOT IN ('', %s) AND log_partition = ANY(%s)"
            " ORDER BY log_partition FOR UPDATE",
            (topic, topic_id, list(held)),
        )
        goes_on: dict[int, int] = dict(locked.fetchall())
        for number, next_offset in goes_on.items():
            connection.execute(
                "INSERT INTO stream_renewal (topic_id, log_partition, offset_shift, reason)"
                " VALUES (%s, %s, %s, %s)",
                (topic_id, number, next_offset - held[number].start, reason),
            )
        connection.execute(
            "UPDATE stream_offset SET topic_id = %s WHERE topic = %s AND log_partition = ANY(%s)",
            (topic_id, topic, list(goes_on)),
        )
    return goes_on
