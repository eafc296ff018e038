from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from trainer.metrics import TrainingMetrics
from trainer.versions.manifest import Manifest

MANIFEST = Manifest(
    version="20250131-030000-ease",
    algorithm="ease",
    parameters={},
    created_at="2025-01-31T03:00:00+00:00",
    data={},
    code={},
    machine={},
    libraries={},
    figures={
        "algorithms": {
            "ease": {"ndcg20": {"value": 0.14}, "validation_ndcg20": {"value": 0.15}},
            "als": {"validation_ndcg20": {"value": 0.1}},
        },
        "gains": {"over_popularity": {"value": 0.06}},
        "live": {"ndcg20": {"value": 0.13}},
    },
    gate={},
)
OTHER = replace(MANIFEST, figures={"algorithms": {"svd": {"ndcg20": {"value": 0.1}}}})


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def metrics(registry):
    return TrainingMetrics(registry)


def test_how_rarely_a_schedule_trains_is_shown(registry, metrics):
    metrics.recur("0 3 1 * *", datetime(2025, 1, 31, tzinfo=UTC))
    assert (
        registry.get_sample_value("marquee_schedule_interval_seconds", {"task": "train"})
        == timedelta(days=31).total_seconds()
    )


def test_while_a_training_runs_it_is_shown_with_its_progress(registry, metrics):
    with metrics.measured():
        metrics.proceed(0.25, 30)
        assert registry.get_sample_value("marquee_training_running") == 1
        assert registry.get_sample_value("marquee_training_progress_ratio") == 0.25
        assert registry.get_sample_value("marquee_training_left_seconds") == 30


def fail(metrics):
    with metrics.measured():
        metrics.proceed(0.25, 30)
        raise ZeroDivisionError


def test_a_training_that_failed_runs_no_longer_and_has_nothing_left(registry, metrics):
    with pytest.raises(ZeroDivisionError):
        fail(metrics)
    assert registry.get_sample_value("marquee_training_running") == 0
    assert registry.get_sample_value("marquee_training_left_seconds") == 0
    assert registry.get_sample_value("marquee_training_seconds") > 0


def algorithms_shown(registry):
    return [
        sample.labels["algorithm"]
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "marquee_model_ndcg20"
    ]


def test_a_version_shows_when_it_was_made_and_how_it_ranks(registry, metrics):
    metrics.show(MANIFEST)
    shown = {"algorithm": "ease", "model_version": MANIFEST.version}
    ndcg = registry.get_sample_value("marquee_model_ndcg20", shown)
    created = registry.get_sample_value("marquee_model_created_timestamp_seconds")
    assert (ndcg, created) == (0.14, 1738292400)


def test_gains_and_what_is_live_are_no_algorithms(registry, metrics):
    metrics.show(MANIFEST)
    assert algorithms_shown(registry) == ["ease"]


def test_what_is_no_longer_tried_is_no_longer_shown(registry, metrics):
    metrics.show(MANIFEST)
    metrics.show(OTHER)
    assert algorithms_shown(registry) == ["svd"]
