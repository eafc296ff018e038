"""What each of a user's own movies contributed, held against leaving it out and scoring again."""

from math import log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from trainer.versions.item_models.als import AlsModel
from trainer.versions.item_models.factors import FactorModel, ImplicitFactorModel
from trainer.versions.item_models.graph_filter import GraphFilterModel
from trainer.versions.item_models.history import SHARE_FLOOR, Blend, HistoryModel, Recency
from trainer.versions.item_models.item_weights import ItemWeightsModel
from trainer.versions.item_models.popularity import PopularityModel
from trainer.versions.item_models.reranked import RerankedModel
from trainer.versions.item_models.trees import Trees

ITEMS, FACTORS, YEARS, GENRES = 30, 4, 6, 3


def numbers(*shape):
    """The same numbers for the same shape, around 0."""
    return np.random.default_rng(shape[-1]).normal(size=shape).astype(np.float32)


def by_factors():
    return FactorModel(numbers(ITEMS, FACTORS), numbers(ITEMS), numbers(ITEMS), 0.1)


def by_implicit_factors():
    return ImplicitFactorModel.of(by_factors(), numbers(FACTORS, ITEMS).T)


def by_confidence():
    factors = numbers(ITEMS, FACTORS)
    return AlsModel(factors, factors.T @ factors, 2.5, 0.5, 4.0, 0.1)


def by_history(*, transitions=0.7, years=0.5, genres=0.4):
    weights = sparse.csr_array(np.maximum(numbers(ITEMS, ITEMS), 0))
    return HistoryModel(
        liking=weights,
        transitions=sparse.csr_array(weights.T),
        year_places=(np.arange(ITEMS) % (YEARS + 1) - 1).astype(np.int16),
        year_shares=np.full(YEARS, 1 / YEARS, np.float32),
        genres=numbers(ITEMS, GENRES),
        midpoint=1.0,
        mean_share=0.0,
        watched_preference=0.5,
        recency=Recency(6.0, 0.2),
        blend=Blend(transitions, years, genres),
    )


histories = st.dictionaries(
    st.integers(0, ITEMS - 1), st.sampled_from([nan, 0.5, 2.0, 3.5, 5.0]), min_size=1, max_size=12
)


@pytest.mark.parametrize("make", [by_factors, by_implicit_factors, by_confidence])
@given(history=histories)
def test_it_is_how_far_a_score_falls_when_a_movie_is_left_out(make, history):
    model, targets = make(), np.array([3, 17, 29], np.int32)
    items, ratings = np.array([*history], np.int32), np.array([*history.values()], np.float32)
    whole = model.fold_in(items, ratings)[targets]
    others = (np.arange(len(items)) != left for left in range(len(items)))
    falls = [whole - model.fold_in(items[kept], ratings[kept])[targets] for kept in others]

    assert model.contributions(items, ratings, targets) == pytest.approx(
        np.array(falls), rel=1e-2, abs=1e-3
    )


@given(history=histories)
def test_what_a_filter_is_asked_with_adds_up_to_its_scores(history):
    products = sparse.csr_array(np.maximum(numbers(ITEMS, ITEMS), 0))
    model = GraphFilterModel(products, numbers(4, ITEMS), np.ones(ITEMS, np.float32), 2.5, 0.3)
    items, ratings = np.array([*history], np.int32), np.array([*history.values()], np.float32)
    targets = np.array([3, 17, 29], np.int32)
    added = model.contributions(items, ratings, targets).sum(axis=0)

    assert added == pytest.approx(model.fold_in(items, ratings)[targets], rel=1e-3, abs=1e-4)
    assert model.exactness.startswith("exact")


@pytest.mark.parametrize("rating", [nan, 0.5, 5.0])
@pytest.mark.parametrize("item", [0, 4, 7])
def test_the_only_movie_of_a_history_contributed_all_that_is_not_there_without(item, rating):
    model, targets = by_history(), np.arange(ITEMS, dtype=np.int32)
    items, ratings = np.array([item], np.int32), np.array([rating], np.float32)
    nothing = model.fold_in(items[:0], ratings[:0])

    assert model.contributions(items, ratings, targets)[0] == pytest.approx(
        model.fold_in(items, ratings) - nothing, rel=1e-4, abs=1e-5
    )


def test_a_movie_of_a_history_contributes_what_its_own_weight_adds():
    model = by_history(transitions=0.0, years=0.0, genres=0.0)
    items, ratings = np.array([5, 9], np.int32), np.array([nan, nan], np.float32)
    target = int(np.argmax(model.liking[[5]].toarray()))
    older = 0.5 * (0.8 * np.exp(-1 / 6) + 0.2)
    sums = older * model.liking[[5]].toarray()[0] + 0.5 * model.liking[[9]].toarray()[0]
    without = 0.5 * model.liking[9, target]

    given_by_older = model.contributions(items, ratings, np.array([target], np.int32))[0, 0]
    assert given_by_older == pytest.approx(
        log(sums[target] / sums.mean() + SHARE_FLOOR) - log(without / sums.mean() + SHARE_FLOOR),
        rel=1e-5,
    )


@given(history=histories)
def test_of_item_weights_contributions_add_up_to_the_score(history):
    model = ItemWeightsModel(sparse.csr_array(numbers(ITEMS, ITEMS)), 2.5, 0.5)
    items, ratings = np.array([*history], np.int32), np.array([*history.values()], np.float32)
    targets = np.arange(ITEMS, dtype=np.int32)

    assert model.contributions(items, ratings, targets).sum(axis=0) == pytest.approx(
        model.fold_in(items, ratings), rel=1e-4, abs=1e-4
    )


def test_of_a_list_that_trees_put_in_order_it_is_what_the_first_stage_says():
    first = by_history()
    stages = RerankedModel(first, movies=None, trees=Trees.none(), candidates=10)
    asked = np.array([2, 5], np.int32), np.array([5, 1], np.float32), np.array([7, 9], np.int32)
    assert np.array_equal(stages.contributions(*asked), first.contributions(*asked))
    assert "first stage" in stages.exactness


def test_of_popularity_nothing_contributes():
    model = PopularityModel(np.arange(ITEMS, dtype=np.int32))
    own, ratings = np.array([1, 2], np.int32), np.array([5.0, nan], np.float32)

    assert not model.contributions(own, ratings, np.array([3], np.int32)).any()
    assert "the same for everybody" in model.exactness


@pytest.mark.parametrize("make", [by_factors, by_implicit_factors, by_confidence, by_history])
def test_whoever_did_nothing_has_nothing_that_contributed(make):
    nobody = np.empty(0, np.int32), np.empty(0, np.float32)

    assert make().contributions(*nobody, np.array([3, 4], np.int32)).shape == (0, 2)
