from dataclasses import replace

import pytest

from trainer.algorithms.ease import EaseConfiguration
from trainer.algorithms.registry import ALGORITHMS
from trainer.gate import Rules
from trainer.interactions import Scale
from trainer.selection import Terms, figures, later_figures, new_user_figures, select
from trainer.trials import BASELINE, Recipe, Trial, best_of_each, recipe_of, recipes

SCALE = Scale(1, 5)
RULES = Rules(minimum_users=30, tolerance=0.1)
WEAK = Recipe("ease", EaseConfiguration(1e6, 2.5, 1, kept_weights=1))


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def selection(interactions, told):
    return select(interactions, Terms(SCALE, RULES), told.append)


def test_the_best_on_validation_is_chosen(selection):
    assert selection.chosen == selection.trials[0].recipe
    assert selection.trials[0].ndcg == max(trial.ndcg for trial in selection.trials)


def test_each_algorithm_is_scored_once_on_test(selection):
    assert set(selection.judgements) == set(ALGORITHMS)


@pytest.mark.usefixtures("selection")
def test_every_trial_is_told_with_its_validation_figure(told):
    assert sum(line.startswith("validation: ") for line in told) == len(recipes(SCALE))


def test_a_first_good_version_is_accepted(selection):
    assert selection.verdict.accepted


def test_figures_are_given_for_every_algorithm(selection):
    found = figures(selection)
    for name in ("popularity", "svd", "ease"):
        assert found[f"ndcg20_{name}"]["low"] <= found[f"ndcg20_{name}"]["value"]
    assert found["rmse_svd"]["value"] > 0
    assert "ndcg20_live" not in found


def test_the_live_recipe_is_judged_on_the_same_data(interactions):
    selection = select(interactions, Terms(SCALE, RULES, WEAK), lambda _: None)
    found = figures(selection)
    assert found["ndcg20_gain_over_live"]["low"] > 0
    assert found["ndcg20_live"]["value"] < found["ndcg20_ease"]["value"]
    assert selection.verdict.accepted


def test_a_live_recipe_that_this_data_does_not_suit_is_told(interactions):
    unrated = replace(interactions, ratings=interactions.ratings * float("nan"))
    told = []
    svd = next(recipe for recipe in recipes(SCALE) if recipe.algorithm == "svd")
    selection = select(unrated, Terms(SCALE, RULES, svd), told.append)
    assert selection.live is None
    assert any("live version's recipe left out" in line for line in told)


def test_an_algorithm_that_does_not_suit_the_data_is_left_out(interactions):
    unrated = replace(interactions, ratings=interactions.ratings * float("nan"))
    told = []
    selection = select(unrated, Terms(SCALE, RULES), told.append)
    assert set(selection.judgements) == set(ALGORITHMS) - {"svd", "svdpp"}
    assert [line for line in told if "svd " in line] == [
        "validation: svd left out: svd learns from ratings, and there are none"
    ]


def test_later_figures_stand_beside_popularity(interactions):
    found = later_figures(interactions, BASELINE, SCALE)
    assert found["later_ndcg20"] == found["later_ndcg20_popularity"]


def test_of_equal_trials_the_first_is_taken():
    first, second = Recipe("ease", 1), Recipe("ease", 2)
    assert best_of_each([Trial(first, 0.1), Trial(second, 0.1)]) == [Trial(first, 0.1)]


def test_a_manifests_recipe_is_made_again():
    assert recipe_of("ease", WEAK.parameters) == WEAK


@pytest.mark.parametrize(("algorithm", "parameters"), [("oracle", {}), ("ease", {"magic": 1})])
def test_a_recipe_that_this_code_does_not_know_is_none(algorithm, parameters):
    assert recipe_of(algorithm, parameters) is None


def test_an_alarm_about_the_data_is_a_refusal(interactions):
    selection = select(interactions, Terms(SCALE, RULES, alarms=["half is gone"]), lambda _: None)
    assert selection.verdict.reason == "the data is not as usual: half is gone"


def test_people_it_never_met_are_judged_by_their_history(selection):
    figure = new_user_figures(selection, SCALE)["segment_ndcg20_new_users"]
    assert 0.2 < figure["value"] <= 1


def test_heavy_and_light_users_are_told_apart(selection):
    found = figures(selection)
    assert found["segment_ndcg20_heavy_users"] != found["segment_ndcg20_light_users"]
