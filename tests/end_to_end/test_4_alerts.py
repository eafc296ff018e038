"""Alerts mean something: none fires while all is well, and what stops is told by name.

HEALTHY_MINUTES: how long a stack must have been well; ONE_BY_ONE: stop each service alone, and
freeze those that others wrote, where otherwise they are stopped in two batches (make drill sets
both).
"""

import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from monitoring.status.containers import LONG_RUNNING
from tests.end_to_end.conftest import Stack
from tests.end_to_end.load import Load, under
from tests.end_to_end.receivers import Receivers, listening
from tests.engine import docker
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(1800)  # alerts wait before they fire, and again before they end

HEALTHY_MINUTES = int(os.environ.get("HEALTHY_MINUTES", "3"))
UPTIME = 'time() - process_start_time_seconds{service="prometheus"}'
GRAVE = 'ALERTS{alertstate="firing", severity!~"none|setup"}'
SET_UP_LATER = {"SlackNotSet", "DeadMansSwitchNotSet", "NoBackup", "ClockNotKept"}

TESTS = f"{os.environ.get('IMAGE_PREFIX', 'marquee-test')}/tests"
SLOTS = ("recommender-blue", "recommender-green")
WATCHED_ELSEWHERE = ("prometheus", "alertmanager")
"""Whoever hears the Watchdog notices when these stop."""
LATER = ("evaluation", "postgres", "nginx", "mtail")
"""What the first batch needs: it counts what Nginx answers while both slots are away."""
FIRST = tuple(
    name for name in (*LONG_RUNNING, "simulator") if name not in (*LATER, *WATCHED_ELSEWHERE)
)
ONE_BY_ONE = [(name,) for name in (*FIRST, *LATER)]
BATCHES = ONE_BY_ONE if "ONE_BY_ONE" in os.environ else [FIRST, LATER]
FROZEN = ("kafka", "postgres", "nginx", "mtail", "node-exporter", "process-exporter")
"""Written by others: they have no watchdog of ours, and frozen they still take connections."""
EXPORTERS = ("nginx-exporter", "postgres-exporter")
SILENCE_SECONDS = 75
"""Longer than from one sign of the Watchdog to the next: a minute at most."""


def ask(query: str) -> list[dict[str, Any]]:
    """The result of a query to the stack's Prometheus."""
    port, encoded = os.environ["PROMETHEUS_PORT"], urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{encoded}") as answer:
        result: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
        return result


def labels(query: str, label: str) -> set[str]:
    """The values of a label in the result of a query."""
    return {sample["metric"].get(label, "") for sample in ask(query)}


def number(query: str) -> float:
    """The one number that a query gives."""
    (sample,) = ask(query)
    return float(sample["value"][1])


def fires(alert: str, service: str) -> bool:
    return service in labels(f'ALERTS{{alertstate="firing", alertname="{alert}"}}', "service")


@pytest.fixture(scope="module")
def receivers(stack: Stack) -> Iterator[Receivers]:
    """What Alertmanager posted, once its addresses are this test's own."""
    with listening() as (found, address):
        for name in ("slack", "watchdog"):
            set_secret(stack, name, f"{address}/{name}")
        yield found
        for name in ("slack", "watchdog"):
            set_secret(stack, name, "")


def set_secret(stack: Stack, name: str, value: str) -> None:
    stack.compose("run", "--rm", "--no-deps", "-T", "secrets", "set", name, given=value)


def test_nothing_fires_on_a_healthy_stack_but_what_is_not_set_up_yet(stack):
    answered = "sum(increase(marquee_requests_total[3m]))"
    with under(Load(stack.nginx_port, rate=50, connections=4)):
        eventually(lambda: number(UPTIME) >= 60 * HEALTHY_MINUTES, 60 * HEALTHY_MINUTES, "uptime")
        eventually(lambda: number(answered) > 1000, 120, "a thousand requests")
    ever = f"max_over_time({GRAVE}[{int(number(UPTIME))}s])"
    assert labels(ever, "alertname") == set()
    assert labels('ALERTS{severity="none"}', "alertname") == {"Watchdog"}
    assert labels('ALERTS{severity="setup"}', "alertname") <= SET_UP_LATER


def test_no_figure_of_ours_is_exported_by_two_services():
    ours = '{__name__=~"marquee_.+", job!="", job!="recommender"}'
    named = f'label_replace({ours}, "figure", "$1", "__name__", "(.+)")'  # sums have no name
    exporters = f"count without (service) (group without (instance, job) ({named}))"
    assert number(f"count({exporters})") > 100
    assert labels(f"{exporters} > 1", "figure") == set()


def test_memory_and_processor_time_of_each_service_are_there():
    names = {*LONG_RUNNING, "simulator", "recommender"} - {*SLOTS}
    for figure in ('memory_bytes{memtype="resident"}', "cpu_seconds_total"):
        query = f"namedprocess_namegroup_{figure} > 0"
        eventually(lambda query=query: names <= labels(query, "service"), 60, f"{figure} of all")
    assert len(ask('namedprocess_namegroup_num_procs{service="recommender"}')) >= 2


@contextmanager
def container(*command: str) -> Iterator[str]:
    """A container of the tests' image that runs in the block; the first of its id."""
    made = docker("run", "--detach", "--init", "--network", "none", TESTS, *command).strip()
    try:
        yield made[:12]
    finally:
        docker("rm", "--force", made)


