"""Biased matrix factorisation by stochastic gradient descent: scikit-surprise's SVD and SVD++.

A rating is predicted as mean + user bias + item bias + product of factors (Y. Koren et al.,
"Matrix Factorization Techniques for Recommender Systems", 2009); in SVD++ the items a user
rated add to the user's factors (Y. Koren, "Factorization Meets the Neighborhood", 2008).
Ranked by that alone, movies that few people love come first; so a prior that grows with the
number of ratings is added.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trainer.algorithms.algorithm import Rows
from trainer.algorithms.descent import RatingsByUser
from trainer.algorithms.matrix_factorization import SVD, SVDpp
from trainer.algorithms.suggestions import Suggestions, suggested
from trainer.data.interactions import Interactions, Scale
from trainer.errors import UnsuitableDataError
from trainer.versions.item_models.factors import FactorModel, ImplicitFactorModel
from trainer.versions.item_models.item_model import Scores


@dataclass(frozen=True)
class SvdConfiguration:
    """How SVD is fitted; names and usual values are Surprise's but for the prior."""

    lowest: float
    """Lowest rating of the scale."""
    highest: float
    """Highest rating of the scale."""
    prior_weight: float
    """What one unit of log(1 + ratings of the movie) adds to a predicted rating, for ranking."""
    factors: int = 100
    epochs: int = 20
    learning_rate: float = 0.005
    regularisation: float = 0.02
    seed: int = 0

    def descent(self) -> dict[str, Any]:
        """What Surprise's constructors are told."""
        return {
            "n_factors": self.factors,
            "n_epochs": self.epochs,
            "lr_all": self.learning_rate,
            "reg_all": self.regularisation,
            "random_state": self.seed,
        }


@dataclass(frozen=True)
class SvdppConfiguration(SvdConfiguration):
    """How SVD++ is fitted; the usual values are Surprise's for it."""

    factors: int = 20
    learning_rate: float = 0.007


