"""What the status page knows and says in words: what is live, whether it is well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.experiments.assignment import ExperimentKind
from monitoring.experiments.summaries import Look, Summary
from monitoring.status.overview import Fact, Step, ago

EXPECTED = frozenset({"none", "setup"})
"""Severities of alerts that fire on a stack that is well."""
FACTS = frozenset({"live model", "last release", "last audit", "answers judged", "last batch"})
"""The facts that the page shows as they are; the numbers of rows it leaves to `make status`."""
TELLING = 100
"""Answers; a share of fewer says nothing."""


@dataclass(frozen=True)
class Release:
    """A release or rollback, and how it ended."""

    action: str
    version: str
    started_at: datetime
    ended_at: datetime
    last_step: str
    reason: str
    steps: Sequence[str]
    times: Sequence[datetime]
    slots: Sequence[str]
    """Which slot gets the version, at each step."""
    shares: Sequence[int]
    """Of 1,000 buckets those of that slot, after each step."""
    reasons: Sequence[str]

    @property
    def outcome(self) -> str:
        """What became of it, in a word or two."""
        return {"promote": "went live", "abort": "taken back"}.get(self.last_step, "in progress")

    @property
    def well(self) -> bool:
        """Whether it did not fail."""
        return self.last_step != "abort"


@dataclass(frozen=True)
class Version:
    """A model version: from what, by what, how good."""

    version: str
    algorithm: str
    created_at: datetime
    git_commit: str
    data_hash: str
    interactions: int
    users: int
    movies: int
    verdict: str
    reason: str
    ndcg: float | None
    """NDCG@20 on the held-out part, with its 95 % interval; None where nobody could be judged."""
    ndcg_low: float | None
    ndcg_high: float | None
    judged: Sequence[str] = field(default=(), hash=False)
    """The algorithms that were judged on the held-out part, the worst first."""
    lows: Sequence[float] = field(default=(), hash=False)
    highs: Sequence[float] = field(default=(), hash=False)
    """Of the NDCG@20 of each, its 95 % interval."""
    figure_groups: Sequence[str] = field(default=(), hash=False)
    """What its figures tell of."""


@dataclass(frozen=True)
class Quality:
    """The share of answers that led to watching, in one window of one version's answers."""

    model_version: str
    window_end: datetime
    value: float
    samples: int


@dataclass(frozen=True)
class Kept:
    """From when the rows of a table are kept, and when the oldest go."""

    relation: str
    kept_from: datetime
    next_expiry: datetime


@dataclass(frozen=True)
class Alert:
    """An alert that fired, from when to when; `ended_at` is None while it fires."""

    name: str
    severity: str
    started_at: datetime
    ended_at: datetime | None
    meaning: str = ""
    """In a sentence; empty where no rule says it any more."""

    @property
    def rule(self) -> str:
        """The rule that it fires by, whatever it is about."""
        return self.name.partition(" ")[0]


@dataclass(frozen=True)
class Restart:
    """A service that was started again."""

    service: str
    at: datetime
    ran_since: datetime
    """When it had been started before."""


