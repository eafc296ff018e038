"""Implicit-feedback matrix factorisation by alternating least squares: the library `implicit`.

Y. Hu, Y. Koren and C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets",
ICDM 2008. What a user liked is a preference of 1, held the more firmly the more it was liked;
everything else is one of 0, held loosely. Its cost is linear in the interactions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from trainer.algorithms.algorithm import Rows
from trainer.algorithms.suggestions import Suggestions, suggested
from trainer.data.interactions import Interactions, Scale
from trainer.errors import UnsuitableDataError
from trainer.versions.item_models.als import AlsModel
from trainer.versions.item_models.item_model import Scores


@dataclass(frozen=True)
class AlsConfiguration:
    """How ALS is fitted; confidence is `alpha` times how far a rating is above the midpoint."""

    midpoint: float
    watched_preference: float
    """What a viewing without a rating counts, as a distance above the midpoint."""
    alpha: float
    regularisation: float
    factors: int = 64
    iterations: int = 15
    seed: int = 0


@dataclass(frozen=True)
class FittedAls:
    """What alternating least squares found: factors of users and of items."""

    item_model: AlsModel
    user_factors: NDArray[np.float32]
    """float32 [users, factors]."""

    def score(self, rows: Rows) -> Scores:
        """The inner products of the users' and all items' factors."""
        return np.asarray(self.user_factors[rows] @ self.item_model.factors.T, np.float32)


class Als:
    """Fits with one thread: the same data gives the same bits."""

    name = "als"

    def candidates(self, scale: Scale) -> Sequence[AlsConfiguration]:
        """What was liked over what was not met; and whatever was met, where people did little.

        The latter is held eight times as firmly as what was not met: a weight on the unseen of
        0.13. S. Rendle, W. Krichene, L. Zhang and Y. Koren, "Revisiting the Performance of iALS
        on Item Recommendation Benchmarks", RecSys 2022, whose regularisation by frequency is
        nearly the same for all where most is unseen.
        """
        liked, width = scale.highest - scale.midpoint, scale.highest - scale.lowest
        return [
            AlsConfiguration(scale.midpoint, scale.watched_preference, 4 / liked, 20.0),
            AlsConfiguration(scale.lowest - width / 2, width, 8 / width, 40.0),
        ]

    def configure(self, **parameters: Any) -> AlsConfiguration:
        """The configuration that a version's parameters say."""
        return AlsConfiguration(**parameters)

    def suggest(self, trial: Suggestions, usual: AlsConfiguration) -> AlsConfiguration:
        """Around a usual one: confidence, regularisation, factors."""
        return suggested(
            trial,
            usual,
            alpha=(usual.alpha / 10, usual.alpha * 10),
            regularisation=(0.5, 50.0),
            factors=(16, 256),
        )

    def fit(self, interactions: Interactions, configuration: AlsConfiguration) -> FittedAls:
        """Alternate between users and items.

        Raises:
            UnsuitableDataError: nobody liked anything.
        """
        empty = np.empty((0, 0), np.float32)
        scorer = _item_model(empty, configuration)
        confidences = sparse.csr_matrix(  # the library knows no sparse arrays
            interactions.matrix(scorer.confidences(interactions.ratings))
        )
        confidences.eliminate_zeros()
        if not confidences.nnz:
            raise UnsuitableDataError("als learns from what was liked, and nothing was")
        with threadpool_limits(1):
            fitted = AlternatingLeastSquares(
                factors=configuration.factors,
                regularization=configuration.regularisation,
                alpha=1.0,
                iterations=configuration.iterations,
                num_threads=1,
                random_state=configuration.seed,
            )
            fitted.fit(confidences, show_progress=False)
        return FittedAls(_item_model(fitted.item_factors, configuration), fitted.user_factors)


def _item_model(factors: NDArray[np.float32], configuration: AlsConfiguration) -> AlsModel:
    return AlsModel(
        factors,
        factors.T @ factors,
        configuration.midpoint,
        configuration.watched_preference,
        configuration.alpha,
        configuration.regularisation,
    )
