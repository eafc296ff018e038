"""The figures of online evaluation as Prometheus reads them."""

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from monitoring.evaluation.judgement import Figure


class Exporter:
    """Gauges in one registry; they stay what they were until the next pass."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        """Register the gauges; `clock` gives the seconds since 1970."""
        self._clock = clock
        self._figure = Gauge(
            "marquee_online_metric",
            "The newest figure from what people did after a model version's answers",
            ["model_version", "arm", "metric"],
            registry=registry,
        )
        self._watermark = Gauge(
            "marquee_evaluation_watermark_timestamp_seconds",
            "First receipt time that is not judged yet",
            registry=registry,
        )
        self._lag = Gauge(
            "marquee_evaluation_watermark_lag_seconds",
            "How long ago the first answer was given that is not judged yet",
            registry=registry,
        )
        self._last_pass = Gauge(
            "marquee_evaluation_last_pass_timestamp_seconds",
            "When the last pass ended well",
            registry=registry,
        )

    def passed(self, watermark: datetime, figures: Iterable[Figure]) -> None:
        """Show what a pass that ended well found."""
        self._figure.clear()
        for figure in figures:
            self._figure.labels(figure.model_version, figure.arm, figure.metric).set(figure.value)
        self._watermark.set(watermark.timestamp())
        self._lag.set_function(lambda: self._clock() - watermark.timestamp())
        self._last_pass.set(self._clock())
