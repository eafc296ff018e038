"""Giving one answer: a line, its receipt and its place in the metrics; nothing here waits."""

import time
from typing import NamedTuple

from prometheus_client import Counter, Histogram
from uuid_utils import UUID, uuid7

from recommender.activity.recent import RecentActivity
from recommender.answers.interleaved import Drafted, Side, draft, drafted_json
from recommender.answers.lines import Fallbacks, Line, ModelLines
from recommender.answers.ranking import Reason
from recommender.answers.ranking_time import RankingTime
from recommender.metrics import Metrics
from recommender.receipts.queue import ReceiptQueue
from recommender.receipts.rows import Receipt
from trainer.versions.contents import ANSWER_LENGTH, ModelVersion

UNKNOWN_BUCKET = -1


class Question(NamedTuple):
    """One request for recommendations, read from its path, query and headers."""

    user_id: int
    bucket: int = UNKNOWN_BUCKET
    """0 to 999, by Nginx; -1 for a request that did not come through it."""
    caller: str = ""
    """Whose share of the time it counts for; empty for one that is held to none."""
    length: int = ANSWER_LENGTH
    """How many movies, 1 to 100."""
    is_shown: bool = True
    """Whether somebody will see the list; otherwise it leaves no receipt."""
    is_replayed: bool = False
    """Whether a release asks it again to judge a version; counted apart, and without a receipt."""


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
        self._ranking_time = RankingTime(time.perf_counter)
        self._lines: ModelLines | None = None
        self._challenger_lines: ModelLines | None = None
        self._figures: dict[tuple[str, Reason], tuple[Counter, Histogram]] = {}

    def give(
        self, question: Question, model: ModelVersion, challenger: ModelVersion | None = None
    ) -> bytes:
        """The line to send: movie ids separated by commas, best first.

        With a challenger it is drafted from both versions' lists.
        """
        started = time.perf_counter()
        if challenger is not None:
            sides = self._sides(question, model, challenger)
            drafted = self._draft(question, sides, started)
            return f"{drafted.movies}\n".encode()
        lines = self._lines_of(model)
        line = self._line(question, lines)
        movies, body = line.movies, line.body
        if question.length != ANSWER_LENGTH:
            movies = lines.in_full(line, question.length).movies
            body = f"{movies}\n".encode()
        self._account(question, model.name, movies, line.reason, started)
        return body

    def give_in_full(
        self, question: Question, model: ModelVersion, challenger: ModelVersion | None = None
    ) -> bytes:
        """The same as JSON, with scores, reason, model versions and the receipt's id."""
        started = time.perf_counter()
        if challenger is not None:
            sides = self._sides(question, model, challenger)
            drafted = self._draft(question, sides, started)
            return _in_full(question.user_id, drafted_json(drafted, *sides), drafted.receipt_id)
        lines = self._lines_of(model)
        line = self._line(question, lines)
        full = lines.in_full(line, question.length)
        receipt_id = self._account(question, model.name, full.movies, line.reason, started)
        return _in_full(question.user_id, full.json, receipt_id)

    def forget_challenger(self) -> None:
        """Let go of a second version that is no longer interleaved; from any thread."""
        self._challenger_lines = None

    def _sides(
        self, question: Question, model: ModelVersion, challenger: ModelVersion
    ) -> tuple[Side, Side]:
        both = self._lines_of(model), self._challenger_lines_of(challenger)
        control, other = (Side(lines, self._line(question, lines)) for lines in both)
        return control, other

    def _draft(self, question: Question, sides: tuple[Side, Side], started: float) -> Drafted:
        drafted = draft(*sides, question.user_id, question.length, uuid7())
        version = sides[0].lines.model.name
        self._account(question, version, drafted.movies, drafted.reason, started, drafted)
        return drafted

    def _line(self, question: Question, lines: ModelLines) -> Line:
        user_id = question.user_id
        recent = self._activity.of(user_id)
        return lines.of(user_id, recent, self._fallbacks, question.caller)

    def _account(  # noqa: PLR0913, PLR0917 -- what a receipt says, on a path where a call counts
        self,
        question: Question,
        version: str,
        movies: str,
        reason: Reason,
        started: float,
        drafted: Drafted | None = None,
    ) -> UUID:
        """Leave a receipt, and count and time the answer."""
        receipt_id = drafted.receipt_id if drafted else uuid7()
        seconds = time.perf_counter() - started
        if question.is_replayed:
            self._metrics.replayed.labels("200").inc()
            return receipt_id
        if question.is_shown:
            self._receipts.put(
                Receipt(
                    receipt_id,
                    time.time(),
                    question.user_id,
                    movies,
                    reason,
                    version,
                    question.bucket,
                    seconds,
                    drafted.interleaved_with if drafted else "",
                    drafted.origins if drafted else "",
                )
            )
        requests, durations = self._figures_of(version, reason)
        requests.inc()
        durations.observe(seconds)
        return receipt_id

    def _figures_of(self, version: str, reason: Reason) -> tuple[Counter, Histogram]:
        """Where answers of this kind are counted and timed."""
        figures = self._figures.get((version, reason))
        if figures is None:
            figures = (
                self._metrics.requests.labels(version, "200", reason),
                self._metrics.seconds.labels(version, reason),
            )
            self._figures[version, reason] = figures
        return figures

    def _lines_of(self, model: ModelVersion) -> ModelLines:
        lines = self._lines
        if lines is None or lines.model is not model:
            lines = self._lines = self._new_lines(model)
        return lines

    def _challenger_lines_of(self, model: ModelVersion) -> ModelLines:
        lines = self._challenger_lines
        if lines is None or lines.model is not model:
            lines = self._challenger_lines = self._new_lines(model)
        return lines

    def _new_lines(self, model: ModelVersion) -> ModelLines:
        unranked = self._metrics.unranked
        return ModelLines(model, self._diversity, self._ranking_time, unranked)


def _in_full(user_id: int, told: bytes, receipt_id: UUID) -> bytes:
    return b'{"user_id":%d,%s,"receipt_id":"%s"}\n' % (user_id, told, str(receipt_id).encode())
