"""The releaser's own figures for Prometheus."""

from datetime import datetime

from prometheus_client import REGISTRY, Counter, Gauge

from ci.release.plan import DeploymentState
from compose.service.due import interval_gauge
from compose.service.schedule import longest_interval

OUTCOMES = ("promoted", "aborted", "refused", "unchanged", "rolled_back")

RUNNING = Gauge("marquee_release_running", "1 while a release or rollback is under way")
SHARE = Gauge("marquee_release_share", "Buckets of 1,000 on the version being released")
RELEASES = Counter("marquee_releases", "Releases and rollbacks by how they ended", ["outcome"])
GATE = Gauge(
    "marquee_release_gate",
    "The last measurement that a release was judged by, live or replayed",
    ["evidence", "metric"],
)
LIVE = Gauge("marquee_live_version", "1 for the live version", ["model_version", "slot"])
INTERVAL = interval_gauge(REGISTRY)


def recur(schedule: str, now: datetime) -> None:
    """Show how long it may be by a schedule between two releases."""
    INTERVAL.labels("scheduled_release").set(longest_interval(schedule, now).total_seconds())


def show_all_outcomes() -> None:
    """Start each outcome at 0, so that its first occurrence is an increase."""
    for outcome in OUTCOMES:
        RELEASES.labels(outcome)


def show_live(deployed: DeploymentState) -> None:
    """Show which version is live, and no other."""
    LIVE.clear()
    if deployed.live:
        LIVE.labels(deployed.live.version, deployed.live.slot).set(1)
