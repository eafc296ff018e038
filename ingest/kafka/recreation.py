"""Goes on with a topic that was deleted and made anew, in writing: its offsets begin again."""

from collections.abc import Mapping

import psycopg

from ingest.kafka.shifts import Shift, note_shift
from ingest.offsets import take_topic


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
        goes_on = take_topic(connection, topic, topic_id, held)
        for number, next_offset in goes_on.items():
            shift = Shift(next_offset - held[number].start, next_offset)
            note_shift(connection, topic_id, number, shift, reason)
    return goes_on
