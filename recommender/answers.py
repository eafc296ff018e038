"""Giving one answer: rank, count, leave a receipt; nothing here waits for anything."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from prometheus_client import Counter, Histogram
from uuid_utils import uuid7

from recommender.activity import NOTHING, RecentActivity
from recommender.metrics import Metrics
from recommender.ranking import Reason, Recent, answer
from recommender.receipts import Receipt, ReceiptQueue
from trainer.artifact import ModelVersion

LINES_KEPT = 20_000
"""Lines kept ready for users who did nothing lately; about 1 kB each."""


class Line(NamedTuple):
    """An answer as it is sent."""

    movies: str
    """Movie ids, best first, separated by commas."""
    reason: Reason


class ModelAnswers:
    """The lines and the figures of one model version."""

    def __init__(self, model: ModelVersion, metrics: Metrics) -> None:
        self.model = model
        self.unchanging: Callable[[int], Line] = lru_cache(LINES_KEPT)(
            lambda user_id: self.line(user_id, NOTHING)
        )
        self._metrics = metrics
        self._figures: dict[Reason, tuple[Counter, Histogram]] = {}

    def line(self, user_id: int, recent: Recent) -> Line:
        """Rank for this user, as they are now."""
        movie_ids, reason = answer(user_id, self.model, recent)
        return Line(",".join(movie_ids), reason)

    def figures(self, reason: Reason) -> tuple[Counter, Histogram]:
        """Where answers of this kind are counted and timed."""
        if reason not in self._figures:
            self._figures[reason] = (
                self._metrics.requests.labels(self.model.name, "200", reason),
                self._metrics.seconds.labels(self.model.name, reason),
            )
        return self._figures[reason]


class Answers:
    """Answers of one slot, each with its receipt and its place in the metrics."""

    def __init__(self, activity: RecentActivity, receipts: ReceiptQueue, metrics: Metrics) -> None:
        self._activity = activity
        self._receipts = receipts
        self._metrics = metrics
        self._of_model: ModelAnswers | None = None

    def give(self, user_id: int, bucket: int, model: ModelVersion) -> bytes:
        """The line to send: movie ids separated by commas, best first."""
        started = time.perf_counter()
        answers = self._answers_of(model)
        recent = self._activity.of(user_id)
        line = answers.line(user_id, recent) if recent else answers.unchanging(user_id)
        seconds = time.perf_counter() - started
        self._receipts.put(
            Receipt(uuid7(), time.time(), user_id, *line, model.name, bucket, seconds)
        )
        requests, durations = answers.figures(line.reason)
        requests.inc()
        durations.observe(seconds)
        return f"{line.movies}\n".encode()

    def _answers_of(self, model: ModelVersion) -> ModelAnswers:
        answers = self._of_model
        if answers is None or answers.model is not model:
            self._of_model = answers = ModelAnswers(model, self._metrics)
        return answers
