"""From the spool to PostgreSQL, each receipt once, whatever breaks in between.

How far a spool is stored stands in PostgreSQL (`receipt_spool`) and moves in the transaction
that stores, as `stream_offset` does for the stream: after a crash of either side, that row
says where to go on. Locking it waits for a transaction whose end we never heard of.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

import psycopg
import structlog
from psycopg.errors import CheckViolation, DataError

from compose.service.copy_format import BEGIN, END
from recommender.connection import KeptConnection
from recommender.metrics import Metrics
from recommender.receipts.rows import (
    COLUMNS,
    COPY,
    apart,
    column_count,
    receipt_id,
    unix_time,
)
from recommender.receipts.spool import Spool, SpooledRows

LOG = structlog.get_logger()

PARTITION_WAIT = timedelta(hours=1)
"""How old a receipt is when it is no longer hoped that a partition will be made for it."""

BEGIN_SPOOL = """
INSERT INTO receipt_spool (spool_id, slot, position) VALUES (%s, %s, 0)
ON CONFLICT (spool_id) DO NOTHING
"""
POSITION = "SELECT position FROM receipt_spool WHERE spool_id = %s FOR UPDATE"
MOVE_POSITION = """
UPDATE receipt_spool SET position = %s, updated_at = now() WHERE spool_id = %s
"""


class ReceiptStore:
    """Stores what is spooled; see the module."""

    def __init__(
        self, connection: KeptConnection, slot: str, spool: Spool, metrics: Metrics
    ) -> None:
        self._connection = connection
        self._slot = slot
        self._spool = spool
        self._metrics = metrics
        self._position: int | None = None
        self._stored_rows = 0

    def __len__(self) -> int:
        """Receipts on the disk that are not stored."""
        return self._spool.rows - self._stored_rows

    def store_all(self) -> None:
        """Store until nothing waits.

        Raises:
            psycopg.Error: PostgreSQL could not take a batch; the next call starts with it.
            OSError: the spool cannot be read.
        """
        if self._spool.identity is None:
            return
        if self._position is None:
            self._position = self._begin(self._connection.get())
            self._stored_rows = self._spool.rows_before(self._position)
        while self._position < self._spool.end:
            self._position = self._store_batch(self._connection.get())
            self._spool.forget(self._position)

    def _begin(self, connection: psycopg.Connection) -> int:
        """Where to go on; a spool cut by a power failure goes on at what is left of it."""
        with connection.transaction():
            connection.execute(BEGIN_SPOOL, (self._spool.identity, self._slot))
            stored = _position(connection, self._spool)
            position = self._spool.first_position(min(stored, self._spool.found_end))
            connection.execute(MOVE_POSITION, (position, self._spool.identity))
        return position

    def _store_batch(self, connection: psycopg.Connection) -> int:
        with connection.transaction():
            position = _position(connection, self._spool)
            batches = self._spool.read(position)
            refused = _store(connection, batches)
            position = batches[-1].end if batches else self._spool.after_gap(position)
            connection.execute(MOVE_POSITION, (position, self._spool.identity))
        number = sum(batch.number for batch in batches)
        self._stored_rows += number
        self._metrics.receipts_written.inc(number - refused)
        self._metrics.receipts_dropped.inc(refused)
        return position


def _position(connection: psycopg.Connection, spool: Spool) -> int:
    row = connection.execute(POSITION, (spool.identity,)).fetchone()
    assert row is not None  # noqa: S101 -- `_begin` made it, and nobody may delete it
    return int(row[0])


def _store(connection: psycopg.Connection, batches: Sequence[SpooledRows]) -> int:
    """Store rows; the number of those that PostgreSQL will never take."""
    alike = groupby(batches, key=lambda batch: _statement(batch.rows))
    return sum(_store_alike(connection, list(group)) for _, group in alike)


def _store_alike(connection: psycopg.Connection, batches: Sequence[SpooledRows]) -> int:
    try:
        _copy(connection, [batch.rows for batch in batches])
    except (DataError, CheckViolation):
        return sum(_store_alone(connection, batch) for batch in batches)
    return 0


def _store_alone(connection: psycopg.Connection, batch: SpooledRows) -> int:
    try:
        rows = apart(batch.rows)
    except struct.error:
        LOG.exception("receipts are damaged", count=batch.number)
        return batch.number
    return _store_apart(connection, rows)


def _store_apart(connection: psycopg.Connection, rows: Sequence[bytes]) -> int:
    """Store what can be: what is refused is halved until it is alone."""
    try:
        _copy(connection, rows)
    except (DataError, CheckViolation) as error:
        middle = len(rows) // 2
        if middle:
            parts = rows[:middle], rows[middle:]
            return sum(_store_apart(connection, part) for part in parts)
        if isinstance(error, CheckViolation) and _is_recent(rows[0], datetime.now(UTC)):
            raise
        LOG.exception("receipt refused", receipt=receipt_id(rows[0]))
        return 1
    return 0


def _copy(connection: psycopg.Connection, rows: Sequence[bytes]) -> None:
    with connection.transaction(), connection.cursor().copy(_statement(rows[0])) as copy:
        copy.write(b"".join([BEGIN, *rows, END]))


def _statement(rows: bytes) -> bytes:
    """What stores rows of as many columns; what has another number is none, and is refused."""
    return COPY.get(column_count(rows), COPY[len(COLUMNS)])


def _is_recent(row: bytes, now: datetime) -> bool:
    """Whether a partition for this receipt may still be made."""
    return now.timestamp() - unix_time(row) < PARTITION_WAIT.total_seconds()
