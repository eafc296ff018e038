"""Whose lists are computed ahead: of who is likely to come and of whom the model is asked."""

from datetime import timedelta

import numpy as np
import pytest

from trainer.algorithms.ease import Ease
from trainer.data.interactions import Interactions, Scale
from trainer.precomputed_lists import ComputedLists, rows_with_lists
from trainer.versions.manifest import SOURCES

DAY = 86_400_000_000
FROM_TWO_ON = {"0": ["popular"], "2": ["model", "fold_in", "popular"]}


@pytest.fixture
def stream():
    """Of three people one came on day 0 and 1, one on day 1 alone, one on day 9."""
    return Interactions.assemble(
        np.array([30, 10, 10, 20], np.int64),
        ["alien+1979", "brazil+1985"],
        np.array([0, 0, 1, 1], np.int32),
        np.array([5, 4, 3, np.nan], np.float32),
        np.array([9, 0, 1, 1]) * DAY,
    )


@pytest.mark.parametrize(("days", "rows"), [(0, [2]), (7.99, [2]), (8, None), (90, None)])
def test_active_is_who_did_something_so_long_before_the_newest_event(stream, days, rows):
    found = rows_with_lists(stream, SOURCES, timedelta(days=days))
    assert rows == (None if found is None else found.tolist())


def test_no_list_is_made_of_whom_the_model_is_not_asked(stream):
    assert rows_with_lists(stream, FROM_TWO_ON, timedelta(days=90)).tolist() == [0]
    assert rows_with_lists(stream, {"0": ["popular"]}, timedelta(days=90)).tolist() == []


def test_a_list_is_the_same_whoever_else_has_one(interactions):
    ease = Ease()
    model = ease.fit(interactions, ease.candidates(Scale(1, 5))[0])
    everybody = gathered(model, interactions, np.arange(120, dtype=np.int32))
    some = gathered(model, interactions, np.array([3, 70, 119], np.int32))
    assert np.array_equal(some, everybody[[3, 70, 119]])


def gathered(model, interactions, rows):
    """int32 [lists, 100], as one."""
    pieces = ComputedLists(model, interactions, rows).pieces()
    return np.concatenate([piece.items for piece in pieces])
