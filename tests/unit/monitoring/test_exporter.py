from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, repeat

import pytest
from prometheus_client import CollectorRegistry

from monitoring.evaluation.evaluation_pass import Pass
from monitoring.evaluation.exporter import Exporter
from monitoring.evaluation.figures import Group, OnlineFigure

WATERMARK = datetime(2025, 3, 1, 12, tzinfo=UTC)
DONE = Pass([], WATERMARK, WATERMARK - timedelta(days=2), None)
FIGURE = OnlineFigure(
    Group("v1", "control", "model", "new"), "hit_rate", 0.25, 0.2, 0.3, 0.01, 8, 5
)
LABELS = {
    "model_version": "v1",
    "arm": "control",
    "reason": "model",
    "segment": "new",
    "metric": "hit_rate",
}


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def exporter(registry):
    return Exporter(registry, lambda: WATERMARK.timestamp() + 90, "*/15 * * * *")


def shown(registry, name, **labels):
    return registry.get_sample_value(name, labels)


def test_a_figure_is_shown_with_its_interval_and_what_it_rests_on(registry, exporter):
    exporter.passed(DONE, [FIGURE], {})
    assert shown(registry, "marquee_online_metric", **LABELS) == 0.25
    assert shown(registry, "marquee_online_metric_bound", **LABELS, bound="low") == 0.2
    assert shown(registry, "marquee_online_metric_bound", **LABELS, bound="high") == 0.3
    assert shown(registry, "marquee_online_metric_samples", **LABELS) == 8


def test_a_version_that_is_no_longer_judged_is_no_longer_shown(registry, exporter):
    exporter.passed(DONE, [FIGURE], {})
    exporter.passed(DONE, [], {})
    assert shown(registry, "marquee_online_metric", **LABELS) is None
    assert shown(registry, "marquee_online_metric_bound", **LABELS, bound="low") is None


def test_the_lag_grows_with_the_clock_from_the_watermark(registry, exporter):
    exporter.passed(DONE, [], {})
    assert shown(registry, "marquee_evaluation_watermark_lag_seconds") == 90


def test_what_came_too_late_is_counted_by_kind(registry, exporter):
    exporter.passed(DONE, [], {"receipt": 7})
    assert shown(registry, "marquee_evaluation_too_late_rows", kind="receipt") == 7


NEXT_RUN = "marquee_next_run_timestamp_seconds"


@pytest.mark.usefixtures("exporter")
def test_after_a_start_a_pass_is_due_by_the_schedule(registry):
    due = WATERMARK + timedelta(minutes=15)
    assert shown(registry, NEXT_RUN, task="evaluate") == due.timestamp()


def test_a_pass_that_ended_well_moves_the_next_one(registry):
    at_start, later = WATERMARK, WATERMARK + timedelta(minutes=70)
    moments = chain([at_start.timestamp()], repeat(later.timestamp()))
    exporter = Exporter(registry, partial(next, moments), "*/15 * * * *")
    exporter.passed(DONE, [], {})
    due = WATERMARK + timedelta(minutes=75)
    assert shown(registry, NEXT_RUN, task="evaluate") == due.timestamp()


@pytest.mark.usefixtures("exporter")
def test_before_the_first_pass_none_has_ended_well(registry):
    assert shown(registry, "marquee_evaluation_last_pass_timestamp_seconds") == 0
