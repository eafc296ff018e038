"""How good a model is on what it was not shown, and how sure that is.

Every movie competes but those in the user's own history. A held-out movie is relevant when
it was rated as liked. Discounted gain is binary, by log2(rank + 1), over the ideal of
min(20, relevant); recall is over min(20, relevant) too. Users without a relevant movie, or
without any history, say nothing about a ranking and are left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import FittedModel, RatingModel
from trainer.interactions import Interactions
from trainer.ranking import rank
from trainer.split import Split

DEPTH = 20
RESAMPLES = 2_000
DISCOUNTS = 1 / np.log2(np.arange(2, DEPTH + 2))
IDEAL = np.cumsum(DISCOUNTS)


@dataclass(frozen=True)
class Figure:
    """A mean with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class RankingFigures:
    """How well each judged user's list hit; models judged on one split have the same users."""

    ndcg: NDArray[np.float64]
    """float64 [judged users]."""
    recall: NDArray[np.float64]
    """float64 [judged users]."""

    @property
    def mean_ndcg(self) -> float:
        """The mean over the judged users; 0 when there is none."""
        return float(self.ndcg.mean()) if len(self.ndcg) else 0.0


@dataclass(frozen=True)
class RatingError:
    """How far predicted ratings are off, in points of the scale."""

    rmse: float
    mae: float


def judge_ranking(model: FittedModel, split: Split, liked: float) -> RankingFigures:
    """Rank for everybody with a relevant held-out movie, and see how high it came.

    Args:
        model: fitted to the split's training part.
        split: one matrix in two parts.
        liked: from this rating on a held-out movie is relevant.
    """
    relevant = split.test.only(split.test.ratings >= liked)
    numbers = np.diff(relevant.indptr)
    judged = np.flatnonzero((numbers > 0) & (np.diff(split.training.indptr) > 0))
    wanted = relevant.matrix(np.ones(len(relevant), np.float32))
    hits = [
        _hits(wanted[rows].toarray() > 0, lists.items)
        for rows, lists in rank(model, split.training, judged.astype(np.int32), DEPTH)
    ]
    return _figures(np.vstack([np.zeros((0, DEPTH)), *hits]), np.minimum(numbers[judged], DEPTH))


def _hits(wanted: NDArray[np.bool_], items: NDArray[np.int32]) -> NDArray[np.bool_]:
    return np.take_along_axis(wanted, items.astype(np.intp), axis=1) & (items >= 0)


def _figures(hits: NDArray[np.float64], possible: NDArray[np.int64]) -> RankingFigures:
    return RankingFigures(hits @ DISCOUNTS / IDEAL[possible - 1], hits.sum(axis=1) / possible)


def judge_ratings(model: RatingModel, test: Interactions) -> RatingError | None:
    """Predict every held-out rating; None when there is none."""
    rated = test.only(~np.isnan(test.ratings))
    if not len(rated):
        return None
    errors = model.predict(rated.rows(), rated.items).astype(np.float64) - rated.ratings
    return RatingError(float(np.sqrt(np.mean(errors**2))), float(np.mean(np.abs(errors))))


def mean_figure(values: NDArray[np.float64], random: np.random.Generator) -> Figure:
    """The mean of some users' values, with a bootstrap interval over the users.

    The difference of two models' values, user by user, makes it a paired one.

    Args:
        values: float64 [users], at least one.
        random: draws the resamples.
    """
    draws = (random.integers(len(values), size=len(values)) for _ in range(RESAMPLES))
    low, high = np.quantile([values[draw].mean() for draw in draws], [0.025, 0.975])
    return Figure(float(values.mean()), float(low), float(high))
