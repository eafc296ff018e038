"""A fitted model, held towards what is popular as `trainer.versions.popularity_prior` does."""

from dataclasses import dataclass

from trainer.algorithms.algorithm import FittedModel, Rows
from trainer.versions.item_models.item_model import ItemModel, Items, Ratings, Scores
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


def folded_in(model: FittedModel, items: Items, ratings: Ratings) -> Scores:
    """Score every item for somebody it never met, float32 [items]; see `ItemModel.fold_in`."""
    scores = model.item_model.fold_in(items, ratings)
    return (
        model.held(scores[None], model.item_model)[0] if isinstance(model, FittedHeld) else scores
    )
