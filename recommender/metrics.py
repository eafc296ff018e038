"""What a slot tells Prometheus of itself."""

from prometheus_client import Counter, Gauge, Histogram

from compose.service.metrics import process_registry

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.6, 1.0)
"""Seconds; 0.1 is what we promise, 0.3 more than Nginx waits, 0.6 the caller's patience."""

FRESHNESS_BUCKETS = (0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300)
"""Seconds; most lines state whole seconds, so what is told is up to one too many."""


class Metrics:
    """One slot's figures, in a registry of their own; which slot it is, the scraper knows."""

    def __init__(self) -> None:
        self.registry = process_registry()
        self.requests = Counter(
            "marquee_requests_total",
            "Requests, by status and by how the list came about (none: no list)",
            ["model_version", "status", "reason"],
            registry=self.registry,
        )
        self.replayed = Counter(
            "marquee_replayed_requests_total",
            "Requests that a release asked again to judge a version, by status",
            ["status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "marquee_request_seconds",
            "Time spent on an answer",
            ["model_version", "reason"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.unranked = self._counter(
            "marquee_unranked_answers_total",
            "Answers by the lists of the training, as the time for ranking anew was used up",
        )
        self.receipts_queued = self._gauge(
            "marquee_receipts_queued", "Receipts in memory, not yet on the disk"
        )
        self.receipts_spooled = self._gauge(
            "marquee_receipts_spooled", "Receipts on the disk, not yet in PostgreSQL"
        )
        self.receipts_written = self._counter(
            "marquee_receipts_written_total", "Receipts stored in PostgreSQL"
        )
        self.receipts_dropped = self._counter(
            "marquee_receipts_dropped_total",
            "Receipts given up: too many waited, or PostgreSQL refuses them",
        )
        self.model_loaded = Gauge(
            "marquee_model_loaded",
            "1 for the model version that answers",
            ["model_version"],
            registry=self.registry,
        )
        self.model_refused = self._counter(
            "marquee_model_refused_total", "Model versions that were damaged, too new or unfit"
        )
        self.model_age = self._gauge("marquee_model_age_seconds", "Time since the model's training")
        self.activity_users = self._gauge(
            "marquee_activity_users", "Users whose recent activity is in memory"
        )
        self.activity_followed = self._gauge(
            "marquee_activity_followed_timestamp_seconds",
            "When recent activity was last read up to its end, Unix time",
        )
        self.freshness = Histogram(
            "marquee_freshness_seconds",
            "From what a user did, by the time on its line, to answers that reckon with it",
            buckets=FRESHNESS_BUCKETS,
            registry=self.registry,
        )
        self.background_failures = Counter(
            "marquee_background_failures_total",
            "Failures of the work beside the answers",
            ["task"],
            registry=self.registry,
        )

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(name, meaning, registry=self.registry)
