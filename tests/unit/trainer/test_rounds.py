"""Further rounds of validation, on people of whom the first round judges few."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.trainer.conftest import people_with_tastes
from trainer.data.interactions import Scale
from trainer.data.split import split_each_user
from trainer.selection import rounds
from trainer.selection.choice import Terms, select
from trainer.selection.gate import Rules
from trainer.selection.rounds import judge_further
from trainer.selection.trials import recipes, try_on_validation

SCALE = Scale(1, 5)
TRIED = ("popularity", "ease", "als")


@pytest.fixture(scope="module")
def sparse():
    """People who did three things each: two fifths of them lose one."""
    whole = people_with_tastes(users=300)
    return whole.only(np.arange(len(whole)) - whole.indptr[:-1][whole.rows()] < 3)


@pytest.fixture(scope="module")
def first(sparse):
    return split_each_user(sparse, SCALE.liked)


@pytest.fixture(scope="module")
def trials(first):
    return list(try_on_validation(recipes(SCALE, TRIED), first, SCALE, lambda _: None))


def judged_after(trials, whole):
    return judge_further(trials, whole, SCALE, lambda _: None)


def test_everybody_who_can_be_is_judged_once_more(trials, sparse):
    further = judged_after(trials, sparse)
    numbers = {len(trial.ndcg) for trial in further}
    assert len(numbers) == 1
    more = numbers.pop() - len(trials[0].ndcg)
    assert len(trials[0].ndcg) < more <= len(sparse.users)


def test_figures_begin_with_those_of_the_first_round(trials, sparse):
    before = {trial.recipe: trial.ndcg for trial in trials}
    for trial in judged_after(trials, sparse):
        assert np.array_equal(trial.ndcg[: len(before[trial.recipe])], before[trial.recipe])


def test_what_cannot_be_the_best_any_more_is_not_tried_again(trials, sparse):
    hopeless = [
        replace(trial, ndcg=trial.ndcg * 0) if trial.recipe.algorithm == "als" else trial
        for trial in trials
    ]
    names = {trial.recipe.algorithm for trial in judged_after(hopeless, sparse)}
    assert names == {"popularity", "ease"}


def test_where_half_of_them_were_judged_there_is_no_further_round(interactions):
    split = split_each_user(interactions, SCALE.liked)
    tried = list(try_on_validation(recipes(SCALE, ("ease",)), split, SCALE, lambda _: None))
    assert judged_after(tried, interactions) == tried


def test_where_enough_were_judged_there_is_no_further_round(trials, sparse, monkeypatch):
    monkeypatch.setattr(rounds, "ENOUGH", len(trials[0].ndcg))
    assert judged_after(trials, sparse) == trials


def test_the_choice_is_told_with_all_who_were_judged(sparse):
    told = []
    selection = select(sparse, Terms(SCALE, Rules(30, 0.1), algorithms=TRIED), told.append)
    judged = len(selection.trials[0].ndcg)
    assert any(line.startswith("validation, round 5 of 5: ") for line in told)
    assert any(f"best expected of {judged:,} judged" in line for line in told)


def test_each_algorithm_has_one_trial_in_the_end(sparse):
    selection = select(sparse, Terms(SCALE, Rules(30, 0.1), algorithms=TRIED), lambda _: None)
    assert sorted(each.recipe.algorithm for each in selection.trials) == sorted(TRIED)
