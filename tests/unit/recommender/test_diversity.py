"""Lists that are less of one kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommender.answers.diversity import rerank
from trainer.versions.item_models.factors import FactorModel
from trainer.versions.item_models.item_weights import ItemWeightsModel
from trainer.versions.item_models.popularity import PopularityModel

ITEMS = np.array([3, 0, 2, 1], np.int32)
SCORES = np.array([4, 3.9, 3, 1], np.float32)


def by_weights():
    """Items 3 and 0 are alike, and no others."""
    weights = np.zeros((4, 4), np.float32)
    weights[3, 0] = 0.5
    return ItemWeightsModel(sparse.csr_array(weights), 2.5, 0.5)


def by_factors():
    """Likewise, by the angle of their factors."""
    factors = np.array([[2, 0.1], [0, 1], [-1, 1], [1, 0]], np.float32)
    nothing = np.zeros(4, np.float32)
    return FactorModel(factors, nothing, nothing, 0.1)


@pytest.mark.parametrize("model", [by_weights(), by_factors()])
def test_an_item_like_one_that_was_chosen_is_put_off(model):
    items, scores = rerank(model, ITEMS, SCORES, 0.5, 4)

    assert items.tolist() == [3, 2, 0, 1] or items.tolist() == [3, 2, 1, 0]
    assert scores[:2].tolist() == [4, 3]


@pytest.mark.parametrize("model", [by_weights(), by_factors()])
def test_an_item_is_more_like_another_the_closer_they_are(model):
    alike = model.similar(ITEMS)

    assert alike[0, 1] > alike[0, 2]
    assert (alike == alike.T).all()


def test_without_diversity_the_order_stays():
    assert rerank(by_weights(), ITEMS, SCORES, 0.0, 3)[0].tolist() == [3, 0, 2]


def test_a_model_that_knows_no_similarity_leaves_the_order():
    model = PopularityModel(np.arange(4, dtype=np.int32))

    assert rerank(model, ITEMS, SCORES, 0.9, 4)[0].tolist() == ITEMS.tolist()


@given(diversity=st.floats(0, 1), count=st.integers(1, 6))
def test_the_best_comes_first_and_none_twice(diversity, count):
    items, _scores = rerank(by_weights(), ITEMS, SCORES, diversity, count)

    assert len(set(items.tolist())) == len(items) == min(count, 4)
    assert diversity == 1 or items[0] == 3
