"""Lists that are less of one kind: maximal marginal relevance.

J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
"""

import numpy as np
from numpy.typing import NDArray

from trainer.versions.graph_filter import GraphFilterModel
from trainer.versions.item_models import (
    AlsModel,
    FactorModel,
    HistoryModel,
    ItemModel,
    Items,
    ItemWeightsModel,
    Scores,
)
from trainer.versions.reranking import RerankedModel

Likeness = NDArray[np.float32]
"""float32 [n, n], 0 to 1: how alike some items are to the model."""


def rerank(
    model: ItemModel, items: Items, scores: Scores, diversity: float, count: int
) -> tuple[Items, Scores]:
    """Choose items one by one: a high score speaks for one, likeness to the chosen against it.

    Args:
        model: knows which items are alike; one that does not leaves the order as it is.
        items: int32 [n], best first.
        scores: float32 [n].
        diversity: weight of the likeness, 0 (only the scores count) to 1.
        count: how many to choose.

    Returns:
        The chosen items, in the order they were chosen, and their scores.
    """
    alike = likeness(model, items) if diversity > 0 and len(items) > 1 else None
    if alike is None:
        return items[:count], scores[:count]
    chosen = _choose(_to_unit(scores), alike, diversity, min(count, len(items)))
    return items[chosen], scores[chosen]


def likeness(model: ItemModel, items: Items) -> Likeness | None:
    """How alike the items are: by weights or by the angle of factors; None if it is not known."""
    match model:
        case ItemWeightsModel(weights=weights) | HistoryModel(liking=weights):
            return _by_weights(weights[items][:, items].toarray())
        case GraphFilterModel(products=weights):
            return _by_weights(weights[items][:, items].toarray())
        case RerankedModel(first=first):
            return likeness(first, items)
        case FactorModel(factors=factors) | AlsModel(factors=factors):
            return _by_angle(factors[items])
        case _:
            return None


def _by_weights(weights: Likeness) -> Likeness:
    return _to_unit(np.maximum(weights, weights.T).clip(min=0))


def _by_angle(factors: NDArray[np.float32]) -> Likeness:
    unit = factors / np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    return np.asarray((unit @ unit.T).clip(min=0), np.float32)


def _to_unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    lowest, highest = float(values.min()), float(values.max())
    return np.asarray((values - lowest) / max(highest - lowest, 1e-9), np.float32)


def _choose(relevance: Scores, alike: Likeness, diversity: float, count: int) -> list[int]:
    chosen: list[int] = []
    nearest = np.zeros(len(relevance), np.float32)
    open_ = np.ones(len(relevance), bool)
    for _ in range(count):
        value = np.where(open_, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        open_[best] = False
        nearest = np.maximum(nearest, alike[best])
    return chosen