def test_a_jenkins_and_its_helper_are_seen_by_their_processes():
    """Only a registry has Jenkins: here it is a name. An alert looks at whether they are there."""
    named = "exec -a 'java -jar /usr/share/jenkins/jenkins.war' sleep 300"

    def seen() -> dict[str, str]:
        found = ask("namedprocess_namegroup_num_procs > 0")
        return {one["metric"].get("container", ""): one["metric"]["service"] for one in found}

    with (
        container("bash", "-c", named) as jenkins,
        container("python3", "-m", "ci.helper") as helper,
    ):
        both = {jenkins: "jenkins", helper: "helper"}
        eventually(lambda: both.items() <= seen().items(), 60, "both")
    eventually(lambda: not both.keys() & seen().keys(), 60, "neither")


def test_kafka_nginx_and_postgresql_tell_their_own_figures():
    topic = os.environ["KAFKA_TOPIC"]
    assert number(f'sum(kafka_topic_messagesin_total{{topic="{topic}"}})') > 0
    assert number(f'sum(kafka_log_size_bytes{{topic="{topic}"}})') > 0
    assert number("nginx_http_requests_total") > 0
    assert number('pg_stat_database_xact_commit{datname="marquee"}') > 0


def test_slack_that_is_not_set_is_said_by_status_and_by_the_test_of_the_way(stack):
    assert "No Slack webhook is set" in stack.make("status").stdout
    done = stack.make("alert-test")
    assert (done.returncode, "no Slack webhook is set" in done.stderr) == (2, True)


def test_an_alert_goes_through_the_whole_way_and_is_waited_for(stack, receivers):
    done = stack.make("alert-test")
    assert done.returncode == 0, done.stderr
    assert receivers.told("AlertTest")


def test_an_audit_that_does_not_balance_is_told_in_slack(stack, receivers):
    stack.sql_as_owner(
        "CREATE TABLE kept AS SELECT * FROM account ORDER BY log_offset LIMIT 1;"
        "DELETE FROM account WHERE (log_partition, log_offset)"
        " IN (SELECT log_partition, log_offset FROM kept)"
    )
    try:
        eventually(lambda: receivers.told("AuditUnbalanced"), 120, "AuditUnbalanced in #alert")
    finally:
        stack.sql_as_owner("INSERT INTO account SELECT * FROM kept; DROP TABLE kept")


def alert_of(service: str) -> str:
    """The alert that the stop of a service fires."""
    if service in SLOTS:
        return "SlotDown"
    return "WantedServiceDown" if service == "simulator" else "ServiceDown"


@pytest.mark.parametrize("services", BATCHES, ids=" ".join)
@pytest.mark.usefixtures("receivers")
def test_the_stop_of_a_service_fires_its_alert(stack, receivers, services):
    asked = Load(stack.nginx_port, rate=10, connections=2)
    both_slots = {*SLOTS} <= {*services}
    silenced = {*SLOTS} if both_slots else set()  # BothSlotsDown says it for both
    stack.compose("stop", "--timeout", "10", *services)
    try:
        with under(asked):
            for name in services:
                eventually(
                    lambda name=name: fires(alert_of(name), name), 240, f"{alert_of(name)} {name}"
                )
            for name in sorted({*services} - silenced):
                eventually(
                    lambda name=name: receivers.told(alert_of(name), told_as(name)),
                    120,
                    f"{name} in #alert",
                )
            if both_slots:
                eventually(lambda: receivers.told("BothSlotsDown"), 120, "BothSlotsDown")
                eventually(lambda: labels(GRAVE, "alertname") >= {"ListsByNginx"}, 240, "lists")
    finally:
        stack.start(*services)


def told_as(service: str) -> str:
    """How a message names a service."""
    return service.removeprefix("recommender-")


def test_lists_by_nginx_are_told_by_status(stack):
    assert "lists by Nginx" in stack.make("status").stdout


@contextmanager
def frozen(stack: Stack, service: str) -> Iterator[None]:
    """A service stands still in the block; after it, it is well again."""
    stack.compose("pause", service)
    try:
        yield
    finally:
        stack.compose("unpause", service)
        eventually(lambda: stack.is_healthy(service), 240, f"healthy: {service}")


@contextmanager
def stopped(stack: Stack, service: str) -> Iterator[None]:
    """A service is stopped in the block; after it, it is well again."""
    stack.compose("stop", "--timeout", "10", service)
    try:
        yield
    finally:
        stack.start(service)


@pytest.mark.skipif("ONE_BY_ONE" not in os.environ, reason="minutes each: in make drill")
@pytest.mark.parametrize("service", FROZEN)
def test_a_frozen_service_is_named_and_not_its_exporter(stack, service):
    with frozen(stack, service):
        eventually(lambda: fires("ServiceDown", service), 240, f"ServiceDown {service}")
        assert not any(fires("ServiceDown", exporter) for exporter in EXPORTERS)


@pytest.mark.skipif("ONE_BY_ONE" not in os.environ, reason="minutes of silence: in make drill")
@pytest.mark.parametrize("away", [stopped, frozen])
@pytest.mark.parametrize("service", WATCHED_ELSEWHERE)
def test_the_watchdog_falls_silent_when_what_carries_it_does(stack, receivers, service, away):
    eventually(lambda: receivers.silent_for() < SILENCE_SECONDS, 120, "the Watchdog")
    with away(stack, service):
        eventually(lambda: receivers.silent_for() > SILENCE_SECONDS, 240, "silence")
    eventually(lambda: receivers.silent_for() < SILENCE_SECONDS, 120, "the Watchdog again")
