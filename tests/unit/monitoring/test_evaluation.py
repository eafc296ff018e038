from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.evaluation.judgement import (
    Counts,
    Figure,
    LandedPartition,
    figures,
    past_empty_windows,
    stream_progress,
)

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HORIZON = 30 * MINUTE


def test_figures_are_means_over_what_they_rest_on():
    counts = Counts("v1", "control", answers=4, hits=1, minutes=10, ratings=2, rating_sum=7.0)
    assert list(figures([counts])) == [
        Figure("v1", "control", "answers", 4, 4),
        Figure("v1", "control", "hit_rate", 0.25, 4),
        Figure("v1", "control", "minutes_per_answer", 2.5, 4),
        Figure("v1", "control", "rating_mean", 3.5, 2),
    ]


def test_a_figure_without_a_sample_is_left_out():
    counts = Counts("v1", "control", answers=4, hits=0, minutes=0, ratings=0, rating_sum=0.0)
    assert "rating_mean" not in {figure.metric for figure in figures([counts])}


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


@given(st.integers(0, 10**7), st.integers(1, 10**5))
def test_only_whole_windows_are_passed_over(seconds, width_seconds):
    until, width = NOW + timedelta(seconds=seconds), timedelta(seconds=width_seconds)
    moved = past_empty_windows(NOW, until, width)
    assert moved <= until < moved + width
    assert (moved - NOW) % width == timedelta(0)


def test_the_watermark_never_moves_back():
    assert past_empty_windows(NOW, NOW - HORIZON, MINUTE) == NOW
