"""Giving one answer: rank, count, leave a receipt; nothing here waits for anything."""

import time
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import Counter, Histogram
from uuid_utils import UUID, uuid7

from recommender.activity.recent import Recent, RecentActivity
from recommender.answers.ranking import Answer, Fallback, Reason, answer
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue
from recommender.receipts.rows import Receipt
from trainer.versions.artifact import ANSWER_LENGTH, ModelVersion

LINES_KEPT = 20_000
"""Lines kept ready, about 2 kB each."""

Fallbacks = Callable[[int], Fallback]
"""Tells what fills up a user's list; the same object for as long as that is the same."""


class Line(NamedTuple):
    """An answer as it is sent, and what it was made from."""

    movies: str
    """Movie ids, best first, separated by commas."""
    body: bytes
    """The same with its end of line."""
    reason: Reason
    is_personal: bool
    """Every movie was scored for this user."""
    recent: Recent
    fallback: Fallback


class ModelAnswers:
    """The lines and the figures of one model version; used by the one thread that answers."""

    def __init__(self, model: ModelVersion, diversity: float, metrics: Metrics) -> None:
        self.model = model
        self._diversity = diversity
        self._metrics = metrics
        self._lines: dict[int, Line] = {}
        self._of_strangers: dict[int, Line] = {}
        self._figures: dict[Reason, tuple[Counter, Histogram]] = {}

    def line(self, user_id: int, recent: Recent, fallbacks: Fallbacks) -> Line:
        """The usual answer, ranked anew only if something changed since the last time."""
        line = self._lines.get(user_id)
        if (
            line is not None
            and line.recent is recent
            and (line.is_personal or line.fallback is fallbacks(user_id))
        ):
            return line
        fallback = fallbacks(user_id)
        if not recent and self.model.row(user_id) is None:
            return self._of_stranger(user_id, recent, fallback)
        line = self._rank(user_id, recent, fallback)
        _keep(self._lines, user_id, line)
        return line

    def _of_stranger(self, user_id: int, recent: Recent, fallback: Fallback) -> Line:
        """One line for all of whom nothing else is known; it holds on to the fallback's id."""
        line = self._of_strangers.get(id(fallback))
        if line is None:
            line = self._rank(user_id, recent, fallback)
            _keep(self._of_strangers, id(fallback), line)
        return line

    def answer(self, user_id: int, recent: Recent, fallback: Fallback, count: int) -> Answer:
        """Rank for this user, as they are now."""
        return answer(user_id, self.model, recent, fallback, count, self._diversity)

    def _rank(self, user_id: int, recent: Recent, fallback: Fallback) -> Line:
        ranked = self.answer(user_id, recent, fallback, ANSWER_LENGTH)
        is_personal = len(ranked.scores) == len(ranked.movie_ids)
        movies = ",".join(ranked.movie_ids)
        body = f"{movies}\n".encode()
        return Line(movies, body, ranked.reason, is_personal, recent, fallback)

    def figures(self, reason: Reason) -> tuple[Counter, Histogram]:
        """Where answers of this kind are counted and timed."""
        if reason not in self._figures:
            self._figures[reason] = (
                self._metrics.requests.labels(self.model.name, "200", reason),
                self._metrics.seconds.labels(self.model.name, reason),
            )
        return self._figures[reason]


def _keep(lines: dict[int, Line], key: int, line: Line) -> None:
    lines[key] = line
    if len(lines) > LINES_KEPT:
        del lines[next(iter(lines))]


class Answers:
    """Answers of one slot, each with its receipt and its place in the metrics."""

    def __init__(
        self,
        activity: RecentActivity,
        fallbacks: Fallbacks,
        receipts: ReceiptQueue,
        metrics: Metrics,
        diversity: float = 0.0,
    ) -> None:
        self._activity = activity
        self._fallbacks = fallbacks
        self._receipts = receipts
        self._metrics = metrics
        self._diversity = diversity
        self._of_model: ModelAnswers | None = None

    def give(self, user_id: int, bucket: int, model: ModelVersion) -> bytes:
        """The line to send: 20 movie ids separated by commas, best first."""
        started = time.perf_counter()
        answers = self._answers_of(model)
        line = answers.line(user_id, self._activity.of(user_id), self._fallbacks)
        self._account(answers, user_id, line.movies, line.reason, bucket, started)
        return line.body

    def give_in_full(
        self, user_id: int, bucket: int, model: ModelVersion, count: int
    ) -> tuple[Answer, UUID]:
        """So many movies with their scores, and the receipt's id."""
        started = time.perf_counter()
        answers = self._answers_of(model)
        recent, fallback = self._activity.of(user_id), self._fallbacks(user_id)
        given = answers.answer(user_id, recent, fallback, count)
        movies = ",".join(given.movie_ids)
        return given, self._account(answers, user_id, movies, given.reason, bucket, started)

    def _account(  # noqa: PLR0913, PLR0917 -- a receipt's fields
        self,
        answers: ModelAnswers,
        user_id: int,
        movies: str,
        reason: Reason,
        bucket: int,
        started: float,
    ) -> UUID:
        """Leave a receipt, and count and time the answer."""
        receipt_id = uuid7()
        seconds = time.perf_counter() - started
        self._receipts.put(
            Receipt(
                receipt_id,
                time.time(),
                user_id,
                movies,
                reason,
                answers.model.name,
                bucket,
                seconds,
            )
        )
        requests, durations = answers.figures(reason)
        requests.inc()
        durations.observe(seconds)
        return receipt_id

    def _answers_of(self, model: ModelVersion) -> ModelAnswers:
        answers = self._of_model
        if answers is None or answers.model is not model:
            answers = ModelAnswers(model, self._diversity, self._metrics)
            self._of_model = answers
        return answers
