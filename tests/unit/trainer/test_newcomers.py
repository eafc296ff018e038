"""How people are judged whom the model never met, and what is asked for them."""

from dataclasses import replace

import numpy as np
import pytest

from trainer.algorithms.ease import Ease
from trainer.data.interactions import Scale
from trainer.data.likes import FEW
from trainer.data.people import DemographicGroups
from trainer.selection.newcomers import EVENTS, PLAIN, JudgedSources, judge_newcomers
from trainer.selection.sources import served_gain_low, sources, stated
from trainer.selection.trials import BASELINE, Recipe

SCALE = Scale(1, 5)
EASE = Recipe("ease", Ease().candidates(SCALE)[0])
MODEL = ["model", "fold_in"]


@pytest.fixture(scope="module")
def of_one_mind(interactions):
    """People of one taste are of one age, and all of one occupation; of some nothing is known."""
    ages = np.arange(len(interactions.users), dtype=np.int32) % 4
    ages[::10] = -1
    return replace(interactions, kinds=DemographicGroups(ages, np.minimum(ages, 0)))


def judged(number=FEW, **gains):
    """So many people, and by how much each source serves them better than what is popular."""
    noise = np.random.default_rng(1).normal(0, 0.01, number)
    found = {name: 0.2 + gain + noise for name, gain in gains.items()}
    level = np.full(number, 0.2)
    return JudgedSources({PLAIN: level, "popular": level, **found})


def test_people_it_never_met_are_judged_by_how_much_they_did(interactions):
    found = judge_newcomers(EASE, interactions, SCALE.liked)
    assert tuple(found) == EVENTS
    assert found[10].gain("fold_in", ["popular"]).low > 0
    assert "fold_in" not in found[0].ndcg


def test_further_people_are_taken_out_until_enough_are_judged(interactions):
    found = judge_newcomers(EASE, interactions, SCALE.liked)
    fifth = len(interactions.users) / 5
    assert len(found[0]) > fifth


def test_what_is_the_same_for_all_is_no_better_than_what_is_popular(interactions):
    found = judge_newcomers(BASELINE, interactions, SCALE.liked)
    for number in EVENTS[1:]:
        assert np.array_equal(found[number].ndcg["fold_in"], found[number].ndcg["popular"])


def test_people_of_a_kind_are_judged_by_what_their_kind_knows(of_one_mind):
    before_anything = judge_newcomers(EASE, of_one_mind, SCALE.liked)[0]
    assert before_anything.gain("people", ["popular"]).low > 0
    assert np.isnan(before_anything.ndcg["people"]).any()


def test_where_nothing_is_known_of_anybody_no_kind_is_judged(interactions):
    found = judge_newcomers(EASE, interactions, SCALE.liked)
    assert all("people" not in newcomers.ndcg for newcomers in found.values())


def test_one_alone_of_a_group_is_judged_though_no_other_is_in_it(of_one_mind):
    ages = of_one_mind.groups.ages.copy()
    ages[3] = 9
    alone = replace(of_one_mind, kinds=DemographicGroups(ages, np.minimum(ages, 0)))
    assert judge_newcomers(EASE, alone, SCALE.liked)[0].gain("people", ["popular"]).low > 0


def test_those_are_drawn_who_liked_something_later(interactions, monkeypatch):
    monkeypatch.setattr("trainer.selection.newcomers.ASKED", 12)
    few_like = np.where(interactions.rows() % 10, 1, interactions.ratings).astype(np.float32)
    seldom = replace(interactions, ratings=few_like)
    liked = np.unique(seldom.rows()[SCALE.liked(seldom.ratings)])
    assert len(judge_newcomers(EASE, seldom, SCALE.liked)[0]) == len(liked)


def test_where_nobody_did_enough_only_those_who_did_nothing_are_judged(interactions):
    first = np.arange(len(interactions)) == interactions.indptr[:-1][interactions.rows()]
    assert set(judge_newcomers(BASELINE, interactions.only(first), SCALE.liked)) == {0}


def test_where_there_is_only_one_person_nobody_is_judged(interactions):
    assert judge_newcomers(BASELINE, interactions.only(interactions.rows() == 0), SCALE.liked) == {}


def test_a_source_is_asked_where_it_gains_beyond_noise():
    found = {
        0: judged(lately=0.05),
        1: judged(lately=0.05, fold_in=0.04),
        2: judged(lately=0, fold_in=0.1),
    }
    assert sources(found, {}) == {
        "0": ["lately", "popular"],
        "1": ["lately", *MODEL, "popular"],
        "2": [*MODEL, "popular"],
    }


