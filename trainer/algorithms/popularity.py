"""What most people met and liked: a prior for all others, and what each of them has to beat.

A movie's score is log(1 + ratings + w * viewings) + l * (its mean rating - the mean of all),
the mean drawn to that of all by some ratings. By default it counts, and liking says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.algorithms.algorithm import Rows
from trainer.data.interactions import Interactions, Scale
from trainer.versions.item_models.item_model import Scores
from trainer.versions.item_models.popularity import PopularityModel


@dataclass(frozen=True)
class PopularityConfiguration:
    """What makes a movie popular; without anything, the number of people who met it."""

    liking: float = 0.0
    """What a point of the mean rating above that of all is worth."""
    watched: float = 1.0
    """How much of a rating a viewing without one counts."""
    drawn_by: float = 20.0
    """So many ratings of the mean of all are added to each movie's."""

    def scores(self, interactions: Interactions) -> Scores:
        """float32 [items]: 0 where nobody met the movie and nothing is known against it."""
        rated = ~np.isnan(interactions.ratings)
        items, ratings = interactions.items[rated], interactions.ratings[rated]
        size = len(interactions.movies)
        counts = np.bincount(items, minlength=size)
        usual = float(ratings.mean(dtype=np.float64)) if len(ratings) else 0.0
        above = np.bincount(items, ratings - usual, size) / (counts + self.drawn_by)
        viewings = np.bincount(interactions.items[~rated], minlength=size)
        popular = np.log1p(counts + self.watched * viewings)
        return np.asarray(popular + self.liking * above, np.float32)

    def popular(self, interactions: Interactions) -> Rows:
        """int32 [items]: every movie, the most popular first, equal ones by index."""
        return np.argsort(-self.scores(interactions), kind="stable").astype(np.int32)


@dataclass(frozen=True)
class FittedPopularity:
    """How often each movie was met."""

    item_model: PopularityModel

    def score(self, rows: Rows) -> Scores:
        """float32 [users, items]: each movie's popularity, the same in every row."""
        scores = self.item_model.fold_in(np.empty(0, np.int32), np.empty(0, np.float32))
        return np.tile(scores, (len(rows), 1))


class Popularity:
    """Counts interactions, and how much they were liked."""

    name = "popularity"

    def candidates(self, scale: Scale) -> Sequence[PopularityConfiguration]:
        """Counts first; then two weights of liking, with viewings as much as ratings or less."""
        points = 5 / scale.highest
        weighed = ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, 0.3), (2.0, 0.0))
        return [PopularityConfiguration(liking * points, watched) for liking, watched in weighed]

    def configure(self, **parameters: Any) -> PopularityConfiguration:
        """The configuration that a version's parameters say; the first versions had none."""
        return PopularityConfiguration(**parameters)

    def fit(
        self, interactions: Interactions, configuration: PopularityConfiguration
    ) -> FittedPopularity:
        """Order the movies by their interactions, weighed as the configuration says."""
        return FittedPopularity(PopularityModel(configuration.popular(interactions)))
