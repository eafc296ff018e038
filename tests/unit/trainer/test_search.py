import numpy as np
import pytest

from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Scale
from trainer.data.split import split_each_user
from trainer.selection.search import Budget, search
from trainer.selection.trials import BASELINE, Recipe, Trial

SCALE = Scale(1, 5)


@pytest.fixture
def best():
    algorithm = ALGORITHMS["recency_transitions"]
    return Trial(Recipe(algorithm.name, algorithm.candidates(SCALE)[0]), np.array([0.1]))


def test_every_trial_is_told_and_the_best_is_found(best, interactions, tmp_path):
    told = []
    budget = Budget(1, tmp_path / "search" / "trials.log")
    found = search(best, split_each_user(interactions, SCALE.liked), SCALE, budget, told.append)
    figures = [float(line.rsplit(" ", 1)[1]) for line in told]
    assert found[0].mean_ndcg == pytest.approx(max(figures), abs=1e-4)
    assert found[0].recipe.algorithm == "recency_transitions"


def test_a_search_on_the_same_data_goes_on_where_it_was(best, interactions, tmp_path):
    split, budget = split_each_user(interactions, SCALE.liked), Budget(0.5, tmp_path / "trials.log")
    first = search(best, split, SCALE, budget, lambda _: None)
    again = search(best, split, SCALE, budget, lambda _: None)
    assert again[0].mean_ndcg >= first[0].mean_ndcg


def test_what_has_nothing_to_search_for_is_left_alone(interactions, tmp_path):
    budget = Budget(1, tmp_path / "trials.log")
    baseline = Trial(BASELINE, np.array([0.1]))
    nothing = search(baseline, split_each_user(interactions, SCALE.liked), SCALE, budget, print)
    assert nothing == []
