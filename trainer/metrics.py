"""What Prometheus is told of trainings and of the newest version."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from compose.service.due import interval_gauge
from compose.service.schedule import longest_interval
from trainer.versions.manifest import Manifest


class TrainingMetrics:
    """The trainer's gauges; they start from the newest version, so a restart hides nothing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._running = Gauge(
            "marquee_training_running", "1 while a training runs, else 0", registry=registry
        )
        self._progress = Gauge(
            "marquee_training_progress_ratio",
            "Share of the running or last training that is done",
            registry=registry,
        )
        self._left = Gauge(
            "marquee_training_left_seconds",
            "Time left of the running training, if its steps are alike; else 0",
            registry=registry,
        )
        self._seconds = Gauge(
            "marquee_training_seconds", "How long the last training took", registry=registry
        )
        self._ndcg = Gauge(
            "marquee_model_ndcg20",
            "NDCG@20 of each algorithm at the newest version's training, on held-out data",
            ["algorithm", "model_version"],
            registry=registry,
        )
        self._created = Gauge(
            "marquee_model_created_timestamp_seconds",
            "When the newest version was trained",
            registry=registry,
        )
        self._interval = interval_gauge(registry)

    def recur(self, schedule: str, now: datetime) -> None:
        """Show how long it may be by a schedule between two trainings."""
        self._interval.labels("train").set(longest_interval(schedule, now).total_seconds())

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Show that a training runs, and how long it took, however it ends."""
        started = time.monotonic()
        self.proceed(0, 0)
        try:
            with self._running.track_inprogress():
                yield
        finally:
            self._left.set(0)
            self._seconds.set(time.monotonic() - started)

    def proceed(self, done: float, left: float) -> None:
        """Show that a share of the training is done, and that so many seconds are left."""
        self._progress.set(done)
        self._left.set(left)

    def show(self, manifest: Manifest) -> None:
        """Take a version's figures over."""
        self._created.set(datetime.fromisoformat(manifest.created_at).timestamp())
        self._ndcg.clear()  # an algorithm that is no longer tried has no figure
        for algorithm, figures in manifest.figures.get("algorithms", {}).items():
            if "ndcg20" in figures:
                self._ndcg.labels(algorithm, manifest.version).set(figures["ndcg20"]["value"])
