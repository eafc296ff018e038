"""From sums over people, and the times that callers waited, to figures with intervals; no I/O.

A figure is a total over a total (minutes over answers, failures over requests). All answers of
a person hang together, so its variance is that between people, by the delta method: Deng,
Knoblich and Lu, Applying the Delta Method in Metric Analytics, KDD 2018. Shares get Wilson's
interval (JASA 22, 1927, 209-212) at the number of independent answers that has this variance.

The intervals are of one look (95 %): whoever looks again and again, or compares versions that
answered different people, asks an experiment.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

ALL = "all"
SHARES = frozenset({"hit_rate", "personalised_share", "empty_share", "failed_share"})
QUANTILES = {"response_ms_p50": 0.5, "response_ms_p99": 0.99}
DEVIATIONS = 1.96
"""Standard errors to each side of a 95 % interval."""


FEWEST_PEOPLE = 50
"""Fewer do not say how much they vary."""


@dataclass(frozen=True)
class Group:
    """Whose answers are judged together; `all` where a reason or a segment is not told apart."""

    model_version: str
    arm: str
    reason: str = ALL
    segment: str = ALL


@dataclass(frozen=True)
class Sums:
    """What the people of a group came to: y is counted over x, and squares are summed, too."""

    people: int
    y: float
    x: float
    yy: float
    xx: float
    xy: float


@dataclass(frozen=True)
class OnlineFigure:
    """One figure of a group; `low` and `high` are None where nothing says how sure it is."""

    group: Group
    metric: str
    value: float
    low: float | None
    high: float | None
    variance: float | None
    """The squared standard error of the value."""
    samples: int
    """Answers, ratings or requests it rests on."""
    people: int


@dataclass(frozen=True)
class Shown:
    """What one model version showed of all the movies it knows."""

    group: Group
    impressions: int
    coverage: float
    concentration: float


def ratio_figure(group: Group, metric: str, sums: Sums) -> OnlineFigure:
    """The total of y over the total of x, which is not 0."""
    value = sums.y / sums.x
    variance = _variance(sums, value)
    low, high = _interval(metric, sums, value, variance)
    return OnlineFigure(group, metric, value, low, high, variance, round(sums.x), sums.people)


def _variance(sums: Sums, ratio: float) -> float | None:
    """Of the ratio, by the delta method; None of one person."""
    if sums.people < 2:  # noqa: PLR2004 -- one person does not vary
        return None
    residuals = sums.yy - 2 * ratio * sums.xy + ratio * ratio * sums.xx
    return max(residuals, 0.0) * sums.people / (sums.people - 1) / sums.x**2


def _interval(
    metric: str, sums: Sums, value: float, variance: float | None
) -> tuple[float | None, float | None]:
    if metric in SHARES:
        return wilson(value, _independent(sums, value, variance))
    if variance is None:
        return None, None
    half = DEVIATIONS * math.sqrt(variance)
    return value - half, value + half


def _independent(sums: Sums, share: float, variance: float | None) -> float:
    """How many independent answers would have this variance.

    Where none varies, or too few people say how much, one a person at most.
    """
    if not variance:
        return sums.people
    most = sums.x if sums.people >= FEWEST_PEOPLE else min(sums.x, sums.people)
    return min(most, share * (1 - share) / variance) or sums.people


def wilson(share: float, samples: float) -> tuple[float, float]:
    """The interval of a share of so many independent samples."""
    z2 = DEVIATIONS**2
    middle = (share + z2 / (2 * samples)) / (1 + z2 / samples)
    spread = math.sqrt(max(share * (1 - share), 0.0) / samples + z2 / (4 * samples**2))
    half = DEVIATIONS * spread / (1 + z2 / samples)
    return max(0.0, middle - half), min(1.0, middle + half)


def quantile_figure(
    group: Group, metric: str, share: float, ordered: Sequence[float], people: int
) -> OnlineFigure:
    """The value that this share of the ordered ones stays within.

    The interval is between order statistics, whatever the distribution is like; None to a side
    where too few lie.
    """
    number = len(ordered)
    middle = max(0, math.ceil(share * number) - 1)
    reach = DEVIATIONS * math.sqrt(number * share * (1 - share))
    low, high = math.floor(share * number - reach) - 1, math.ceil(share * number + reach)
    return OnlineFigure(
        group,
        metric,
        ordered[middle],
        ordered[low] if low >= 0 else None,
        ordered[high] if high < number else None,
        None,
        number,
        people,
    )


def request_figures(
    group: Group, failed: Sums, ordered_ms: Sequence[float]
) -> Iterator[OnlineFigure]:
    """What callers saw: how many of their requests failed, and how long they waited."""
    yield _count(group, "requests", round(failed.x), failed.people)
    yield ratio_figure(group, "failed_share", failed)
    for metric, share in QUANTILES.items():
        yield quantile_figure(group, metric, share, ordered_ms, failed.people)


def answer_figures(rows: Iterable[tuple[Group, str, Sums]]) -> Iterator[OnlineFigure]:
    """The figures of all groups and metrics, with how many answers each group had."""
    for group, metric, sums in rows:
        if metric == "hit_rate":
            yield _count(group, "answers", round(sums.x), sums.people)
        yield ratio_figure(group, metric, sums)


def shown_figures(shown: Iterable[Shown]) -> Iterator[OnlineFigure]:
    """How much of the catalogue was shown, and how evenly."""
    for one in shown:
        for metric, value in (("coverage", one.coverage), ("concentration", one.concentration)):
            yield OnlineFigure(one.group, metric, value, None, None, None, one.impressions, 0)


def _count(group: Group, metric: str, number: int, people: int) -> OnlineFigure:
    return OnlineFigure(group, metric, number, None, None, None, number, people)