def surely(deviations, source="fold_in"):
    """People by whom a source gains so many standard errors over what is popular."""
    noise = np.random.default_rng(1).normal(size=FEW)
    noise = (noise - noise.mean()) / noise.std()
    level = np.full(FEW, 0.2)
    gains = 0.01 * (noise + deviations / np.sqrt(FEW))
    return JudgedSources({PLAIN: level, "popular": level, source: level + gains})


@pytest.mark.parametrize("source", ["fold_in", "lately", "people"])
def test_a_source_that_gains_after_one_number_of_six_as_chance_would_have_it_is_left_out(source):
    found = {number: surely(2.2 if number == 3 else 0.5, source) for number in EVENTS}
    assert found[3].gain(source, ["popular"]).low > 0
    assert sources(found, {}) == {"0": ["popular"]}


def test_a_source_that_gains_after_one_number_of_six_surely_enough_is_asked_there():
    found = {number: surely(3 if number == 3 else 0.5) for number in EVENTS}
    assert sources(found, {}) == {
        "0": ["popular"],
        "3": [*MODEL, "popular"],
        "5": ["popular"],
    }


def test_a_source_that_gains_after_every_number_is_asked_after_each():
    found = {number: surely(2.2) for number in EVENTS[1:]}
    assert sources({0: judged()} | found, {}) == {"0": ["popular"], "1": [*MODEL, "popular"]}


def test_what_gains_most_is_asked_first():
    assert sources({0: judged(lately=0.05, people=0.1)}, {})["0"] == ["people", "lately", "popular"]


def test_what_is_no_better_is_left_out():
    found = {0: judged(lately=0.0), 1: judged(fold_in=-0.1), 2: judged(fold_in=0)}
    assert sources(found, {}) == {"0": ["popular"]}


def test_where_few_were_judged_it_is_as_with_the_number_before():
    found = {0: judged(), 1: judged(fold_in=0.1), 5: judged(FEW - 1, fold_in=-0.1)}
    assert sources(found, {}) == {"0": ["popular"], "1": [*MODEL, "popular"]}


def test_where_nobody_was_judged_the_model_is_asked_at_once():
    assert sources({}, {}) == {"0": ["popular"], "1": [*MODEL, "popular"]}


def test_figures_are_of_each_source_and_of_what_is_served():
    found = {1: judged(fold_in=0.1), 2: judged(fold_in=-0.1)}
    figures = stated(found, sources(found, {}))
    assert figures["1"]["fold_in_gain"]["value"] == pytest.approx(0.1, abs=0.01)
    assert figures["1"]["gain"] == figures["1"]["fold_in_gain"]
    assert figures["2"]["gain"]["value"] == 0
    assert served_gain_low(figures) == 0


def test_nobody_is_expected_to_be_served_worse_than_by_what_is_popular(of_one_mind):
    found = judge_newcomers(EASE, of_one_mind, SCALE.liked)
    assert served_gain_low(stated(found, sources(found, {}))) >= 0


def test_the_model_is_asked_where_what_is_better_than_it_has_nothing_to_say():
    found = {0: judged(people=0.1), 1: judged(people=0.1, fold_in=0.08)}
    assert sources(found, {}) == {
        "0": ["people", "popular"],
        "1": ["people", *MODEL, "popular"],
    }


def test_people_it_was_fitted_to_are_judged_by_its_own_lists_for_them():
    newcomers = {0: judged(), 5: judged(fold_in=0.1), 10: judged(fold_in=0)}
    known = {5: judged(model=0.1), 10: judged(3 * FEW, model=0.1)}
    assert sources(newcomers, known) == {
        "0": ["popular"],
        "5": [*MODEL, "popular"],
        "10": ["model", "popular"],
    }


def test_who_is_known_is_judged_together_with_newcomers_of_whom_as_much_is_known():
    some = {3: judged(FEW - 40, fold_in=0.1)}
    assert sources({0: judged()} | some, {3: judged(40, model=0.1)}) == {
        "0": ["popular"],
        "3": ["model", "popular"],
    }


def test_a_source_that_has_something_to_say_of_nobody_who_is_judged_has_no_figure():
    found = judged(fold_in=0.1)
    silent = JudgedSources({**found.ndcg, "people": np.full(len(found), np.nan)})
    assert "people" not in stated({1: silent}, {"0": ["popular"]})["1"]


def test_what_is_best_for_those_it_was_fitted_to_may_be_another_source_than_for_newcomers():
    newcomers = {0: judged(lately=0.1), 1: judged(3 * FEW, lately=0.1, fold_in=0.05)}
    assert sources(newcomers, {1: judged(lately=0.1, model=0.2)}) == {
        "0": ["lately", "popular"],
        "1": ["model", "lately", "fold_in", "popular"],
    }
