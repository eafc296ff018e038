"""Verdicts on what few people do: chance is not called a difference, and a bad model still is."""

import numpy as np
import pytest

from monitoring.experiments.estimates import Sums, means, relative_lift
from monitoring.experiments.verdict import Plan, Word, judge

PLAN = Plan(people=5000, margin=0.05)
LOOKS = range(200, PLAN.people + 1, 200)
TESTS = range(200)


def looks(seed, share, watching, watching_with_challenger):
    """Control's and the challenger's sums at each look; who watches is drawn person by person."""
    random = np.random.default_rng(seed)
    drawn = random.random(PLAN.people) < share
    chance = np.where(drawn, watching_with_challenger, watching)
    watched = random.random(PLAN.people) < chance
    for people in LOOKS:
        yield (counted(watched[:people][drawn[:people] == arm]) for arm in (False, True))


def counted(watched):
    watchers = float(watched.sum())
    return Sums(len(watched), watchers, watchers)


def verdicts(*terms):
    for control, challenger in looks(*terms):
        both = means(control, challenger)
        yield judge(relative_lift(*both) if both else None, PLAN)


def first_difference(*terms):
    """The first verdict at any look that people are better or worse off, if there is one."""
    return next((one for one in verdicts(*terms) if one.word in (Word.BETTER, Word.WORSE)), None)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("watching", [0.02, 0.05])
def test_a_version_against_itself_differs_at_most_once_in_twenty_tests(share, watching):
    """With each arm's own variance alone a third of them did, where 2 % watch and a tenth is tried.

    The rates of 1,000 tests, and of more cases: make bench ONLY=evaluation.
    """
    wrong = sum(first_difference(seed, share, watching, watching) is not None for seed in TESTS)
    assert wrong / len(TESTS) <= 0.05


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("watching", [0.05, 0.5])
def test_a_challenger_that_nobody_watches_with_is_called_worse(share, watching):
    """It has no watcher by which to know how people vary: those of control tell."""
    found = [first_difference(seed, share, watching, 0.0) for seed in range(20)]
    assert [one.word for one in found] == [Word.WORSE] * 20


def test_nobody_watching_among_a_few_says_nothing():
    both = means(Sums(950, 20, 20), Sums(50, 0, 0))
    verdict = judge(relative_lift(*both), PLAN)
    assert verdict.word is Word.UNDECIDED
    assert verdict.interval.high > 1