@dataclass(frozen=True)
class Series:
    """One line of a plot: times and values, oldest first."""

    label: str
    times: tuple[datetime, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class LiveFigures:
    """What Prometheus says; None where it does not answer."""

    alerts: Sequence[Alert]
    answers_by_reason: tuple[Series, ...]
    """Answers a second."""
    latency: tuple[Series, ...]
    """Seconds, of the slots' own answers."""
    lag_lines: float | None
    disk_free_share: Mapping[str, float]
    """By mount point."""
    restarts: Sequence[Restart] = ()
    watched: bool = True
    """Whether rules are evaluated, as what always fires tells."""


NOTHING_KNOWN = LiveFigures((), (), (), None, {})
"""Of a Prometheus that does not answer."""


@dataclass(frozen=True)
class Content:
    """All of the page, as it was at one moment."""

    at: datetime
    step: Step | None
    """The last step of the last release; None before the first."""
    facts: Sequence[Fact]
    releases: Sequence[Release]
    """Newest first."""
    versions: tuple[Version, ...]
    """Newest first."""
    quality: Sequence[Quality]
    experiments: Sequence[Summary]
    """Newest first."""
    looks: Sequence[Look]
    """At the newest experiment, oldest first."""
    kept: Sequence[Kept]
    backed_up_at: datetime | None
    """When the last whole backup was made."""
    figures: LiveFigures | None


def headline(content: Content) -> str:
    """What is live, since when and why, in one sentence."""
    step = content.step
    if step is None or step.live_version is None:
        return "No model is live yet: answers are what is popular."
    why = f": {step.live_reason}" if step.live_reason else ""
    return (
        f"{step.live_version} is live in slot {step.live_slot} for {step.live_share / 10:g} % of"
        f" the people, since {ago(step.live_since, content.at)}{why}."
    )


def troubles(content: Content, unreadable_since: datetime | None = None) -> list[str]:
    """What is not well now, a line each; empty when all that is known is well.

    `unreadable_since`: the database has not answered since then.
    """
    found = [f"{fact.name}: {fact.text}" for fact in content.facts if not fact.well]
    if unreadable_since is not None:
        found.insert(0, f"the database does not answer since {unreadable_since:%H:%M}")
    if content.figures is None:
        return [*found, "Prometheus does not answer: alerts, latency and lag are unknown"]
    if not content.figures.watched:
        found.append("no rules are evaluated: Watchdog does not fire, so no other alert would")
    return found + [
        meant(f"{alert.name} fires since {ago(alert.started_at, content.at)}", alert)
        for alert in firing(content)
    ]


def firing(content: Content) -> list[Alert]:
    """The alerts that fire now, without those that do on a stack that is well."""
    known = content.figures or NOTHING_KNOWN
    return [
        alert for alert in known.alerts if alert.ended_at is None and alert.severity not in EXPECTED
    ]


def meant(told: str, alert: Alert) -> str:
    """What is told of an alert, and what it means."""
    return f"{told}: {alert.meaning}" if alert.meaning else told


def last_release(content: Content) -> str:
    """Whether the last release helped: people before and after it; of one taken back, why.

    Then the one that is live is told of, too.
    """
    ended = [release for release in content.releases if release.outcome != "in progress"]
    if not ended:
        return "Nothing was released yet."
    newest = [ended[0]] if ended[0].well else [ended[0], *[each for each in ended if each.well][:1]]
    return " ".join(_told(content, release) for release in newest)


def _told(content: Content, release: Release) -> str:
    told = f"The {release.action} of {release.version} ended {ago(release.ended_at, content.at)}: "
    if not release.well:
        return f"{told}taken back, because {release.reason}."
    return told + _difference(content, release)


def _difference(content: Content, release: Release) -> str:
    after = _pooled([each for each in content.quality if each.model_version == release.version])
    older = [each for each in content.quality if each.window_end <= release.started_at]
    before = _pooled([each for each in older if each.model_version != release.version])
    if after is None or before is None or min(after[1], before[1]) < TELLING:
        return "live; too little is known to say whether people are better off."
    return (
        f"live; {after[0]:.1%} of its {after[1]:,} answers led to watching,"
        f" {before[0]:.1%} of the {before[1]:,} before it."
    )


def _pooled(windows: Sequence[Quality]) -> tuple[float, int] | None:
    samples = sum(window.samples for window in windows)
    if not samples:
        return None
    return sum(window.value * window.samples for window in windows) / samples, samples


def last_experiment(content: Content) -> str:
    """What is tried, on how many, and what that says so far; empty where nothing was tried."""
    if not content.experiments:
        return ""
    tried = content.experiments[0]
    state = "runs" if tried.ended_at is None else f"ended {ago(tried.ended_at, content.at)}"
    begun = ago(tried.started_at, content.at)
    return (
        f"The experiment {what_was_tried(tried)} {state}, begun {begun}: {what_was_found(tried)}."
    )


def what_was_tried(tried: Summary) -> str:
    """An experiment by its name, where it has one of its own, and its arms."""
    arms = f"{tried.challenger} {ExperimentKind(tried.kind).against} {tried.control}"
    return arms if tried.name == arms else f"“{tried.name}” ({arms})"


def what_was_found(tried: Summary) -> str:
    """What an experiment says so far, and why."""
    if tried.verdict is None:
        return "nobody's time is over yet"
    verdict = tried.verdict.replace("_", " ")
    return f"{verdict} after {tried.people or 0:,} people: {tried.reason}"
