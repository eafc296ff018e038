"""Slopes tell growth from noise and from what happens once."""

from math import inf

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from tests.drill.slopes import hours_until, slope_per_hour
from tests.drill.soak import seconds_of

HOUR = 3600.0


def growing(by_an_hour, count=30, begin=100.0):
    """A sample each two minutes."""
    return [(120.0 * n, begin + by_an_hour * 120.0 * n / HOUR) for n in range(count)]


@given(st.integers(-1000, 1000))
def test_steady_growth_is_its_slope(by_an_hour):
    assert slope_per_hour(growing(by_an_hour)) == pytest.approx(by_an_hour, abs=1e-6)


def test_what_happens_once_is_no_growth():
    samples = growing(0)
    samples[20] = (samples[20][0], 10_000.0)
    assert slope_per_hour(samples) == 0


def test_what_fills_in_the_beginning_is_no_growth():
    samples = [(time, min(value, 150.0)) for time, value in growing(300)]
    assert slope_per_hour(samples) == 0


def test_a_single_sample_has_no_slope():
    assert slope_per_hour([(0.0, 7.0)]) == 0


def test_a_bound_is_reached_when_the_slope_gets_there_or_never():
    samples = growing(10, begin=0)
    assert hours_until(samples[-1][1] + 20, samples) == pytest.approx(2)
    assert hours_until(1e9, growing(-1)) == inf
    assert hours_until(0, samples) == 0


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200)])
def test_a_duration_is_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "0h", "2d"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(typer.BadParameter):
        seconds_of(text)
