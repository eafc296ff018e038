"""Scores held towards what is popular: the less is known of somebody, the closer they stay.

With S what a model says of an item, a score is w * popularity + log(S / mean S + f). Where S
is little above its mean, as after one event, the floor f swallows it; what stands far above
speaks for itself.
"""

from dataclasses import dataclass

import numpy as np

from trainer.versions.item_models.item_model import NOTHING, ItemModel, Scores


@dataclass(frozen=True)
class Holding:
    """How firmly scores are held."""

    weight: float
    """What popularity counts against the model's evidence."""
    floor: float
    """Added to each item's evidence, in units of the mean over all items."""


@dataclass(frozen=True)
class Held:
    """How firmly, and towards what."""

    holding: Holding
    popularity: Scores
    """float32 [items]."""

    def __call__(self, scores: Scores, model: ItemModel) -> Scores:
        """Hold scores.

        Args:
            scores: float32 [n, items], the model's.
            model: says what they are: logarithms of evidence, or evidence itself, of which
                what is negative counts as none.

        Returns:
            float32 [n, items].
        """
        evidence = _from_logarithms(scores) if model.logarithmic else np.maximum(scores, 0)
        mean = np.maximum(evidence.mean(axis=1, keepdims=True), NOTHING)
        held = np.log(evidence / mean + np.float32(self.holding.floor))
        return np.asarray(held + np.float32(self.holding.weight) * self.popularity, np.float32)


def _from_logarithms(scores: Scores) -> Scores:
    return np.asarray(np.exp(scores - scores.max(axis=1, keepdims=True)), np.float32)
