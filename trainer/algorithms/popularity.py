"""What most people met: the answer that any other algorithm has to beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.algorithms.algorithm import Rows
from trainer.data.interactions import Interactions, Scale
from trainer.versions.item_models import PopularityModel, Scores


@dataclass(frozen=True)
class PopularityConfiguration:
    """Popularity has no parameters."""


@dataclass(frozen=True)
class FittedPopularity:
    """How often each movie was met."""

    item_model: PopularityModel

    def score(self, rows: Rows) -> Scores:
        """float32 [users, items]: each movie's popularity, the same in every row."""
        scores = self.item_model.fold_in(np.empty(0, np.int32), np.empty(0, np.float32))
        return np.tile(scores, (len(rows), 1))


class Popularity:
    """Counts the interactions of each movie, ratings and viewings alike."""

    name = "popularity"

    def candidates(self, scale: Scale) -> Sequence[PopularityConfiguration]:
        """The one configuration there is."""
        del scale
        return [PopularityConfiguration()]

    def configure(self, **parameters: Any) -> PopularityConfiguration:
        """The configuration of a version; `parameters` must be empty."""
        return PopularityConfiguration(**parameters)

    def fit(
        self, interactions: Interactions, configuration: PopularityConfiguration
    ) -> FittedPopularity:
        """Order the movies by how many people met them."""
        del configuration
        return FittedPopularity(PopularityModel(interactions.popular()))
