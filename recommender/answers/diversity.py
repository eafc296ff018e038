"""Lists that are less of one kind: maximal marginal relevance.

J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
"""

import numpy as np

from trainer.versions.item_models.item_model import ItemModel, Items, Scores, Similarity
from trainer.versions.item_models.similarity import to_unit


def rerank(
    model: ItemModel, items: Items, scores: Scores, diversity: float, count: int
) -> tuple[Items, Scores]:
    """Choose items one by one: a high score speaks for one, similarity to the chosen against it.

    Args:
        model: knows which items are alike; one that does not leaves the order as it is.
        items: int32 [n], best first.
        scores: float32 [n].
        diversity: weight of the similarity, 0 (only the scores count) to 1.
        count: how many to choose.

    Returns:
        The chosen items, in the order they were chosen, and their scores.
    """
    alike = model.similar(items) if diversity > 0 and len(items) > 1 else None
    if alike is None:
        return items[:count], scores[:count]
    chosen = _choose(to_unit(scores), alike, diversity, min(count, len(items)))
    return items[chosen], scores[chosen]


def _choose(relevance: Scores, alike: Similarity, diversity: float, count: int) -> list[int]:
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
