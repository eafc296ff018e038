"""Grafana's dashboard, written as what it shows; Grafana reads the JSON made of it.

`python -m monitoring dashboard > monitoring/grafana/dashboards/marquee.json`
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = 24
PANEL_WIDTH, PANEL_HEIGHT = 8, 8
SOURCE = {"type": "prometheus", "uid": "prometheus"}


@dataclass(frozen=True)
class Panel:
    """One graph: PromQL expressions, each with the legend of its lines."""

    title: str
    unit: str
    """A unit as Grafana names it."""
    queries: Sequence[tuple[str, str]]


SLOT = "{{slot}}"
REQUESTS = "sum by (slot) (rate(marquee_requests_total[1m]))"
FAILURES = 'sum by (slot) (rate(marquee_requests_total{status=~"5.."}[1m]))'
LATENCY = "sum by (slot, le) (rate(marquee_request_seconds_bucket[1m]))"
MEMORY_USED = "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
CPU_BUSY = '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[1m]))'
DISK_USED = (
    '1 - min(node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|iso9660"}'
    " / node_filesystem_size_bytes)"
)

PANELS = (
    Panel("Requests", "reqps", [(REQUESTS, SLOT)]),
    Panel(
        "Latency of the slots",
        "s",
        [
            (f"histogram_quantile({quantile}, {LATENCY})", f"{SLOT} {name}")
            for quantile, name in ((0.5, "p50"), (0.99, "p99"))
        ],
    ),
    Panel("Errors", "percentunit", [(f"{FAILURES} / {REQUESTS}", SLOT)]),
    Panel(
        "Model quality, offline: NDCG@20",
        "none",
        [("marquee_model_ndcg20", "{{algorithm}}")],
    ),
    Panel(
        "Model quality, online: answers that led to watching",
        "percentunit",
        [
            (
                'marquee_online_metric{metric="hit_rate", reason="all", segment="all"}',
                "{{model_version}} {{arm}}",
            )
        ],
    ),
    Panel("Share of a release", "short", [("marquee_release_share", "buckets of 1,000")]),
    Panel("Memory", "percentunit", [(MEMORY_USED, "used")]),
    Panel("CPU", "percentunit", [(CPU_BUSY, "busy")]),
    Panel("Disk", "percentunit", [(DISK_USED, "used")]),
    Panel("Ingest lag", "short", [("sum(marquee_ingest_lag_records)", "lines")]),
    Panel(
        "Lines landed",
        "cps",
        [("sum by (table) (rate(marquee_ingest_rows_total[1m]))", "{{table}}")],
    ),
    Panel("Services up", "short", [("up", "{{service}}")]),
)


def dashboard() -> dict[str, Any]:
    """The dashboard in Grafana's JSON model, three panels a row."""
    return {
        "uid": "marquee",
        "title": "Marquee",
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "panels": [_panel(place, panel) for place, panel in enumerate(PANELS)],
    }


def _panel(place: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(place * PANEL_WIDTH, COLUMNS)
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {
            "x": column,
            "y": row * PANEL_HEIGHT,
            "w": PANEL_WIDTH,
            "h": PANEL_HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + line),
                "expr": expression,
                "legendFormat": legend,
                "datasource": SOURCE,
            }
            for line, (expression, legend) in enumerate(panel.queries)
        ],
    }
