"""Asks Prometheus what the status page shows: alerts, answers, latency, lag, disks."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.page.content import Alert, Figures, Series

SPAN = timedelta(hours=24)
STEP = timedelta(minutes=10)
ALERT_STEP = timedelta(minutes=1)
TIMEOUT_SECONDS = 2

ANSWERS = 'sum by (reason) (rate(marquee_requests_total{status=~"2.."}[10m]))'
LATENCY = "histogram_quantile({}, sum by (le) (rate(marquee_request_seconds_bucket[10m])))"
LAG = "sum(marquee_ingest_lag_records)"
DISKS = (
    'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|iso9660|overlay"}'
    " / node_filesystem_size_bytes > 0"
)
ALERTS = 'ALERTS{alertstate="firing", severity!="none"}'


def read_figures(url: str, now: datetime) -> Figures:
    """What Prometheus knows of the last day.

    Raises:
        OSError: it does not answer.
        ValueError: it answers what is no result.
    """
    lags = [value for _labels, value in _now(url, LAG)]
    return Figures(
        alerts=list(_alerts(url, now)),
        answers_by_reason=tuple(_series(url, ANSWERS, now, "reason")),
        latency=tuple(
            Series(f"p{quantile * 100:g}", line.times, line.values)
            for quantile in (0.5, 0.99)
            for line in _series(url, LATENCY.format(quantile), now, "")
        ),
        lag_lines=lags[0] if lags else None,
        disk_free_share={
            labels.get("mountpoint", "?"): value for labels, value in _now(url, DISKS)
        },
    )


def _alerts(url: str, now: datetime) -> Iterator[Alert]:
    for result in _range(url, ALERTS, now, ALERT_STEP):
        labels = result["metric"]
        for start, end in runs([at for at, _value in result["values"]], ALERT_STEP.seconds):
            still = (now - _time(end)) < 2 * ALERT_STEP
            yield Alert(
                labels["alertname"],
                labels.get("severity", "none"),
                _time(start),
                None if still else _time(end),
            )


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
    for result in _range(url, query, now, STEP):
        points = [(_time(at), float(value)) for at, value in result["values"] if value != "NaN"]
        if points:
            times, values = zip(*points, strict=True)
            yield Series(result["metric"].get(label, ""), times, values)


def _now(url: str, query: str) -> list[tuple[dict[str, str], float]]:
    results = _ask(url, "query", query=query)
    return [(result["metric"], float(result["value"][1])) for result in results]


def _range(url: str, query: str, now: datetime, step: timedelta) -> list[dict[str, Any]]:
    end = now.timestamp() // step.seconds * step.seconds  # the same points until the next one
    start = end - SPAN.total_seconds()
    return _ask(url, "query_range", query=query, start=start, end=end, step=step.seconds)


def _ask(url: str, way: str, **arguments: object) -> list[dict[str, Any]]:
    address = f"{url}/api/v1/{way}?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 -- an operator's setting
        found = json.load(answer)
    if found.get("status") != "success":
        raise ValueError(f"Prometheus: {found.get('error', 'no result')}")
    results: list[dict[str, Any]] = found["data"]["result"]
    return results


def _time(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
