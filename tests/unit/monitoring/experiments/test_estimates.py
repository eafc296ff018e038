"""Means, ratios, lifts and CUPED from sums over people, against NumPy and tea-tasting."""

import numpy as np
import pytest
import tea_tasting.aggr
from hypothesis import given
from hypothesis import strategies as st
from tea_tasting import Mean, RatioOfMeans

from monitoring.experiments.estimates import (
    FEWEST_PEOPLE,
    Estimate,
    Sums,
    adjusted,
    difference,
    mean,
    means,
    over_strata,
    ratio,
    relative_lift,
)

NORMAL_97_5 = 1.959963984540054


def sums(y, x=None):
    x = np.zeros_like(y) if x is None else x
    return Sums(len(y), *map(float, (y.sum(), y @ y, x.sum(), x @ x, x @ y)))


def people(seed, count, lift=0.0):
    """Minutes watched, requests, and minutes of the time before; heavy-tailed, correlated."""
    random = np.random.default_rng(seed)
    taste = random.lognormal(0, 1, count)
    requests = 1 + random.poisson(taste)
    before = random.poisson(20 * taste)
    minutes = random.poisson(10 * (1 + lift) * taste * requests)
    return minutes.astype(float), requests.astype(float), before.astype(float)


def aggregates(y, x):
    """What tea-tasting computes from, in its own form."""
    return tea_tasting.aggr.Aggregates(
        count_=len(y),
        mean_={"y": y.mean(), "x": x.mean()},
        var_={"y": y.var(ddof=1), "x": x.var(ddof=1)},
        cov_={("x", "y"): np.cov(x, y)[0, 1]},
    )


@given(st.lists(st.floats(-100, 100), min_size=FEWEST_PEOPLE, max_size=80))
def test_a_mean_is_that_of_numpy(values):
    y = np.array(values)
    found = mean(sums(y))
    assert found.value == pytest.approx(y.mean(), abs=1e-9)
    assert found.variance == pytest.approx(y.var(ddof=1) / len(y), rel=1e-6, abs=1e-9)


def test_sums_of_parts_add_up_to_the_sums_of_all():
    y, x, _ = people(1, 1000)
    whole, parts = sums(y, x), sums(y[:300], x[:300]) + sums(y[300:], x[300:])
    assert parts.people == whole.people
    assert vars(parts) == pytest.approx(vars(whole))


def test_too_few_people_have_no_estimate():
    y, x, _ = people(1, FEWEST_PEOPLE - 1)
    assert mean(sums(y, x)) is None
    assert ratio(sums(y, x)) is None
    assert adjusted(sums(y, x), sums(y, x)) == (None, None)


def test_a_ratio_over_nothing_has_no_estimate():
    y = np.ones(FEWEST_PEOPLE)
    assert ratio(sums(y, np.zeros_like(y))) is None


def test_a_ratio_varies_as_much_as_its_variance_says():
    """The spread of the ratio over 2,000 samples, against the mean of what each says of itself."""
    found = [ratio(sums(*people(seed, 500)[:2])) for seed in range(2000)]
    spread = np.var([one.value for one in found])
    assert np.mean([one.variance for one in found]) == pytest.approx(spread, rel=0.15)


def test_a_difference_of_means_is_that_of_tea_tasting():
    (y0, x0, _), (y1, x1, _) = people(1, 3000), people(2, 3500, lift=0.1)
    ours = difference(mean(sums(y0)), mean(sums(y1)))
    theirs = Mean("y", use_t=False).analyze_aggregates(aggregates(y0, x0), aggregates(y1, x1))
    assert ours.value == pytest.approx(theirs.effect_size)
    half = (theirs.effect_size_ci_upper - theirs.effect_size_ci_lower) / 2
    assert NORMAL_97_5 * ours.variance**0.5 == pytest.approx(half)


def test_a_difference_of_ratios_is_that_of_tea_tasting():
    (y0, x0, _), (y1, x1, _) = people(1, 3000), people(2, 3500, lift=0.1)
    ours = difference(ratio(sums(y0, x0)), ratio(sums(y1, x1)))
    metric = RatioOfMeans("y", "x", use_t=False)
    theirs = metric.analyze_aggregates(aggregates(y0, x0), aggregates(y1, x1))
    assert ours.value == pytest.approx(theirs.effect_size)
    half = (theirs.effect_size_ci_upper - theirs.effect_size_ci_lower) / 2
    assert NORMAL_97_5 * ours.variance**0.5 == pytest.approx(half)


