"""A ranker in two stages: a history model picks candidates, boosted trees put them in order."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from trainer.versions.item_models.candidate_features import (
    FEATURE_SET,
    MovieStatistics,
    Question,
    features,
)
from trainer.versions.item_models.history import HistoryModel
from trainer.versions.item_models.item_model import (
    Arrays,
    Contributions,
    Items,
    Parameters,
    Ratings,
    Scores,
    Similarity,
)
from trainer.versions.item_models.trees import Trees


@dataclass(frozen=True)
class Shown:
    """What the trees are shown of some users."""

    candidates: Items
    """int32 [n, candidates]: the items of the highest scores, best first."""
    base: Scores
    """float32 [n, candidates]: their scores by the first stage."""
    features: NDArray[np.float32]
    """float32 [n, candidates, features]."""


@dataclass(frozen=True)
class RerankedModel:
    """A history model whose best candidates are put in order by trees; the rest comes after."""

    array_names: ClassVar[tuple[str, ...]] = (
        *HistoryModel.array_names,
        *MovieStatistics.array_names,
        *Trees.array_names,
    )
    logarithmic: ClassVar[bool] = True
    includes_popularity: ClassVar[bool] = False
    exactness: ClassVar[str] = (
        "of the first stage, whose candidates trees put in order; these do not add up"
    )

    first: HistoryModel
    movies: MovieStatistics
    trees: Trees
    candidates: int
    """How many are put in order."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Put both stages together from their arrays, without copying them.

        Raises:
            ValueError: its trees ask for other features than this code computes.
        """
        if parameters["feature_set"] != FEATURE_SET:
            raise ValueError(f"its trees know features {parameters['feature_set']}")
        return cls(
            HistoryModel.restore(parameters, popular, arrays),
            MovieStatistics.restore(arrays),
            Trees.restore(arrays),
            parameters["reranked"],
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of both stages."""
        return {**self.first.arrays(), **self.movies.arrays(), **self.trees.arrays()}

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for a history, oldest first, that asks when training ended."""
        items, ratings = np.asarray(items, np.int32), np.asarray(ratings, np.float32)
        scores: Scores = self.score(np.array([0, len(items)]), items, ratings)[0]
        return scores

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """Of the first stage."""
        return self.first.contributions(items, ratings, targets)

    def similar(self, items: Items) -> Similarity | None:
        """To the first stage."""
        return self.first.similar(items)

    def score(
        self,
        indptr: NDArray[np.int64],
        items: Items,
        ratings: Ratings,
        days: NDArray[np.float64] | None = None,
    ) -> Scores:
        """Score every item for some histories.

        Args:
            indptr: int64 [n + 1], where each history starts.
            items: int32 [interactions], oldest first in each history.
            ratings: float32 [interactions], NaN for watched but not rated.
            days: float64 [n]: when each asks, in days after the latest interaction of all; by
                default everybody asks then.

        Returns:
            float32 [n, number of items].
        """
        scores = self.first.score(indptr, items, ratings)
        some = np.flatnonzero(np.diff(indptr))
        if len(some):
            histories = np.append(indptr[some], indptr[-1]), items, ratings
            asked = np.zeros(len(some)) if days is None else days[some]
            shown = self.shown(scores[some], *histories, asked)
            flat = shown.features.reshape(-1, shown.features.shape[-1])
            learned = self.trees.score(flat).reshape(shown.base.shape)
            ordered = (shown.base + learned).astype(np.float32)
            scores[some] = _above_the_rest(scores[some], shown.candidates, ordered)
        return scores

    def shown(
        self,
        scores: Scores,
        indptr: NDArray[np.int64],
        items: Items,
        ratings: Ratings,
        days: NDArray[np.float64],
    ) -> Shown:
        """What the trees are shown of some histories, each of one item at least.

        Args:
            scores: float32 [n, items], by the first stage.
            indptr: as the rest for `score`.
            items: of all.
            ratings: of all.
            days: of each.
        """
        candidates = best_unknown(scores, indptr, items, self.candidates)
        question = Question(indptr, items, ratings, days, candidates)
        base = question.of_candidates(scores)
        return Shown(candidates, base, features(self.first, self.movies, question, base))


def best_unknown(
    scores: Scores, indptr: NDArray[np.int64], items: Items, count: int
) -> NDArray[np.int32]:
    """int32 [n, count]: the items of the highest scores but for the history's, best first.

    Args:
        scores: float32 [n, items].
        indptr: int64 [n + 1], where each history starts.
        items: int32 [interactions].
        count: how many at most; items of the history fill up where there are no others.
    """
    unknown = scores.copy()
    unknown[np.repeat(np.arange(len(scores)), np.diff(indptr)), items] = -np.inf
    count = min(count, scores.shape[1])
    best = np.argpartition(-unknown, count - 1, axis=1)[:, :count]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(unknown, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1).astype(np.int32)


def _above_the_rest(scores: Scores, candidates: NDArray[np.int32], ordered: Scores) -> Scores:
    """The scores with those of candidates replaced, and all others moved below them."""
    rest = scores.copy()
    np.put_along_axis(rest, candidates.astype(np.intp), -np.inf, axis=1)
    highest = rest.max(axis=1, keepdims=True)
    lowest = ordered.min(axis=1, keepdims=True)
    result = scores - np.maximum(0, np.where(np.isfinite(highest), highest - lowest, 0))
    np.put_along_axis(result, candidates.astype(np.intp), ordered, axis=1)
    return np.asarray(result, np.float32)
