"""Surprise's SVD and SVDpp with compiled descents: drop-ins for those of that name.

    from trainer.algorithms.matrix_factorization import SVD, SVDpp

They take the parameters, start from the state and reach the numbers (within 1e-9) that
Surprise's own do, and work in its `cross_validate` and `GridSearchCV`. Formulas: the
documentation of `surprise.prediction_algorithms.matrix_factorization`.
"""

import numpy as np
import surprise
from surprise import Trainset
from surprise.utils import get_rng

from trainer.algorithms.descent import (
    RatingsByUser,
    descend_svd,
    descend_svdpp,
    descend_svdpp_step_by_step,
)


class SVD(surprise.SVD):  # type: ignore[misc]  # Surprise ships no type information
    """Biased matrix factorisation; see `surprise.SVD` for the parameters and attributes."""

    def sgd(self, trainset: Trainset) -> None:
        """Learn `bu`, `bi`, `pu` and `qi` from a trainset; Surprise's `fit` calls this."""
        sizes = trainset.n_users, trainset.n_items
        self.descend(RatingsByUser.of(trainset), sizes, float(trainset.global_mean))

    def descend(self, ratings: RatingsByUser, sizes: tuple[int, int], mean: float) -> None:
        """Learn `bu`, `bi`, `pu` and `qi`, all float64, from ratings without a trainset.

        Args:
            ratings: user by user.
            sizes: number of users and of items.
            mean: of all ratings.
        """
        random, normal = get_rng(self.random_state), (self.init_mean, self.init_std_dev)
        self.bu, self.bi = np.zeros(sizes[0]), np.zeros(sizes[1])
        self.pu, self.qi = (random.normal(*normal, size=(n, self.n_factors)) for n in sizes)
        rates = _floats(self.lr_bu, self.lr_bi, self.lr_pu, self.lr_qi)
        penalties = _floats(self.reg_bu, self.reg_bi, self.reg_pu, self.reg_qi)
        biased = bool(self.biased)
        learned = self.bu, self.bi, self.pu, self.qi
        for epoch in range(self.n_epochs):
            if self.verbose:
                print(f"Processing epoch {epoch}")  # noqa: T201 -- as Surprise's does
            descend_svd(
                *ratings.arrays(), mean if biased else 0.0, biased, rates, penalties, *learned
            )


class SVDpp(surprise.SVDpp):  # type: ignore[misc]  # as above
    """SVD with implicit factors; see `surprise.SVDpp` for the parameters and attributes.

    `cache_ratings` changes nothing: the ratings are always read once.
    """

    def sgd(self, trainset: Trainset) -> None:
        """Learn `bu`, `bi`, `pu`, `qi` and `yj` from a trainset; Surprise's `fit` calls this."""
        sizes = trainset.n_users, trainset.n_items
        ratings = RatingsByUser.of(trainset)
        self.descend(ratings, sizes, float(trainset.global_mean), repeated=ratings.repeated)

    def descend(
        self, ratings: RatingsByUser, sizes: tuple[int, int], mean: float, *, repeated: bool
    ) -> None:
        """Learn `bu`, `bi`, `pu`, `qi` and `yj`, all float64, from ratings without a trainset.

        Args:
            ratings: user by user.
            sizes: number of users and of items.
            mean: of all ratings.
            repeated: whether somebody rated the same item more than once.
        """
        random, normal = get_rng(self.random_state), (self.init_mean, self.init_std_dev)
        self.bu, self.bi = np.zeros(sizes[0]), np.zeros(sizes[1])
        self.pu, self.qi, self.yj = (
            random.normal(*normal, size=(n, self.n_factors)) for n in (*sizes, sizes[1])
        )
        rates = _floats(self.lr_bu, self.lr_bi, self.lr_pu, self.lr_qi, self.lr_yj)
        penalties = _floats(self.reg_bu, self.reg_bi, self.reg_pu, self.reg_qi, self.reg_yj)
        descend = descend_svdpp_step_by_step if repeated else descend_svdpp
        learned = self.bu, self.bi, self.pu, self.qi, self.yj
        for epoch in range(self.n_epochs):
            if self.verbose:
                print(f" processing epoch {epoch}")  # noqa: T201 -- as Surprise's does
            descend(*ratings.arrays(), mean, rates, penalties, *learned)


def _floats(*numbers: float) -> tuple[float, ...]:
    return tuple(float(number) for number in numbers)
