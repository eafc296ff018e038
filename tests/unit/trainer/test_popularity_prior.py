import numpy as np
import pytest

from trainer.algorithms.ease import Ease
from trainer.algorithms.held import FittedHeld, fold_in
from trainer.algorithms.history import RecencyEase
from trainer.data.interactions import Scale
from trainer.versions.popularity_prior import Held, Holding

SCALE = Scale(1, 5)


def fitted(algorithm, interactions):
    return algorithm.fit(interactions, algorithm.candidates(SCALE)[0])


@pytest.fixture(params=[Ease(), RecencyEase()], ids=lambda algorithm: algorithm.name)
def model(request, interactions):
    return fitted(request.param, interactions)


@pytest.fixture
def popularity(interactions):
    return np.log1p(interactions.counts()).astype(np.float32)


def held(model, popularity, floor):
    return FittedHeld(model, Held(Holding(1.0, floor), popularity))


def test_by_a_high_floor_everybody_gets_what_is_popular(model, popularity):
    scores = held(model, popularity, 1e9).score(np.array([0, 7], np.int32))
    beyond = scores - popularity
    assert np.allclose(beyond, beyond[:, :1], atol=1e-4)


def test_held_loosely_the_evidence_speaks(model, popularity):
    rows = np.array([0, 7], np.int32)
    own, loosely = model.score(rows), held(model, popularity * 0, 1e-6).score(rows)
    assert (loosely.argmax(axis=1) == own.argmax(axis=1)).all()


def test_somebody_new_is_held_as_somebody_known(interactions, popularity):
    model = held(fitted(Ease(), interactions), popularity, 10)
    some = np.array([3, 7], np.int32)
    folded = fold_in(model, *interactions.histories(some))
    assert np.allclose(folded, model.score(some), atol=1e-4)


def test_somebody_who_did_nothing_gets_what_is_popular(interactions, popularity):
    nothing = np.zeros(2, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
    (scores,) = fold_in(held(fitted(Ease(), interactions), popularity, 10), *nothing)
    beyond = scores - popularity
    assert np.allclose(beyond, beyond[0], atol=1e-4)


def test_by_the_formula(interactions):
    scores = np.array([[0, 3, -1, 6]], np.float32)
    model = fitted(Ease(), interactions).item_model
    towards = Held(Holding(0.5, 10), np.array([4, 3, 2, 1], np.float32))
    mean = 9 / 4
    expected = 0.5 * np.array([4, 3, 2, 1]) + np.log(np.array([0, 3, 0, 6]) / mean + 10)
    assert np.allclose(towards(scores, model)[0], expected, atol=1e-5)
