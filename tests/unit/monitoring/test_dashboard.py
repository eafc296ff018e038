"""The rules that dashboards keep, those of a dashboard linter among them, on PromQL's own trees."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import promql_parser as promql
import pytest

from monitoring.dashboards.panels import ANNOTATIONS, model, panel_links
from monitoring.dashboards.questions import DASHBOARDS
from monitoring.page.operations import operations_page
from tests.unit.monitoring.rules import ALERTS, RULES

OPERATIONS = Path("OPERATIONS.md")
ADDRESSES = re.compile(r"http://127\.0\.0\.1:8083(/\S+)#(\S+)")
RECORDED = defaultdict(list)
for _rule in RULES:
    if "record" in _rule:
        RECORDED[_rule["record"]].append(_rule["expr"])
WITHOUT_FIGURE = {"Watchdog", "AlertTest", "ReleaseAborted"}
"""Always, on request, or said of one release."""
SHIPPED = Path("monitoring/grafana/dashboards")
PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
QUERIES = [(panel.title, query) for panel in PANELS for query, _legend in panel.queries]
CHOSEN_BY_GRAFANA = "7m53s"
"""Stands for `$__rate_interval` in a tree, where nobody writes such a range by hand."""
COUNTERS_BY_ANOTHER_NAME = {"node_vmstat_oom_kill"}
CHILDREN = ("expr", "lhs", "rhs", "vector_selector")
GRAFANA_9_3 = 37


def tree(query: str) -> promql.Expr:
    """A query as Prometheus reads it, once Grafana has filled in its variables."""
    filled = query.replace("$__rate_interval", CHOSEN_BY_GRAFANA)
    return promql.parse(re.sub(r"\$\w+", ".*", filled))


def nodes(expression: promql.Expr) -> Iterator[promql.Expr]:
    """An expression and all that it is made of."""
    yield expression
    below = [getattr(expression, name) for name in CHILDREN if hasattr(expression, name)]
    for child in [*below, *getattr(expression, "args", [])]:
        yield from nodes(child)


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


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_range_is_the_interval_that_grafana_chooses(title, query):
    ranges = {node.range for node in nodes(tree(query)) if isinstance(node, promql.MatrixSelector)}
    chosen = promql.parse(f"up[{CHOSEN_BY_GRAFANA}]")
    assert isinstance(chosen, promql.MatrixSelector)
    assert ranges <= {chosen.range}, title


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_counters_are_shown_as_rates_and_gauges_are_not(title, query):
    rated = {
        node.vector_selector.name
        for node in nodes(tree(query))
        if isinstance(node, promql.MatrixSelector)
    }
    named = {node.name for node in nodes(tree(query)) if isinstance(node, promql.VectorSelector)}
    counters = {name for name in named if name.endswith(("_total", "_bucket"))}
    assert counters <= rated, title
    assert rated - COUNTERS_BY_ANOTHER_NAME <= counters, title


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_no_query_hides_that_it_finds_nothing(title, query):
    found = list(nodes(tree(query)))
    calls = {node.func.name for node in found if isinstance(node, promql.Call)}
    assert not calls & {"vector", "absent", "absent_over_time"}, title
    assert any(isinstance(node, promql.VectorSelector) for node in found), title


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_each_label_of_a_legend_outlives_the_query(title, query):
    (legend,) = (shown for panel in PANELS for asked, shown in panel.queries if asked == query)
    outermost = tree(query)
    while isinstance(outermost, promql.ParenExpr | promql.BinaryExpr):
        outermost = getattr(outermost, "expr", None) or outermost.rhs
    if isinstance(outermost, promql.AggregateExpr):
        kept = set(outermost.modifier.labels if outermost.modifier else [])
        assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= kept, title


def metrics(expression: str) -> set[str]:
    """The names an expression reads; of a recorded rule, those that the rule reads, too."""
    found = nodes(promql.parse(expression))
    named = {node.name for node in found if isinstance(node, promql.VectorSelector)}
    named.discard(None)
    return named.union(*(metrics(recorded) for name in named for recorded in RECORDED[name]))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_graph_of_what_it_is_about(rule):
    (panel,) = (panel for panel in PANELS if rule["alert"] in panel.alerts)
    drawn = {
        node.name
        for query, _legend in panel.queries
        for node in nodes(tree(query))
        if isinstance(node, promql.VectorSelector)
    }
    family = {name.rsplit("_", 1)[0] for name in metrics(rule["expr"])}
    assert rule["alert"] in WITHOUT_FIGURE or {n.rsplit("_", 1)[0] for n in drawn} & family


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_stands_in_operations_with_its_graph_and_what_to_do(rule):
    name, severity = rule["alert"], rule["labels"]["severity"]
    graph = panel_links(DASHBOARDS)[name]
    row = f"| `{name}` | {severity} | [graph]({graph}) | {rule['annotations']['action']} |"
    assert row.replace("\n", " ") in OPERATIONS.read_text().splitlines()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_leads_to_its_graph(rule):
    assert rule["annotations"]["dashboard_url"] == panel_links(DASHBOARDS)[rule["alert"]]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_each_graph_of_alerts_leads_to_what_to_do_about_them(dashboard):
    served = Path("nginx/nginx.conf").read_text()
    page = operations_page(OPERATIONS.read_text())
    for panel, drawn in zip(dashboard.panels, model(dashboard)["panels"], strict=True):
        assert len(drawn["links"]) == bool(panel.alerts)
        for link in drawn["links"]:
            path, section = ADDRESSES.fullmatch(link["url"]).groups()
            assert f"location = {path} {{" in served
            assert f'id="{section}"' in page
        assert all(f"<code>{alert}</code>" in page for alert in panel.alerts)


def test_releases_trainings_experiments_and_alerts_are_drawn_into_every_graph():
    names = {"Releases", "Trainings", "Experiments", "Alerts"}
    assert {name for name, *_rest in ANNOTATIONS} == names
    for dashboard in DASHBOARDS:
        assert {a["name"] for a in model(dashboard)["annotations"]["list"]} == names
