"""How good a model is on what it was not shown, and how sure that is.

Every movie competes but those in the user's own history. A held-out movie is relevant when
it was liked. Discounted gain is binary, by log2(rank + 1), over the ideal of
min(20, relevant); recall is over min(20, relevant) too. Users without a relevant movie, or
without any history, say nothing about a ranking and are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.algorithms.algorithm import FittedModel, RatingModel
from trainer.data.interactions import Interactions, Liked
from trainer.data.split import Split
from trainer.evaluation.top_lists import USERS_AT_ONCE, rank_held
from trainer.versions.popularity_prior import Held

DEPTH = 20
RESAMPLES = 2_000
DECOY_USERS = 2_000
CALIBRATION_GROUPS = 10
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
    precision: NDArray[np.float64]
    """float64 [judged users]: average precision, over min(20, relevant)."""
    rows: NDArray[np.int32]
    """int32 [judged users]: their rows in the matrix."""
    lists: NDArray[np.int32]
    """int32 [judged users, 20]: what they were shown; `PADDING` where there was no more."""

    @property
    def mean_ndcg(self) -> float:
        """The mean over the judged users; 0 when there is none."""
        return float(self.ndcg.mean()) if len(self.ndcg) else 0.0


@dataclass(frozen=True)
class Calibration:
    """What was predicted and what was given, of predictions that are alike."""

    predicted: float
    """Their mean."""
    given: Figure
    """The mean of the ratings given, with an interval."""


@dataclass(frozen=True)
class RatingError:
    """How far predicted ratings are off, in points of the scale."""

    rmse: float
    mae: float
    calibration: Sequence[Calibration] = ()
    """Of groups of equal size, the lowest predictions first."""


def judge_ranking(
    model: FittedModel, split: Split, liked: Liked, rows: NDArray[np.int32] | None = None
) -> RankingFigures:
    """Rank for everybody with a relevant held-out movie, and see how high it came.

    Args:
        model: fitted to the split's training part.
        split: one matrix in two parts.
        liked: a held-out movie that was liked is relevant.
        rows: int32 [n]: for whom; by default `judged_rows`.
    """
    return judge_rankings(model, [None], split, liked, rows)[0]


def judge_rankings(
    model: FittedModel,
    held: Sequence[Held | None],
    split: Split,
    liked: Liked,
    rows: NDArray[np.int32] | None = None,
) -> list[RankingFigures]:
    """The same for one model whose scores, computed once, are held in several ways, or not.

    Args:
        model: fitted to the split's training part.
        held: each way; None for the model's own scores.
        split: one matrix in two parts.
        liked: a held-out movie that was liked is relevant.
        rows: int32 [n]: for whom; by default `judged_rows`.
    """
    relevant = split.relevant(liked)
    judged = judged_rows(split, liked) if rows is None else rows
    lists = [[np.zeros((0, DEPTH), np.int32)] for _ in held]
    for _, tops in rank_held(model, held, split.training, judged, DEPTH):
        for of_one, top in zip(lists, tops, strict=True):
            of_one.append(top.items)
    return [_judged(relevant, judged, np.vstack(of_one)) for of_one in lists]


def judged_rows(split: Split, liked: Liked, *, known: bool = True) -> NDArray[np.int32]:
    """int32 [n]: the users with a relevant held-out movie, of whom something is `known` or not."""
    relevant = split.relevant(liked)
    able = np.diff(relevant.indptr) > 0
    return np.flatnonzero(able & ((np.diff(split.training.indptr) > 0) == known)).astype(np.int32)


def judge_one_list(items: NDArray[np.int32], relevant: Interactions) -> NDArray[np.float64]:
    """float64 [people with a relevant movie]: NDCG of the same list for everybody.

    Args:
        items: int32 [n], the best first; the first 20 are judged.
        relevant: what each is to find.
    """
    worth, first = np.zeros(len(relevant.movies)), items[:DEPTH]
    worth[first] = DISCOUNTS[: len(first)]
    numbers = np.diff(relevant.indptr)
    found = np.bincount(relevant.rows(), worth[relevant.items], len(numbers))
    some = numbers > 0
    return np.asarray(found[some] / IDEAL[np.minimum(numbers[some], DEPTH) - 1], np.float64)


def judge_for_movies(
    ranking: RankingFigures, split: Split, liked: Liked, movies: NDArray[np.bool_]
) -> RankingFigures:
    """The same lists, with nothing but some movies to be found in them.

    Args:
        ranking: of a model judged on this split.
        split: one matrix in two parts.
        liked: a held-out movie that was liked is relevant,
        movies: if it is one of these: bool [movies]. Who has none of them is left out.
    """
    relevant = split.relevant(liked)
    relevant = relevant.only(movies[relevant.items])
    some = np.diff(relevant.indptr)[ranking.rows] > 0
    return _judged(relevant, ranking.rows[some], ranking.lists[some])


def _judged(
    relevant: Interactions, rows: NDArray[np.int32], lists: NDArray[np.int32]
) -> RankingFigures:
    hits = _hits_of(relevant, rows, lists)
    possible = np.minimum(np.diff(relevant.indptr)[rows], DEPTH)
    precisions = np.cumsum(hits, axis=1) / np.arange(1, DEPTH + 1)
    return RankingFigures(
        ndcg=hits @ DISCOUNTS / IDEAL[possible - 1],
        recall=hits.sum(axis=1) / possible,
        precision=(precisions * hits).sum(axis=1) / possible,
        rows=rows,
        lists=lists,
    )


def hits_by_place(
    ranking: RankingFigures, split: Split, liked: Liked | None = None
) -> NDArray[np.float64]:
    """float64 [20]: of the judged users, the share who liked what stood at each place.

    Without `liked`, the share who watched or rated it at all.
    """
    relevant = split.test if liked is None else split.relevant(liked)
    hits = _hits_of(relevant, ranking.rows, ranking.lists)
    return hits.sum(axis=0) / max(len(hits), 1)


def _hits_of(
    relevant: Interactions, rows: NDArray[np.int32], lists: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Bool [users, 20]: whether each listed movie is a relevant one."""
    hits = np.zeros(lists.shape, np.bool_)
    wanted = relevant.matrix(np.ones(len(relevant), np.float32))
    for start in range(0, len(rows), USERS_AT_ONCE):
        piece = slice(start, start + USERS_AT_ONCE)
        hits[piece] = _hits(wanted[rows[piece]].toarray() > 0, lists[piece])
    return hits


