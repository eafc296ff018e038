from dataclasses import replace

import numpy as np
import pytest

from trainer.algorithms.ease import EaseConfiguration
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Scale
from trainer.data.split import split_each_user
from trainer.selection import choice
from trainer.selection.choice import Terms, select
from trainer.selection.figures import figures
from trainer.selection.gate import Rules
from trainer.selection.trials import (
    Recipe,
    Trial,
    best_expected,
    best_of_each,
    recipe_of,
    recipes,
    try_on_validation,
)

SCALE = Scale(1, 5)
RULES = Rules(minimum_users=30, tolerance=0.1)
WEAK = Recipe("ease", EaseConfiguration(1e6, 2.5, 1, kept_weights=1))


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def selection(interactions, told):
    return select(interactions, Terms(SCALE, RULES), told.append)


def known(interactions):
    """How many interactions trials learn from, when they learn from all there are."""
    training = split_each_user(interactions, SCALE.liked).training
    return len(split_each_user(training, SCALE.liked).training)


def trial(algorithm, *ndcg):
    return Trial(Recipe(algorithm, None), np.array(ndcg * 50))


def test_the_best_expected_is_taken_however_few_were_judged():
    others = [trial("ease", 0.2, 0.3), trial("popularity", 0.1, 0.1)]
    chosen = best_expected([trial("boosted_trees", 0.0, 0.52), *others])
    assert chosen.recipe.algorithm == "boosted_trees"


def test_between_equals_the_simplest_is_taken():
    equals = [trial("boosted_trees", 0.2, 0.3), trial("ease", 0.3, 0.1999)]
    assert best_expected(equals).recipe.algorithm == "ease"


def test_the_baseline_is_not_taken_for_being_simple():
    alike = [trial("ease", 0.2, 0.3), trial("popularity", 0.3, 0.1999)]
    assert best_expected(alike).recipe.algorithm == "ease"


def test_an_equal_that_loses_to_the_baseline_is_not_taken_for_being_simple():
    alike = [
        trial("boosted_trees", 0.2000, 0.3),
        trial("popularity", 0.1999, 0.3),
        trial("ease", 0.1990, 0.3),
    ]
    assert best_expected(alike).recipe.algorithm == "boosted_trees"


class Diverged:
    def fit(self, _interactions, _configuration):
        return self

    def score(self, rows):
        return np.full((len(rows), 3), np.nan)


class Unsolved:
    def fit(self, _interactions, _configuration):
        raise np.linalg.LinAlgError("Singular matrix")


@pytest.mark.parametrize(
    ("algorithm", "reason"),
    [(Diverged(), "its scores are no numbers"), (Unsolved(), "Singular matrix")],
)
def test_what_finds_no_numbers_is_left_out_and_costs_no_other_its_trial(
    algorithm, reason, interactions, monkeypatch
):
    known = {**dict(ALGORITHMS.items()), "ease": algorithm}
    monkeypatch.setattr("trainer.selection.trials.ALGORITHMS", known)
    split = split_each_user(interactions, SCALE.liked)
    told = []
    tried = [Recipe(name, ALGORITHMS[name].candidates(SCALE)[0]) for name in ("popularity", "als")]
    found = list(try_on_validation([Recipe("ease", None), *tried], split, SCALE, told.append))
    assert {trial.recipe.algorithm for trial in found} == {"popularity", "als"}
    assert any("ease left out" in line and reason in line for line in told)


def test_what_loses_to_the_baseline_is_never_taken():
    alike = [trial("popularity", 0.2, 0.3), trial("ease", 0.3, 0.19)]
    assert best_expected(alike).recipe.algorithm == "popularity"


@pytest.mark.usefixtures("selection")
def test_why_it_was_chosen_is_told(told):
    why = next(line for line in told if line.startswith("chosen: "))
    assert "judged; +" in why
    assert "over popularity" in why


def test_only_what_is_asked_for_is_tried_and_the_baseline(interactions):
    selection = select(interactions, Terms(SCALE, RULES, algorithms=["ease"]), lambda _: None)
    assert set(selection.judgements) == {"ease", "popularity"}


