"""What a release does, step by step, and what it makes of what it sees; no I/O.

A release is a plan of steps, each a value. After each, what was observed is judged; the
first finding against the new version ends the release and the traffic goes back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ci.slots.state import BUCKETS, Slot
from ci.slots.traffic import Traffic

UNREADY_POLLS = 3
"""How many polls in a row a slot may miss: one lost packet must not end a good release."""

LATENCY_REQUESTS = 100
"""Below this many requests a 99th percentile is only the slowest one."""

SLOWER_FACTOR = 2.0
"""A slow machine slows both slots; only a version this much slower than the old is at fault."""


@dataclass(frozen=True)
class Placement:
    """A model version in a slot."""

    slot: Slot
    version: str


@dataclass(frozen=True)
class DeploymentState:
    """What is live, and what a rollback would return to."""

    live: Placement | None = None
    previous: Placement | None = None

    @property
    def standby(self) -> Placement | None:
        """What belongs in the slot without traffic: the previous version, or the live one."""
        if self.live is None or self.previous is not None:
            return self.previous
        return Placement(self.live.slot.other, self.live.version)


@dataclass(frozen=True)
class Place:
    """Tell a slot to load the version."""

    target: Placement


@dataclass(frozen=True)
class AwaitReady:
    """Wait until the slot answers with the version."""

    target: Placement


@dataclass(frozen=True)
class Replay:
    """Ask the slot again what people asked lately, before anybody gets it."""


@dataclass(frozen=True)
class Shift:
    """Send this many of 1,000 buckets to the new version."""

    share: int


@dataclass(frozen=True)
class Watch:
    """Compare the new version with the old while it has this share."""

    share: int


@dataclass(frozen=True)
class Judge:
    """Hold this share until it is known whether people are better off, or patience is over."""

    share: int


@dataclass(frozen=True)
class Promote:
    """The new version is the live one; the other slot keeps what was."""


Step = Place | AwaitReady | Replay | Shift | Watch | Judge | Promote


def target_of(version: str, deployed: DeploymentState) -> Placement:
    """Where a release of `version` goes: the slot without traffic; blue at the very first."""
    return Placement(deployed.live.slot.other if deployed.live else Slot.BLUE, version)


def plan(
    version: str,
    deployed: DeploymentState,
    shares: tuple[int, ...],
    judge_share: int | None = None,
) -> tuple[Step, ...]:
    """The steps of a release of `version`; at `judge_share` people judge it, if one is given.

    The first release has nothing to be compared with: both slots get the version and
    there is no canary.
    """
    target = target_of(version, deployed)
    if deployed.live is None:
        both = (target, Placement(target.slot.other, version))
        return (*map(Place, both), *map(AwaitReady, both), Shift(BUCKETS), Promote())
    return (Place(target), AwaitReady(target), Replay(), *_canary(shares, judge_share), Promote())


def _canary(shares: tuple[int, ...], judge_share: int | None) -> Iterator[Step]:
    judged = {judge_share} if judge_share else set()
    for share in sorted(judged.union(shares)):
        yield Shift(share)
        yield Watch(share)
        if share == judge_share:
            yield Judge(share)


def plan_rollback(back_to: Placement, *, ready: bool) -> tuple[Step, ...]:
    """The steps of a rollback: at once if the slot is `ready`, else once it has the version again.

    It has not where the slot was used for something else since.
    """
    loading = () if ready else (Place(back_to), AwaitReady(back_to))
    return (*loading, Shift(BUCKETS), Promote())


@dataclass(frozen=True)
class Readiness:
    """What a slot says of itself.

    `version` is None when it has no model or does not answer; `refused` is a version that it
    was told to run and found damaged, unfit or newer than its code; `interleaved_with` is the
    one that it holds beside its own.
    """

    ready: bool
    version: str | None = None
    refused: str | None = None
    why_not: str = "it says it is not ready"
    interleaved_with: str | None = None

    def missing(self, version: str, beside: str | None = None) -> str | None:
        """Why the slot cannot answer with `version`, and `beside` with it; None when it can."""
        if self.refused in {version, beside} - {None}:
            return "it found the version damaged, unfit or newer than its code, its log says why"
        if not self.ready:
            return self.why_not
        if self.version != version:
            return f"it runs {self.version}"
        if beside and self.interleaved_with != beside:
            return f"it does not hold {beside} beside its own"
        return None


@dataclass(frozen=True)
class Bounds:
    """How bad a new version may be before it is taken back."""

    error_share: float
    p99_seconds: float


class ReleaseVerdict(StrEnum):
    """What a watch comes to; silence is never health."""

    GO = "go"
    WAIT = "wait"
    STOP = "stop"
    UNJUDGED = "unjudged"
    """Nobody was ever answered, so there is nothing to judge by and nobody to hurt."""


@dataclass(frozen=True)
class Finding:
    """What a watch came to, and why."""

    verdict: ReleaseVerdict
    words: str


@dataclass(frozen=True)
class Observed:
    """What a slot's own figures say of the answers it gave."""

    slot: Slot
    total: Traffic | None
    """Since the slot started; None when it could not be read."""
    since: Traffic
    """Since the release began, or since the slot's version got its share."""

    @classmethod
    def of(cls, slot: Slot, total: Traffic | None, before: Traffic | None) -> "Observed":
        """What a slot's figures say now, and said before."""
        return cls(slot, total, total.since(before) if total and before else Traffic())


def finding_of(
    new: Observed, old: Observed, bounds: Bounds, *, answered_before: bool = True
) -> Finding:
    """Compare the traffic of the new version with that of the old.

    Errors count when, beyond chance, they are more than the bound above the old slot's.
    Latency counts when the 99th percentile is above the bound and twice the old slot's.
    A slot that cannot be read, or that nobody asked, says nothing: that is waited for, unless
    nobody was `answered_before` either: the slots count from their own start, which may be late.
    """
    for observed in (new, old):
        if observed.total is None:
            return Finding(ReleaseVerdict.WAIT, f"the metrics of {observed.slot} cannot be read")
    if not new.since.requests:
        return _without_traffic(new, old, answered_before=answered_before)
    return compare(new.since, old.since, bounds)


def _without_traffic(new: Observed, old: Observed, *, answered_before: bool) -> Finding:
    counted = any(observed.total and observed.total.requests for observed in (new, old))
    if counted or answered_before:
        return Finding(ReleaseVerdict.WAIT, f"no traffic seen on {new.slot}")
    return Finding(ReleaseVerdict.UNJUDGED, "unjudged: nobody has been answered yet")


def compare(new: Traffic, old: Traffic, bounds: Bounds) -> Finding:
    """Compare answers of the new version with those of the old; see `finding_of`."""
    if new.error_share_at_least() > old.error_share() + bounds.error_share:
        return Finding(ReleaseVerdict.STOP, f"too many errors: {new} against {old} before")
    if new.requests >= LATENCY_REQUESTS and _too_slow(new, old, bounds):
        return Finding(ReleaseVerdict.STOP, f"too slow: {new} against {old} before")
    return Finding(ReleaseVerdict.GO, str(new))


def _too_slow(new: Traffic, old: Traffic, bounds: Bounds) -> bool:
    return new.p99_seconds() > max(bounds.p99_seconds, SLOWER_FACTOR * old.p99_seconds())
