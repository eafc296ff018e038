"""Where a process keeps the figures that it tells Prometheus, and no others."""

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector


def process_registry() -> CollectorRegistry:
    """A registry with what a process tells of itself: memory, CPU, start, files, collections.

    The library's own registry holds whatever any imported module declares: a figure that
    this process never sets would be exported at 0, as if it had been.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
