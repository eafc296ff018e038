"""How alike items are, by what a model learned of them."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.versions.item_models.item_model import Items, Similarity


def by_weights(weights: sparse.csr_array, items: Items) -> Similarity:
    """The greater of the two weights between each pair, 0 where it is negative, over the greatest.

    Args:
        weights: float32 [items, items].
        items: int32 [n].
    """
    between = weights[items][:, items].toarray()
    return to_unit(np.maximum(between, between.T).clip(min=0))


def by_angle(factors: NDArray[np.float32]) -> Similarity:
    """The cosine of each pair of rows of float32 [n, factors]; 0 where it is negative."""
    unit = factors / np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    return np.asarray((unit @ unit.T).clip(min=0), np.float32)


def to_unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values shifted and scaled to 0 (the lowest) to 1 (the highest)."""
    lowest, highest = float(values.min()), float(values.max())
    return np.asarray((values - lowest) / max(highest - lowest, 1e-9), np.float32)
