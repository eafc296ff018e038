"""What a status page may say, built in the open."""

from datetime import UTC, datetime, timedelta

from monitoring.experiments.summaries import Look, Summary
from monitoring.page.content import (
    Alert,
    Content,
    Kept,
    LiveFigures,
    Quality,
    Release,
    Series,
    Version,
)
from monitoring.status.overview import Fact, Step

NOW = datetime(2026, 1, 31, 14, 3, tzinfo=UTC)
OLD, NEW = "20260130-030000-als", "20260131-030000-ease"


def before(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def release(last_step: str = "promote", reason: str = "every share was well") -> Release:
    steps = ("start", "place", "shift", last_step)
    times = [before(5), before(4.9), before(4.8), before(4)]
    return Release(
        "release", NEW, before(5), before(4), last_step, reason, steps, times, [0, 0, 100, 1000],
        ["asked for", "placed", "10 %", reason],
    )  # fmt: skip


def version(name: str = NEW, ndcg: float | None = 0.19, verdict: str = "accepted") -> Version:
    return Version(
        name, "ease", before(6), "c0ffee" * 6, "da7a" * 16, 100_836, 610, 9_724, verdict,
        "better than popularity", ndcg, ndcg and ndcg - 0.01, ndcg and ndcg + 0.01,
    )  # fmt: skip


def experiment(**changed: object) -> Summary:
    whole = {
        "experiment_id": 7, "name": "bolder", "kind": "ab",
        "challenger": NEW, "control": OLD, "share": 500, "people": 1234,
        "verdict": "undecided", "reason": "0 lies within the interval",
        "low": -0.1, "value": 0.08, "high": 0.2, "started_at": before(4), "ended_at": None,
        "end_reason": None,
    }  # fmt: skip
    return Summary(**(whole | changed))


LOOKS = (
    Look(before(3), -0.5, 0.1, 0.7),
    Look(before(2), -0.2, 0.05, 0.3),
    Look(before(1), -0.1, 0.08, 0.2),
)


def figures(*alerts: Alert) -> LiveFigures:
    day = tuple(before(hours) for hours in range(24, 0, -1))
    line = Series("model", day, tuple(float(hour) for hour in range(24)))
    return LiveFigures(alerts, (line,), (line,), 42.0, {"/": 0.41})


def content(**changed: object) -> Content:
    step = Step(
        "release",
        "promote",
        NEW,
        "well",
        before(4),
        NEW,
        "green",
        1000,
        before(4),
        "people liked it",
    )
    whole = {
        "at": NOW,
        "step": step,
        "facts": [Fact("last audit", "balanced, 9 lines, 3 min ago")],
        "releases": [release()],
        "versions": (version(),),
        "quality": [
            Quality(OLD, before(6), 0.10, 1000),
            Quality(OLD, before(3), 0.90, 1000),
            Quality(NEW, before(3), 0.12, 500),
            Quality(NEW, before(2), 0.14, 1500),
        ],
        "experiments": (),
        "looks": (),
        "kept": [Kept("watch", before(24 * 14), before(-8))],
        "backed_up_at": before(12),
        "figures": figures(),
    }
    return Content(**(whole | changed))
