"""Factors of items found by alternating least squares: a user is one more exact step."""

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


@dataclass(frozen=True)
class AlsModel:
    """Factors of each item, found by weighted least squares (Hu, Koren and Volinsky)."""

    array_names: ClassVar[tuple[str, ...]] = ("item_factors", "factor_products")
    logarithmic: ClassVar[bool] = False
    includes_popularity: ClassVar[bool] = False
    exactness: ClassVar[str] = (
        "by leaving out: how far a score falls without the movie; these do not add up"
    )

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

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """How far each target's score falls when an item is left out and the user solved again.

        J. Sherman and W. J. Morrison, "Adjustment of an Inverse Matrix Corresponding to a Change
        in One Element of a Given Matrix", Annals of Mathematical Statistics, 1950.
        """
        held = self.confidences(ratings).astype(np.float64)
        factors = self.factors[items].astype(np.float64) * (held > 0)[:, None]
        weights = np.where(held > 0, held - 1, 0)
        normal = self.products + (factors.T * weights) @ factors
        normal += self.regularisation * np.eye(len(normal))
        solved = np.linalg.solve(normal, factors.T)
        predicted = factors @ (solved @ held)
        leverages = np.einsum("nf,fn->n", factors, solved)
        falls = (held - weights * predicted) / (1 - weights * leverages)
        return np.asarray(falls[:, None] * (solved.T @ self.factors[targets].T), np.float32)

    def similar(self, items: Items) -> Similarity | None:
        """By the angle of their factors."""
        return by_angle(self.factors[items])
