"""The releaser's own figures for Prometheus."""

from prometheus_client import Counter, Gauge

from ci.release import Standing

OUTCOMES = ("promoted", "aborted", "refused", "unchanged", "rolled_back")

RUNNING = Gauge("marquee_release_running", "1 while a release or rollback is under way")
SHARE = Gauge("marquee_release_share", "Buckets of 1,000 on the version being released")
RELEASES = Counter("marquee_releases", "Releases and rollbacks by how they ended", ["outcome"])
LIVE = Gauge("marquee_live_version", "1 for the live version", ["model_version", "slot"])


def show_all_outcomes() -> None:
    """Start each outcome at 0, so that its first occurrence is an increase."""
    for outcome in OUTCOMES:
        RELEASES.labels(outcome)


def show_live(standing: Standing) -> None:
    """Show which version is live, and no other."""
    LIVE.clear()
    if standing.live:
        LIVE.labels(standing.live.version, standing.live.slot).set(1)
