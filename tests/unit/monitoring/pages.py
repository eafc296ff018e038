"""What a status page may say, built in the open."""

from datetime import UTC, datetime, timedelta
from math import sin

from monitoring.experiments.summaries import Look, Summary
from monitoring.page.content import (
    Alert,
    Content,
    Kept,
    LiveFigures,
    Quality,
    Release,
    Restart,
    Series,
    Version,
)
from monitoring.page.happenings import MOST_READ
from monitoring.page.rendering import PICTURES
from monitoring.status.overview import Fact, Step

NOW = datetime(2026, 1, 31, 14, 3, tzinfo=UTC)
OLD, NEW = "20260130-030000-als", "20260131-030000-ease"


def before(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def release(last_step: str = "promote", reason: str = "every share was well") -> Release:
    steps = ("start", "place", "shift", last_step)
    times = [before(5), before(4.9), before(4.8), before(4)]
    return Release(
        "release", NEW, before(5), before(4), last_step, reason, steps, times, ["green"] * 4,
        [0, 0, 100, 1000], ["asked for", "placed", "10 %", reason],
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


ALGORITHMS = ("popularity", "svdpp", "als", "ease", "recency_ease", "boosted_trees")
REASONS = ("model", "fold_in", "people", "lately", "popular", "age_and_occupation")
SHARES = (0, 0, 10, 100, 500, 1000)
STEPS = ("start", "place", "shift", "shift", "shift", "promote")
DOWN = "Slot green is down; the other slot answers for it."
LONG = "between -27.0% and +24.6% more people who watched something recommended, 1,168 people"


def named(place: int) -> str:
    """A version's name, the newest first: two were trained each hour."""
    return f"{before(place / 2):%Y%m%d-%H%M%S}-recency_transitions"


def full_release(place: int) -> Release:
    """One of many: each second was taken back, with a reason as long as they are."""
    ended, last = before(place / 2), "abort" if place % 2 else "promote"
    times = [ended - timedelta(minutes=len(STEPS) - step) for step in range(len(STEPS))]
    reason = f"the gate says go: {LONG} (RELEASE_UNDECIDED=proceed)"
    return Release(
        "release", named(place + 6), times[0], ended, last, reason, [*STEPS[:-1], last], times,
        ["blue" if place % 4 < 2 else "green"] * len(STEPS), SHARES, [reason] * len(STEPS),
    )  # fmt: skip


def full_version(place: int) -> Version:
    """One of many, judged beside all algorithms there are."""
    lows = [0.08 + 0.02 * rank for rank in range(len(ALGORITHMS))]
    return Version(
        named(place), "recency_transitions", before(place / 2), "c0ffee" * 6, "da7a" * 16,
        10_083_600, 397_618, 27_278, "accepted" if place % 3 else "refused",
        f"better than popularity: +0.0642 NDCG@20 (0.0541 to 0.0745); {LONG}",
        0.19 + place / 1000, 0.18 + place / 1000, 0.20 + place / 1000,
        ALGORITHMS, lows, [low + 0.01 for low in lows], PICTURES,
    )  # fmt: skip


def wave(label: str, phase: float) -> Series:
    """A line of a day, a point each ten minutes, no two of them alike."""
    times = tuple(before(minutes / 60) for minutes in range(24 * 60, 0, -10))
    values = tuple(40 + 30 * sin(phase + place / 9) for place in range(len(times)))
    return Series(label, times, values)


def full(**changed: object) -> Content:
    """As much as a stack has to tell after a bad week."""
    alerts = [
        Alert(
            f"ReleaseAborted of {named(hour)}", "warning", before(hour), before(hour - 0.5),
            f"The release of {named(hour)} was aborted; everybody is back on the version before.",
        )
        for hour in range(1, 24)
    ]  # fmt: skip
    restarts = [
        Restart(f"recommender-{slot}", before(hour + 0.2), before(hour + 9))
        for hour in range(8)
        for slot in ("blue", "green")
    ]
    live_figures = LiveFigures(
        [*alerts, Alert("SlotDown of recommender-green", "critical", before(1), None, DOWN)],
        tuple(wave(reason, place) for place, reason in enumerate(REASONS)),
        (wave("p50", 0), wave("p99", 1)), 123_456.0,
        {"/": 0.04, "/var/lib/docker": 0.41, "/srv/marquee-backups": 0.55}, restarts,
    )  # fmt: skip
    whole = {
        "step": Step(
            "release", "abort", named(1), LONG, before(0.5), named(2), "green", 1000, before(1),
            LONG,
        ),
        "facts": [
            Fact("live model", f"{named(2)} in slot green for 1,000 of 1,000 buckets"),
            Fact("last release", f"release of {named(1)}: abort 30 min ago, {LONG}"),
            Fact("last batch", "landed 2 s ago"),
            Fact("last audit", "NOT balanced: run `make psql`, look at ingest_audit", well=False),
            Fact("answers judged", "up to 25 h ago"),
        ],
        "releases": [full_release(place) for place in range(MOST_READ)],
        "versions": tuple(full_version(place) for place in range(MOST_READ)),
        "quality": [
            Quality(named(24 * version), before(hour), 0.1 + sin(hour + version) / 20, 1000 + hour)
            for version in range(7)
            for hour in range(24 * 7 - 24 * version, 0, -1)
        ],
        "experiments": [
            experiment(
                experiment_id=MOST_READ - place, name=f"{named(place)} against {named(place + 1)}",
                challenger=named(place), control=named(place + 1), reason=LONG,
                started_at=before(place + 1), ended_at=before(place) if place else None,
                end_reason="a release needs its slot" if place else None,
            )
            for place in range(MOST_READ)
        ],
        "looks": [
            Look(before(place / 20), -1 / (place + 1), 0.08, 1 / (place + 1))
            for place in range(400, 0, -1)
        ],
        "kept": [
            Kept(f"table_of_lines_{number}", before(24 * 14), before(-8)) for number in range(12)
        ],
        "figures": live_figures,
    }  # fmt: skip
    return content(**(whole | changed))
