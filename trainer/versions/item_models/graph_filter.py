"""What GF-CF learned of the items: products of neighbours, and a low pass of a few vectors."""

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
class GraphFilterModel:
    """A filter for likes; see `trainer.algorithms.gfcf`."""

    array_names: ClassVar[tuple[str, ...]] = (
        *csr_names("products"),
        "vectors",
        "degree_roots",
    )
    logarithmic: ClassVar[bool] = False
    includes_popularity: ClassVar[bool] = False
    exactness: ClassVar[str] = "exact: a score is the sum of what the user's movies contribute"

    products: sparse.csr_array
    """float32 [items, items]: row: the item that was liked; column: the item scored."""
    vectors: NDArray[np.float32]
    """float32 [vectors, items]."""
    degree_roots: NDArray[np.float32]
    """float32 [items]: root of how many liked each; 0 for those that the low pass passes over."""
    midpoint: float
    low_pass: float

    @classmethod
    def restore(cls, parameters: Parameters, popular: Items, arrays: Arrays) -> Self:
        """Put the matrix together from its three arrays, without copying them."""
        products = csr_matrix(arrays, "products", len(popular))
        vectors, roots = arrays["vectors"], arrays["degree_roots"]
        return cls(products, vectors, roots, parameters["midpoint"], parameters["low_pass"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The matrix in CSR, the vectors and the roots."""
        return {
            **csr_arrays("products", self.products),
            "vectors": self.vectors,
            "degree_roots": self.degree_roots,
        }

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Filter what was liked; what was watched and not rated counts as liked."""
        liked = np.asarray(items)[np.isnan(ratings) | (ratings >= self.midpoint)]
        ones = np.ones(len(liked), np.float32)
        likes = sparse.csr_array(
            (ones, liked, np.array([0, len(liked)])), shape=(1, len(self.degree_roots))
        )
        scores: Scores = self.filtered(likes)[0]
        return scores

    def contributions(self, items: Items, ratings: Ratings, targets: Items) -> Contributions:
        """What the filter makes of each liked item alone: a score is the sum."""
        liked = np.isnan(ratings) | (ratings >= self.midpoint)
        near = self.products[items][:, targets].toarray()
        smooth = self._scaled()[:, items].T @ self.vectors[:, targets] * self.degree_roots[targets]
        return np.asarray(liked[:, None] * (near + self.low_pass * smooth), np.float32)

    def similar(self, items: Items) -> Similarity | None:
        """By the products of neighbours."""
        return by_weights(self.products, items)

    def filtered(self, likes: sparse.csr_array) -> Scores:
        """float32 [n, items]: what the filter makes of some rows of likes, float32 [n, items]."""
        near = (likes @ self.products).toarray()
        smooth = (likes @ self._scaled().T) @ self.vectors * self.degree_roots
        return np.asarray(near + self.low_pass * smooth, np.float32)

    def _scaled(self) -> NDArray[np.float32]:
        roots = self.degree_roots
        inverse = np.divide(1, roots, where=roots > 0, out=np.zeros_like(roots))
        return np.asarray(self.vectors * inverse, np.float32)
