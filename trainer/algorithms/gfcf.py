"""GF-CF: likes as a signal on the graph of people and movies, of which the smooth part is kept.

Y. Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021. With R the
likes, each divided by the roots of how many its user and its movie have, a user's likes are
multiplied by RᵀR, and, weighted, by the ideal low pass of R's first singular vectors. It is
learned from who liked two movies or more: one like says nothing of what goes together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from trainer.algorithms.algorithm import Rows
from trainer.algorithms.suggestions import Suggestions, suggested
from trainer.data.interactions import Interactions, Scale
from trainer.errors import UnsuitableDataError
from trainer.versions.item_models.graph_filter import GraphFilterModel
from trainer.versions.item_models.item_model import Scores

SEED = 20
MOST_PAIRS = 200_000_000
"""Pairs of likes of one user, over all users: so many products are summed in half a minute."""


@dataclass(frozen=True)
class GfcfConfiguration:
    """How GF-CF is fitted."""

    midpoint: float
    """From here on a rating is a like; a viewing without one is."""
    low_pass: float
    """Weight of the ideal low pass."""
    vectors: int = 48
    """How many singular vectors the low pass lets through."""
    kept_weights: int = 256
    """How many products of movies are kept, on average for each."""


@dataclass(frozen=True)
class FittedGfcf:
    """The filter, and the likes it is asked with."""

    configuration: GfcfConfiguration
    item_model: GraphFilterModel
    likes: sparse.csr_array
    """float32 [users, items]."""

    def score(self, rows: Rows) -> Scores:
        """The users' likes, filtered."""
        return self.item_model.filtered(self.likes[rows])

    def reused(self, configuration: GfcfConfiguration) -> Self | None:
        """The same with another weight of the low pass; None where more than that differs."""
        if replace(self.configuration, low_pass=configuration.low_pass) != configuration:
            return None
        model = replace(self.item_model, low_pass=configuration.low_pass)
        return replace(self, configuration=configuration, item_model=model)


class Gfcf:
    """Fits the filter by one product and one partial decomposition."""

    name = "gfcf"

    def candidates(self, scale: Scale) -> Sequence[GfcfConfiguration]:
        """Three weights of the low pass."""
        return [GfcfConfiguration(scale.midpoint, weight) for weight in (0.3, 1.0, 3.5)]

    def configure(self, **parameters: Any) -> GfcfConfiguration:
        """The configuration that a version's parameters say."""
        return GfcfConfiguration(**parameters)

    def suggest(self, trial: Suggestions, usual: GfcfConfiguration) -> GfcfConfiguration:
        """Around a usual one: weight and width of the low pass."""
        return suggested(trial, usual, low_pass=(0.05, 10.0), vectors=(16, 128))

    def fit(self, interactions: Interactions, configuration: GfcfConfiguration) -> FittedGfcf:
        """Find products and vectors.

        Raises:
            UnsuitableDataError: nobody liked two movies, or people liked too many at once.
        """
        likes = interactions.matrix(_likes(interactions, configuration.midpoint))
        likes.eliminate_zeros()
        numbers = np.diff(likes.indptr)
        telling = sparse.csr_array(likes[numbers > 1])
        if not telling.nnz:
            raise UnsuitableDataError("gfcf learns from who liked two movies, and nobody did")
        if (pairs := int((numbers.astype(np.int64) ** 2).sum()) // 2) > MOST_PAIRS:
            raise UnsuitableDataError(
                f"gfcf is for at most {MOST_PAIRS:,} pairs of likes, and these are {pairs:,}"
            )
        return FittedGfcf(configuration, _model(telling, configuration), likes)


def _likes(interactions: Interactions, midpoint: float) -> NDArray[np.float32]:
    watched = np.isnan(interactions.ratings)
    return (watched | (interactions.ratings >= midpoint)).astype(np.float32)


def _model(likes: sparse.csr_array, configuration: GfcfConfiguration) -> GraphFilterModel:
    degrees = np.bincount(likes.indices, minlength=likes.shape[1]).astype(np.float32)
    roots = np.sqrt(degrees)
    inverse = np.divide(1, roots, where=roots > 0, out=np.zeros_like(roots))
    users = 1 / np.sqrt(np.diff(likes.indptr)).astype(np.float32)
    normal = sparse.diags_array(users) @ likes @ sparse.diags_array(inverse)
    products = sparse.csr_array(normal.T @ normal, dtype=np.float32)
    return GraphFilterModel(
        _largest(products, configuration.kept_weights * likes.shape[1]),
        _vectors(sparse.csr_array(normal), configuration.vectors),
        roots,
        configuration.midpoint,
        configuration.low_pass,
    )


def _vectors(normal: sparse.csr_array, number: int) -> NDArray[np.float32]:
    """float32 [number, items]: the first right singular vectors; fewer where there are fewer."""
    most = min(normal.shape) - 1
    if most < 1:
        return np.zeros((0, normal.shape[1]), np.float32)
    begin = np.random.default_rng(SEED).random(min(normal.shape))
    _, _, vectors = svds(normal.astype(np.float64), k=min(number, most), v0=begin)
    return np.asarray(vectors, np.float32)


def _largest(matrix: sparse.csr_array, kept: int) -> sparse.csr_array:
    if matrix.nnz > kept:
        cut = np.partition(matrix.data, matrix.nnz - kept)[matrix.nnz - kept]
        matrix.data[matrix.data < cut] = 0
        matrix.eliminate_zeros()
    return matrix
