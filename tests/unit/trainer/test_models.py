import numpy as np
import pytest
from scipy.sparse import csr_array

from trainer.versions.item_models.factors import FactorModel
from trainer.versions.item_models.item_weights import ItemWeightsModel
from trainer.versions.item_models.popularity import PopularityModel

NOTHING = np.empty(0, np.int32), np.empty(0, np.float32)
WEIGHTS = ItemWeightsModel(
    csr_array(np.array([[0, 2, 0], [1, 0, 3], [0, 0, 0]], np.float32)),
    midpoint=2.5,
    watched_preference=1,
)
FACTORS = FactorModel(
    factors=np.array([[1], [1], [-1]], np.float32),
    offsets=np.array([3, 3, 3], np.float32),
    prior=np.array([0, 0, 0.5], np.float32),
    regularisation=0.02,
)


def test_popularity_scores_the_first_of_its_list_best():
    model = PopularityModel(np.array([2, 0, 1], np.int32))
    assert model.fold_in(*NOTHING).tolist() == [2, 1, 3]


def test_weights_are_added_up_by_how_far_ratings_are_above_the_midpoint():
    scores = WEIGHTS.fold_in(np.array([0, 1]), np.array([4.5, 3.5], np.float32))
    assert scores.tolist() == [1, 4, 3]


def test_a_rating_below_the_midpoint_says_nothing():
    assert WEIGHTS.fold_in(np.array([1]), np.array([1], np.float32)).tolist() == [0, 0, 0]


def test_a_viewing_without_a_rating_counts_as_it_is_told():
    assert WEIGHTS.fold_in(np.array([1]), np.array([np.nan], np.float32)).tolist() == [1, 0, 3]


def test_weights_alone_score_nothing_for_a_stranger():
    assert WEIGHTS.fold_in(*NOTHING).tolist() == [0, 0, 0]


def test_factors_score_a_stranger_by_offsets_and_prior():
    assert FACTORS.fold_in(*NOTHING).tolist() == [3, 3, 3.5]


def test_factors_raise_what_is_like_a_liked_item_and_lower_what_is_not():
    scores = FACTORS.fold_in(np.array([0]), np.array([5], np.float32))
    assert scores[1] > 3.9
    assert scores[2] < scores[1]


def test_folded_in_factors_are_those_of_the_ridge_regression():
    items, ratings = np.array([0, 2]), np.array([5, 2], np.float32)
    scores = FACTORS.fold_in(items, ratings)
    features, penalty = np.array([[1, 1], [1, -1]]), 0.02 * 2 * np.eye(2)
    bias, factor = np.linalg.solve(features.T @ features + penalty, features.T @ [2, -1])
    assert scores.tolist() == pytest.approx(
        [3 + bias + factor, 3 + bias + factor, 3 + bias - factor + 0.5], rel=1e-5
    )
