"""Asks Prometheus what the status page shows: alerts, answers, latency, lag, disks."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from monitoring.apis import Labels, alerting_rules, series, value, values
from monitoring.page.content import Alert, LiveFigures, Restart, Series
from monitoring.page.happenings import FIGURES_SPAN
from monitoring.page.meanings import meaning

STEP = timedelta(minutes=10)
ALERT_STEP = timedelta(minutes=1)

ANSWERS = 'sum by (reason) (rate(marquee_requests_total{status=~"2.."}[10m]))'
LATENCY = "histogram_quantile({}, sum by (le) (rate(marquee_request_seconds_bucket[10m])))"
LAG = "sum(marquee_ingest_lag_records)"
DISKS = (
    'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|iso9660|overlay"}'
    " / node_filesystem_size_bytes > 0"
)
STARTS = "max by (service) (process_start_time_seconds)"
ALERTS = 'ALERTS{alertstate="firing", severity!="none"}'
WATCHDOG = 'ALERTS{alertname="Watchdog", alertstate="firing"}'

ABOUT = ("model_version", "worker", "service")
"""Labels that name what an alert is about; the service may only be who told of it."""


def read_figures(url: str, now: datetime) -> LiveFigures:
    """What Prometheus knows of the last day.

    Raises:
        UnansweredError: it does not answer.
    """
    return LiveFigures(
        alerts=list(_alerts(url, now)),
        answers_by_reason=tuple(_series(url, ANSWERS, now, "reason")),
        latency=tuple(
            Series(f"p{quantile * 100:g}", line.times, line.values)
            for quantile in (0.5, 0.99)
            for line in _series(url, LATENCY.format(quantile), now, "")
        ),
        lag_lines=value(url, LAG),
        disk_free_share={
            labels.get("mountpoint", "?"): free for labels, free in values(url, DISKS)
        },
        restarts=tuple(_restarts(url, now)),
        watched=value(url, WATCHDOG) is not None,
    )


def _alerts(url: str, now: datetime) -> Iterator[Alert]:
    rules = alerting_rules(url)
    for labels, points in _range(url, ALERTS, now, ALERT_STEP):
        for start, end in runs([at for at, _value in points], ALERT_STEP.seconds):
            still = (now - _time(end)) < 2 * ALERT_STEP
            yield Alert(
                alert_name(labels),
                labels.get("severity", "none"),
                _time(start),
                None if still else _time(end),
                meaning(rules, labels, still=still),
            )


def _restarts(url: str, now: datetime) -> Iterator[Restart]:
    for labels, points in _range(url, STARTS, now, ALERT_STEP):
        starts = started_at([start for _at, start in points])
        for before, start in pairwise(starts):
            yield Restart(labels.get("service", "?"), _time(start), _time(before))


def started_at(seen: Sequence[float]) -> list[float]:
    """Each time of a start once, in the order in which they were seen.

    >>> started_at([10.0, 10.0, 95.5, 95.5])
    [10.0, 95.5]
    """
    return list(dict.fromkeys(seen))


def alert_name(labels: Labels) -> str:
    """What fires, and of what where it says so.

    >>> alert_name({"alertname": "ServiceDown", "service": "kafka"})
    'ServiceDown of kafka'
    """
    of = next((labels[name] for name in ABOUT if name in labels), None)
    return f"{labels['alertname']} of {of}" if of else labels["alertname"]


def runs(times: Sequence[float], step: float) -> Iterator[tuple[float, float]]:
    """The spans without a gap of more than one step and a half, first and last time of each.

    >>> list(runs([0, 60, 120, 300], 60))
    [(0, 120), (300, 300)]
    """
    start = 0
    for place in range(1, len(times) + 1):
        if place == len(times) or times[place] - times[place - 1] > 1.5 * step:
            yield times[start], times[place - 1]
            start = place


def _series(url: str, query: str, now: datetime, label: str) -> Iterator[Series]:
    for labels, points in _range(url, query, now, STEP):
        known = [(_time(at), number) for at, number in points if math.isfinite(number)]
        if known:
            times, numbers = zip(*known, strict=True)
            yield Series(labels.get(label, ""), times, numbers)


def _range(
    url: str, query: str, now: datetime, step: timedelta
) -> list[tuple[Labels, list[tuple[float, float]]]]:
    end = now.timestamp() // step.seconds * step.seconds  # the same points until the next one
    return series(url, query, end - FIGURES_SPAN.total_seconds(), end, step.seconds)


def _time(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
