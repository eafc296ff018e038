"""Weights between items: each item that was liked speaks for others (EASE, and its like)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.versions.item_models.item_model import (
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


@dataclass(frozen=True)
class ItemWeightsModel:
    """A sparse matrix that says how much liking one item speaks for another (EASE's B)."""

    array_names: ClassVar[tuple[str, ...]] = csr_names("weights")
    logarithmic: ClassVar[bool] = False
    includes_popularity: ClassVar[bool] = False
    exactness: ClassVar[str] = "exact: a score is the sum of what the user's movies contribute"

    weights: sparse.csr_array
    """float32 [items, items]: row: the item that was liked; column: the item scored."""
    midpoint: float
    """Ratings above it speak for a movie, by how far they are above; others say nothing."""
    watched_preference: float
    """What a movie that was watched but not rated counts, as a distance above the midpoint."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Put the matrix together from its three arrays, without copying them."""
        weights = csr_matrix(arrays, "weights", len(popular))
        return cls(weights, parameters["midpoint"], parameters["watched_preference"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The three arrays of the matrix in CSR."""
        return csr_arrays("weights", self.weights)

    def preferences(self, ratings: Ratings) -> Scores:
        """How much each rating speaks for its movie: float32, 0 or more."""
        above = np.maximum(ratings - self.midpoint, 0.0)
        return np.where(np.isnan(ratings), self.watched_preference, above).astype(np.float32)

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """The sum of the items' rows, weighted by the preferences."""
        preferences = self.preferences(np.asarray(ratings, np.float32))
        return np.asarray(preferences @ self.weights[np.asarray(items)], np.float32)

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """The terms of the sum that a score is."""
        weights = self.weights[items][:, targets].toarray()
        return np.asarray(weights * self.preferences(ratings)[:, None], np.float32)

    def similar(self, items: Items) -> Similarity | None:
        """By their weights for each other."""
        return by_weights(self.weights, items)
