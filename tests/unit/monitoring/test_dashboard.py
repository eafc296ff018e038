"""The rules that dashboards keep; whether each query is valid, test_prometheus_files.py asks."""

import json
import re
from pathlib import Path

import pytest

from monitoring.dashboards.panels import ANNOTATIONS, model
from monitoring.dashboards.questions import DASHBOARDS

SHIPPED = Path("monitoring/grafana/dashboards")
PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
OVER_TIME = re.compile(r"\b(?:rate|increase|irate)\([^\[]*\[([^\]]+)\]")
GRAFANA_9_3 = 37


def by_title(panel):
    return panel.title


def test_the_shipped_json_is_what_the_code_makes():
    shipped = {file.stem: json.loads(file.read_text()) for file in SHIPPED.glob("*.json")}
    assert shipped == {dashboard.uid: model(dashboard) for dashboard in DASHBOARDS}


def test_there_is_a_dashboard_for_each_question():
    assert len(DASHBOARDS) >= 5
    assert all(dashboard.title.endswith("?") for dashboard in DASHBOARDS)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_no_two_panels_overlap(dashboard):
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in model(dashboard)["panels"]}
    assert len(places) == len(dashboard.panels)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_everything_asks_the_one_provisioned_source(dashboard):
    source = (SHIPPED.parent / "datasources/prometheus.yml").read_text()
    uids = set(re.findall(r'"uid": "([^"]+)"', json.dumps(model(dashboard)))) - {dashboard.uid}
    assert [f"uid: {uid}\n" in source for uid in uids] == [True]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_nothing_needs_a_newer_grafana_than_9_3(dashboard):
    assert model(dashboard)["schemaVersion"] <= GRAFANA_9_3
    assert {panel["type"] for panel in model(dashboard)["panels"]} == {"timeseries"}


@pytest.mark.parametrize("panel", PANELS, ids=by_title)
def test_a_panel_says_what_it_shows_in_which_unit(panel):
    assert panel.title
    assert panel.unit
    assert panel.description.endswith(".")
    assert all(legend for _query, legend in panel.queries)


@pytest.mark.parametrize("panel", PANELS, ids=by_title)
def test_rates_are_taken_over_the_interval_that_grafana_chooses(panel):
    for query, _legend in panel.queries:
        assert set(OVER_TIME.findall(query)) <= {"$__rate_interval"}


@pytest.mark.parametrize("panel", PANELS, ids=by_title)
def test_no_query_hides_that_it_finds_nothing(panel):
    assert not any("vector(" in query for query, _legend in panel.queries)


def test_releases_trainings_experiments_and_alerts_are_drawn_into_every_graph():
    names = {"Releases", "Trainings", "Experiments", "Alerts"}
    assert {name for name, *_rest in ANNOTATIONS} == names
    for dashboard in DASHBOARDS:
        assert {a["name"] for a in model(dashboard)["annotations"]["list"]} == names
