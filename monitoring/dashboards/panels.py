"""A dashboard as what it shows, and the JSON model that Grafana (9.3 or later) reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WELL, BAD = "transparent", "red"
ONE_IN_FIVE_MINUTES = 1 / 300
"""A second: what an alert on any increase within five minutes fires from."""
COLUMNS = 24
PANEL_WIDTH, PANEL_HEIGHT = 8, 8
SCHEMA_VERSION = 37
"""Grafana 9.3's; later ones read it, too."""
SOURCE = {"type": "prometheus", "uid": "prometheus"}
GRAFANA = "http://127.0.0.1:3000"
WHAT_TO_DO = "http://127.0.0.1:8083/status/operations"
"""On this host, on the ports that they have unless a setting says otherwise."""


@dataclass(frozen=True)
class Panel:
    """One graph: PromQL expressions, each with the legend of its lines."""

    title: str
    description: str
    """What is good, what is bad, and what to do then."""
    unit: str
    """A unit as Grafana names it."""
    queries: Sequence[tuple[str, str]]
    bad_from: float | None = None
    """From here on it is drawn red."""
    bad_below: float | None = None
    """Below it is drawn red."""
    no_bound: str = ""
    """Why it has neither."""
    alerts: Sequence[str] = ()
    """Whoever is woken by one of these looks here."""


@dataclass(frozen=True)
class Dashboard:
    """Panels that answer one question."""

    uid: str
    title: str
    panels: Sequence[Panel]


ANNOTATIONS = (
    ("Releases", "blue", "marquee_release_running > 0", "a release or rollback is under way"),
    ("Trainings", "purple", "marquee_training_running > 0", "a training runs"),
    (
        "Experiments",
        "green",
        "count by (challenger) (marquee_experiment_people)",
        "{{challenger}} is tried",
    ),
    (
        "Alerts",
        "red",
        'ALERTS{alertstate="firing", severity!~"none|setup"}',
        "{{alertname}} {{service}}",
    ),
)
"""Name, colour, expression and text of what is drawn into every graph."""

VARIABLES = (
    ("slot", "label_values(marquee_requests_total, slot)"),
    ("version", "label_values(marquee_requests_total, model_version)"),
)


def model(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard in Grafana's JSON model, three panels a row."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["marquee"],
        "timezone": "utc",
        "schemaVersion": SCHEMA_VERSION,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "annotations": {"list": [_annotation(*annotation) for annotation in ANNOTATIONS]},
        "templating": {"list": [_variable(*variable) for variable in _chosen_by(dashboard)]},
        "links": [
            {"type": "dashboards", "tags": ["marquee"], "title": "Marquee", "asDropdown": True}
        ],
        "panels": [_panel(place, panel) for place, panel in enumerate(dashboard.panels)],
    }


def _chosen_by(dashboard: Dashboard) -> list[tuple[str, str]]:
    """The variables that some query of a dashboard has in it: one that changes nothing misleads."""
    queries = " ".join(query for panel in dashboard.panels for query, _legend in panel.queries)
    return [(name, query) for name, query in VARIABLES if f"${name}" in queries]


def panel_links(dashboards: Sequence[Dashboard]) -> dict[str, str]:
    """For each alert the address of its graph in Grafana."""
    return {
        alert: f"{GRAFANA}/d/{dashboard.uid}?viewPanel={place}"
        for dashboard in dashboards
        for place, panel in enumerate(dashboard.panels, 1)
        for alert in panel.alerts
    }


def _annotation(name: str, color: str, expression: str, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "enable": True,
        "iconColor": color,
        "datasource": SOURCE,
        "expr": expression,
        "titleFormat": name,
        "textFormat": text,
        "step": "30s",
    }


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panel(place: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(place * PANEL_WIDTH, COLUMNS)
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": _description(panel),
        "links": _links(panel),
        "datasource": SOURCE,
        "gridPos": {"x": column, "y": row * PANEL_HEIGHT, "w": PANEL_WIDTH, "h": PANEL_HEIGHT},
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "targets": [
            _target(line, expression, legend)
            for line, (expression, legend) in enumerate(panel.queries)
        ],
    }


def _description(panel: Panel) -> str:
    told = [panel.description]
    if panel.no_bound:
        told.append(f"No bound: {panel.no_bound}.")
    if panel.alerts:
        told.append(f"Alerts, each with what to do in OPERATIONS.md: {', '.join(panel.alerts)}.")
    return " ".join(told)


def _links(panel: Panel) -> list[dict[str, Any]]:
    return [
        {"title": f"What to do about {alert}", "url": f"{WHAT_TO_DO}#{alert}", "targetBlank": True}
        for alert in panel.alerts
    ]


def _defaults(panel: Panel) -> dict[str, Any]:
    steps = _steps(panel)
    return {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": {"thresholdsStyle": {"mode": "area" if len(steps) > 1 else "off"}},
    }


def _steps(panel: Panel) -> list[dict[str, Any]]:
    """Where which background begins, from below; what is well has none."""
    lowest = WELL if panel.bad_below is None else BAD
    steps: list[dict[str, Any]] = [{"color": lowest, "value": None}]
    if panel.bad_below is not None:
        steps.append({"color": WELL, "value": panel.bad_below})
    if panel.bad_from is not None:
        steps.append({"color": BAD, "value": panel.bad_from})
    return steps


def _target(line: int, expression: str, legend: str) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + line),
        "expr": expression,
        "legendFormat": legend,
        "datasource": SOURCE,
    }
