"""What answers to replayed requests say of a version before anybody gets it; no I/O.

Both slots are asked the same, so what is wrong with the requests themselves is wrong in both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ci.release.plan import Bounds, Finding, ReleaseVerdict, compare
from ci.slots.traffic import Traffic

ANSWER_LENGTH = 20
"""Movies in a list, as callers who name no length get it."""


@dataclass(frozen=True)
class Reply:
    """What a slot made of one replayed request; no movies where it failed."""

    movies: tuple[str, ...] | None
    seconds: float

    def short(self, than: int) -> bool:
        """Whether a list came that is shorter than it should be."""
        return self.movies is not None and len(self.movies) < than


@dataclass(frozen=True)
class Exchange:
    """One request, as it was replayed against the slot without traffic and the live one."""

    user_id: int
    new: Reply
    live: Reply
    seen: frozenset[str] = frozenset()
    """What the user had rated or watched by then."""

    def shows_seen(self) -> bool:
        """Whether the new version, but not the live one, offers something seen before."""
        new, live = (self.seen.intersection(reply.movies or ()) for reply in (self.new, self.live))
        return bool(new) and not live

    def overlap(self) -> float | None:
        """The share of the live list that is in the new one; None unless both have movies."""
        if not self.new.movies or not self.live.movies:
            return None
        common = set(self.new.movies).intersection(self.live.movies)
        return len(common) / len(set(self.live.movies))


@dataclass(frozen=True)
class ReplayBounds:
    """How bad replayed answers may be before the version gets nobody."""

    traffic: Bounds
    seen_share: float
    overlap: float
    """Mean share of the live lists that the new ones must hold."""


@dataclass(frozen=True)
class Measurement:
    """One figure of a gate, beside that of the live version, and the bound it was held to."""

    metric: str
    value: float
    live: float | None
    bound: float | None


@dataclass(frozen=True)
class Replayed:
    """What all replayed requests come to."""

    finding: Finding
    measurements: tuple[Measurement, ...] = ()
    differing: tuple[Exchange, ...] = field(default=(), repr=False)
    """Those that differ most, and those that offer what was seen."""


KEPT_EXCHANGES = 20


def judge_replayed(exchanges: Sequence[Exchange], bounds: ReplayBounds) -> Replayed:
    """Hold replayed answers against the bounds; the first that is broken is the verdict's reason.

    Without any request to replay nothing is said either way.
    """
    if not exchanges:
        return Replayed(Finding(ReleaseVerdict.UNJUDGED, "there was no request to replay"))
    measurements = tuple(_measured(exchanges, bounds))
    words = f"{len(exchanges)} requests replayed"
    faults = list(_faults(exchanges, bounds))
    finding = (
        Finding(ReleaseVerdict.STOP, f"{words}: {faults[0]}") if faults else _well(words, exchanges)
    )
    return Replayed(finding, measurements, tuple(_most_differing(exchanges)))


def _well(words: str, exchanges: Sequence[Exchange]) -> Finding:
    told = f"{_traffic([one.new for one in exchanges])}, overlap {_overlap(exchanges):.2f}"
    return Finding(ReleaseVerdict.GO, f"{words}: {told}")


def _faults(exchanges: Sequence[Exchange], bounds: ReplayBounds) -> Iterator[str]:
    new, live = [one.new for one in exchanges], [one.live for one in exchanges]
    compared = compare(_traffic(new), _traffic(live), bounds.traffic)
    if compared.verdict is ReleaseVerdict.STOP:
        yield compared.words
    if _short(new).error_share_at_least() > _short(live).error_share() + bounds.traffic.error_share:
        yield f"{_short(new).errors} lists are too short, {_short(live).errors} of the live version"
    if (seen := _seen_share(exchanges)) > bounds.seen_share:
        yield f"{seen:.1%} of the lists offer a movie that their user has seen"
    if any(one.live.movies for one in exchanges) and (o := _overlap(exchanges)) < bounds.overlap:
        yield f"only {o:.1%} of the live lists is in the new ones"


def _measured(exchanges: Sequence[Exchange], bounds: ReplayBounds) -> Iterator[Measurement]:
    new, live = [one.new for one in exchanges], [one.live for one in exchanges]
    of_new, of_live = _traffic(new), _traffic(live)
    error, p99 = bounds.traffic.error_share, bounds.traffic.p99_seconds
    yield Measurement("failed_share", of_new.error_share(), of_live.error_share(), error)
    yield Measurement("p99_seconds", of_new.p99_seconds(), of_live.p99_seconds(), p99)
    short = _short(new).error_share(), _short(live).error_share()
    yield Measurement("short_share", *short, error)
    yield Measurement("seen_share", _seen_share(exchanges), None, bounds.seen_share)
    yield Measurement("overlap", _overlap(exchanges), None, bounds.overlap)


def _traffic(replies: Sequence[Reply]) -> Traffic:
    ordered = sorted(reply.seconds for reply in replies)
    within = {seconds: float(number) for number, seconds in enumerate(ordered, 1)}
    return Traffic(len(replies), sum(reply.movies is None for reply in replies), within)


def _short(replies: Sequence[Reply]) -> Traffic:
    return Traffic(len(replies), sum(reply.short(ANSWER_LENGTH) for reply in replies))


def _seen_share(exchanges: Sequence[Exchange]) -> float:
    return sum(one.shows_seen() for one in exchanges) / len(exchanges)


def _overlap(exchanges: Sequence[Exchange]) -> float:
    overlaps = [overlap for one in exchanges if (overlap := one.overlap()) is not None]
    return sum(overlaps) / len(overlaps) if overlaps else 0.0


def _most_differing(exchanges: Sequence[Exchange]) -> list[Exchange]:
    def order(exchange: Exchange) -> tuple[bool, bool, float]:
        return exchange.new.movies is not None, not exchange.shows_seen(), exchange.overlap() or 0.0

    return sorted(exchanges, key=order)[:KEPT_EXCHANGES]
