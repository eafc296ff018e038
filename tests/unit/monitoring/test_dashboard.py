import json
from pathlib import Path

from monitoring.dashboard import PANELS, dashboard

SHIPPED = Path("monitoring/grafana/dashboards/marquee.json")


def test_the_shipped_json_is_what_the_code_makes():
    assert json.loads(SHIPPED.read_text()) == dashboard()


def test_no_two_panels_overlap():
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard()["panels"]}
    assert len(places) == len(PANELS)


def test_the_dashboard_asks_the_provisioned_source():
    source = Path("monitoring/grafana/datasources/prometheus.yml").read_text()
    uids = {panel["datasource"]["uid"] for panel in dashboard()["panels"]}
    assert [f"uid: {uid}" in source for uid in uids] == [True]