@dataclass(frozen=True)
class FittedSvd:
    """Biases and factors of both sides."""

    configuration: SvdConfiguration
    item_model: FactorModel
    popularity: Scores
    """float32 [items]: log(1 + ratings of the movie)."""
    user_biases: NDArray[np.float32]
    """float32 [users]."""
    user_factors: NDArray[np.float32]
    """float32 [users, factors]; for SVD++ with what the rated items add."""

    def score(self, rows: Rows) -> Scores:
        """Predicted rating, beyond the scale if need be, plus the popularity prior."""
        items = self.item_model
        products = self.user_factors[rows] @ items.factors.T
        sides = self.user_biases[rows, None] + (items.offsets + items.prior)
        return np.asarray(products + sides, np.float32)

    def predict(self, rows: Rows, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """The predicted rating of each pair, within the scale."""
        products = np.einsum("nf,nf->n", self.user_factors[rows], self.item_model.factors[items])
        predicted = self.item_model.offsets[items] + self.user_biases[rows] + products
        lowest, highest = self.configuration.lowest, self.configuration.highest
        return np.asarray(np.clip(predicted, lowest, highest), np.float32)

    def reused(self, configuration: SvdConfiguration) -> Self | None:
        """The same factors with another weight of the prior; None where more than that differs."""
        weight = configuration.prior_weight
        if replace(self.configuration, prior_weight=weight) != configuration:
            return None
        prior = np.asarray(weight * self.popularity, np.float32)
        return replace(
            self, configuration=configuration, item_model=replace(self.item_model, prior=prior)
        )


class Svd:
    """Fits SVD to the ratings; viewings without a rating count in nothing but rank."""

    name = "svd"

    def candidates(self, scale: Scale) -> Sequence[SvdConfiguration]:
        """Four weights of the popularity prior, scaled with the ratings."""
        return [
            SvdConfiguration(scale.lowest, scale.highest, weight * scale.highest / 5)
            for weight in PRIOR_WEIGHTS
        ]

    def configure(self, **parameters: Any) -> SvdConfiguration:
        """The configuration that a version's parameters say."""
        return SvdConfiguration(**parameters)

    def suggest(self, trial: Suggestions, usual: SvdConfiguration) -> SvdConfiguration:
        """Around a usual one: the prior, factors, and how fast and how tightly they are learned."""
        return _suggested(trial, usual)

    def fit(self, interactions: Interactions, configuration: SvdConfiguration) -> FittedSvd:
        """Run the descent over the ratings, user by user in order of time.

        Raises:
            UnsuitableDataError: there is no rating.
        """
        rated = _rated(interactions, self.name)
        learned = SVD(**configuration.descent())
        learned.descend(_by_user(rated), _sizes(rated), _mean(rated))
        return _fitted(learned, rated, configuration)


class Svdpp:
    """Fits SVD++ to the ratings; what a user rated is its implicit feedback, as in Surprise."""

    name = "svdpp"

    def candidates(self, scale: Scale) -> Sequence[SvdppConfiguration]:
        """Four weights of the popularity prior, scaled with the ratings."""
        return [
            SvdppConfiguration(scale.lowest, scale.highest, weight * scale.highest / 5)
            for weight in PRIOR_WEIGHTS
        ]

    def configure(self, **parameters: Any) -> SvdppConfiguration:
        """The configuration that a version's parameters say."""
        return SvdppConfiguration(**parameters)

    def suggest(self, trial: Suggestions, usual: SvdppConfiguration) -> SvdppConfiguration:
        """Around a usual one: the prior, factors, and how fast and how tightly they are learned."""
        return _suggested(trial, usual)

    def fit(self, interactions: Interactions, configuration: SvdppConfiguration) -> FittedSvd:
        """Run the descent over the ratings, user by user in order of time.

        Raises:
            UnsuitableDataError: there is no rating.
        """
        rated = _rated(interactions, self.name)
        learned = SVDpp(**configuration.descent())
        learned.descend(_by_user(rated), _sizes(rated), _mean(rated), repeated=False)
        numbers = np.maximum(1, np.diff(rated.indptr))
        rows = rated.matrix(np.repeat(1 / np.sqrt(numbers), np.diff(rated.indptr)))
        learned.pu += rows @ learned.yj
        fitted = _fitted(learned, rated, configuration)
        implicit = np.where(rated.counts()[:, None] > 0, learned.yj, 0).astype(np.float32)
        return replace(fitted, item_model=ImplicitFactorModel.of(fitted.item_model, implicit))


PRIOR_WEIGHTS = (0.8, 0.2, 0.4, 1.6)


def _suggested[Configuration: SvdConfiguration](
    trial: Suggestions, usual: Configuration
) -> Configuration:
    return suggested(
        trial,
        usual,
        prior_weight=(usual.prior_weight / 5, usual.prior_weight * 5),
        factors=(usual.factors // 4, usual.factors * 2),
        learning_rate=(usual.learning_rate / 4, usual.learning_rate * 4),
        regularisation=(0.005, 0.5),
    )


def _rated(interactions: Interactions, name: str) -> Interactions:
    is_rated = ~np.isnan(interactions.ratings)
    rated = interactions if is_rated.all() else interactions.only(is_rated)
    if not len(rated):
        raise UnsuitableDataError(f"{name} learns from ratings, and there are none")
    return rated


def _by_user(rated: Interactions) -> RatingsByUser:
    return RatingsByUser(
        np.arange(len(rated.users)),
        rated.indptr,
        rated.items.astype(np.int64),
        rated.ratings.astype(np.float64),
    )


def _sizes(rated: Interactions) -> tuple[int, int]:
    return len(rated.users), len(rated.movies)


def _mean(rated: Interactions) -> float:
    return float(rated.ratings.mean(dtype=np.float64))


def _fitted(
    learned: SVD | SVDpp, rated: Interactions, configuration: SvdConfiguration
) -> FittedSvd:
    counts = rated.counts()
    popularity = np.log1p(counts).astype(np.float32)
    items = FactorModel(
        factors=np.where(counts[:, None] > 0, learned.qi, 0).astype(np.float32),
        offsets=(_mean(rated) + learned.bi).astype(np.float32),
        prior=np.asarray(configuration.prior_weight * popularity, np.float32),
        regularisation=configuration.regularisation,
    )
    learned.pu[np.diff(rated.indptr) == 0] = 0
    return FittedSvd(
        configuration,
        items,
        popularity,
        learned.bu.astype(np.float32),
        learned.pu.astype(np.float32),
    )
