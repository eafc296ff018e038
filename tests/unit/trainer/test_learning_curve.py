"""How good what was chosen is when it learned from some of the people, and from all."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.trainer.conftest import people_with_tastes
from trainer.data.interactions import Scale
from trainer.selection import learning_curve
from trainer.selection.choice import Terms, select
from trainer.selection.figures import learning_figures
from trainer.selection.gate import Rules

SCALE = Scale(1, 5)


@pytest.fixture(scope="module")
def selection():
    people = people_with_tastes(users=400)
    terms = Terms(SCALE, Rules(30, 0.1), algorithms=("popularity", "ease"))
    return select(people, terms, lambda _: None)


def test_who_learns_from_more_people_knows_better(selection):
    points = learning_curve.learning_curve(selection, SCALE.liked)
    sizes = [point.interactions for point in points]
    assert selection.chosen.algorithm == "ease"
    assert sizes == sorted(set(sizes))
    assert points[0].ndcg20.high < points[-1].ndcg20.low


def test_the_last_point_is_what_was_found_on_validation(selection):
    points = learning_curve.learning_curve(selection, SCALE.liked)
    assert points[-1].ndcg20.value == selection.trials[0].mean_ndcg
    assert points[-1].interactions < len(selection.split.training)


def test_folding_everybody_in_judges_as_the_trial_did(selection, monkeypatch):
    monkeypatch.setattr(learning_curve, "SHARES", (1.0,))
    again, tried = learning_curve.learning_curve(selection, SCALE.liked)
    assert again.interactions == tried.interactions
    assert again.ndcg20.value == pytest.approx(tried.ndcg20.value)


def test_what_is_stated_is_by_the_number_of_interactions(selection):
    points = learning_curve.learning_curve(selection, SCALE.liked)
    stated = learning_figures(points)
    assert list(stated) == [str(point.interactions) for point in points]
    assert set(stated[str(points[0].interactions)]) == {"value", "low", "high"}


def test_there_is_none_where_nobody_was_judged(selection):
    unjudged = replace(selection.trials[0], ndcg=np.empty(0))
    assert not learning_curve.learning_curve(replace(selection, trials=[unjudged]), SCALE.liked)


def test_there_is_none_where_there_is_very_much_to_learn_from(selection, monkeypatch):
    monkeypatch.setattr(learning_curve, "LARGEST", len(selection.split.training) - 1)
    assert not learning_curve.learning_curve(selection, SCALE.liked)
