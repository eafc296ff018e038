import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from ci.slots.traffic import Traffic, parse_figures, parse_traffic
from compose.service.metrics import process_registry

counts = st.integers(0, 10_000)


def exposition(statuses: dict[str, int], seconds: list[float]) -> str:
    registry = CollectorRegistry()
    requests = Counter("marquee_requests", "n", ["status", "reason"], registry=registry)
    for status, count in statuses.items():
        requests.labels(status, "model").inc(count)
        requests.labels(status, "popular").inc(count)
    histogram = Histogram(
        "marquee_request_seconds", "s", ["reason"], buckets=(0.01, 0.1, 1), registry=registry
    )
    for value in seconds:
        histogram.labels("model").observe(value)
    return generate_latest(registry).decode()


def test_answers_are_counted_over_all_labels_and_5xx_are_errors():
    traffic = parse_traffic(exposition({"200": 5, "404": 2, "503": 1, "500": 1}, []))
    assert (traffic.requests, traffic.errors) == (18, 4)


def test_a_slot_that_nobody_asked_has_no_traffic():
    assert parse_traffic(exposition({}, [])) == Traffic(0, 0, {})


def test_a_slot_tells_since_when_its_process_runs():
    started = parse_figures(generate_latest(process_registry()).decode()).started_at
    assert started is not None
    assert datetime.now(UTC) - timedelta(days=1) < started <= datetime.now(UTC)


def test_a_slot_that_does_not_tell_is_not_thought_to_be_new():
    assert parse_figures(exposition({}, [])).started_at is None


def test_what_is_no_exposition_is_refused():
    with pytest.raises(ValueError, match="busy"):
        parse_traffic("<html>busy</html>")


@given(requests=counts, errors=counts, more=counts, more_errors=counts)
def test_traffic_since_a_moment_is_the_difference(requests, errors, more, more_errors):
    earlier = Traffic(requests, errors, {1.0: requests})
    later = Traffic(requests + more, errors + more_errors, {1.0: requests + more})
    assert later.since(earlier) == Traffic(more, more_errors, {1.0: more})


def test_after_a_restart_everything_counted_is_new():
    assert Traffic(5, 1, {1.0: 5}).since(Traffic(100, 0, {1.0: 100})) == Traffic(5, 1, {1.0: 5})


@given(requests=st.integers(1, 10_000), data=st.data())
def test_what_chance_cannot_explain_is_at_most_what_was_seen(requests, data):
    errors = data.draw(st.integers(0, requests))
    traffic = Traffic(requests, errors)
    assert 0 <= traffic.error_share_at_least() <= traffic.error_share() + 1e-12


def test_the_lower_end_of_wilsons_interval_is_the_published_one():
    # Brown, Cai, DasGupta (2001) give the centre (x + z²/2) / (n + z²); here x = 10, n = 100.
    lower = Traffic(100, 10).error_share_at_least()
    centre = (10 + 9 / 2) / (100 + 9)
    half = 3 * math.sqrt(100) / 109 * math.sqrt(0.1 * 0.9 + 9 / 400)
    assert lower == pytest.approx(centre - half)


@pytest.mark.parametrize(
    ("seconds", "p99"),
    [
        ([], 0.0),
        ([0.005] * 100, 0.0099),
        ([0.005] * 98 + [0.05] * 2, 0.055),
        ([5.0] * 100, 1.0),
    ],
    ids=["none", "all in the first bucket", "between bounds", "beyond the last bound"],
)
def test_the_99th_percentile_is_read_as_prometheus_reads_it(seconds, p99):
    assert parse_traffic(exposition({}, seconds)).p99_seconds() == pytest.approx(p99)
