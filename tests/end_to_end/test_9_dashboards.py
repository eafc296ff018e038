"""Each graph of each dashboard has something to show on a stack that lives.

Run late: what a training, a release and a pass of evaluation leave is there by then.
With GRAFANA_URL, GRAFANA_TOKEN (an administrator's) and PROMETHEUS_URL (as Grafana reaches it)
the same is read through a real Grafana, which gets source and dashboards first.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from monitoring.dashboards.panels import VARIABLES, model
from monitoring.dashboards.questions import DASHBOARDS
from tests.waiting import eventually

HOUR = 3600
SOURCE = Path("monitoring/grafana/datasources/prometheus.yml")
QUERIES = [
    pytest.param(query, id=f"{dashboard.uid}: {panel.title}: {legend}")
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for query, legend in panel.queries
]


def as_grafana_asks(query: str) -> str:
    """A query with Grafana's variables filled in: everything, at a scrape of 5 s."""
    return re.sub(r"\$(slot|version)", ".*", query.replace("$__rate_interval", "1m"))


def lines_of_an_hour(query: str) -> list[dict[str, object]]:
    """The lines that a graph from an hour ago until now would have."""
    now = time.time()
    asked = {"query": as_grafana_asks(query), "start": now - HOUR, "end": now, "step": 15}
    address = f"http://127.0.0.1:{os.environ['PROMETHEUS_PORT']}/api/v1/query_range"
    found: list[dict[str, object]] = httpx.get(address, params=asked).json()["data"]["result"]
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_a_graph_has_lines(query):
    eventually(lambda: lines_of_an_hour(query), 120, f"lines of {query}")


@pytest.mark.parametrize(("name", "query"), VARIABLES)
def test_there_is_something_to_choose(name, query):
    """What Grafana asks for a variable of the kind label_values(metric, label)."""
    metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
    address = f"http://127.0.0.1:{os.environ['PROMETHEUS_PORT']}/api/v1/label/{label}/values"
    found = httpx.get(address, params={"match[]": metric}).json()["data"]
    assert found, name


@pytest.fixture(scope="module")
def grafana() -> Iterator[httpx.Client]:
    """A real Grafana that knows the shipped source of figures."""
    if "GRAFANA_URL" not in os.environ:
        pytest.skip("NO GRAFANA HAS DRAWN THESE DASHBOARDS: set GRAFANA_URL to try one")
    token = {"Authorization": f"Bearer {os.environ['GRAFANA_TOKEN']}"}
    (source,) = yaml.safe_load(SOURCE.read_text())["datasources"]
    with httpx.Client(base_url=os.environ["GRAFANA_URL"], headers=token) as client:
        made = client.post("/api/datasources", json={**source, "url": os.environ["PROMETHEUS_URL"]})
        assert made.status_code in {200, 409}, made.text  # made, or there already
        yield client


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_a_real_grafana_takes_a_dashboard_and_draws_each_panel(grafana, dashboard):
    saved = grafana.post(
        "/api/dashboards/db", json={"dashboard": model(dashboard), "overwrite": True}
    )
    assert saved.status_code == 200, saved.text
    for panel in model(dashboard)["panels"]:
        queries = [{**line, "expr": as_grafana_asks(line["expr"])} for line in panel["targets"]]
        drawn = grafana.post(
            "/api/ds/query", json={"queries": queries, "from": "now-1h", "to": "now"}
        )
        assert drawn.status_code == 200, drawn.text
        results = drawn.json()["results"]
        assert all(result["frames"] for result in results.values()), panel["title"]
