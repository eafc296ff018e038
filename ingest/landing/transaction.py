"""Lands batches in PostgreSQL: rows, rejected lines and new offsets in one transaction.

The stored offsets are the truth. Their rows are locked first, in the order of the
partitions, and a batch that does not begin where they end is refused: two consumers of
one partition, or one that slept and woke up late, can neither lose nor double a line.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import structlog

from ingest.deduplication.line_keys import keep_keys
from ingest.deduplication.window import Duplicates, DuplicateWindow, line_hash
from ingest.errors import NoPartitionError
from ingest.landing.admission_rules import KEYS, AdmissionRules, Knowledge
from ingest.landing.rows import COLUMNS, Rows, Rules, encode, encode_keys
from ingest.lines.slices import Slice, newest_publication
from ingest.offsets import Tail, keep_tails, lock_offsets, move_offsets

LOG = structlog.get_logger()

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


def connect(conninfo: str) -> psycopg.Connection:
    """A connection to land on; times without a zone are in UTC on it."""
    connection = psycopg.connect(conninfo, autocommit=True)
    connection.execute(TIMEOUTS)
    return connection


@dataclass(frozen=True)
class Prepared:
    """A batch as it will land, and what it was judged by: should that change, it is judged anew."""

    batch: Sequence[Slice]
    duplicates: Duplicates
    knowledge: Knowledge
    rules: Rules
    rows: Rows
    keys: bytes


class Landing:
    """One connection to land on, the rules by which lines are taken there, and the newest lines.

    With `window_lines` 0 no duplicates are looked for in memory; `across_partitions` has the
    database look for them in all it holds keys of.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        topic: str,
        admission: AdmissionRules,
        *,
        window_lines: int = 0,
        across_partitions: bool = False,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._admission = admission
        self._window_lines = window_lines
        self._across_partitions = across_partitions
        self._windows: dict[int, DuplicateWindow] = {}

    def remember(self, part: Slice) -> Duplicates:
        """Take lines into the window; where the duplicates among them stand, and stood first."""
        if not self._window_lines:
            return {}
        number = part.log_partition
        window = self._windows.setdefault(number, DuplicateWindow(self._window_lines))
        duplicates = window.admit(part.offsets, part.lines)
        return {(number, offset): (number, first) for offset, first in duplicates.items()}

    def prepare(self, batch: Sequence[Slice], now: datetime) -> Prepared:
        """Write a batch as text for COPY; may go on while the batch before it lands.

        Raises:
            NoPartitionError: a line of the present fits no partition that is known.
        """
        duplicates = {
            place: first for part in batch for place, first in self.remember(part).items()
        }
        return self._encode(batch, duplicates, self._admission.last_known(now), now)

    def _encode(
        self, batch: Sequence[Slice], duplicates: Duplicates, knowledge: Knowledge, now: datetime
    ) -> Prepared:
        rules = self._admission.by(knowledge, now, newest_publication(batch))
        rows = encode(batch, rules, duplicates)
        keys = (
            encode_keys(batch, rules.verdicts[KEYS], duplicates) if self._across_partitions else b""
        )
        return Prepared(batch, duplicates, knowledge, rules, rows, keys)

    def land(self, prepared: Prepared, now: datetime) -> Rows:
        """Land a batch whole or not at all; the rows it became.

        After an error the window no longer fits what has landed: use another `Landing`.

        Raises:
            FencedError: the batch does not begin where the stored offsets end.
            NoPartitionError: a line of the present fits no partition.
            psycopg.Error: PostgreSQL is gone or refuses; nothing landed, unless the
                connection broke during the commit itself.
        """
        knowledge = self._admission.know(now)
        if prepared.knowledge is not knowledge:
            prepared = self._encode(prepared.batch, prepared.duplicates, knowledge, now)
        try:
            return self._land(prepared)
        except psycopg.errors.CheckViolation:  # a partition went since we looked
            knowledge = self._admission.know(now, timedelta(0))
        try:
            return self._land(self._encode(prepared.batch, prepared.duplicates, knowledge, now))
        except psycopg.errors.CheckViolation as error:
            raise NoPartitionError(str(error)) from error

    def _land(self, prepared: Prepared) -> Rows:
        batch, rows = prepared.batch, prepared.rows
        with ending_paused_copies(self._connection), self._connection.transaction():
            lock_offsets(self._connection, self._topic, _begins(batch))
            if self._across_partitions and (known := keep_keys(self._connection, prepared.keys)):
                rows = encode(batch, prepared.rules, {**prepared.duplicates, **known})
            copy_rows(self._connection, rows)
            move_offsets(self._connection, self._topic, _ends(batch))
            keep_tails(self._connection, self._topic, _tails(batch))
        return rows


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


def _begins(batch: Iterable[Slice]) -> dict[int, int]:
    return {part.log_partition: part.first_offset for part in batch}


def _ends(batch: Iterable[Slice]) -> dict[int, int]:
    return {part.log_partition: part.next_offset for part in batch}


def _tails(batch: Iterable[Slice]) -> dict[int, Tail]:
    return {
        part.log_partition: Tail(part.offsets[-1], line_hash(part.lines[-1]), part.leader_epoch)
        for part in batch
        if part.lines
    }
