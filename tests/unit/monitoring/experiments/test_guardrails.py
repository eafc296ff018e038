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
    (words,) = harms({figure: control}, {figure: challenger}, 20_000)
    assert f"{bad:.4g} against {good:.4g}" in words
    assert harms({figure: challenger}, {figure: control}, 20_000) == []


@pytest.mark.parametrize("guardrail", GUARDRAILS, ids=lambda one: one.figure)
def test_what_is_worse_within_the_limit_is_let_through(guardrail):
    worse = 0.5 * guardrail.limit * (1 if guardrail.more_is_worse else -1)
    control, challenger = people(2000, 0.5, 0.001), people(2000, 0.5 + worse, 0.001)
    found = harms({guardrail.figure: control}, {guardrail.figure: challenger}, 20_000)
    assert found == []


def test_what_chance_explains_is_let_through():
    control, challenger = people(60, 0.02, 0.02), people(60, 0.06, 0.06)
    assert harms({"failed": control}, {"failed": challenger}, 20_000) == []


def test_nothing_failed_in_either_arm_is_no_harm():
    nothing = people(2000, 0.0, 0.0)
    assert harms({"failed": nothing}, {"failed": nothing}, 20_000) == []


def test_too_few_people_are_no_harm():
    assert harms({"failed": people(40, 0, 0)}, {"failed": people(40, 1, 0)}, 20_000) == []


def test_what_was_not_counted_is_no_harm():
    assert harms({}, {}, 20_000) == []