def _hits(wanted: NDArray[np.bool_], items: NDArray[np.int32]) -> NDArray[np.bool_]:
    return np.take_along_axis(wanted, items.astype(np.intp), axis=1) & (items >= 0)


def decoy_places(model: FittedModel, split: Split) -> NDArray[np.float64]:
    """Where each user's decoys movie comes among all that the user never met.

    Args:
        model: fitted to the split's training part.
        split: with decoys movies.

    Returns:
        float64 [n], 0 for the first and 1 for the last; of equal scores the middle. At most
        `DECOY_USERS` users are asked for. Without knowledge these are uniform.
    """
    if split.decoys is None:
        return np.empty(0)
    everybody = np.flatnonzero((split.decoys >= 0) & (np.diff(split.training.indptr) > 0))
    asked = everybody[:: max(1, len(everybody) // DECOY_USERS)].astype(np.int32)
    met = split.training.matrix(np.ones(len(split.training), np.float32))
    met = met + split.test.matrix(np.ones(len(split.test), np.float32))
    pieces = [
        _places(model, met, piece, split.decoys[piece])
        for piece in np.split(asked, range(USERS_AT_ONCE, len(asked), USERS_AT_ONCE))
    ]
    return np.concatenate(pieces)


def _places(
    model: FittedModel,
    met: sparse.csr_array,
    rows: NDArray[np.int32],
    decoys: NDArray[np.int32],
) -> NDArray[np.float64]:
    scores = model.score(rows)
    own = scores[np.arange(len(rows)), decoys][:, None]
    others = met[rows].toarray() == 0
    better = ((scores > own) & others).sum(axis=1) + ((scores == own) & others).sum(axis=1) / 2
    return np.asarray(better / np.maximum(1, others.sum(axis=1)), np.float64)


def judge_ratings(model: RatingModel, test: Interactions) -> RatingError | None:
    """Predict every held-out rating; None when there is none."""
    rated = test.only(~np.isnan(test.ratings))
    if not len(rated):
        return None
    predicted = model.predict(rated.rows(), rated.items).astype(np.float64)
    given = rated.ratings.astype(np.float64)
    errors = predicted - given
    return RatingError(
        float(np.sqrt(np.mean(errors**2))),
        float(np.mean(np.abs(errors))),
        list(calibration(predicted, given)),
    )


def calibration(
    predicted: NDArray[np.float64], given: NDArray[np.float64]
) -> Iterator[Calibration]:
    """Whether who is predicted more gives more: a group for each tenth of the predictions.

    Args:
        predicted: float64 [ratings], at least one.
        given: float64 [ratings], of the same people for the same movies.
    """
    order = np.argsort(predicted, kind="stable")
    for group in np.array_split(order, min(CALIBRATION_GROUPS, len(order))):
        mean, half = given[group].mean(), 1.96 * given[group].std() / np.sqrt(len(group))
        yield Calibration(
            float(predicted[group].mean()),
            Figure(float(mean), float(mean - half), float(mean + half)),
        )


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
