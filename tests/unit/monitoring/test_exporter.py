from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from monitoring.evaluation.exporter import Exporter
from monitoring.evaluation.judgement import Figure

WATERMARK = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def exporter(registry):
    return Exporter(registry, lambda: WATERMARK.timestamp() + 90)


def shown(registry, name, **labels):
    return registry.get_sample_value(name, labels)


def test_a_figure_is_shown_for_its_version_and_arm(registry, exporter):
    exporter.passed(WATERMARK, [Figure("v1", "control", "hit_rate", 0.25, 8)])
    labels = {"model_version": "v1", "arm": "control", "metric": "hit_rate"}
    assert shown(registry, "marquee_online_metric", **labels) == 0.25


def test_a_version_that_is_no_longer_judged_is_no_longer_shown(registry, exporter):
    exporter.passed(WATERMARK, [Figure("v1", "control", "hit_rate", 0.25, 8)])
    exporter.passed(WATERMARK, [])
    labels = {"model_version": "v1", "arm": "control", "metric": "hit_rate"}
    assert shown(registry, "marquee_online_metric", **labels) is None


def test_the_lag_grows_with_the_clock_from_the_watermark(registry, exporter):
    exporter.passed(WATERMARK, [])
    assert shown(registry, "marquee_evaluation_watermark_lag_seconds") == 90


@pytest.mark.usefixtures("exporter")
def test_before_the_first_pass_none_has_ended_well(registry):
    assert shown(registry, "marquee_evaluation_last_pass_timestamp_seconds") == 0
