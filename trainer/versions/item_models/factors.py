"""Factors of items, for models that predict ratings: a user is a ridge regression (SVD, SVD++)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from trainer.versions.item_models.item_model import (
    Arrays,
    Contributions,
    Items,
    Parameters,
    Ratings,
    Scores,
    Similarity,
)
from trainer.versions.item_models.similarity import by_angle

Matrix = NDArray[np.floating]


@dataclass(frozen=True)
class FactorModel:
    """Factors and offsets of each item; a rating is an offset, the user's bias and a product."""

    array_names: ClassVar[tuple[str, ...]] = ("item_factors", "item_offsets", "item_prior")
    logarithmic: ClassVar[bool] = True
    includes_popularity: ClassVar[bool] = True
    exactness: ClassVar[str] = (
        "by leaving out: how far a score falls without the movie; these do not add up"
    )

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

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """How far each target's score falls when an item is left out and the user fitted again.

        These models go by ratings alone: what was only watched contributes nothing.
        """
        falls = np.zeros((len(items), len(targets)), np.float32)
        rated = ~np.isnan(ratings)
        if rated.any():
            falls[rated] = self.fold_in(items, ratings)[targets]
            falls[rated] -= self._scores_without_each(items[rated], ratings[rated], targets)
        return falls

    def similar(self, items: Items) -> Similarity | None:
        """By the angle of their factors."""
        return by_angle(self.factors[items])

    def _implied_without_each(self, items: Items, others: int) -> Matrix:
        """float64 [n, factors]: what having rated the others adds to the user's factors."""
        del others
        return np.zeros((len(items), self.factors.shape[1]))

    def _scores_without_each(self, items: Items, ratings: Ratings, targets: Items) -> Matrix:
        """float64 [n, m]: the scores when one of the rated items is left out, each in turn."""
        others = max(1, len(items) - 1)
        factors, wanted = _with_bias(self.factors[items]), _with_bias(self.factors[targets])
        implied = self._implied_without_each(items, others)
        residuals = ratings - self.offsets[items]
        left_out = residuals - np.einsum("nf,nf->n", implied, self.factors[items])
        normal = factors.T @ factors + self.regularisation * others * np.eye(factors.shape[1])
        pulls = factors.T @ residuals - implied @ (self.factors[items].T @ factors)
        users = np.linalg.solve(normal, (pulls - left_out[:, None] * factors).T).T
        users += _change_without_row(normal, factors, users)
        base = self.offsets[targets] + self.prior[targets] + implied @ self.factors[targets].T
        scores: Matrix = base + users @ wanted.T
        return scores


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

    def _implied_without_each(self, items: Items, others: int) -> Matrix:
        implicit = self.implicit[items].astype(np.float64)
        implied: Matrix = (implicit.sum(axis=0) - implicit) / np.sqrt(others)
        return implied


def _change_without_row(normal: Matrix, factors: Matrix, users: Matrix) -> Matrix:
    """float64 [n, factors]: what solutions change by when `normal` loses the row of each item.

    J. Sherman and W. J. Morrison, "Adjustment of an Inverse Matrix Corresponding to a Change
    in One Element of a Given Matrix", Annals of Mathematical Statistics, 1950.
    """
    solved = np.linalg.solve(normal, factors.T).T
    leverages = np.einsum("nf,nf->n", factors, solved)
    change: Matrix = solved * (np.einsum("nf,nf->n", factors, users) / (1 - leverages))[:, None]
    return change


def _with_bias(factors: NDArray[np.float32]) -> Matrix:
    return np.column_stack([np.ones(len(factors)), factors.astype(np.float64)])
