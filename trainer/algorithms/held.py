"""A fitted model, held towards what is popular as `trainer.versions.popularity_prior` does."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.versions.item_models.item_model import BatchModel, ItemModel, Items, Ratings, Scores
from trainer.versions.popularity_prior import Held, Holding

HOLDINGS = (Holding(0.5, 10), Holding(1, 10), Holding(1, 100), Holding(1, 1000))
"""Loosely, where much is known, to firmly, where next to nothing is."""


@dataclass(frozen=True)
class FittedHeld:
    """The model, and what it is held towards."""

    fitted: FittedModel
    held: Held

    @property
    def item_model(self) -> ItemModel:
        """The inner one: how it is held is saved beside it."""
        return self.fitted.item_model

    def score(self, rows: Rows) -> Scores:
        """As the inner one, then held."""
        return self.held(self.fitted.score(rows), self.fitted.item_model)


def can_be_held(model: FittedModel) -> bool:
    """Whether popularity has no place in its scores yet."""
    return not model.item_model.includes_popularity


def fold_in(
    model: FittedModel, indptr: NDArray[np.int64], items: Items, ratings: Ratings
) -> Scores:
    """Score every item for people it never met, by their histories; see `BatchModel.score`."""
    inner = model.item_model
    if isinstance(inner, BatchModel):
        scores = inner.score(indptr, items, ratings)
    else:
        histories = (slice(*ends) for ends in pairwise(indptr))
        scores = np.vstack([inner.fold_in(items[one], ratings[one]) for one in histories])
    return model.held(scores, inner) if isinstance(model, FittedHeld) else scores
