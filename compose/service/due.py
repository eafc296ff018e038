"""When what recurs is due next, as Prometheus is told: alerts count from there."""

from prometheus_client import CollectorRegistry, Gauge


def next_run_gauge(registry: CollectorRegistry) -> Gauge:
    """By task: when the run is due that follows the last that ended well, or the worker's start."""
    return Gauge(
        "marquee_next_run_timestamp_seconds",
        "When the run of a task is due that follows its last that ended well",
        ["task"],
        registry=registry,
    )


def interval_gauge(registry: CollectorRegistry) -> Gauge:
    """By task: the longest time that its schedule leaves between two runs."""
    return Gauge(
        "marquee_schedule_interval_seconds",
        "The longest time between two runs of a task by its schedule",
        ["task"],
        registry=registry,
    )
