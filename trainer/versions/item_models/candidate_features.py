"""What boosted trees are shown of a user and a candidate movie.

What the first stage saw (each sign by itself, over a short and a long past), and what it did
not: how many met the movie and when, how much they liked it, and how all that compares with
the user's own movies and the time of the question.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.versions.item_models.history import HistoryModel, log_share
from trainer.versions.item_models.item_model import Arrays, Items, Ratings, Scores

FEATURE_SET = 1
"""Trees ask for features by their place: this changes with every change of `features`."""
DAY = 86_400e6
"""In microseconds."""
LIKING_STEPS = (2.0, 6.0, 20.0, np.inf)
"""Over how many steps what was liked fades, in the features that tell of it."""
TRANSITION_STEPS = (1.0, 3.0, 10.0, 30.0)
LATELY = 20.0
"""Steps over which the user's own movies fade, where a candidate is compared with them."""
LATEST = 5
"""Movies of a history that are asked one by one how much they speak for a candidate."""

Columns = Iterator[NDArray[np.floating[Any]]]
"""Each [n, candidates]: one feature of every candidate."""


@dataclass(frozen=True)
class MovieStatistics:
    """What all users together did with each movie."""

    array_names: ClassVar[tuple[str, ...]] = (
        "movie_counts",
        "movie_means",
        "movie_liked",
        "movie_firsts",
        "movie_days",
        "period_ends",
        "period_popularity",
    )

    counts: Scores
    """float32 [items]: log(1 + interactions)."""
    means: Scores
    """float32 [items]: mean rating, drawn to the mean of all."""
    liked: Scores
    """float32 [items]: share of the interactions that spoke for it, drawn to that of all."""
    firsts: Scores
    """float32 [items]: days from the latest interaction of all back to its first; 0 or less."""
    days: Scores
    """float32 [items]: the same to the middle of its interactions."""
    ends: NDArray[np.float64]
    """float64 [periods - 1]: where each period but the last ends, in such days."""
    popularity: Scores
    """float32 [periods, items]: log of the share around each period, over an equal share."""

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """Take the arrays it was saved as."""
        return cls(*(arrays[name] for name in cls.array_names))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays to save it as."""
        kept = (self.counts, self.means, self.liked, self.firsts, self.days)
        return dict(zip(self.array_names, (*kept, self.ends, self.popularity), strict=True))


@dataclass(frozen=True)
class Question:
    """Some users' histories, when each asks, and the candidates to tell apart."""

    indptr: NDArray[np.int64]
    """int64 [n + 1]: where each history starts."""
    items: Items
    """int32 [interactions], oldest first in each history; each holds one at least."""
    ratings: Ratings
    """float32 [interactions], NaN for watched but not rated."""
    days: NDArray[np.float64]
    """float64 [n]: when it is asked, in days after the latest interaction that was learned from."""
    candidates: Items
    """int32 [n, candidates]."""

    def fading(self, steps: float) -> NDArray[np.float64]:
        """float64 [interactions]: 1 for each latest, 1/e for what is so many steps before."""
        ends = np.repeat(self.indptr[1:], np.diff(self.indptr))
        return np.exp(-(ends - 1 - np.arange(self.indptr[-1])) / steps)

    def weighted(self, weights: NDArray[np.floating[Any]], size: int) -> sparse.csr_array:
        """float32 [n, size]: the histories as rows, each interaction by its weight."""
        shape = (len(self.days), size)
        return sparse.csr_array((weights.astype(np.float32), self.items, self.indptr), shape=shape)

    def of_candidates(self, scores: Scores) -> Scores:
        """float32 [n, candidates]: what [n, items] says of them."""
        taken: Scores = np.take_along_axis(scores, self.candidates.astype(np.intp), axis=1)
        return taken

    def log_shares(
        self, matrix: sparse.csr_array, weights: Sequence[NDArray[np.floating[Any]]]
    ) -> Columns:
        """The weighted sums of the histories' rows of a matrix, as `log_share` has them.

        Args:
            matrix: float32 [items, items].
            weights: of the interactions, once for each column.
        """
        columns = np.stack(weights, axis=1, dtype=np.float32)
        sums = np.empty((len(self.days), matrix.shape[1], len(weights)), np.float32)
        for row, (start, end) in enumerate(pairwise(self.indptr)):
            sums[row] = matrix[self.items[start:end]].T @ columns[start:end]
        for column in range(len(weights)):
            yield self.of_candidates(log_share(sums[:, :, column]))

    def largest_weight(self, matrix: sparse.csr_array) -> Scores:
        """float32 [n, candidates]: the largest in the rows of each user's `LATEST` movies."""
        largest = np.zeros(self.candidates.shape, np.float32)
        for back in range(LATEST):
            items, there = self.latest(back)
            rows = self.of_candidates(matrix[items].toarray())
            largest = np.maximum(largest, rows * there[:, None])
        return largest

    def for_each(self, values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """[n, candidates]: a value of each user's, for all candidates."""
        return np.broadcast_to(values[:, None], self.candidates.shape)

    def mean(
        self, values: NDArray[np.floating[Any]], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """float64 [n]: the weighted mean of some values of the interactions; 0 without weight."""
        sums = np.add.reduceat(values * weights, self.indptr[:-1])
        return np.asarray(sums / np.maximum(np.add.reduceat(weights, self.indptr[:-1]), 1e-9))

    def largest(self, values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """[n]: the largest of some values of the interactions."""
        return np.asarray(np.maximum.reduceat(values, self.indptr[:-1]))

    def latest(self, back: int) -> tuple[Items, NDArray[np.bool_]]:
        """int32 [n]: the movie that many before the latest; bool [n]: whether there is one."""
        places = self.indptr[1:] - 1 - back
        return self.items[np.maximum(places, self.indptr[:-1])], places >= self.indptr[:-1]


def features(
    first: HistoryModel, movies: MovieStatistics, question: Question, base: Scores
) -> NDArray[np.float32]:
    """What the trees are shown of each candidate.

    Args:
        first: the first stage.
        movies: what all users did with each movie.
        question: who asks and what about.
        base: float32 [n, candidates], the first stage's scores, best first.

    Returns:
        float32 [n, candidates, features], finite.
    """
    columns = [
        base,
        base - base[:, :1],
        *_liking(first, question),
        *_transitions(first, question),
        *_tastes(first, question),
        *_beside_all(movies, question),
        *_beside_own_years(first, question),
        *_beside_own_time(movies, question),
        *_of_the_user(question),
    ]
    return np.stack(columns, axis=2, dtype=np.float32)


def _liking(first: HistoryModel, question: Question) -> Columns:
    liked = first.preferences(question.indptr, question.ratings)
    weights = [liked * question.fading(steps) for steps in LIKING_STEPS]
    yield from question.log_shares(first.liking, weights)
    yield question.largest_weight(first.liking)


def _transitions(first: HistoryModel, question: Question) -> Columns:
    liked = first.preferences(question.indptr, question.ratings) > 0
    weights = [question.fading(steps) for steps in TRANSITION_STEPS]
    weights.append(liked * question.fading(first.recency.steps))
    yield from question.log_shares(first.transitions, weights)
    yield question.of_candidates(first.transitions[question.latest(0)[0]].toarray())


def _tastes(first: HistoryModel, question: Question) -> Columns:
    size = first.liking.shape[0]
    falling, floor = question.fading(first.recency.steps), first.recency.floor
    lasting = question.weighted((1 - floor) * falling + floor, size)
    liked = question.weighted(first.preferences(question.indptr, question.ratings), size)
    yield question.of_candidates(first.of_their_years(lasting))
    for histories in (lasting, question.weighted(falling, size), liked):
        yield question.of_candidates(first.of_their_genres(histories))


def _beside_all(movies: MovieStatistics, question: Question) -> Columns:
    counts = movies.counts[question.candidates]
    own = movies.counts[question.items]
    usual = question.mean(own, np.ones(len(own)))
    yield counts
    yield movies.means[question.candidates]
    yield movies.liked[question.candidates]
    yield counts - question.for_each(question.mean(own, question.fading(LATELY)))
    yield question.for_each(usual)


def _beside_own_years(first: HistoryModel, question: Question) -> Columns:
    known = first.year_places >= 0
    typical = np.median(first.year_places[known]) if known.any() else 0
    years = np.where(known, first.year_places, typical).astype(np.float32)
    own, theirs = years[question.items], years[question.candidates]
    yield theirs
    yield theirs - question.for_each(question.days / 365.25)
    for beside in (
        question.mean(own, question.fading(LATELY)),
        question.largest(own),
        years[question.latest(0)[0]],
    ):
        yield theirs - question.for_each(beside)


def _beside_own_time(movies: MovieStatistics, question: Question) -> Columns:
    firsts, middles = movies.firsts[question.candidates], movies.days[question.candidates]
    now = question.for_each(question.days)
    yield firsts - now
    yield middles - now
    yield firsts - question.for_each(question.largest(movies.firsts[question.items]))
    lately = question.mean(movies.days[question.items], question.fading(LATELY))
    yield middles - question.for_each(lately)
    periods = np.searchsorted(movies.ends, question.days)
    then = movies.popularity[periods[:, None], question.candidates]
    yield then
    yield then - movies.counts[question.candidates]


def _of_the_user(question: Question) -> Columns:
    rated = ~np.isnan(question.ratings)
    mean = question.mean(np.where(rated, question.ratings, 0), rated.astype(np.float64))
    yield question.for_each(np.log1p(np.diff(question.indptr)))
    yield question.for_each(mean)
