"""The rules that dashboards keep, those of a dashboard linter among them, on PromQL's own trees."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from math import prod
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from monitoring.dashboards.panels import ANNOTATIONS, VARIABLES, model, panel_links
from monitoring.dashboards.questions import DASHBOARDS
from monitoring.page.meanings import in_words
from monitoring.page.operations import operations_page
from recommender.metrics import Metrics
from tests.unit.monitoring.rules import ALERTS, PROMETHEUS, RULES

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
COMMANDS = (
    r"make [a-z]+",
    r"docker (?:compose|system|stats)",
    "dmesg",
    "timedatectl",
    "chrony",
    r"du --",
    r"date --",
)
"""What is typed at night: each begins so."""
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


def test_one_grafana_is_named_everywhere_and_it_reads_them():
    places = ("Dockerfile", "compose/monitoring.yml", "compose/up/settings.sh")
    named = [re.findall(r"grafana/grafana:([\d.]+)", Path(place).read_text()) for place in places]
    ((version,),) = {tuple(versions) for versions in named}
    assert tuple(map(int, version.split("."))) >= (9, 3)


@pytest.mark.parametrize("panel", PANELS, ids=by_title)
def test_a_panel_says_what_it_shows_in_which_unit(panel):
    assert panel.title
    assert panel.unit
    assert panel.description.endswith(".")
    assert all(legend for _query, legend in panel.queries)


@pytest.mark.parametrize("panel", PANELS, ids=by_title)
def test_whoever_was_woken_reads_in_a_panel_where_to_look_next(panel):
    assert re.search(rf"\b({'|'.join(COMMANDS)})\b", panel.description)


@pytest.mark.parametrize("panel", PANELS, ids=by_title)
def test_a_panel_has_a_bound_or_says_why_it_has_none(panel):
    bounds = [bound for bound in (panel.bad_from, panel.bad_below) if bound is not None]
    assert bool(bounds) != bool(panel.no_bound)
    assert not panel.no_bound.endswith(".")


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_what_is_beyond_a_bound_is_drawn_red_and_nothing_else(dashboard):
    for panel, drawn in zip(dashboard.panels, model(dashboard)["panels"], strict=True):
        steps = drawn["fieldConfig"]["defaults"]["thresholds"]["steps"]
        red = [step["value"] for step in steps if step["color"] == "red"]
        below = [] if panel.bad_below is None else [None]
        above = [] if panel.bad_from is None else [panel.bad_from]
        assert red == below + above
        assert (f"No bound: {panel.no_bound}." in drawn["description"]) == (not red)


def numbers(expression: str) -> set[float]:
    """What an alert holds its figures against; of a product, the product."""
    bare = re.sub(r'"[^"]*"|\[[^]]*\]|offset \w+', "", expression)
    products = re.findall(r"(?<![\w.])[\d.]+(?:\s*\*\s*[\d.]+)*(?![\w.])", bare)
    return {prod(float(factor) for factor in product.split("*")) for product in products}


def ranges(expression: str) -> set[float]:
    """The ranges of an expression, in seconds."""
    found = nodes(promql.parse(expression))
    selectors = (node for node in found if isinstance(node, promql.MatrixSelector))
    return {selector.range.total_seconds() for selector in selectors}


def test_the_numbers_of_an_alert_are_those_it_is_held_against():
    assert numbers('a{b="5", c=~"6"}[7m] offset 8m > 26 * 3600 and x2 < 0.1') == {26 * 3600, 0.1}


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel.alerts], ids=by_title)
def test_a_bound_is_that_of_an_alert(panel):
    """As it is, as its share of a whole, or as a rate; more than 0 is at least 1."""
    bound = panel.bad_below if panel.bad_from is None else panel.bad_from
    if bound is None:
        return
    rules = [rule["expr"] for rule in ALERTS if rule["alert"] in panel.alerts]
    spans = {1.0}.union(*map(ranges, rules))
    meant = {round(way, 9) for way in (1 - bound, *(bound * span for span in spans))}
    held = {round(number, 9) for number in set().union(*map(numbers, rules))}
    assert meant & (held | ({1.0} if 0.0 in held else set()))


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_a_dashboard_offers_the_choices_that_change_what_it_shows(dashboard):
    drawn = model(dashboard)
    asked = " ".join(line["expr"] for panel in drawn["panels"] for line in panel["targets"])
    used = set(re.findall(r"\$(\w+)", asked)) - {"__rate_interval"}
    assert {offered["name"] for offered in drawn["templating"]["list"]} == used


@pytest.mark.parametrize(("name", "query"), VARIABLES)
def test_a_choice_is_used_and_asks_for_labels_that_the_stack_exports(name, query):
    metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
    assert any(f"${name}" in asked for _title, asked in QUERIES)
    selector = promql.parse(metric)
    assert isinstance(selector, promql.VectorSelector)
    assert label in labels_of(selector.name)


def labels_of(metric: str) -> set[str]:
    """The labels of a slot's metric: its own, and those that Prometheus gives its targets."""
    registry = Metrics().registry
    (own,) = (
        vars(collector)["_labelnames"]
        for collector, names in registry._collector_to_names.items()  # noqa: SLF001 -- told to nobody else
        if metric in names
    )
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    (slots,) = (job["static_configs"] for job in jobs if job["job_name"] == "recommender")
    return set(own).union(*(target["labels"] for target in slots))


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
    action = in_words(rule["annotations"]["action"], {}).replace("\n", " ").replace("|", "\\|")
    row = f"| `{name}` | {severity} | [graph]({graph}) | {action} |"
    assert row in OPERATIONS.read_text().splitlines()


