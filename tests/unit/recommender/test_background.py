"""Work beside the answers goes on, whatever happens to it."""

from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import OperationalError

from recommender.background import LONGEST_DELAY, delay_seconds, repeat
from recommender.metrics import Metrics


def test_a_failure_is_counted_and_the_work_done_again():
    metrics, stop, done = Metrics(), Event(), []

    def step():
        done.append(1)
        if len(done) == 1:
            raise ValueError("once")
        stop.set()

    repeat("work", step, 0.0, stop, metrics.background_failures.labels("work"))

    failures = metrics.registry.get_sample_value(
        "marquee_background_failures_total", {"task": "work"}
    )
    assert (failures, len(done) >= 2) == (1, True)


def test_work_is_done_once_more_after_it_is_told_to_stop():
    metrics, stop, done = Metrics(), Event(), []
    stop.set()

    repeat("work", lambda: done.append(1), 0.0, stop, metrics.background_failures.labels("work"))

    assert len(done) == 1


@pytest.mark.parametrize(("outcomes", "times"), [("ok", 1), ("fail ok", 2), ("fail fail ok", 2)])
def test_after_it_is_told_to_stop_work_that_fails_is_tried_once_again(outcomes, times):
    metrics, stop, done = Metrics(), Event(), []
    stop.set()

    def step():
        done.append(1)
        if outcomes.split()[len(done) - 1] == "fail":
            raise OperationalError

    repeat("work", step, 0.0, stop, metrics.background_failures.labels("work"))

    assert len(done) == times


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_delay_is_never_zero_and_never_long(failures, chance):
    assert 0 < delay_seconds(failures, chance) <= LONGEST_DELAY


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.2), (2, 0.4), (3, 0.8), (9, 5.0)])
def test_delays_double_up_to_the_longest(failures, seconds):
    assert delay_seconds(failures, 1.0) == seconds
