import pytest
from prometheus_client import CollectorRegistry

from trainer.metrics import TrainingMetrics


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def metrics(registry):
    return TrainingMetrics(registry)


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
