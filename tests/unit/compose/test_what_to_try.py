"""What the end of make up tells people to look at."""

import pytest

from tests.unit.compose.shell import bash

PORTS = {
    "NGINX_PORT": "8080",
    "PROMETHEUS_PORT": "9090",
    "ALERTMANAGER_PORT": "9093",
    "GRAFANA_PORT": "3000",
    "JENKINS_PORT": "8090",
    "COMPOSE_PROFILES": "simulator",
    "JENKINS": "off",
}


def told(*, webhook: bool = False, **changed: str) -> str:
    docker = f"docker() {{ {'true' if webhook else 'false'}; }}"
    script = f"source compose/up/what_to_try.sh; {docker}; what_to_try"
    found = bash(script, environment=PORTS | changed)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_the_ports_are_those_that_were_set():
    found = told(NGINX_PORT="18080", ALERTMANAGER_PORT="19093")
    assert "curl http://127.0.0.1:18080/recommend/42" in found
    assert "http://127.0.0.1:19093" in found
    assert "ssh -L 18080:127.0.0.1:18080" in found


@pytest.mark.parametrize(
    ("webhook", "says"), [(True, "make alert-test"), (False, "nobody is told")]
)
def test_it_says_whether_alerts_reach_anybody(webhook, says):
    assert says in told(webhook=webhook)


def test_what_does_not_run_is_not_shown():
    assert "Dashboards" not in told()
    assert "Builds" not in told()


def test_grafana_and_jenkins_are_shown_where_they_run():
    found = told(COMPOSE_PROFILES="simulator,grafana", JENKINS="on")
    assert "http://127.0.0.1:3000" in found
    assert "http://127.0.0.1:8090" in found
