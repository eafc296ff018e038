"""The files that Prometheus and Alertmanager read, checked by their own tools."""

import ast
import re
import subprocess
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
import yaml

from monitoring.dashboards.questions import DASHBOARDS
from monitoring.status.containers import LONG_RUNNING
from tests.unit.monitoring.rules import ALERTS, PROMETHEUS, RULES

TEST_FILES = sorted(PROMETHEUS.glob("tests/*.yml"))
CASES = [
    case
    for file in TEST_FILES
    for test in yaml.safe_load(file.read_text())["tests"]
    for case in test.get("alert_rule_test", [])
]
SEVERITIES = {"critical", "warning", "setup", "none"}
ALWAYS_FIRING = {"Watchdog"}
RECORDED = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
EXPRESSIONS = {
    **RECORDED,
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
    **{
        f"{panel.title} {place}": query.replace("$__rate_interval", "1m")
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for place, (query, _legend) in enumerate(panel.queries)
    },
}
MTAIL = Path("monitoring/exporters/answers.mtail")
PACKAGES = ("ingest", "trainer", "recommender", "monitoring", "ci", "compose")
SUFFIXES = re.compile(r"_(total|bucket|count|sum)$")


@cache
def metrics_exported():
    """Every `marquee_…` name with which the packages call something, and those of mtail."""
    files = chain.from_iterable(Path(package).rglob("*.py") for package in PACKAGES)
    nodes = chain.from_iterable(ast.walk(ast.parse(file.read_text())) for file in files)
    calls = (node for node in nodes if isinstance(node, ast.Call) and node.args)
    names = (call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant))
    own = {name for name in names if re.fullmatch("marquee_[a-z_0-9]+", str(name))}
    counted = re.findall("^counter (marquee_[a-z_]+)", MTAIL.read_text(), re.MULTILINE)
    return {SUFFIXES.sub("", name) for name in [*own, *counted]}


@pytest.mark.parametrize(
    "command",
    [
        ["promtool", "check", "config", "prometheus.yml"],
        ["promtool", "test", "rules", *(f"tests/{file.name}" for file in TEST_FILES)],
        ["amtool", "check-config", "../alertmanager/alertmanager.yml"],
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_the_tools_own_checks_pass(command):
    done = subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", [rule["alert"] for rule in ALERTS])
def test_each_alert_is_tested_both_firing_and_silent(alert):
    cases = {bool(case.get("exp_alerts")) for case in CASES if case["alertname"] == alert}
    assert cases == ({True} if alert in ALWAYS_FIRING else {True, False})


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_is_what_to_do_and_where_it_is_drawn(rule):
    assert set(rule["annotations"]) == {"summary", "action", "dashboard_url"}
    assert rule["labels"]["severity"] in SEVERITIES


def test_the_rules_of_a_file_are_tested_in_the_file_of_the_same_name():
    assert {file.name for file in PROMETHEUS.glob("rules/*.yml")} == {f.name for f in TEST_FILES}


def test_no_file_of_rules_or_of_their_tests_is_left_out():
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    assert config["rule_files"] == ["rules/*.yml"]
    for file in TEST_FILES:
        assert yaml.safe_load(file.read_text())["rule_files"] == [f"../rules/{file.name}"]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_names_only_metrics_that_are_exported(name):
    named = {SUFFIXES.sub("", m) for m in re.findall("marquee_[a-z0-9_]+", EXPRESSIONS[name])}
    assert named <= metrics_exported() | set(RECORDED)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_what_recurs_by_a_setting_is_late_by_that_and_not_by_a_fixed_time(rule):
    since_a_run = r"time\(\)\s*-\s*[^<>]*(last_pass|backup_(last|newest))"
    assert not re.search(since_a_run, rule["expr"])


def test_every_expression_parses(tmp_path):
    rules = [{"record": f"r{i}", "expr": e} for i, e in enumerate(EXPRESSIONS.values())]
    file = tmp_path / "expressions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_long_running_service_of_ours_is_scraped():
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    scraped = {
        static["labels"]["service"]
        for job in config["scrape_configs"]
        for static in job["static_configs"]
    }
    assert {*LONG_RUNNING} - scraped == {"postgres"}  # its exporter speaks for it