def test_nobody_has_to_read_what_only_prometheus_reads():
    assert "{{" not in OPERATIONS.read_text()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_word_to_be_filled_in_is_part_of_a_command(rule):
    """Elsewhere GitHub takes it for a tag, and shows nothing."""
    action = in_words(rule["annotations"]["action"], {})
    assert "<" not in re.sub("`[^`]*`", "", action)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_all_that_is_to_do_about_an_alert_is_on_the_page(rule):
    """A bar that is not escaped would end the cell, and what follows it would be gone."""
    shown = re.sub("<[^>]+>", "", operations_page(OPERATIONS.read_text()))
    action = in_words(rule["annotations"]["action"], {}).replace("\n", " ").replace("`", "")
    assert action in unescape(shown)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_what_to_do_about_an_alert_is_found_by_its_name(rule):
    page = operations_page(OPERATIONS.read_text())
    assert f'<tr id="{rule["alert"]}">\n<td><code>{rule["alert"]}</code></td>' in page


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_leads_to_its_graph(rule):
    assert rule["annotations"]["dashboard_url"] == panel_links(DASHBOARDS)[rule["alert"]]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_graph_that_an_alert_leads_to_is_in_the_shipped_json(rule):
    address = re.fullmatch(r".+/d/([\w-]+)\?viewPanel=(\d+)", rule["annotations"]["dashboard_url"])
    shipped = json.loads((SHIPPED / f"{address[1]}.json").read_text())
    (panel,) = (panel for panel in shipped["panels"] if panel["id"] == int(address[2]))
    assert re.search(rf"\b{rule['alert']}\b", panel["description"])


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_each_graph_of_alerts_leads_to_what_to_do_about_them(dashboard):
    served = Path("nginx/nginx.conf").read_text()
    page = operations_page(OPERATIONS.read_text())
    for panel, drawn in zip(dashboard.panels, model(dashboard)["panels"], strict=True):
        for alert, link in zip(panel.alerts, drawn["links"], strict=True):
            path, row = ADDRESSES.fullmatch(link["url"]).groups()
            assert f"location = {path} {{" in served
            assert link["title"] == f"What to do about {alert}"
            assert row == alert
            assert f'<tr id="{row}">' in page


def test_an_experiment_is_drawn_while_there_is_one_and_not_while_its_answers_are_remembered():
    (expression,) = (asked for name, _, asked, _ in ANNOTATIONS if name == "Experiments")
    assert metrics(expression) == {"marquee_experiment_people"}


def test_a_graph_from_zero_on_has_no_times_of_day():
    """The first of 1970 to today: a restart of an hour ago is no visible step in it."""
    assert not [panel.title for panel in PANELS if panel.unit.startswith("dateTime")]


def test_releases_trainings_experiments_and_alerts_are_drawn_into_every_graph():
    names = {"Releases", "Trainings", "Experiments", "Alerts"}
    assert {name for name, *_rest in ANNOTATIONS} == names
    for dashboard in DASHBOARDS:
        assert {a["name"] for a in model(dashboard)["annotations"]["list"]} == names
