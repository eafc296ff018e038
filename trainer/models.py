"""What each algorithm learned of the items: enough to score anybody from a few ratings.

These need NumPy and SciPy only, so that a server can score a new user without the
libraries that fit the models. A rating of NaN stands for a movie that was watched, unrated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Items = NDArray[np.int32]
Scores = NDArray[np.float32]
Ratings = NDArray[np.float32]
Arrays = Mapping[str, NDArray[Any]]
Parameters = Mapping[str, Any]


class ItemModel(Protocol):
    """What is kept of a fitted model: it scores every item for somebody it never met."""

    array_names: ClassVar[tuple[str, ...]]
    """Names of the arrays it is saved as."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Rebuild it from the algorithm's parameters and the arrays it was saved as."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays to save it as, by the names in `array_names`."""
        ...

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for somebody who rated `items`.

        Args:
            items: int32 [n], item indices, each at most once.
            ratings: float32 [n], on the stream's scale; NaN for watched but not rated.

        Returns:
            float32 [number of items], the higher the better; `items` are scored as well.
        """
        ...


@dataclass(frozen=True)
class PopularityModel:
    """The items by how many people met them; the same for everybody."""

    array_names: ClassVar[tuple[str, ...]] = ()

    popular: Items
    """int32 [items]: item indices, most popular first."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Popularity is saved as the version's popular list, and nothing else."""
        del parameters, arrays
        return cls(popular)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Nothing beside the popular list that each version has."""
        return {}

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """The place from the end of the popular list; `items` and `ratings` change nothing."""
        del items, ratings
        scores = np.empty(len(self.popular), np.float32)
        scores[self.popular] = np.arange(len(self.popular), 0, -1)
        return scores


@dataclass(frozen=True)
class ItemWeightsModel:
    """A sparse matrix that says how much liking one item speaks for another (EASE's B)."""

    array_names: ClassVar[tuple[str, ...]] = ("weights_indptr", "weights_indices", "weights_data")

    weights: sparse.csr_array
    """float32 [items, items]: row: the item that was liked; column: the item scored."""
    midpoint: float
    """Ratings above it speak for a movie, by how far they are above; others say nothing."""
    watched_preference: float
    """What a movie that was watched but not rated counts, as a distance above the midpoint."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Put the matrix together from its three arrays, without copying them."""
        data, indices, indptr = (
            arrays[f"weights_{part}"] for part in ("data", "indices", "indptr")
        )
        weights = sparse.csr_array((data, indices, indptr), shape=(len(popular), len(popular)))
        return cls(weights, parameters["midpoint"], parameters["watched_preference"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The three arrays of the matrix in CSR."""
        return {
            "weights_indptr": self.weights.indptr.astype(np.int64),
            "weights_indices": self.weights.indices.astype(np.int32),
            "weights_data": self.weights.data.astype(np.float32),
        }

    def preferences(self, ratings: Ratings) -> Scores:
        """How much each rating speaks for its movie: float32, 0 or more."""
        above = np.maximum(ratings - self.midpoint, 0.0)
        return np.where(np.isnan(ratings), self.watched_preference, above).astype(np.float32)

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """The sum of the items' rows, weighted by the preferences."""
        preferences = self.preferences(np.asarray(ratings, np.float32))
        return np.asarray(preferences @ self.weights[np.asarray(items)], np.float32)


@dataclass(frozen=True)
class FactorModel:
    """Factors and offsets of each item; a rating is an offset, the user's bias and a product."""

    array_names: ClassVar[tuple[str, ...]] = ("item_factors", "item_offsets", "item_prior")

    factors: NDArray[np.float32]
    """float32 [items, factors]."""
    offsets: NDArray[np.float32]
    """float32 [items]: mean of all ratings plus the item's bias."""
    prior: NDArray[np.float32]
    """float32 [items]: what popularity adds when items are ranked."""
    regularisation: float
    """How strongly a user's bias and factors are held to zero, for each rating."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Take the three arrays as they are."""
        del popular
        factors, offsets, prior = (arrays[name] for name in FactorModel.array_names)
        return cls(factors, offsets, prior, parameters["regularisation"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Factors, offsets and prior."""
        return dict(zip(self.array_names, (self.factors, self.offsets, self.prior), strict=True))

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Predicted rating plus prior, after fitting bias and factors to the ratings.

        With the items' side held still this is a ridge regression, solved exactly.
        """
        rated = ~np.isnan(ratings)
        items = items[rated]
        if not len(items):
            return self.offsets + self.prior
        features = np.column_stack([np.ones(len(items), np.float32), self.factors[items]])
        penalty = self.regularisation * len(items) * np.eye(features.shape[1], dtype=np.float32)
        residuals = ratings[rated] - self.offsets[items]
        user = np.linalg.solve(features.T @ features + penalty, features.T @ residuals)
        predicted = self.offsets + user[0] + self.factors @ user[1:]
        return np.asarray(predicted + self.prior, np.float32)


@dataclass(frozen=True)
class ImplicitFactorModel(FactorModel):
    """Factors and offsets, and what having rated each item adds to a user's factors (SVD++)."""

    array_names: ClassVar[tuple[str, ...]] = (*FactorModel.array_names, "implicit_factors")

    implicit: NDArray[np.float32]
    """float32 [items, factors]."""

    @classmethod
    def of(cls, model: FactorModel, implicit: NDArray[np.float32]) -> Self:
        """Add implicit factors to a factor model."""
        return cls(model.factors, model.offsets, model.prior, model.regularisation, implicit)

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Take the four arrays as they are."""
        explicit = FactorModel.restore(parameters, popular, arrays)
        return cls.of(explicit, arrays["implicit_factors"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Factors, offsets, prior and implicit factors."""
        learned = (self.factors, self.offsets, self.prior, self.implicit)
        return dict(zip(self.array_names, learned, strict=True))

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """As `FactorModel`, after what the rated items add to the user's factors."""
        rated = items[~np.isnan(ratings)]
        if not len(rated):
            return super().fold_in(items, ratings)
        added = self.factors @ (self.implicit[rated].sum(axis=0) / np.sqrt(len(rated)))
        explicit = FactorModel(self.factors, self.offsets + added, self.prior, self.regularisation)
        return explicit.fold_in(items, ratings)


MODELS: Mapping[str, type[ItemModel]] = {
    "popularity": PopularityModel,
    "svd": FactorModel,
    "svdpp": ImplicitFactorModel,
    "ease": ItemWeightsModel,
}
"""Which model each algorithm leaves, by the algorithm's name."""
