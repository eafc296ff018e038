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
    logarithmic: ClassVar[bool]
    """Whether its scores are logarithms of evidence, and not evidence itself."""

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
            items: int32 [n], item indices, each at most once, in order of time: the latest last.
            ratings: float32 [n], on the stream's scale; NaN for watched but not rated.

        Returns:
            float32 [number of items], the higher the better; `items` are scored as well.
        """
        ...


@dataclass(frozen=True)
class PopularityModel:
    """The items by how many people met them; the same for everybody."""

    array_names: ClassVar[tuple[str, ...]] = ()
    logarithmic: ClassVar[bool] = True

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
    logarithmic: ClassVar[bool] = False

    weights: sparse.csr_array
    """float32 [items, items]: row: the item that was liked; column: the item scored."""
    midpoint: float
    """Ratings above it speak for a movie, by how far they are above; others say nothing."""
    watched_preference: float
    """What a movie that was watched but not rated counts, as a distance above the midpoint."""

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Put the matrix together from its three arrays, without copying them."""
        weights = _square(arrays, "weights", len(popular))
        return cls(weights, parameters["midpoint"], parameters["watched_preference"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The three arrays of the matrix in CSR."""
        return _csr_arrays("weights", self.weights)

    def preferences(self, ratings: Ratings) -> Scores:
        """How much each rating speaks for its movie: float32, 0 or more."""
        above = np.maximum(ratings - self.midpoint, 0.0)
        return np.where(np.isnan(ratings), self.watched_preference, above).astype(np.float32)

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Scores:
        """float32 [n, targets]: what each of somebody's items added to the score of each target."""
        weights = self.weights[items][:, targets].toarray()
        return np.asarray(weights * self.preferences(ratings)[:, None], np.float32)

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """The sum of the items' rows, weighted by the preferences."""
        preferences = self.preferences(np.asarray(ratings, np.float32))
        return np.asarray(preferences @ self.weights[np.asarray(items)], np.float32)


@dataclass(frozen=True)
class FactorModel:
    """Factors and offsets of each item; a rating is an offset, the user's bias and a product."""

    array_names: ClassVar[tuple[str, ...]] = ("item_factors", "item_offsets", "item_prior")
    logarithmic: ClassVar[bool] = True

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


@dataclass(frozen=True)
class AlsModel:
    """Factors of each item, found by weighted least squares (Hu, Koren and Volinsky)."""

    array_names: ClassVar[tuple[str, ...]] = ("item_factors", "factor_products")
    logarithmic: ClassVar[bool] = False

    factors: NDArray[np.float32]
    """float32 [items, factors]."""
    products: NDArray[np.float32]
    """float32 [factors, factors]: the factors' inner products, summed over all items."""
    midpoint: float
    watched_preference: float
    alpha: float
    """Confidence of what was liked, by how far it is above the midpoint."""
    regularisation: float

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Take the two arrays as they are."""
        del popular
        names = ("midpoint", "watched_preference", "alpha", "regularisation")
        factors, products = (arrays[name] for name in cls.array_names)
        return cls(factors, products, *(parameters[name] for name in names))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Factors and their products."""
        return {"item_factors": self.factors, "factor_products": self.products}

    def confidences(self, ratings: Ratings) -> Scores:
        """How firmly each rating is held to speak for its item: float32, 0 or more."""
        above = np.maximum(ratings - self.midpoint, 0.0)
        preferred = np.where(np.isnan(ratings), self.watched_preference, above)
        return (self.alpha * preferred).astype(np.float32)

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """With the items' side held still, one exact step of the alternation."""
        confidences = self.confidences(np.asarray(ratings, np.float32))
        liked = confidences > 0
        factors, held = self.factors[items[liked]], confidences[liked]
        normal = self.products + (factors.T * (held - 1)) @ factors
        normal += self.regularisation * np.eye(len(normal), dtype=np.float32)
        return np.asarray(self.factors @ np.linalg.solve(normal, factors.T @ held), np.float32)


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
        *ItemWeightsModel.array_names,
        "transitions_indptr",
        "transitions_indices",
        "transitions_data",
        "year_places",
        "year_shares",
        "genre_weights",
    )
    logarithmic: ClassVar[bool] = True

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
            _square(arrays, "weights", len(popular)),
            _square(arrays, "transitions", len(popular)),
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
            **_csr_arrays("weights", self.liking),
            **_csr_arrays("transitions", self.transitions),
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


SHARE_FLOOR = 0.1
"""Added to each item's share before its logarithm is taken, in units of the mean share."""
YEAR_FLOOR = 0.002
YEAR_REACH = 3.0
"""Years over which a release year speaks for those around it."""
NOTHING = np.float32(1e-12)


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


def _square(arrays: Arrays, name: str, size: int) -> sparse.csr_array:
    data, indices, indptr = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    return sparse.csr_array((data, indices, indptr), shape=(size, size))


def _csr_arrays(name: str, matrix: sparse.csr_array) -> dict[str, NDArray[Any]]:
    return {
        f"{name}_indptr": matrix.indptr.astype(np.int64),
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_data": matrix.data.astype(np.float32),
    }
