"""A history in its order: item weights, transitions, release years and genres, blended."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.versions.item_models.item_model import (
    NOTHING,
    Arrays,
    Contributions,
    Items,
    Parameters,
    Ratings,
    Scores,
    Similarity,
)
from trainer.versions.item_models.similarity import by_weights
from trainer.versions.item_models.sparse_arrays import csr_arrays, csr_matrix, csr_names

Matrix = NDArray[np.floating]

SHARE_FLOOR = 0.1
"""Added to each item's share before its logarithm is taken, in units of the mean share."""
YEAR_FLOOR = 0.002
YEAR_REACH = 3.0
"""Years over which a release year speaks for those around it."""


@dataclass(frozen=True)
class Blend:
    """How the signs that a history gives are weighed against each other."""

    transitions: float
    """Weight of what usually follows the latest items, against what goes with all of them."""
    years: float
    """Weight of how often the history holds items of such a year, against how often all do."""
    genres: float
    """Weight of how close an item's genres are to those of the history."""


@dataclass(frozen=True)
class Recency:
    """How what is longer ago counts less."""

    steps: float
    """After so many later items, what one counts has fallen to 1/e of the part that falls."""
    floor: float
    """The share that never falls where tastes are meant, and not what follows what."""

    def weights(self, indptr: NDArray[np.int64]) -> NDArray[np.float64]:
        """float64 [interactions]: for each history, oldest first, the part that falls."""
        ends = np.repeat(indptr[1:], np.diff(indptr))
        return np.exp(-(ends - 1 - np.arange(indptr[-1])) / self.steps)


@dataclass(frozen=True)
class HistoryModel:
    """Scores by a history in its order: EASE's weights, transitions, release years, genres.

    With E the sum of the weights from what was liked, lately liked more, and T that of the
    transitions from the latest items, a score is log E + a log T + b log(years) + c genres;
    E and T are each put over their mean over all items first.
    """

    array_names: ClassVar[tuple[str, ...]] = (
        *csr_names("weights"),
        *csr_names("transitions"),
        "year_places",
        "year_shares",
        "genre_weights",
    )
    logarithmic: ClassVar[bool] = True
    includes_popularity: ClassVar[bool] = False
    exactness: ClassVar[str] = (
        "by own terms: how far a score falls without the movie's; these do not add up"
    )

    liking: sparse.csr_array
    """float32 [items, items]: row: the item that was liked; column: the item scored."""
    transitions: sparse.csr_array
    """float32 [items, items]: row: the item before; column: the item some steps after it."""
    year_places: NDArray[np.int16]
    """int16 [items]: the place of the item's release year; -1 where it is not known."""
    year_shares: Scores
    """float32 [years]: share of all interactions around each year, smoothed."""
    genres: Scores
    """float32 [items, genres]: of length 1, or 0 where none is known."""
    midpoint: float
    mean_share: float
    """Ratings above midpoint + mean_share * (the user's mean) speak for an item."""
    watched_preference: float
    """What an item that was watched but not rated counts, as a distance above that."""
    recency: Recency
    blend: Blend

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Put the matrices together from their arrays, without copying them."""
        return cls(
            csr_matrix(arrays, "weights", len(popular)),
            csr_matrix(arrays, "transitions", len(popular)),
            arrays["year_places"],
            arrays["year_shares"],
            arrays["genre_weights"],
            parameters["midpoint"],
            parameters["mean_share"],
            parameters["watched_preference"],
            Recency(parameters["recency_steps"], parameters["recency_floor"]),
            Blend(
                parameters["transitions_weight"],
                parameters["years_weight"],
                parameters["genres_weight"],
            ),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Two matrices in CSR, and what is known of the items."""
        return {
            **csr_arrays("weights", self.liking),
            **csr_arrays("transitions", self.transitions),
            "year_places": self.year_places,
            "year_shares": self.year_shares,
            "genre_weights": self.genres,
        }

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for a history, oldest first."""
        scores: Scores = self.score(np.array([0, len(items)]), items, ratings)[0]
        return scores

    def score(self, indptr: NDArray[np.int64], items: Items, ratings: Ratings) -> Scores:
        """Score every item for some histories.

        Args:
            indptr: int64 [n + 1], where each history starts.
            items: int32 [interactions], oldest first in each history.
            ratings: float32 [interactions], NaN for watched but not rated.

        Returns:
            float32 [n, number of items].
        """
        falling = self.recency.weights(indptr)
        lasting = (1 - self.recency.floor) * falling + self.recency.floor

        def rows(values: NDArray[np.floating[Any]]) -> sparse.csr_array:
            shape = (len(indptr) - 1, self.liking.shape[0])
            return sparse.csr_array((values.astype(np.float32), items, indptr), shape=shape)

        preferences = self.preferences(indptr, ratings)
        scores = log_share((rows(preferences * lasting) @ self.liking).toarray())
        if self.blend.transitions:
            following = (rows(falling) @ self.transitions).toarray()
            scores += self.blend.transitions * log_share(following)
        if self.blend.years:
            scores += self.blend.years * self.of_their_years(rows(lasting))
        if self.blend.genres:
            scores += self.blend.genres * self.of_their_genres(rows(lasting))
        return np.asarray(scores, np.float32)

    def preferences(self, indptr: NDArray[np.int64], ratings: Ratings) -> NDArray[np.float32]:
        """float32 [interactions]: how much each rating speaks for its item; see `preferences`."""
        return preferences(indptr, ratings, self.midpoint, self.mean_share, self.watched_preference)

    def of_their_years(self, histories: sparse.csr_array) -> Scores:
        """float32 [n, items]: how much more than all do weighted histories hold such years."""
        known = self.year_places >= 0
        shares = smoothed_years(histories[:, known], self.year_places[known], len(self.year_shares))
        ratios = np.log((shares + YEAR_FLOOR) / (self.year_shares + YEAR_FLOOR))
        return np.where(known, ratios[:, self.year_places], 0)

    def of_their_genres(self, histories: sparse.csr_array) -> Scores:
        """float32 [n, items]: the cosine of each item's genres and those of weighted histories."""
        tastes = np.asarray(histories @ self.genres)
        lengths = np.linalg.norm(tastes, axis=1, keepdims=True)
        close: Scores = (tastes / np.maximum(lengths, NOTHING)) @ self.genres.T
        return close

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """How far each target's score falls without an item's own terms, all else as it was."""
        history = np.array([0, len(items)])
        falling = self.recency.weights(history)
        lasting = (1 - self.recency.floor) * falling + self.recency.floor
        liked = lasting * self.preferences(history, ratings)
        falls = _fall_of_share(self.liking[items], liked, targets)
        falls += self.blend.transitions * _fall_of_share(self.transitions[items], falling, targets)
        falls += self.blend.years * self._fall_of_years(items, lasting, targets)
        falls += self.blend.genres * self._fall_of_genres(items, lasting, targets)
        return np.asarray(falls, np.float32)

    def similar(self, items: Items) -> Similarity | None:
        """By their weights for each other."""
        return by_weights(self.liking, items)

    def _fall_of_years(self, items: Items, weights: Matrix, targets: Items) -> Matrix:
        places, wanted = self.year_places[items], self.year_places[targets]
        apart = np.abs(np.subtract.outer(places, np.arange(len(self.year_shares))))
        near = (weights * (places >= 0))[:, None] * np.exp(-apart / YEAR_REACH)

        def logs(values: Matrix) -> Matrix:
            shares = values / np.maximum(values.sum(axis=-1, keepdims=True), NOTHING)
            return np.log(shares[..., wanted] + YEAR_FLOOR)

        falls = logs(near.sum(axis=0)) - logs(near.sum(axis=0) - near)
        return np.where(wanted >= 0, falls, 0)

    def _fall_of_genres(self, items: Items, weights: Matrix, targets: Items) -> Matrix:
        tastes = weights[:, None] * self.genres[items]

        def closeness(taste: Matrix) -> Matrix:
            lengths = np.maximum(np.linalg.norm(taste, axis=-1, keepdims=True), NOTHING)
            return np.asarray((taste / lengths) @ self.genres[targets].T)

        return closeness(tastes.sum(axis=0)) - closeness(tastes.sum(axis=0) - tastes)


