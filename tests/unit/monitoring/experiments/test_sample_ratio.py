"""Whether both arms got the people they should have."""

import math

import numpy as np
import pytest
from ville import BernoulliTest

from monitoring.experiments.sample_ratio import (
    ALPHA,
    CONCENTRATION,
    Allocation,
    log_evidence,
    mismatch,
)


def arrivals(seed, share, people=20_000):
    """How many of the first n people came to the challenger, for each hundredth n."""
    came = np.random.default_rng(seed).random(people) < share
    return np.cumsum(came)[99::100]


def test_the_evidence_is_that_of_ville():
    came = np.random.default_rng(1).random(500) < 0.12
    prior = (0.1 * CONCENTRATION, 0.9 * CONCENTRATION)
    theirs = BernoulliTest(0.1, prior=prior).fit(came.astype(float)).log_e_values_
    for people in (1, 10, 499, 500):
        challenger = int(came[:people].sum())
        ours = log_evidence([Allocation(people - challenger, challenger, 0.1)])
        assert ours == pytest.approx(theirs[people - 1], abs=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_right_split_is_seldom_called_wrong_however_often_one_looks(share):
    alarms = 0
    for seed in range(200):
        counts = arrivals(seed, share)
        looks = [Allocation(100 * (k + 1) - int(n), int(n), share) for k, n in enumerate(counts)]
        alarms += any(log_evidence([look]) >= -math.log(ALPHA) for look in looks)
    assert alarms <= 6  # 200 looks-through at 1 %: 2 are expected at most, 7 have a chance of 0.5 %


def test_an_arm_that_loses_eight_in_a_hundred_people_is_found():
    found = 0
    for seed in range(20):
        challenger = int(arrivals(seed, 0.46 / 0.96)[-1])
        found += mismatch([Allocation(20_000 - challenger, challenger, 0.5)]) is not None
    assert found >= 19


def test_a_mismatch_says_what_was_planned_and_what_came():
    words = mismatch([Allocation(5000, 4000, 0.5)])
    assert "4,000 of 9,000 people came to the challenger, 4,500 were to" in words


def test_each_share_is_held_against_its_own_people():
    """First 10 % of the people, then 50 %: together neither, but each as planned."""
    assert mismatch([Allocation(9000, 1000, 0.1), Allocation(5000, 5000, 0.5)]) is None
    assert mismatch([Allocation(14_000, 6000, 0.5)]) is not None


def test_nobody_is_no_mismatch():
    assert mismatch([]) is None
    assert mismatch([Allocation(0, 0, 0.5)]) is None
