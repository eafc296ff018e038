"""Biased matrix factorisation by stochastic gradient descent: scikit-surprise's SVD.

A rating is predicted as mean + user bias + item bias + product of factors (Y. Koren et al.,
"Matrix Factorization Techniques for Recommender Systems", 2009). Ranked by that alone, movies
that few people love come first; so a prior that grows with the number of ratings is added.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import surprise
from numpy.typing import NDArray
from surprise.trainset import Trainset

from trainer.algorithms.algorithm import Rows
from trainer.errors import UnsuitableDataError
from trainer.interactions import Interactions, Scale
from trainer.models import FactorModel, Scores


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


@dataclass(frozen=True)
class FittedSvd:
    """Biases and factors of both sides."""

    item_model: FactorModel
    user_biases: NDArray[np.float32]
    """float32 [users]."""
    user_factors: NDArray[np.float32]
    """float32 [users, factors]."""
    lowest: float
    highest: float

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
        return np.asarray(np.clip(predicted, self.lowest, self.highest), np.float32)


class Svd:
    """Fits Surprise's SVD to the ratings; viewings without a rating count in nothing but rank."""

    name = "svd"

    def candidates(self, scale: Scale) -> Sequence[SvdConfiguration]:
        """Four weights of the popularity prior, scaled with the ratings."""
        return [
            SvdConfiguration(scale.lowest, scale.highest, weight * scale.highest / 5)
            for weight in (0.8, 0.2, 0.4, 1.6)
        ]

    def configure(self, **parameters: Any) -> SvdConfiguration:
        """The configuration that a version's parameters say."""
        return SvdConfiguration(**parameters)

    def fit(self, interactions: Interactions, configuration: SvdConfiguration) -> FittedSvd:
        """Run the descent over the ratings, user by user in order of time.

        Raises:
            UnsuitableDataError: there is no rating.
        """
        rated = interactions.only(~np.isnan(interactions.ratings))
        if not len(rated):
            raise UnsuitableDataError("svd learns from ratings, and there are none")
        fitted = surprise.SVD(
            n_factors=configuration.factors,
            n_epochs=configuration.epochs,
            lr_all=configuration.learning_rate,
            reg_all=configuration.regularisation,
            random_state=configuration.seed,
        ).fit(_trainset(rated, configuration))
        return _fitted(fitted, rated, configuration)


def _trainset(rated: Interactions, configuration: SvdConfiguration) -> Trainset:
    triples = zip(rated.rows().tolist(), rated.items.tolist(), rated.ratings.tolist(), strict=True)
    by_user, by_item = defaultdict(list), defaultdict(list)
    for user, item, rating in triples:
        by_user[user].append((item, rating))
        by_item[item].append((user, rating))
    return Trainset(
        by_user,
        by_item,
        len(rated.users),
        len(rated.movies),
        len(rated),
        (configuration.lowest, configuration.highest),
        {},
        {},
    )


def _fitted(
    fitted: surprise.SVD, rated: Interactions, configuration: SvdConfiguration
) -> FittedSvd:
    counts = rated.counts()
    known_users = np.diff(rated.indptr) > 0
    prior = configuration.prior_weight * np.log1p(counts)
    items = FactorModel(
        factors=np.where(counts[:, None] > 0, fitted.qi, 0).astype(np.float32),
        offsets=(fitted.trainset.global_mean + fitted.bi).astype(np.float32),
        prior=prior.astype(np.float32),
        regularisation=configuration.regularisation,
    )
    return FittedSvd(
        items,
        fitted.bu.astype(np.float32),
        np.where(known_users[:, None], fitted.pu, 0).astype(np.float32),
        configuration.lowest,
        configuration.highest,
    )
