"""A receipt for each answer, stored behind the answers' back: never lost twice, never doubled.

Answers put receipts in a bounded queue; one thread stores them in batches. When the
connection breaks while a batch commits, PostgreSQL itself is asked whether it did.
"""

from collections import deque
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple

import psycopg
from uuid_utils import UUID

from recommender.connection import KeptConnection
from recommender.errors import UndecidedError
from recommender.metrics import Metrics

BATCH = 5_000
STORE_EVERY_SECONDS = 0.05
CONTROL_ARM = "control"

COPY = """
COPY receipt (receipt_id, time, user_id, movie_ids, model_version, slot, bucket, arm, reason,
              latency_ms)
FROM STDIN
"""


class Receipt(NamedTuple):
    """Who got which list, from which model, when and why."""

    receipt_id: UUID
    time: float
    """Unix time of the answer."""
    user_id: int
    movies: str
    """The answer as it was sent, without the end of the line: ids separated by commas."""
    reason: str
    model_version: str
    bucket: int
    """0 to 999; -1 unknown."""
    seconds: float
    """Time spent on the answer."""


class ReceiptQueue:
    """Receipts that wait to be stored: putting one never waits; over the limit, the oldest go."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._waiting: deque[Receipt] = deque()
        self._lock = Lock()
        self._dropped = metrics.receipts_dropped

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, receipt: Receipt) -> None:
        """Add a receipt."""
        with self._lock:
            self._waiting.append(receipt)
            if len(self._waiting) > self._limit:
                self._waiting.popleft()
                self._dropped.inc()

    def take(self, limit: int) -> list[Receipt]:
        """The oldest receipts, in order; they are no longer here."""
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]


class ReceiptStore:
    """Stores what is queued, each receipt once; see the module."""

    def __init__(
        self, connection: KeptConnection, slot: str, queue: ReceiptQueue, metrics: Metrics
    ) -> None:
        self._connection = connection
        self._slot = slot
        self._queue = queue
        self._metrics = metrics
        self._batch: list[Receipt] = []
        self._transaction: str | None = None

    def __len__(self) -> int:
        return len(self._batch) + len(self._queue)

    def store_all(self) -> None:
        """Store until nothing waits.

        Raises:
            psycopg.Error: PostgreSQL could not take a batch; the next call starts with it.
            UndecidedError: likewise, and it is not known yet whether the batch landed.
        """
        connection = self._connection.get()
        if self._transaction is not None:
            self._settle(connection, self._transaction)
        while self._batch or self._fill():
            self._store(connection)

    def _fill(self) -> bool:
        self._batch = self._queue.take(BATCH)
        return bool(self._batch)

    def _store(self, connection: psycopg.Connection) -> None:
        rows = "".join(copy_line(receipt, self._slot) for receipt in self._batch)
        try:
            with connection.transaction():
                self._transaction = current_transaction(connection)
                with connection.cursor().copy(COPY) as copy:
                    copy.write(rows)
        except psycopg.DataError:
            self._give_up()
            raise
        self._stored()

    def _stored(self) -> None:
        self._metrics.receipts_written.inc(len(self._batch))
        self._batch, self._transaction = [], None

    def _give_up(self) -> None:
        """These rows will never be accepted: trying again would hold up all the others."""
        self._metrics.receipts_dropped.inc(len(self._batch))
        self._batch, self._transaction = [], None

    def _settle(self, connection: psycopg.Connection, transaction: str) -> None:
        match transaction_status(connection, transaction):
            case "committed":
                self._stored()
            case "in progress":
                raise UndecidedError(f"transaction {transaction} is still open")
            case _:
                self._transaction = None


def copy_line(receipt: Receipt, slot: str) -> str:
    """A receipt as one line of COPY's text format."""
    time = datetime.fromtimestamp(receipt.time, UTC).isoformat()
    return (
        f"{receipt.receipt_id}\t{time}\t{receipt.user_id}\t{_array(receipt.movies)}"
        f"\t{receipt.model_version}\t{slot}\t{receipt.bucket}\t{CONTROL_ARM}"
        f"\t{receipt.reason}\t{receipt.seconds * 1000:.3f}\n"
    )


def _array(movies: str) -> str:
    """An array of text, quoted for PostgreSQL and then once more for COPY."""
    if not movies:
        return "{}"
    quoted = movies.replace("\\", r"\\").replace('"', r"\"").replace(",", '","')
    return f'{{"{quoted}"}}'.replace("\\", r"\\").replace("\t", r"\t")


def current_transaction(connection: psycopg.Connection) -> str:
    """The number of the open transaction."""
    row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
    assert row is not None  # noqa: S101 -- a SELECT without FROM gives one row
    return str(row[0])


def transaction_status(connection: psycopg.Connection, transaction: str) -> str | None:
    """`committed`, `aborted` or `in progress`; None for one PostgreSQL does not know.

    One that a crash wiped out before anything of it was on the disk is from the future.
    """
    try:
        row = connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchone()
    except psycopg.errors.InvalidParameterValue:
        return None
    return None if row is None else row[0]
