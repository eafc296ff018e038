"""Lands batches in PostgreSQL: rows, refused lines and new offsets in one transaction.

The stored offsets are the truth. Their rows are locked first, in the order of the
partitions, and a batch that does not begin where they end is refused: two consumers of
one partition, or one that slept and woke up late, can neither lose nor double a line.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import psycopg

from ingest.admission import TimeVerdicts
from ingest.errors import FencedError, NoPartitionError, WrongTopicError
from ingest.lines import RatingScale
from ingest.partitions import Partition, existing_partitions
from ingest.rows import COLUMNS, TABLE_OF, Rows, Rules, Slice, encode

PARTITIONS_AGE = timedelta(seconds=30)
TIMEOUTS = (
    # a paused process must not hold its locks for ever: its successor waits for them
    "SET transaction_timeout = '60s'; SET idle_in_transaction_session_timeout = '15s';"
    "SET lock_timeout = '10s'; SET TimeZone = 'UTC'"
)


def connect(conninfo: str) -> psycopg.Connection:
    """A connection to land on; times without a zone are in UTC on it."""
    connection = psycopg.connect(conninfo, autocommit=True)
    connection.execute(TIMEOUTS)
    return connection


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
    connection: psycopg.Connection, topic: str, offsets: Mapping[int, int]
) -> None:
    """Begin partitions at these offsets; one that another process has begun keeps its own."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(topic, log_partition, at, at) for log_partition, at in sorted(offsets.items())],
        )


class Landing:
    """One connection to land on, and what is known of the partitions there."""

    def __init__(
        self,
        connection: psycopg.Connection,
        topic: str,
        scale: RatingScale,
        clock_tolerance: timedelta,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._scale = scale
        self._clock_tolerance = clock_tolerance
        self._partitions: dict[str, list[Partition]] = {}
        self._partitions_read_at: datetime | None = None

    def land(self, batch: Sequence[Slice], now: datetime) -> Rows:
        """Land a batch whole or not at all; the rows it became.

        Raises:
            FencedError: the batch does not begin where the stored offsets end.
            NoPartitionError: a line of the present fits no partition.
            psycopg.Error: PostgreSQL is gone or refuses; nothing landed, unless the
                connection broke during the commit itself.
        """
        self._know_partitions(now, PARTITIONS_AGE)
        try:
            return self._land(batch, now)
        except psycopg.errors.CheckViolation:  # a partition went since we looked
            self._know_partitions(now, timedelta(0))
        try:
            return self._land(batch, now)
        except psycopg.errors.CheckViolation as error:
            raise NoPartitionError(str(error)) from error

    def _land(self, batch: Sequence[Slice], now: datetime) -> Rows:
        rows = encode(batch, self._rules(now))
        land_rows(self._connection, self._topic, batch, rows)
        return rows

    def _know_partitions(self, now: datetime, at_most_old: timedelta) -> None:
        read_at = self._partitions_read_at
        if read_at is None or now - read_at >= at_most_old:
            self._partitions = {
                table: existing_partitions(self._connection, table) for table in TABLE_OF.values()
            }
            self._partitions_read_at = now

    def _rules(self, now: datetime) -> Rules:
        verdicts = {
            table: TimeVerdicts(partitions, now, self._clock_tolerance)
            for table, partitions in self._partitions.items()
        }
        return Rules(verdicts, self._scale, now)


def land_rows(
    connection: psycopg.Connection, topic: str, batch: Sequence[Slice], rows: Rows
) -> None:
    """One transaction: lock and check the offsets, copy the rows, move the offsets.

    Raises:
        FencedError: the batch does not begin where the stored offsets end.
    """
    batch = sorted(batch, key=lambda part: part.log_partition)
    with connection.transaction():
        _lock_offsets(connection, topic, batch)
        for table, lines in rows.of.items():
            _copy(connection, table, lines)
        _move_offsets(connection, topic, batch)


def _lock_offsets(connection: psycopg.Connection, topic: str, batch: Iterable[Slice]) -> None:
    begins = {part.log_partition: part.first_offset for part in batch}
    locked = connection.execute(
        "SELECT log_partition, next_offset FROM stream_offset"
        " WHERE topic = %s AND log_partition = ANY(%s) ORDER BY log_partition FOR UPDATE",
        (topic, list(begins)),
    )
    stored: dict[int, int] = dict(locked.fetchall())
    if stored != begins:
        raise FencedError(f"the batch begins at {begins}, the stored offsets end at {stored}")


def _copy(connection: psycopg.Connection, table: str, lines: Sequence[bytes]) -> None:
    if lines:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN") as copy,
        ):
            copy.write(b"".join(lines))


def _move_offsets(connection: psycopg.Connection, topic: str, batch: Sequence[Slice]) -> None:
    connection.execute(
        "UPDATE stream_offset SET next_offset = moved.next_offset, updated_at = now()"
        " FROM unnest(%s::smallint[], %s::bigint[]) AS moved (log_partition, next_offset)"
        " WHERE topic = %s AND stream_offset.log_partition = moved.log_partition",
        (
            [part.log_partition for part in batch],
            [part.next_offset for part in batch],
            topic,
        ),
    )
