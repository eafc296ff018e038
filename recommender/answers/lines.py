"""Lists as they are sent, kept ready for one model version, made anew when something changed."""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from typing import NamedTuple

from prometheus_client import Counter

from recommender.activity.recent import Recent
from recommender.answers.ranking import (
    Answer,
    Fallback,
    Ranked,
    Reason,
    depends_on_fallback,
    filled_up,
    items_of,
    rank,
    rank_at_once,
    takes_time,
)
from recommender.answers.ranking_time import RankingTime
from trainer.versions.contents import ANSWER_LENGTH, ModelVersion

LINES_KEPT = 20_000
"""Lines kept ready, about 4 kB each."""
FULL_LINES_KEPT = 5_000
"""Up to 11 kB each, where 100 movies were asked for."""

Fallbacks = Callable[[int], Fallback]
"""Tells what fills up a user's list; the same object for as long as that is the same."""


class Line(NamedTuple):
    """The usual answer as it is sent, and what it was made from."""

    movies: str
    """Movie ids, best first, separated by commas."""
    body: bytes
    """The same with its end of line."""
    reason: Reason
    is_personal: bool
    """Every movie was scored for this user, whatever the fallback."""
    recent: Recent
    fallback: Fallback
    ranked: Ranked


class FullLine(NamedTuple):
    """A line at some length, and in full."""

    line: Line
    """What it is of; it also keeps that line's identity from being another's."""
    movies: str
    """Movie ids, best first, separated by commas."""
    json: bytes
    """What stands between the user's and the receipt's id."""


class ModelLines:
    """The lines of one model version; used by the one thread that answers."""

    def __init__(
        self,
        model: ModelVersion,
        diversity: float,
        ranking_time: RankingTime,
        unranked: Counter,
    ) -> None:
        """`unranked` counts the lines that were not ranked anew, for want of time."""
        self.model = model
        self._diversity = diversity
        self._time = ranking_time
        self._unranked = unranked
        self._lines: dict[int, Line] = {}
        self._at_once: dict[int, Line] = {}
        self._of_strangers: dict[int, Line] = {}
        self._full: dict[tuple[int, int], FullLine] = {}

    def of(self, user_id: int, recent: Recent, fallbacks: Fallbacks, caller: str) -> Line:
        """The usual answer, ranked anew only if something changed since the last time."""
        line = self._lines.get(user_id)
        if line is not None and line.recent is not recent:
            line = None
        if line is not None and line.is_personal:
            return line
        fallback = fallbacks(user_id)
        if line is not None and line.fallback is fallback:
            return line
        return self._anew(user_id, recent, fallback, caller)

    def _anew(self, user_id: int, recent: Recent, fallback: Fallback, caller: str) -> Line:
        user, since = self.model.user(user_id), items_of(self.model, recent)
        if not recent and not user.is_known:
            return self._of_stranger(rank_at_once(user, since), recent, fallback)
        if not takes_time(user, since):
            line = self._line(rank_at_once(user, since), recent, fallback)
        elif self._time.has_room(caller):
            started = self._time.clock()
            line = self._line(rank(self.model, user, since), recent, fallback)
            self._time.spend_since(started, caller)
        else:
            return self._of_training(user_id, rank_at_once(user, since), recent, fallback)
        _keep(self._lines, user_id, line, LINES_KEPT)
        return line

    def _of_stranger(self, ranked: Ranked, recent: Recent, fallback: Fallback) -> Line:
        """One line for all of whom nothing else is known; it holds on to the fallback's id."""
        line = self._of_strangers.get(id(fallback))
        if line is None:
            line = self._line(ranked, recent, fallback)
            _keep(self._of_strangers, id(fallback), line, LINES_KEPT)
        return line

    def _of_training(
        self, user_id: int, ranked: Ranked, recent: Recent, fallback: Fallback
    ) -> Line:
        """A line that needs no ranking, until there is time for a better one."""
        self._unranked.inc()
        line = self._at_once.get(user_id)
        if line is None or line.recent is not recent or line.fallback is not fallback:
            line = self._line(ranked, recent, fallback)
            _keep(self._at_once, user_id, line, FULL_LINES_KEPT)
        return line

    def _line(self, ranked: Ranked, recent: Recent, fallback: Fallback) -> Line:
        answer = filled_up(self.model, ranked, fallback, ANSWER_LENGTH, self._diversity)
        is_scored = len(answer.scores) == len(answer.movie_ids)
        is_personal = is_scored and not depends_on_fallback(self.model, ranked)
        movies = ",".join(answer.movie_ids)
        body = f"{movies}\n".encode()
        return Line(movies, body, answer.reason, is_personal, recent, fallback, ranked)

    def in_full(self, line: Line, count: int) -> FullLine:
        """A line with so many movies, 1 to 100, and with all that is told of them."""
        key = id(line), count
        full = self._full.get(key)
        if full is None or full.line is not line:
            answer = self.answer(line, count)
            movies = ",".join(answer.movie_ids)
            scored = zip_longest(answer.movie_ids, answer.scores)
            told = as_json(scored, answer.reason, {"model_version": self.model.name})
            full = FullLine(line, movies, told)
            _keep(self._full, key, full, FULL_LINES_KEPT)
        return full

    def answer(self, line: Line, count: int) -> Answer:
        """A line with so many movies, 1 to 100, and their scores."""
        return filled_up(self.model, line.ranked, line.fallback, count, self._diversity)


def _keep[Key, Kept](lines: dict[Key, Kept], key: Key, line: Kept, limit: int) -> None:
    lines[key] = line
    if len(lines) > limit:
        del lines[next(iter(lines))]


def as_json(
    scored: Iterable[tuple[str, float | None]], reason: Reason, versions: Mapping[str, str]
) -> bytes:
    """An answer's part of the JSON in `recommender/openapi.yaml`, without its braces."""
    movies = [{"movie_id": movie, "score": score} for movie, score in scored]
    told = {"movies": movies, "reason": reason, **versions}
    return json.dumps(told, separators=(",", ":"))[1:-1].encode()
