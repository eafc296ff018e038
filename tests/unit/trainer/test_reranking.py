from dataclasses import asdict, replace

import numpy as np
import pytest

from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Scale
from trainer.versions.item_models.reranked import RerankedModel, best_unknown

HISTORY = np.array([1, 5, 9], np.int32), np.array([5, 2, 4], np.float32)


@pytest.fixture(scope="module")
def configuration():
    return replace(ALGORITHMS["boosted_trees"].candidates(Scale(1, 5))[0], reranked=10)


@pytest.fixture(scope="module")
def model(interactions, configuration):
    return ALGORITHMS["boosted_trees"].fit(interactions, configuration).item_model


def test_candidates_are_the_best_that_the_history_does_not_hold():
    scores = np.array([[5, 1, 4, 3, 2]], np.float32)
    found = best_unknown(scores, np.array([0, 1]), np.array([0], np.int32), 3)
    assert found.tolist() == [[2, 3, 4]]


def test_the_rest_comes_after_the_candidates_in_the_order_it_had(model):
    before, after = model.first.fold_in(*HISTORY), model.fold_in(*HISTORY)
    candidates = best_unknown(before[None], np.array([0, 3]), HISTORY[0], 10)[0]
    rest = np.setdiff1d(np.arange(len(before)), candidates)
    assert after[candidates].min() >= after[rest].max()
    order = rest[np.argsort(before[rest], kind="stable")]
    assert (np.diff(after[order]) >= 0).all()


def test_an_empty_history_puts_no_movie_before_another(model):
    assert np.ptp(model.fold_in(np.empty(0, np.int32), np.empty(0, np.float32))) < 1e-6


def test_a_later_question_is_another_one(model):
    indptr = np.array([0, 3])
    now, later = (model.score(indptr, *HISTORY, np.array([days])) for days in (0.0, -1e-4))
    assert not np.array_equal(now, later)


def test_trees_that_know_other_features_are_refused(model, configuration):
    other = asdict(replace(configuration, feature_set=0))
    with pytest.raises(ValueError, match="its trees know features 0"):
        RerankedModel.restore(other, np.arange(60, dtype=np.int32), model.arrays())
