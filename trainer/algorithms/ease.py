"""EASE: each item is scored from the others a user liked, by weights found in closed form.

H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019: with P the inverse
of XᵀX + λI, the weight of item i for item j is -P_ij / P_jj, and none for itself. With fewer
users than items the same weights come from M, the inverse of XXᵀ + λI (Woodbury): they are
x_iᵀ M x_j / (1 - x_jᵀ M x_j). Here X holds how far each rating is above the midpoint.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from trainer.algorithms.algorithm import Rows
from trainer.algorithms.suggestions import Suggestions, suggested
from trainer.data.interactions import Interactions, Scale
from trainer.versions.item_models.item_model import Scores
from trainer.versions.item_models.item_weights import ItemWeightsModel

LARGEST_INVERSE = 10_000
"""Rows of the largest matrix it inverts (400 MB): as many as users or movies, if either are fewer.

With more of both, the movies that most like get weights among themselves, and others none.
"""
ITEMS_AT_ONCE = 512

type Items = NDArray[np.intp]
type WeightsOf = Callable[[Items], NDArray[np.float32]]
"""For some items, float32 [n, items]: the weight of every item for each of them."""


@dataclass(frozen=True)
class EaseConfiguration:
    """How EASE is fitted."""

    regularisation: float
    """λ: the more, the closer the weights are held to zero."""
    midpoint: float
    """Ratings above it speak for a movie."""
    watched_preference: float
    """What a viewing without a rating counts, as a distance above the midpoint."""
    kept_weights: int = 256
    """How many weights are kept, on average for each item: those that move scores the most.

    A weight moves scores by its size times the norm of its item's preferences. 256 of 9,724
    change NDCG@20 on MovieLens by less than 0.001 and make the matrix 20 MB instead of 378.
    """


@dataclass(frozen=True)
class FittedEase:
    """The weights, and the preferences of those they were fitted to."""

    item_model: ItemWeightsModel
    preferences: sparse.csr_array
    """float32 [users, items]."""

    def score(self, rows: Rows) -> Scores:
        """Preferences times weights."""
        return np.asarray((self.preferences[rows] @ self.item_model.weights).todense(), np.float32)


class Ease:
    """Fits EASE in the smaller of its two forms and keeps the weights that matter."""

    name = "ease"

    def candidates(self, scale: Scale) -> Sequence[EaseConfiguration]:
        """λ of 300 and 1000 on a scale to 5, elsewhere scaled as the preferences' square."""
        unit = scale.highest - scale.midpoint
        return [
            EaseConfiguration(strength * unit**2, scale.midpoint, scale.watched_preference)
            for strength in (48, 160)
        ]

    def configure(self, **parameters: Any) -> EaseConfiguration:
        """The configuration that a version's parameters say."""
        return EaseConfiguration(**parameters)

    def suggest(self, trial: Suggestions, usual: EaseConfiguration) -> EaseConfiguration:
        """λ between a tenth and ten times the usual one."""
        return suggested(
            trial,
            usual,
            regularisation=(usual.regularisation / 10, usual.regularisation * 10),
        )

    def fit(self, interactions: Interactions, configuration: EaseConfiguration) -> FittedEase:
        """Find the weights."""
        empty = sparse.csr_array((1, 1), dtype=np.float32)
        model = ItemWeightsModel(empty, configuration.midpoint, configuration.watched_preference)
        preferences = interactions.matrix(model.preferences(interactions.ratings))
        preferences.eliminate_zeros()
        weights = largest_weights(
            preferences, configuration.regularisation, configuration.kept_weights
        )
        return FittedEase(
            ItemWeightsModel(weights, model.midpoint, model.watched_preference), preferences
        )


