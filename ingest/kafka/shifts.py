"""How the offsets that are stored differ from the broker's.

Where a topic was made anew, or its log went back, the broker counts again from an offset that was
read before, and the rows keep theirs. So from there on every stored offset is the broker's plus a
shift, as if the new lines followed the old ones: whoever follows or audits the rows sees one
stream.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import psycopg
from kafka import KafkaConsumer

from ingest.kafka.broker import log_bounds
from ingest.lines.slices import Slice
from ingest.offsets import stored_offsets


@dataclass(frozen=True)
class Shift:
    """What is added to a partition's offsets at the broker, and the first that is stored so."""

    added: int = 0
    first_stored: int = 0

    @property
    def first_at_broker(self) -> int:
        """The first offset at the broker to which this shift applies."""
        return self.first_stored - self.added


NO_SHIFT = Shift()

NEWEST = """
SELECT DISTINCT ON (log_partition) log_partition, offset_shift, stream_renewal.from_offset
FROM stream_offset JOIN stream_renewal USING (topic_id, log_partition)
WHERE topic = %s ORDER BY log_partition, stream_renewal.from_offset DESC
"""


def offset_shifts(connection: psycopg.Connection, topic: str) -> dict[int, Shift]:
    """The shift of each partition where there is one."""
    rows = connection.execute(NEWEST, (topic,)).fetchall()
    return {number: Shift(added, first_stored) for number, added, first_stored in rows}


def note_shift(
    connection: psycopg.Connection, topic_id: str, number: int, shift: Shift, reason: str
) -> None:
    """Write down the shift with which a partition of the topic of this id goes on, and why."""
    connection.execute(
        "INSERT INTO stream_renewal (topic_id, log_partition, offset_shift, from_offset, reason)"
        " VALUES (%s, %s, %s, %s, %s)",
        (topic_id, number, shift.added, shift.first_stored, reason),
    )


def next_at_broker(connection: psycopg.Connection, topic: str) -> dict[int, int]:
    """The next offset of each partition, as the broker counts.

    Raises:
        WrongTopicError: offsets of another topic are stored.
    """
    shifts = offset_shifts(connection, topic)
    stored = stored_offsets(connection, topic)
    return {number: at - shifts.get(number, NO_SHIFT).added for number, at in stored.items()}


def as_stored(part: Slice, shifts: Mapping[int, Shift]) -> Slice:
    """Lines at the broker's offsets, at those under which they are stored."""
    added = shifts.get(part.log_partition, NO_SHIFT).added
    gaps = [range(gap.start + added, gap.stop + added) for gap in part.gaps]
    return replace(part, first_offset=part.first_offset + added, gaps=gaps)


def held_as_stored(
    consumer: KafkaConsumer, connection: psycopg.Connection, topic: str
) -> dict[int, range]:
    """What the broker holds of each partition, in offsets as they are or will be stored."""
    shifts = offset_shifts(connection, topic)
    held = log_bounds(consumer, topic)
    added = {number: shifts.get(number, NO_SHIFT).added for number in held}
    return {
        number: range(offsets.start + added[number], offsets.stop + added[number])
        for number, offsets in held.items()
    }