def test_a_relative_lift_is_that_of_tea_tasting():
    """Its interval is of the quotient's logarithm, by the same delta method."""
    (y0, x0, _), (y1, x1, _) = people(1, 3000), people(2, 3500, lift=0.1)
    ours = relative_lift(mean(sums(y0)), mean(sums(y1)))
    theirs = Mean("y", use_t=False).analyze_aggregates(aggregates(y0, x0), aggregates(y1, x1))
    assert ours.value == pytest.approx(theirs.rel_effect_size)
    factor = (1 + theirs.rel_effect_size_ci_upper) / (1 + theirs.rel_effect_size)
    half = np.log(factor) * (1 + theirs.rel_effect_size)
    assert NORMAL_97_5 * ours.variance**0.5 == pytest.approx(half)


def test_what_was_before_is_taken_out_as_tea_tasting_does():
    (y0, _, x0), (y1, _, x1) = people(1, 3000), people(2, 3500, lift=0.1)
    ours = difference(*adjusted(sums(y0, x0), sums(y1, x1)))
    metric = Mean("y", "x", use_t=False)
    theirs = metric.analyze_aggregates(aggregates(y0, x0), aggregates(y1, x1))
    assert ours.value == pytest.approx(theirs.effect_size)
    half = (theirs.effect_size_ci_upper - theirs.effect_size_ci_lower) / 2
    assert NORMAL_97_5 * ours.variance**0.5 == pytest.approx(half)
    assert ours.variance < difference(mean(sums(y0)), mean(sums(y1))).variance


def test_where_nothing_was_before_nothing_is_taken_out():
    y, _, _ = people(1, 1000)
    nothing = np.zeros_like(y)
    assert adjusted(sums(y, nothing), sums(y, nothing))[0] == mean(sums(y))


def watching(people, watchers):
    return sums(np.repeat([1.0, 0.0], [watchers, people - watchers]))


def test_an_arm_without_a_watcher_is_no_surer_than_all_people_together():
    """Of 1,000 people 20 watched, none of the challenger's 50: chance, four times in ten."""
    control, challenger = means(watching(950, 20), watching(50, 0))
    assert challenger.value == 0
    assert challenger.variance == pytest.approx(0.02 * 0.98 / 50, rel=0.01)
    assert control == mean(watching(950, 20))


@given(st.integers(50, 500), st.integers(50, 500), st.integers(0, 50), st.integers(0, 50))
def test_arms_to_be_compared_are_never_surer_than_each_by_itself(people, others, one, other):
    control, challenger = watching(people, one), watching(others, other)
    found = means(control, challenger)
    for arm, alone in zip(found, adjusted(control, challenger), strict=True):
        assert (arm.value, arm.people) == (alone.value, alone.people)
        assert arm.variance >= alone.variance


def test_too_few_people_are_not_compared():
    assert means(watching(50, 1), watching(49, 1)) is None


@pytest.mark.parametrize("value", [0.0, -1.0, 0.29])
def test_there_is_no_lift_over_what_is_not_clear_of_nothing(value):
    assert relative_lift(Estimate(value, 0.01, 100), Estimate(1.0, 0.01, 100)) is None


def test_strata_do_not_mistake_days_for_arms():
    """Good days came when the challenger had most people; in each stratum both are equal."""
    quiet = Estimate(0.1, 0.01, 900), Estimate(0.1, 0.04, 100)
    lively = Estimate(0.3, 0.04, 100), Estimate(0.3, 0.01, 900)
    control, challenger = over_strata([quiet, lively])
    assert control.value == challenger.value == pytest.approx(0.2)
    assert control.variance == pytest.approx(0.25 * 0.01 + 0.25 * 0.04)
    assert (control.people, challenger.people) == (1000, 1000)


def test_one_stratum_is_itself():
    pair = Estimate(0.1, 0.01, 900), Estimate(0.2, 0.04, 100)
    assert over_strata([pair]) == pair


def test_no_stratum_is_no_estimate():
    assert over_strata([]) is None