def preferences(
    indptr: NDArray[np.int64],
    ratings: Ratings,
    midpoint: float,
    mean_share: float,
    watched_preference: float,
) -> NDArray[np.float32]:
    """How much each rating speaks for its item: its height above what is usual for its user.

    Args:
        indptr: int64 [users + 1].
        ratings: float32 [interactions], NaN for watched but not rated.
        midpoint: what a rating has to be above of,
        mean_share: with this share of the user's mean added.
        watched_preference: for NaN.

    Returns:
        float32 [interactions], 0 or more.
    """
    rated = ~np.isnan(ratings)
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    sums = np.bincount(rows[rated], ratings[rated], minlength=len(indptr) - 1)
    numbers = np.bincount(rows[rated], minlength=len(indptr) - 1)
    usual = midpoint + mean_share * sums / np.maximum(1, numbers)
    above = np.maximum(ratings - usual[rows], 0)
    return np.where(rated, above, watched_preference).astype(np.float32)


def smoothed_years(
    histories: sparse.csr_array, places: NDArray[np.int16], years: int
) -> NDArray[np.float32]:
    """float32 [histories, years]: what share of each history is of about that year."""
    one_hot = sparse.csr_array(
        (np.ones(len(places), np.float32), (np.arange(len(places)), places)),
        shape=(len(places), years),
    )
    apart = np.abs(np.subtract.outer(np.arange(years), np.arange(years)))
    near = (histories @ one_hot).toarray() @ np.exp(-apart / YEAR_REACH)
    return np.asarray(near / np.maximum(near.sum(axis=1, keepdims=True), NOTHING), np.float32)


def log_share(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logarithm of each sum over the mean of its row; negative sums count as none."""
    positive = np.maximum(sums, 0)
    mean = np.maximum(positive.mean(axis=1, keepdims=True), NOTHING)
    return np.log(positive / mean + np.float32(SHARE_FLOOR))


def _fall_of_share(rows: sparse.csr_array, weights: Matrix, targets: Items) -> Matrix:
    """float64 [n, m]: how far log(share + floor) falls without each of the weighted rows."""
    sums = weights @ rows
    mean = max(float(np.maximum(sums, 0).mean()), float(NOTHING))
    without = sums[targets] - weights[:, None] * rows[:, targets].toarray()

    def logs(values: Matrix) -> Matrix:
        return np.log(np.maximum(values, 0) / mean + SHARE_FLOOR)

    return np.asarray(logs(sums[targets]) - logs(without))
