"""What happened lately, one line each: releases, trainings, experiments, restarts, alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.experiments.summaries import Summary
from monitoring.page.content import (
    EXPECTED,
    NOTHING_KNOWN,
    Alert,
    Content,
    Release,
    Restart,
    Version,
    meant,
    what_was_found,
    what_was_tried,
)
from monitoring.status.overview import ago

MOST_SHOWN = 24
MOST_READ = 50
"""Of releases, versions and experiments each, the newest: enough for a list of all kinds."""
FIGURES_SPAN = timedelta(hours=24)
"""How far back alerts and restarts are known."""
SLOT = "recommender-"
PLURALS = {"slot down": "slots down"}
FAILURES = {
    "release": "taken back",
    "rollback": "failed",
    "code release": "taken back",
    "code rollback": "failed",
    "training": "refused",
}
"""What became of those that were not well."""


@dataclass(frozen=True)
class Happening:
    """One line of what happened, for people."""

    at: datetime
    kind: str
    text: str
    well: bool = True


@dataclass(frozen=True)
class Happenings:
    """The newest of what happened, newest first, and how much of it there is."""

    shown: Sequence[Happening]
    counts: str
    """How often what happened since `complete_since`, in words; empty where nothing did."""
    left_out: int
    """How many more are known since `complete_since`."""
    complete_since: datetime
    """From here on everything is shown or counted; before, some kinds are not known."""


def happenings(content: Content, most: int = MOST_SHOWN) -> Happenings:
    """What happened lately; that people judged a release is told with it."""
    found = sorted(_all(content), key=lambda happening: happening.at, reverse=True)
    since = _complete_since(content)
    known = [happening for happening in found if happening.at >= since]
    return Happenings(found[:most], counted(known), max(0, len(known) - most), since)


def counted(found: Sequence[Happening]) -> str:
    """How often each kind of thing happened, and how many of these were not well.

    >>> now = datetime(2026, 1, 31)
    >>> counted([Happening(now, "alert", "", well=False)] + 2 * [Happening(now, "training", "")])
    '1 alert, 2 trainings'
    """
    kinds = dict.fromkeys(happening.kind for happening in found)
    return ", ".join(_counted([each for each in found if each.kind == kind]) for kind in kinds)


def _counted(alike: Sequence[Happening]) -> str:
    kind, number = alike[0].kind, len(alike)
    words = f"{number} {kind if number == 1 else PLURALS.get(kind, f'{kind}s')}"
    failed = sum(not happening.well for happening in alike)
    failure = FAILURES.get(kind)  # where each is one, its name says so
    return f"{words} ({failed} {failure})" if failed and failure else words


def _all(content: Content) -> list[Happening]:
    found = [_released(release) for release in content.releases]
    found += [_trained(version) for version in content.versions]
    own = (each for each in content.experiments if each.name != f"release of {each.challenger}")
    found += [_tried(each) for each in own]
    figures = content.figures or NOTHING_KNOWN
    found += [_restarted(restart, content.releases) for restart in figures.restarts]
    found += [_alerted(alert) for alert in figures.alerts if alert.severity not in EXPECTED]
    return found


def _complete_since(content: Content) -> datetime:
    """A kind of which as many were read as are read may have more before the oldest of them."""
    read = (
        [release.ended_at for release in content.releases],
        [version.created_at for version in content.versions],
        [experiment.started_at for experiment in content.experiments],
    )
    cut = [min(times) for times in read if len(times) >= MOST_READ]
    return max([content.at - FIGURES_SPAN, *cut])


def _released(release: Release) -> Happening:
    text = f"{release.version} {release.outcome}: {release.reason}"
    return Happening(release.ended_at, release.action, text, release.well)


def _trained(version: Version) -> Happening:
    text = f"{version.version} by {version.algorithm}, {version.verdict}: {version.reason}"
    return Happening(version.created_at, "training", text, version.verdict == "accepted")


def _tried(tried: Summary) -> Happening:
    state = "runs" if tried.ended_at is None else f"ended, {tried.end_reason}"
    text = f"{what_was_tried(tried)} {state}: {what_was_found(tried)}"
    return Happening(tried.ended_at or tried.started_at, "experiment", text)


def _restarted(restart: Restart, releases: Sequence[Release]) -> Happening:
    ran = ago(restart.ran_since, restart.at).removesuffix(" ago")
    again = f"was started again, {ran} after its last start"
    share = _share_of(restart, releases)
    if not share:
        return Happening(restart.at, "restart", f"{restart.service} {again}")
    down = f"{restart.service}, which answered {share / 10:g} % of the people, was down and {again}"
    return Happening(restart.at, "slot down", f"{down}; the other slot was asked", well=False)


def _share_of(restart: Restart, releases: Sequence[Release]) -> int:
    """Of 1,000 buckets, those of a slot when it was started again; 0 of what is no slot."""
    if not restart.service.startswith(SLOT):
        return 0
    steps = [
        step
        for release in releases
        for step in zip(release.times, release.slots, release.shares, strict=True)
        if step[0] <= restart.at
    ]
    if not steps:
        return 0
    _at, slot, share = max(steps)
    return share if slot == restart.service.removeprefix(SLOT) else 1000 - share


def _alerted(alert: Alert) -> Happening:
    until = "fires still" if alert.ended_at is None else f"until {alert.ended_at:%H:%M}"
    text = meant(f"{alert.name}, {until}", alert)
    return Happening(alert.started_at, "alert", text, well=False)
