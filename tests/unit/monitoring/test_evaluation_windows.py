from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.evaluation.windows import (
    LandedPartition,
    Terms,
    closed_until,
    grid_floor,
    judged_until,
    stream_progress,
    window_at,
)

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HORIZON = 30 * MINUTE
TERMS = Terms(width=10 * MINUTE, horizon=HORIZON, lateness=60 * MINUTE)


def test_the_slowest_partition_says_how_far_the_stream_has_come():
    partitions = [
        LandedPartition(NOW, NOW - 1 * MINUTE),
        LandedPartition(NOW - MINUTE, NOW - 9 * MINUTE),
    ]
    assert stream_progress(partitions, HORIZON, NOW) == NOW - 9 * MINUTE


def test_a_partition_silent_for_a_horizon_is_not_waited_for():
    partitions = [
        LandedPartition(NOW, NOW - MINUTE),
        LandedPartition(NOW - HORIZON, NOW - 40 * MINUTE),
    ]
    assert stream_progress(partitions, HORIZON, NOW) == NOW - MINUTE


def test_a_stream_that_landed_nothing_has_no_progress():
    assert stream_progress([], HORIZON, NOW) is None


def test_a_partition_with_only_refused_lines_is_waited_for():
    partitions = [LandedPartition(NOW, NOW), LandedPartition(NOW, None)]
    assert stream_progress(partitions, HORIZON, NOW) is None


def test_progress_is_never_in_the_future():
    assert stream_progress([LandedPartition(NOW, NOW + MINUTE)], HORIZON, NOW) == NOW


def test_a_window_is_judged_after_the_horizon_and_closes_after_the_lateness():
    assert judged_until(NOW, TERMS) == NOW - 30 * MINUTE
    assert closed_until(NOW, TERMS) == NOW - 90 * MINUTE


@given(st.integers(0, 10**7), st.integers(1, 10**5))
def test_the_window_of_a_time_holds_it_and_is_the_same_for_all_times_in_it(seconds, width):
    time, begun = NOW + timedelta(seconds=seconds), NOW - timedelta(days=9)
    window = window_at(time, begun, timedelta(seconds=width))
    assert window.start <= time < window.end
    assert window_at(window.start, begun, timedelta(seconds=width)) == window


def test_the_first_window_begins_where_judging_began():
    window = window_at(NOW + MINUTE, NOW, 50 * MINUTE)
    assert window.start == NOW
    assert window.end == grid_floor(NOW + MINUTE, 50 * MINUTE) + 50 * MINUTE
