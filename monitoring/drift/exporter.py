"""Drift as Prometheus reads it."""

from prometheus_client import CollectorRegistry, Gauge

from monitoring.drift.comparison import RecentLines, rating_index, shares


class DriftExporter:
    """Gauges in one registry; what cannot be told is absent, as 0 would say that all is well."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the gauges."""
        self._index = Gauge(
            "marquee_drift_rating_index",
            "Population stability index of the ratings of late against the live version's training",
            ["model_version"],
            registry=registry,
        )
        self._share = Gauge(
            "marquee_drift_share",
            "Shares of people, or of people's movies, now and when the live version was trained",
            ["what", "at"],
            registry=registry,
        )

    def show(self, recent: RecentLines | None) -> None:
        """Show what the newest lines came to."""
        self._index.clear()
        self._share.clear()
        if recent is None:
            return
        if (index := rating_index(recent)) is not None:
            self._index.labels(recent.model_version).set(index)
        for share in shares(recent):
            self._share.labels(share.what, "now").set(share.now)
            if share.trained is not None:
                self._share.labels(share.what, "training").set(share.trained)
