"""Giving one answer: rank, count, leave a receipt; nothing here waits for anything."""

import time

from prometheus_client import Counter, Histogram
from uuid_utils import uuid7

from recommender.activity import RecentActivity
from recommender.metrics import Metrics
from recommender.ranking import answer
from recommender.receipts import Receipt, ReceiptQueue
from trainer.artifact import ModelVersion


class Answers:
    """Answers of one slot, each with its receipt and its place in the metrics."""

    def __init__(self, activity: RecentActivity, receipts: ReceiptQueue, metrics: Metrics) -> None:
        self._activity = activity
        self._receipts = receipts
        self._metrics = metrics
        self._figures: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def give(self, user_id: int, bucket: int, model: ModelVersion) -> bytes:
        """The line to send: movie ids separated by commas, best first."""
        started = time.perf_counter()
        movie_ids, reason = answer(user_id, model, self._activity.of(user_id))
        movies = ",".join(movie_ids)
        seconds = time.perf_counter() - started
        receipt = Receipt(
            uuid7(), time.time(), user_id, movies, model.name, bucket, reason, seconds
        )
        self._receipts.put(receipt)
        self._count(receipt)
        return f"{movies}\n".encode()

    def _count(self, receipt: Receipt) -> None:
        key = receipt.model_version, receipt.reason
        if key not in self._figures:
            self._figures[key] = self._figures_of(*key)
        requests, seconds = self._figures[key]
        requests.inc()
        seconds.observe(receipt.seconds)

    def _figures_of(self, model_version: str, reason: str) -> tuple[Counter, Histogram]:
        return (
            self._metrics.requests.labels(model_version, "200", reason),
            self._metrics.seconds.labels(model_version, reason),
        )
