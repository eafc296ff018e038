import numpy as np
import pytest

from trainer.algorithms.ease import Ease
from trainer.data.interactions import Scale
from trainer.selection.newcomers import EVENTS, Newcomers, judge_newcomers, sources
from trainer.selection.trials import BASELINE, Recipe

SCALE = Scale(1, 5)
EASE = Recipe("ease", Ease().candidates(SCALE)[0])
NON_PERSONAL = ["people", "lately", "popular"]
ALL = ["model", "fold_in", *NON_PERSONAL]


def judged(**gains):
    """Newcomers whom the model served better by so much, by the number of things they did."""
    return {
        int(number.removeprefix("after_")): Newcomers(np.full(3, 0.2 + gain), np.full(3, 0.2))
        for number, gain in gains.items()
    }


def test_people_it_never_met_are_judged_by_how_much_they_did(interactions):
    found = judge_newcomers(EASE, interactions, SCALE.liked)
    assert tuple(found) == EVENTS
    assert found[10].fold_in.mean() > found[10].popular.mean()
    assert len(found[1].fold_in) == len(found[1].popular)


def test_what_is_the_same_for_all_is_no_better_than_what_is_popular(interactions):
    found = judge_newcomers(BASELINE, interactions, SCALE.liked)
    assert all(np.array_equal(each.fold_in, each.popular) for each in found.values())


def test_where_nobody_did_enough_nobody_is_judged(interactions):
    once = interactions.only(
        np.arange(len(interactions)) == interactions.indptr[:-1][interactions.rows()]
    )
    assert judge_newcomers(BASELINE, once, SCALE.liked) == {}


def test_figures_are_of_both_and_of_the_gain():
    figures = judged(after_1=0.1)[1].figures()
    assert figures["gain"]["value"] == pytest.approx(0.1)
    assert figures["fold_in"]["low"] <= figures["fold_in"]["value"]


@pytest.mark.parametrize(
    ("gains", "begin"),
    [
        ({"after_1": 0.1, "after_2": 0.1}, "1"),
        ({"after_1": -0.1, "after_2": 0.1, "after_3": 0.2}, "2"),
        ({"after_1": 0.1, "after_2": -0.1, "after_5": 0.2}, "5"),
        ({"after_1": -0.1, "after_2": -0.1}, "3"),
        ({}, "1"),
    ],
)
def test_the_model_is_asked_from_where_it_helps_on(gains, begin):
    assert sources(judged(**gains)) == {"0": NON_PERSONAL, begin: ALL}
