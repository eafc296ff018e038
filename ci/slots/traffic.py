"""What a slot's own metrics say of the answers it gave: how many, how many failed, how slow."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

REQUESTS = "marquee_requests_total"
SECONDS_BUCKET = "marquee_request_seconds_bucket"
STARTED = "process_start_time_seconds"
CERTAINTY = 3.0
"""Standard errors; a watch looks every half second, so chance must be ruled out well."""


@dataclass(frozen=True)
class Traffic:
    """Answers counted since some moment.

    `within` maps a number of seconds to how many answers took at most that long.
    """

    requests: int = 0
    errors: int = 0
    within: dict[float, float] = field(default_factory=dict)

    def since(self, earlier: "Traffic") -> "Traffic":
        """What came after `earlier`; all of it if the slot was restarted in between."""
        if self.requests < earlier.requests or self.errors < earlier.errors:
            return self
        return Traffic(
            self.requests - earlier.requests,
            self.errors - earlier.errors,
            {bound: count - earlier.within.get(bound, 0) for bound, count in self.within.items()},
        )

    def error_share(self) -> float:
        """Failed answers among all; 0 without any answer."""
        return self.errors / self.requests if self.requests else 0.0

    def error_share_at_least(self) -> float:
        """Lower end of the Wilson interval of the error share: what chance cannot explain.

        Source: Wilson, JASA 22 (1927), 209-212.
        """
        if not self.requests:
            return 0.0
        n, p, z = self.requests, self.error_share(), CERTAINTY
        spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (p + z * z / (2 * n) - spread) / (1 + z * z / n))

    def p99_seconds(self) -> float:
        """The 99th percentile of seconds, straight lines within buckets; 0 without any answer.

        Beyond the last finite bound that bound is returned, as Prometheus does.
        """
        rank = 0.99 * max(self.within.values(), default=0)
        bounds = [(0.0, 0.0), *sorted(self.within.items())]
        for (low, below), (high, upto) in pairwise(bounds):
            if upto >= rank > below:
                return (
                    low
                    if math.isinf(high)
                    else low + (high - low) * (rank - below) / (upto - below)
                )
        return 0.0

    def __str__(self) -> str:
        p99 = self.p99_seconds() * 1000
        return f"{self.requests} requests, {self.errors} failed, p99 {p99:.0f} ms"


@dataclass(frozen=True)
class Counted:
    """What both slots of a release had counted at a moment; None of one that was not read."""

    at: datetime
    new: Traffic | None = None
    old: Traffic | None = None

    def since(self, earlier: "Counted") -> tuple[Traffic | None, Traffic | None]:
        """What each answered after `earlier`; a new slot that was not there yet, all it has."""
        old = self.old.since(earlier.old) if self.old and earlier.old else None
        return self.new.since(earlier.new or Traffic()) if self.new else None, old


@dataclass(frozen=True)
class SlotFigures:
    """What a slot's metrics say; None of what they do not say, or of all if they are not read."""

    traffic: Traffic | None = None
    started_at: datetime | None = None
    """When its process was started, UTC."""


def parse_figures(exposition: str) -> SlotFigures:
    """Read a slot's metrics.

    Raises:
        ValueError: the text is not in Prometheus's exposition format.
    """
    started = [
        datetime.fromtimestamp(sample.value, UTC)
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == STARTED
    ]
    return SlotFigures(parse_traffic(exposition), started[0] if started else None)


def parse_traffic(exposition: str) -> Traffic:
    """Read what a slot answered; an answer with a status of 500 or more is an error.

    Raises:
        ValueError: the text is not in Prometheus's exposition format.
    """
    by_status: Counter[bool] = Counter()
    within: defaultdict[float, float] = defaultdict(float)
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name == REQUESTS:
                by_status[sample.labels["status"] >= "500"] += int(sample.value)
            elif sample.name == SECONDS_BUCKET:
                within[float(sample.labels["le"])] += sample.value
    return Traffic(by_status.total(), by_status[True], dict(within))