def largest_weights(
    preferences: sparse.csr_array, regularisation: float, kept: int
) -> sparse.csr_array:
    """EASE's weights, but for those that move scores least.

    Who liked one movie says nothing of what goes with it, and a movie that nobody else liked
    goes with none: both are left out, and the smaller side of the rest is turned round.

    Args:
        preferences: float32 [users, items].
        regularisation: λ.
        kept: how many weights are kept, on average for each item.

    Returns:
        float32 [items, items]: row: the item that was liked; column: the item scored.
    """
    items = preferences.shape[1]
    telling = sparse.csr_array(preferences[np.diff(preferences.indptr) > 1])
    liked = np.bincount(telling.indices, minlength=items)
    some = np.flatnonzero(liked)
    if min(telling.shape[0], len(some)) > LARGEST_INVERSE:
        some = np.sort(np.argsort(-liked, kind="stable")[:LARGEST_INVERSE])
    if not len(some):
        return sparse.csr_array((items, items), dtype=np.float32)
    weights = _largest_weights(telling[:, some], regularisation, kept)
    return _among(some, weights, items)


def _among(some: Items, weights: sparse.csr_array, items: int) -> sparse.csr_array:
    """Weights of some items for each other, in a matrix of all items."""
    lengths = np.zeros(items, np.int64)
    lengths[some] = np.diff(weights.indptr)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_array((weights.data, some[weights.indices], starts), shape=(items, items))


def _largest_weights(
    preferences: sparse.csr_array, regularisation: float, kept: int
) -> sparse.csr_array:
    users, items = preferences.shape
    weights_of = (_dual if users < items else _primal)(preferences, regularisation)
    reach = np.sqrt((preferences**2).sum(axis=0)).astype(np.float32)
    cut = _cut(weights_of, reach, kept)
    blocks = (
        weights_of(np.arange(start, min(start + ITEMS_AT_ONCE, items)))
        for start in range(0, items, ITEMS_AT_ONCE)
    )
    large = [sparse.csr_array(np.where(np.abs(block) * reach >= cut, block, 0)) for block in blocks]
    return sparse.csr_array(sparse.vstack(large, format="csr").T.tocsr())


def _cut(weights_of: WeightsOf, reach: NDArray[np.float32], kept: int) -> float:
    if kept >= len(reach):
        return 0.0
    sample = np.arange(0, len(reach), max(1, len(reach) // ITEMS_AT_ONCE))
    return float(np.quantile(np.abs(weights_of(sample)) * reach, 1 - kept / len(reach)))


def _primal(preferences: sparse.csr_array, regularisation: float) -> WeightsOf:
    inverse = _inverse(_products(preferences.T.tocsr(), preferences), regularisation)
    diagonal = inverse.diagonal().copy()

    def weights_of(targets: Items) -> NDArray[np.float32]:
        return _without_themselves(inverse[targets] / -diagonal[targets, None], targets)

    return weights_of


def _dual(preferences: sparse.csr_array, regularisation: float) -> WeightsOf:
    by_item = preferences.T.tocsr()
    inverse = _inverse(_products(preferences, by_item), regularisation)

    def weights_of(targets: Items) -> NDArray[np.float32]:
        explained = (by_item[targets] @ inverse) @ preferences
        own = explained[np.arange(len(targets)), targets]
        return _without_themselves(explained / (1 - own)[:, None], targets)

    return weights_of


def _products(rows: sparse.csr_array, columns: sparse.csr_array) -> NDArray[np.float32]:
    """float32 [n, n]: each row with each column; sparse, the whole would be larger."""
    number = rows.shape[0]
    products = np.empty((number, number), np.float32)
    for start in range(0, number, ITEMS_AT_ONCE):
        piece = slice(start, start + ITEMS_AT_ONCE)
        products[piece] = (rows[piece] @ columns).toarray()
    return products


def _inverse(gram: NDArray[np.float32], regularisation: float) -> NDArray[np.float32]:
    gram[np.diag_indices_from(gram)] += np.float32(regularisation)
    factor, _ = lapack.spotrf(gram.T, lower=True, overwrite_a=True)
    inverse, _ = lapack.spotri(factor, lower=True, overwrite_c=True)
    for row in range(len(inverse) - 1):
        inverse[row, row + 1 :] = inverse[row + 1 :, row]
    return np.asarray(inverse)


def _without_themselves(weights: NDArray[np.float32], targets: Items) -> NDArray[np.float32]:
    weights[np.arange(len(targets)), targets] = 0
    return weights
