from prometheus_client import CollectorRegistry

from trainer.metrics import TrainingMetrics
from trainer.versions.artifact import Manifest

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
        "ndcg20_ease": {"value": 0.14},
        "ndcg20_gain_over_popularity": {"value": 0.06},
        "validation_ndcg20_ease": {"value": 0.15},
    },
    gate={},
)


def test_a_version_shows_when_it_was_made_and_how_it_ranks():
    registry = CollectorRegistry()
    TrainingMetrics(registry).show(MANIFEST)
    ndcg = registry.get_sample_value("marquee_model_ndcg20", {"algorithm": "ease"})
    created = registry.get_sample_value("marquee_model_created_timestamp_seconds")
    assert (ndcg, created) == (0.14, 1738292400)


def test_gains_are_no_algorithm():
    registry = CollectorRegistry()
    TrainingMetrics(registry).show(MANIFEST)
    algorithms = [
        sample.labels["algorithm"]
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "marquee_model_ndcg20"
    ]
    assert algorithms == ["ease"]
