"""Intervals that hold at all looks, against published figures and against `ville`."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import lambertw
from ville import AsymptoticCS

from monitoring.experiments.confidence import interval, precision, standard_errors
from monitoring.experiments.estimates import Estimate, Sums, mean, relative_lift


def test_proportions_are_those_that_were_published():
    """1,396 of 3,000 people against 2,422 of 3,461, tuned for 5,000."""
    one, other = 1396 / 3000, 2422 / 3461
    lift = relative_lift(
        Estimate(one, one * (1 - one) / 3000, 3000),
        Estimate(other, other * (1 - other) / 3461, 3461),
    )
    found = interval(lift, 5000)
    assert [round(bound, 5) for bound in (found.value, found.low, found.high)] == [
        0.50386,
        0.40098,
        0.60675,
    ]


def test_means_are_those_that_were_published():
    """3,000 and 3,461 people by their sums and sums of squares, tuned for 1,000."""
    lift = relative_lift(mean(Sums(3000, 1396.87, 52377.9767)), mean(Sums(3461, 2422.7, 134698.29)))
    found = interval(lift, 1000)
    assert [round(bound, 5) for bound in (found.value, found.low, found.high)] == [
        0.50336,
        -0.55844,
        1.56516,
    ]


@pytest.mark.parametrize("planned", [200, 5000])
def test_a_sequence_is_that_of_ville_at_every_look(planned):
    """Theirs is tuned by a search; here it gets that of the closed form, 3 % beside it."""
    values = np.random.default_rng(7).lognormal(0, 1, 3000)
    theirs = AsymptoticCS(t_opt=planned)
    assert 1 / precision(planned, 0.05) == pytest.approx(theirs.rho_, rel=0.05)
    theirs.rho_ = 1 / precision(planned, 0.05)
    theirs.fit(values)
    for people in range(100, 3001, 50):
        seen = values[:people]
        ours = interval(Estimate(seen.mean(), seen.var(ddof=1) / people, people), planned)
        assert ours.low == pytest.approx(theirs.lower_[people - 1])
        assert ours.high == pytest.approx(theirs.upper_[people - 1])


@given(st.integers(50, 10**7), st.floats(0.001, 0.2))
def test_the_closed_form_of_the_tuning_is_as_good_as_the_exact_one(planned, alpha):
    exact = (-lambertw(-(alpha**2) / math.e, -1).real - 1) / planned
    scaled = planned * exact
    width = math.sqrt((scaled + 1) / scaled * math.log((scaled + 1) / alpha**2))
    assert standard_errors(planned, planned, alpha) == pytest.approx(width, rel=2e-3)


@pytest.mark.parametrize("planned", [500, 20_000])
def test_the_interval_is_tightest_at_the_planned_people(planned):
    """Among all tunings none gives a shorter interval there."""
    best = minimize_scalar(
        lambda log: standard_errors(planned, math.exp(log), 0.05),
        bounds=(math.log(planned / 50), math.log(planned * 50)),
        method="bounded",
    )
    assert math.exp(best.x) == pytest.approx(planned, rel=0.1)


@given(st.integers(1, 10**6), st.integers(50, 10**6), st.floats(0.001, 0.2))
def test_looking_at_any_time_costs_more_than_looking_once(people, planned, alpha):
    assert standard_errors(people, planned, alpha) > math.sqrt(-2 * math.log(alpha))
    assert precision(planned, alpha) > 0


def test_an_estimate_of_nobody_has_no_interval():
    with pytest.raises(ValueError, match="nobody"):
        interval(Estimate(0.0, 0.0, 0), 100)


def test_a_figure_that_does_not_vary_is_known():
    found = interval(Estimate(0.3, 0.0, 100), 1000)
    assert (found.low, found.high) == (0.3, 0.3)