def test_each_algorithm_is_scored_once_on_test(selection):
    assert set(selection.judgements) == set(ALGORITHMS)


@pytest.mark.usefixtures("selection")
def test_every_trial_is_told_with_its_validation_figure(told):
    assert sum(line.startswith("validation: ") for line in told) == len(recipes(SCALE, ALGORITHMS))


def test_of_many_interactions_the_better_half_on_some_is_tried_on_all(interactions, monkeypatch):
    monkeypatch.setattr(choice, "LARGEST_TRIED", 500)
    monkeypatch.setattr(choice, "TELL_CONFIGURATIONS_APART", 50)
    told = []
    selection = select(interactions, Terms(SCALE, RULES), told.append)
    on_some = next(i for i, line in enumerate(told) if line.startswith("configurations are told"))
    on_all = told.index(
        f"the better half, and the baseline, learn from all {known(interactions):,}"
    )
    on_few = [line for line in told[on_some:on_all] if line.startswith("validation: ")]
    assert len(recipes(SCALE, ALGORITHMS)) == len(on_few)
    tried = {trial.recipe.algorithm for trial in selection.trials}
    assert set(selection.judgements) == {selection.chosen.algorithm, "popularity"}
    assert len(tried - {"popularity"}) in {len(ALGORITHMS) // 2, (len(ALGORITHMS) + 1) // 2}
    assert "popularity" in tried


def test_a_first_good_version_is_accepted(selection):
    assert selection.verdict.accepted


def test_the_live_recipe_is_judged_on_the_same_data(interactions):
    selection = select(interactions, Terms(SCALE, RULES, WEAK), lambda _: None)
    found = figures(selection, SCALE.liked)
    assert found["gains"]["over_live"]["low"] > 0
    assert found["live"]["ndcg20"]["value"] < found["algorithms"]["ease"]["ndcg20"]["value"]
    assert selection.verdict.accepted


def test_a_live_recipe_that_this_data_does_not_suit_is_told(interactions):
    unrated = replace(interactions, ratings=interactions.ratings * float("nan"))
    told = []
    svd = next(recipe for recipe in recipes(SCALE, ALGORITHMS) if recipe.algorithm == "svd")
    selection = select(unrated, Terms(SCALE, RULES, svd), told.append)
    assert selection.live is None
    assert any("live version's recipe left out" in line for line in told)


def test_an_algorithm_that_does_not_suit_the_data_is_left_out(interactions):
    unrated = replace(interactions, ratings=interactions.ratings * float("nan"))
    told = []
    selection = select(unrated, Terms(SCALE, RULES, live=WEAK), told.append)
    assert set(selection.judgements) == set(ALGORITHMS) - {"svd", "svdpp"}
    assert [line for line in told if "svd " in line] == [
        "validation: svd left out: svd learns from ratings, and there are none"
    ]


def test_where_nobody_rates_viewings_choose_a_model_over_popularity(interactions):
    watched = replace(interactions, ratings=interactions.ratings * float("nan"))
    selection = select(watched, Terms(SCALE, RULES), lambda _: None)
    assert selection.chosen.algorithm != "popularity"
    assert figures(selection, selection.scale.liked)["gains"]["over_popularity"]["low"] > 0
    assert selection.verdict.accepted


def test_of_equal_trials_the_first_is_taken():
    first, second = Recipe("ease", 1), Recipe("ease", 2)
    alike = np.array([0.1])
    assert [best.recipe for best in best_of_each([Trial(first, alike), Trial(second, alike)])] == [
        first
    ]


def test_a_manifests_recipe_is_made_again():
    assert recipe_of("ease", WEAK.parameters) == WEAK


@pytest.mark.parametrize(("algorithm", "parameters"), [("oracle", {}), ("ease", {"magic": 1})])
def test_a_recipe_that_this_code_does_not_know_is_none(algorithm, parameters):
    assert recipe_of(algorithm, parameters) is None


def test_an_alarm_about_the_data_is_a_refusal(interactions):
    selection = select(interactions, Terms(SCALE, RULES, alarms=["half is gone"]), lambda _: None)
    assert selection.verdict.reason == "the data is not as usual: half is gone"
