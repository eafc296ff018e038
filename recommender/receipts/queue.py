"""A receipt for each answer, put on the disk behind the answers' back.

Answers put receipts in a bounded queue; one thread moves them to the spool, many at a time.
A process that is killed loses those it had not moved; see `store` for the rest.
"""

from collections import deque
from collections.abc import Sequence
from itertools import groupby, islice
from threading import Lock

from recommender.errors import SpoolFullError
from recommender.metrics import Metrics
from recommender.receipts.rows import Receipt, row
from recommender.receipts.spool import Spool

BATCH = 5_000


class ReceiptQueue:
    """Receipts that wait for the disk: putting one never waits; over the limit, the oldest go."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._waiting: deque[Receipt] = deque()
        self._lock = Lock()
        self._dropped = metrics.receipts_dropped

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, receipt: Receipt) -> None:
        """Add a receipt; where the limit is reached, the oldest is dropped and counted."""
        with self._lock:
            self._waiting.append(receipt)
            if len(self._waiting) > self._limit:
                self._waiting.popleft()
                self._dropped.inc()

    def take(self, limit: int) -> list[Receipt]:
        """The oldest receipts, in order; they are no longer here."""
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def requeue(self, receipts: Sequence[Receipt]) -> None:
        """Add what was taken again, before all others, as far as there is room."""
        with self._lock:
            room = self._limit - len(self._waiting)
            kept = list(islice(reversed(receipts), room))
            self._waiting.extendleft(kept)
            self._dropped.inc(len(receipts) - len(kept))


class ReceiptWriter:
    """Moves what is queued to the spool; what cannot be written stays queued."""

    def __init__(self, queue: ReceiptQueue, spool: Spool, slot: str) -> None:
        self._queue = queue
        self._spool = spool
        self._slot = slot

    def write_all(self) -> None:
        """Write until nothing is queued.

        Raises:
            SpoolFullError: PostgreSQL has been out of reach for too long.
            OSError: the volume does not take them.
        """
        if self._spool.identity is None:
            self._spool.open()
        while receipts := self._queue.take(BATCH):
            receipts.sort(key=_is_interleaved)
            try:
                for _, alike in groupby(receipts.copy(), _is_interleaved):
                    rows = [row(receipt, self._slot) for receipt in alike]
                    self._spool.append(b"".join(rows), len(rows))
                    del receipts[: len(rows)]
            except (SpoolFullError, OSError):
                self._queue.requeue(receipts)
                raise


def _is_interleaved(receipt: Receipt) -> bool:
    """Rows that are stored at once have equally many columns."""
    return bool(receipt.interleaved_with)
