"""What stops a challenger however well people like it."""

import pytest

from monitoring.experiments.estimates import Sums
from monitoring.experiments.guardrails import GUARDRAILS, harms


def people(count, value, spread, requests=5.0):
    """So many people with as many requests each, whose outcomes a request are value +- spread."""
    high, low = (value + spread) * requests, (value - spread) * requests
    y, yy = count * (high + low) / 2, count * (high**2 + low**2) / 2
    return Sums(count, y, yy, count * requests, count * requests**2, y * requests)


@pytest.mark.parametrize(
    ("figure", "good", "bad"),
    [
        ("failed", 0.001, 0.2),
        ("seconds", 0.005, 0.2),
        ("empty", 0.0, 0.2),
        ("personalised", 0.9, 0.5),
    ],
)
def test_each_guardrail_stops_what_is_surely_worse_than_allowed(figure, good, bad):
    control, challenger = people(2000, good, 0.01), people(2000, bad, 0.1)
    (words,) = harms({figure: [(control, challenger)]}, 20_000)
    assert f"{bad:.4g} against {good:.4g}" in words
    assert harms({figure: [(challenger, control)]}, 20_000) == []


@pytest.mark.parametrize("guardrail", GUARDRAILS, ids=lambda one: one.figure)
def test_what_is_worse_within_the_limit_is_let_through(guardrail):
    worse = 0.5 * guardrail.limit * (1 if guardrail.more_is_worse else -1)
    control, challenger = people(2000, 0.5, 0.001), people(2000, 0.5 + worse, 0.001)
    found = harms({guardrail.figure: [(control, challenger)]}, 20_000)
    assert found == []


def test_what_chance_explains_is_let_through():
    control, challenger = people(60, 0.02, 0.02), people(60, 0.06, 0.06)
    assert harms({"failed": [(control, challenger)]}, 20_000) == []


def test_nothing_failed_in_either_arm_is_no_harm():
    nothing = people(2000, 0.0, 0.0)
    assert harms({"failed": [(nothing, nothing)]}, 20_000) == []


def test_too_few_people_are_no_harm():
    assert harms({"failed": [(people(40, 0, 0), people(40, 1, 0))]}, 20_000) == []


def test_what_was_not_counted_is_no_harm():
    assert harms({}, 20_000) == []


def test_harm_that_a_change_of_share_hides_stops():
    """Both failed while an outage was; after it the challenger alone, when it had most people."""
    outage = people(4500, 0.1, 0.1), people(500, 0.1, 0.1)
    after = people(500, 0.0, 0.0), people(4500, 0.08, 0.08)
    (words,) = harms({"failed": [outage, after]}, 20_000)
    assert "0.09 against 0.05" in words


def test_an_outage_that_hit_both_is_not_held_against_the_arm_that_was_larger_then():
    outage = people(300, 0.05, 0.05), people(2700, 0.05, 0.05)
    after = people(2700, 0.0, 0.0), people(300, 0.0, 0.0)
    assert harms({"failed": [outage, after]}, 20_000) == []


def test_a_small_arm_without_a_failure_is_not_sure_of_none():
    """Of 500 people 27 met one, none of them control's 50: chance, one time in sixteen."""
    control, challenger = Sums(50, 0, 0, 50, 50, 0), Sums(450, 27, 27, 450, 450, 27)
    assert harms({"failed": [(control, challenger)]}, 1000) == []
