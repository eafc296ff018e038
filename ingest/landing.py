"""Lands batches in PostgreSQL: rows, refused lines and new offsets in one transaction.

The stored offsets are the truth. Their rows are locked first, in the order of the
partitions, and a batch that does not begin where they end is refused: two consumers of
one partition, or one that slept and woke up late, can neither lose nor double a line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import structlog

from ingest.admission import KnownIds, TimeVerdicts
from ingest.doubles import Doubles, Window
from ingest.errors import FencedError, NoPartitionError, WrongTopicError
from ingest.keys import keep_keys
from ingest.lines import RatingScale
from ingest.partitions import Partition, existing_partitions
from ingest.rows import COLUMNS, TABLE_OF, Rows, Rules, Slice, encode, encode_keys

LOG = structlog.get_logger()

KNOWLEDGE_AGE = timedelta(seconds=30)
TIMEOUTS = (
    # a paused process must not hold its locks for ever: its successor waits for them
    "SET transaction_timeout = '60s'; SET idle_in_transaction_session_timeout = '15s';"
    "SET lock_timeout = '10s'; SET TimeZone = 'UTC'"
)
END_PAUSED_COPIES = (
    # no timeout ends a COPY whose client sends nothing
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND usesysid = session_user::regrole AND query LIKE 'COPY %' AND state = 'active'"
    " AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - interval '15 s'"
)
KEYS = "line_key"


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
    connection: psycopg.Connection, topic: str, offsets: Mapping[int, int], topic_id: str = ""
) -> None:
    """Begin partitions at these offsets; one that another process has begun keeps its own."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset, topic_id)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(topic, number, at, at, topic_id) for number, at in sorted(offsets.items())],
        )


def known_movies(connection: psycopg.Connection) -> frozenset[bytes]:
    """The movies that the catalogue has described."""
    rows = connection.execute("SELECT movie_id FROM movie WHERE title IS NOT NULL")
    return frozenset(movie_id.encode() for (movie_id,) in rows)


class Landing:
    """One connection to land on, what is known of the tables there, and the newest lines.

    With `window_lines` 0 no doubles are looked for in memory; `across_partitions` has the
    database look for them in all it holds keys of. `strict` refuses movies that the
    catalogue has not described; what is known is read anew every half minute.
    """

    def __init__(  # noqa: PLR0913 -- each is one setting of the service
        self,
        connection: psycopg.Connection,
        topic: str,
        scale: RatingScale,
        clock_tolerance: timedelta,
        *,
        window_lines: int = 0,
        across_partitions: bool = False,
        user_ids: range = KnownIds.users,
        strict: bool = False,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._scale = scale
        self._clock_tolerance = clock_tolerance
        self._window_lines = window_lines
        self._across_partitions = across_partitions
        self._user_ids = user_ids
        self._strict = strict
        self._windows: dict[int, Window] = {}
        self._ids = KnownIds(user_ids)
        self._partitions: dict[str, list[Partition]] = {}
        self._known_at: datetime | None = None

    def remember(self, part: Slice) -> Doubles:
        """Take lines into the window; where the doubles among them stand, and stood first."""
        if not self._window_lines:
            return {}
        number = part.log_partition
        window = self._windows.setdefault(number, Window(self._window_lines))
        doubles = window.admit(part.first_offset, part.lines)
        return {(number, offset): (number, first) for offset, first in doubles.items()}

    def land(self, batch: Sequence[Slice], now: datetime) -> Rows:
        """Land a batch whole or not at all; the rows it became.

        After an error the window no longer fits what has landed: use another `Landing`.

        Raises:
            FencedError: the batch does not begin where the stored offsets end.
            NoPartitionError: a line of the present fits no partition.
            psycopg.Error: PostgreSQL is gone or refuses; nothing landed, unless the
                connection broke during the commit itself.
        """
        doubles = {place: first for part in batch for place, first in self.remember(part).items()}
        self._know(now, KNOWLEDGE_AGE)
        try:
            return self._land(batch, doubles, now)
        except psycopg.errors.CheckViolation:  # a partition went since we looked
            self._know(now, timedelta(0))
        try:
            return self._land(batch, doubles, now)
        except psycopg.errors.CheckViolation as error:
            raise NoPartitionError(str(error)) from error

    def _know(self, now: datetime, at_most_old: timedelta) -> None:
        if self._known_at is None or now - self._known_at >= at_most_old:
            self._partitions = {
                table: existing_partitions(self._connection, table)
                for table in (*TABLE_OF.values(), KEYS)
            }
            movies = known_movies(self._connection) if self._strict else None
            self._ids = KnownIds(self._user_ids, movies)
            self._known_at = now

    def _land(self, batch: Sequence[Slice], doubles: Doubles, now: datetime) -> Rows:
        rules = self.rules(now)
        rows = encode(batch, rules, doubles)
        with ending_paused_copies(self._connection), self._connection.transaction():
            _lock_offsets(self._connection, self._topic, batch)
            if self._across_partitions:
                keys = encode_keys(batch, rules.verdicts[KEYS], doubles)
                if known := keep_keys(self._connection, keys):
                    rows = encode(batch, rules, {**doubles, **known})
            copy_rows(self._connection, rows)
            _move_offsets(self._connection, self._topic, batch)
        return rows

    def rules(self, now: datetime) -> Rules:
        """What decides at this moment whether a line is taken."""
        self._know(now, KNOWLEDGE_AGE)
        verdicts = {
            table: TimeVerdicts(partitions, now, self._clock_tolerance)
            for table, partitions in self._partitions.items()
        }
        return Rules(verdicts, self._scale, now, self._ids)


@contextmanager
def ending_paused_copies(connection: psycopg.Connection) -> Iterator[None]:
    """Where a lock is not to be had, end the sessions that paused in the middle of a COPY.

    The batch is still refused; its next try gets the lock.
    """
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        ended = connection.execute(END_PAUSED_COPIES).rowcount
        LOG.warning("lock not available", ended_paused_copies=ended)
        raise


def copy_rows(connection: psycopg.Connection, rows: Rows) -> None:
    """Write all rows into their tables."""
    for table, pieces in rows.of.items():
        if pieces:
            with (
                connection.cursor() as cursor,
                cursor.copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN") as copy,
            ):
                copy.write(b"".join(pieces))


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
