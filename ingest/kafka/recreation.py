"""Goes on with a topic that was deleted and made anew, in writing: its offsets begin again."""

from collections.abc import Mapping

import psycopg


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
                "INSERT INTO stream_renewal"
                " (topic_id, log_partition, offset_shift, from_offset, reason)"
                " VALUES (%s, %s, %s, %s, %s)",
                (topic_id, number, next_offset - held[number].start, next_offset, reason),
            )
        connection.execute(
            "UPDATE stream_offset SET topic_id = %s, last_offset = NULL, last_line_hash = NULL,"
            " last_leader_epoch = NULL WHERE topic = %s AND log_partition = ANY(%s)",
            (topic_id, topic, list(goes_on)),
        )
    return goes_on
